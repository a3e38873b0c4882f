//! Pods in different processes reach each other on unix sockets.
//!
//! Every Pod process serves two files in a folder of its own user: `PATH`, which takes connections,
//! and `PATH.udp`, which takes datagrams. A connection begins with a header (protocol, who is called,
//! who calls), is answered with one byte, and from then on *is* the guests' connection. A datagram is
//! the same header and the payload.
//!
//! [`Header::decode`] is pure and takes what anybody may send. A header that calls an address which
//! is not this Pod's, or from one that no other Pod can have, is refused: the loopback of a Pod is
//! reached from inside only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::space::Network;
use super::stream::Stream;
use super::udp::Datagram;
use super::{AddressFamily, NetworkError};

/// How long a caller may take for its header, and a Pod for its answer, before giving up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Callers that are between accept and hand-over; more wait in the kernel's queue.
const MOST_HANDSHAKES: usize = 128;

/// What stands before a connection or a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub transport: Transport,
    /// Who is called.
    pub to: SocketAddr,
    /// Who calls; of the same family.
    pub from: SocketAddr,
}

/// What follows a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A connection.
    Tcp,
    /// One datagram.
    Udp,
}

/// A header that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Another version speaks there.
    #[error("unknown version {0}")]
    Version(u8),
    /// Neither TCP nor UDP.
    #[error("unknown protocol {0}")]
    Protocol(u8),
    /// Neither IPv4 nor IPv6.
    #[error("unknown address family {0}")]
    Family(u8),
}

const VERSION: u8 = 1;
/// A header with IPv6 addresses: three bytes, and twice an address with its port.
const LONGEST: usize = 3 + 2 * 18;

impl Header {
    /// The bytes of a header. Both addresses are of one family; the caller's routing sees to that.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LONGEST);
        let protocol = match self.transport {
            Transport::Tcp => 6,
            Transport::Udp => 17,
        };
        let family = if self.to.is_ipv4() { 4 } else { 6 };
        bytes.extend([VERSION, protocol, family]);
        for address in [self.to, self.from] {
            match address.ip() {
                IpAddr::V4(ip) => bytes.extend(ip.octets()),
                IpAddr::V6(ip) => bytes.extend(ip.octets()),
            }
            bytes.extend(address.port().to_be_bytes());
        }
        bytes
    }

    /// Reads a header and says how long it was; `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`HeaderError`] as soon as the bytes cannot become a header.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeaderError> {
        match bytes.first() {
            None => return Ok(None),
            Some(&VERSION) => {}
            Some(&version) => return Err(HeaderError::Version(version)),
        }
        let transport = match bytes.get(1) {
            None => return Ok(None),
            Some(6) => Transport::Tcp,
            Some(17) => Transport::Udp,
            Some(&protocol) => return Err(HeaderError::Protocol(protocol)),
        };
        let family = match bytes.get(2) {
            None => return Ok(None),
            Some(4) => AddressFamily::Ipv4,
            Some(6) => AddressFamily::Ipv6,
            Some(&family) => return Err(HeaderError::Family(family)),
        };
        let Some((to, rest)) = take_address(family, &bytes[3..]) else { return Ok(None) };
        let Some((from, rest)) = take_address(family, rest) else { return Ok(None) };
        Ok(Some((Self { transport, to, from }, bytes.len() - rest.len())))
    }
}

fn take_address(family: AddressFamily, bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (ip, rest) = match family {
        AddressFamily::Ipv4 => {
            let (ip, rest) = bytes.split_first_chunk::<4>()?;
            (IpAddr::V4(Ipv4Addr::from(*ip)), rest)
        }
        AddressFamily::Ipv6 => {
            let (ip, rest) = bytes.split_first_chunk::<16>()?;
            (IpAddr::V6(Ipv6Addr::from(*ip)), rest)
        }
    };
    let (port, rest) = rest.split_first_chunk::<2>()?;
    Some((SocketAddr::new(ip, u16::from_be_bytes(*port)), rest))
}

/// What the called Pod answers to a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Answer {
    Connected = 0,
    Refused = 1,
    TimedOut = 2,
    Unreachable = 3,
}

impl Answer {
    fn of(outcome: Result<(), NetworkError>) -> Self {
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
    let header = Header { transport: Transport::Tcp, to, from };
    stream.write_all(&header.encode()).await?;
    // A full queue at the other side is waited for there, no longer than a kernel would.
    Answer::into_result(stream.read_u8().await?)?;
    Ok(stream)
}

/// Sends a datagram to another Pod; one that its process does not take at once is lost.
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
            // A Pod that does not run is a host that is down: the network does not tell.
            io::ErrorKind::WouldBlock
            | io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused => Ok(()),
            _ if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::NOBUFS) => {
                Ok(())
            }
            _ => Err(error.into()),
        },
    }
}

fn datagram_socket(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(".udp");
    path.into()
}

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
    loop {
        while handshakes.len() >= MOST_HANDSHAKES {
            handshakes.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                while handshakes.try_join_next().is_some() {}
                handshakes.spawn(greet(Arc::clone(&network), stream));
            }
            // Out of descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn greet(network: Arc<Network>, mut stream: UnixStream) {
    let header = match tokio::time::timeout(HANDSHAKE_TIMEOUT, read_header(&mut stream)).await {
        Ok(Ok(header)) if header.transport == Transport::Tcp => header,
        _ => return,
    };
    if !is_plausible(&network, &header) {
        let _ = stream.write_u8(Answer::Unreachable as u8).await;
        return;
    }
    // The byte must be out before the guest has the stream, and the caller must not hear of success
    // before there is a place in the queue.
    let outcome = network.reserve(header.to).await;
    let answer = Answer::of(outcome.as_ref().map(|_| ()).map_err(|error| *error));
    if stream.write_u8(answer as u8).await.is_err() {
        return;
    }
    if let Ok(place) = outcome {
        // A stream that cannot be given away is closed, which is all that its caller can be told.
        let _ = place.fill(header.from, Stream::from(stream));
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
    let mut buffer = vec![0; LONGEST + usize::from(u16::MAX)];
    loop {
        let Ok(count) = receiver.recv(&mut buffer).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(Some((header, length))) = Header::decode(&buffer[..count]) else { continue };
        if header.transport != Transport::Udp || !is_plausible(&network, &header) {
            continue;
        }
        if let Some(mailbox) = network.mailbox(header.to) {
            let bytes = Bytes::copy_from_slice(&buffer[length..count]);
            mailbox.deliver(Datagram { bytes, from: header.from });
        }
    }
}

/// Calls one of this Pod's IPs, from one that is not this Pod's.
fn is_plausible(network: &Network, header: &Header) -> bool {
    network.config().ips.contains(&header.to.ip())
        && !network.is_own(header.from.ip())
        && super::address::is_remote(header.from)
}

#[cfg(test)]
mod tests;
