//! Calling another Pod, and what it answers.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

use super::header::{Header, Transport};
use super::server::HANDSHAKE_TIMEOUT;
use crate::sandbox::network::NetworkError;

/// Twice what a Pod may take until it says that nobody accepts.
const ANSWER_TIMEOUT: Duration = HANDSHAKE_TIMEOUT.saturating_mul(2);

/// What the called Pod answers to a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Answer {
    Connected = 0,
    Refused = 1,
    TimedOut = 2,
    Unreachable = 3,
}

impl Answer {
    pub(super) fn of(outcome: Result<(), NetworkError>) -> Self {
        match outcome {
            Ok(()) => Self::Connected,
            Err(NetworkError::TimedOut) => Self::TimedOut,
            Err(NetworkError::HostUnreachable) => Self::Unreachable,
            Err(_) => Self::Refused,
        }
    }

    fn into_result(answer: u8) -> Result<(), NetworkError> {
        match answer {
            0 => Ok(()),
            2 => Err(NetworkError::TimedOut),
            3 => Err(NetworkError::HostUnreachable),
            _ => Err(NetworkError::ConnectionRefused),
        }
    }
}

/// Calls another Pod.
///
/// # Errors
/// [`NetworkError::HostUnreachable`] when its process does not run, else what it answers.
pub(crate) async fn connect(
    socket: &Path,
    from: SocketAddr,
    to: SocketAddr,
) -> Result<UnixStream, NetworkError> {
    call(socket, Header { transport: Transport::Tcp, to, from }).await
}

/// Gives another Pod a TCP connection that was accepted here: its guest then reads it itself, and
/// whoever gave it may drop it.
///
/// # Errors
/// As [`connect`]; the connection is still the caller's then.
pub(crate) async fn hand_over(
    socket: &Path,
    client: SocketAddr,
    to: SocketAddr,
    connection: impl AsFd,
) -> Result<(), NetworkError> {
    let stream = call(socket, Header { transport: Transport::HostTcp, to, from: client }).await?;
    let send = || send_descriptor(&stream, connection.as_fd());
    Ok(stream.async_io(Interest::WRITABLE, send).await?)
}

/// One byte that means nothing, as a descriptor cannot go alone.
fn send_descriptor(through: &UnixStream, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let descriptors = [descriptor];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    sendmsg(through, &[io::IoSlice::new(&[0])], &mut control, flags)?;
    Ok(())
}

/// What [`send_descriptor`] has sent.
pub(super) fn receive_descriptor(through: &UnixStream) -> io::Result<OwnedFd> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    recvmsg(through, &mut [io::IoSliceMut::new(&mut byte)], &mut control, flags)?;
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    descriptor.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Calls, and waits for the answer for no longer than a Pod whose guest does not accept takes for it:
/// a process that stands still gives none.
async fn call(socket: &Path, header: Header) -> Result<UnixStream, NetworkError> {
    match tokio::time::timeout(ANSWER_TIMEOUT, greet(socket, header)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(NetworkError::TimedOut),
    }
}

async fn greet(socket: &Path, header: Header) -> Result<UnixStream, NetworkError> {
    let mut stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) => {
            return Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    NetworkError::HostUnreachable
                }
                _ => error.into(),
            });
        }
    };
    stream.write_all(&header.encode()).await?;
    // A full queue at the other side is waited for there, no longer than a kernel would.
    Answer::into_result(stream.read_u8().await?)?;
    Ok(stream)
}

/// Sends a datagram to another Pod; one that its process does not take at once is lost.
///
/// # Errors
/// [`NetworkError::HostUnreachable`] when its process does not run.
pub(crate) fn send_datagram(
    through: &UnixDatagram,
    socket: &Path,
    from: SocketAddr,
    to: SocketAddr,
    payload: &[u8],
) -> Result<(), NetworkError> {
    let mut datagram = Header { transport: Transport::Udp, to, from }.encode();
    datagram.extend_from_slice(payload);
    match through.send_to(&datagram, datagram_socket(socket)) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock => Ok(()),
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Err(NetworkError::HostUnreachable)
            }
            _ if Errno::from_io_error(&error) == Some(Errno::NOBUFS) => Ok(()),
            _ => Err(error.into()),
        },
    }
}

pub(super) fn datagram_socket(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(".udp");
    path.into()
}
