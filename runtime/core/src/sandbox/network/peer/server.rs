//! Taking what other Pods send to this one.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::call::{Answer, datagram_socket, receive_descriptor};
use super::header::{Header, LONGEST, Transport};
use crate::sandbox::network::address::is_remote;
use crate::sandbox::network::lock::lock;
use crate::sandbox::network::{Datagram, Network, NetworkError, Stream, hostport};

/// How long a caller may take for its header, and a Pod for its answer, before giving up.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Callers that are between accept and hand-over; more wait in the kernel's queue.
const MOST_HANDSHAKES: usize = 256;
/// Callers that wait for a place at one port, whose guest does not accept: the others of the Pod
/// must not wait behind them. More are refused.
pub(super) const MOST_WAITING: usize = 32;
/// Taken one after the other, before others of the Pod have their turn.
const DATAGRAMS_A_TURN: usize = 64;

/// Why a Pod cannot be reached by others.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// Another process answers there.
    #[error("another Pod process serves {}", path.display())]
    InUse {
        /// The socket file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot serve {}", path.display())]
    Bind {
        /// The socket file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Takes what other Pods send to this one. Dropping it closes and removes the sockets; connections
/// that were handed over go on.
pub struct PeerServer {
    path: PathBuf,
    _tasks: JoinSet<()>,
}

impl PeerServer {
    /// Serves a Pod's network at `path`, in a folder that only this user may enter (0700); a socket
    /// that a dead process left behind is replaced.
    ///
    /// # Errors
    /// [`PeerError`]
    pub fn serve(network: &Arc<Network>, path: &Path) -> Result<Self, PeerError> {
        let datagrams = datagram_socket(path);
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(PeerError::InUse { path: path.to_owned() });
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| PeerError::Bind { path, source }
        };
        for stale in [path, &datagrams] {
            match std::fs::remove_file(stale) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(stale)(error)),
            }
        }
        let listener = UnixListener::bind(path).map_err(failed(path))?;
        let receiver = tokio::net::UnixDatagram::bind(&datagrams).map_err(failed(&datagrams))?;
        let mut tasks = JoinSet::new();
        tasks.spawn(take_connections(Arc::clone(network), listener));
        tasks.spawn(take_datagrams(Arc::clone(network), receiver));
        Ok(Self { path: path.to_owned(), _tasks: tasks })
    }
}

impl Drop for PeerServer {
    fn drop(&mut self) {
        // A file that is gone already is as good as removed.
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(datagram_socket(&self.path));
    }
}

async fn take_connections(network: Arc<Network>, listener: UnixListener) {
    let mut handshakes = JoinSet::new();
    let waiting = Arc::new(Waiting::default());
    loop {
        while handshakes.len() >= MOST_HANDSHAKES {
            handshakes.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                while handshakes.try_join_next().is_some() {}
                handshakes.spawn(greet(Arc::clone(&network), Arc::clone(&waiting), stream));
            }
            // Out of descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn greet(network: Arc<Network>, waiting: Arc<Waiting>, mut stream: UnixStream) {
    let header = match tokio::time::timeout(HANDSHAKE_TIMEOUT, read_header(&mut stream)).await {
        Ok(Ok(header)) => header,
        _ => return,
    };
    let (from, to) = match header.transport {
        Transport::Tcp if is_plausible(&network, &header) => (header.from, header.to),
        Transport::HostTcp if network.config().ips.contains(&header.to.ip()) => {
            let to = hostport::destination(&network, header.from, header.to.port());
            (hostport::apparent_client(&network, to, header.from), to)
        }
        Transport::Tcp | Transport::HostTcp => {
            let _ = stream.write_u8(Answer::Unreachable as u8).await;
            return;
        }
        Transport::Udp => return,
    };
    // The byte must be out before the guest has the stream, and the caller must not hear of success
    // before there is a place in the queue.
    let place = async {
        let _turn = waiting.enter(to.port()).ok_or(NetworkError::ConnectionRefused)?;
        network.reserve(to).await
    };
    let place = tokio::time::timeout(HANDSHAKE_TIMEOUT, place).await;
    let outcome = place.unwrap_or(Err(NetworkError::TimedOut));
    let answer = Answer::of(outcome.as_ref().map(|_| ()).map_err(|error| *error));
    if stream.write_u8(answer as u8).await.is_err() {
        return;
    }
    let Ok(place) = outcome else { return };
    let stream = match header.transport {
        Transport::HostTcp => {
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, handed_over(&stream)).await {
                Ok(Ok(handed)) => Stream::from(handed),
                _ => return,
            }
        }
        Transport::Tcp | Transport::Udp => Stream::from(stream),
    };
    // A stream that cannot be given away is closed, which is all that its caller can be told.
    let _ = place.fill(from, stream);
}

/// The connection that follows a header of [`Transport::HostTcp`].
async fn handed_over(stream: &UnixStream) -> io::Result<TcpStream> {
    let descriptor = stream.async_io(Interest::READABLE, || receive_descriptor(stream)).await?;
    let connection = std::net::TcpStream::from(descriptor);
    connection.set_nonblocking(true)?;
    TcpStream::from_std(connection)
}

/// How many callers wait at each port.
#[derive(Default)]
struct Waiting {
    ports: Mutex<HashMap<u16, usize>>,
}

/// One caller's place among those that wait, given back when dropped.
struct Turn<'waiting> {
    waiting: &'waiting Waiting,
    port: u16,
}

impl Waiting {
    fn enter(&self, port: u16) -> Option<Turn<'_>> {
        let mut ports = lock(&self.ports);
        let count = ports.entry(port).or_default();
        if *count >= MOST_WAITING {
            return None;
        }
        *count += 1;
        Some(Turn { waiting: self, port })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut ports = lock(&self.waiting.ports);
        if let Some(count) = ports.get_mut(&self.port) {
            *count -= 1;
            if *count == 0 {
                ports.remove(&self.port);
            }
        }
    }
}

async fn read_header(stream: &mut UnixStream) -> io::Result<Header> {
    let mut bytes = Vec::with_capacity(LONGEST);
    loop {
        match Header::decode(&bytes) {
            Ok(Some((header, _))) => return Ok(header),
            // Byte by byte: what follows the header is the guest's.
            Ok(None) => bytes.push(stream.read_u8().await?),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

async fn take_datagrams(network: Arc<Network>, receiver: tokio::net::UnixDatagram) {
    loop {
        let taken = match receiver.readable().await {
            Ok(()) => take_waiting(&network, &receiver),
            Err(error) => Err(error),
        };
        if taken.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn take_waiting(network: &Network, receiver: &tokio::net::UnixDatagram) -> io::Result<()> {
    // Only now: most Pods never get one, and each would hold it.
    let mut buffer = vec![0; LONGEST + usize::from(u16::MAX)];
    for _ in 0..DATAGRAMS_A_TURN {
        match receiver.try_recv(&mut buffer) {
            Ok(count) => take_datagram(network, &buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn take_datagram(network: &Network, datagram: &[u8]) {
    let Ok(Some((header, length))) = Header::decode(datagram) else { return };
    if header.transport != Transport::Udp || !is_plausible(network, &header) {
        return;
    }
    if let Some(mailbox) = network.mailbox(header.to) {
        let bytes = Bytes::copy_from_slice(&datagram[length..]);
        mailbox.deliver(Datagram { bytes, from: header.from });
    }
}

/// Calls one of this Pod's IPs, from one that is not this Pod's.
fn is_plausible(network: &Network, header: &Header) -> bool {
    network.config().ips.contains(&header.to.ip())
        && !network.is_own(header.from.ip())
        && is_remote(header.from)
}
