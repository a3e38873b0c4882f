//! `hostPort` and `--publish`: real ports of the host that lead into the Pod.
//!
//! A TCP connection is accepted here and handed over; nothing of it stays. Datagrams are passed on
//! one by one, and answers leave through the port that the question came in by.
//!
//! Clients on the host's own loopback appear as the host's address: in the Pod loopback means the
//! Pod, and a service that trusts it must not trust the host's users.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::task::JoinSet;

use super::lock::lock;
use super::space::Network;
use super::stream::Stream;
use super::udp::Datagram;
use super::{AddressFamily, NetworkError};

/// Clients of one published UDP port that can be answered; the oldest is forgotten first.
const MOST_CLIENTS: usize = 4096;
/// Connections that the kernel keeps for us while the guest's queue is full.
const BACKLOG: u32 = 1024;
/// Connections of one port between accept and hand-over.
const MOST_WAITING: usize = 256;

/// A port of the host that leads to one of the Pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostPort {
    /// The protocol.
    pub transport: HostPortTransport,
    /// `hostIP`; all addresses of the host when none.
    pub host_ip: Option<IpAddr>,
    /// `hostPort`; 0 lets the kernel choose one.
    pub host_port: u16,
    /// `containerPort`
    pub pod_port: u16,
}

/// The protocol of a published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPortTransport {
    /// TCP
    Tcp,
    /// UDP
    Udp,
}

impl std::fmt::Display for HostPortTransport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// A port of the host that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on host port {address} ({transport}) for port {pod_port} of the Pod")]
pub struct HostPortError {
    /// The address that was wanted.
    pub address: SocketAddr,
    /// The protocol.
    pub transport: HostPortTransport,
    /// The port of the Pod.
    pub pod_port: u16,
    /// Why; [`io::ErrorKind::AddrInUse`] when somebody else has it.
    #[source]
    pub source: io::Error,
}

/// The open host ports of a Pod. Dropping it closes them; handed-over connections go on.
pub struct HostPorts {
    network: Arc<Network>,
    addresses: Vec<(HostPort, SocketAddr)>,
    tasks: JoinSet<()>,
}

impl HostPorts {
    /// Opens all of `ports`, or none.
    ///
    /// # Errors
    /// [`HostPortError`] names the first that cannot be had.
    pub fn open(network: &Arc<Network>, ports: &[HostPort]) -> Result<Self, HostPortError> {
        let mut open =
            Self { network: Arc::clone(network), addresses: Vec::new(), tasks: JoinSet::new() };
        for (index, port) in ports.iter().enumerate() {
            // Declared in the manifest and published by hand, a port is still one port.
            if !ports[..index].contains(port) {
                open.add(*port)?;
            }
        }
        Ok(open)
    }

    /// The addresses that are listened at, with the ports that the kernel chose.
    pub fn addresses(&self) -> &[(HostPort, SocketAddr)] {
        &self.addresses
    }

    fn add(&mut self, port: HostPort) -> Result<(), HostPortError> {
        let mut number = port.host_port;
        let ips: &[IpAddr] = match &port.host_ip {
            Some(ip) if !ip.is_unspecified() => &[*ip],
            Some(IpAddr::V4(_)) => &[IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
            _ => &[IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)],
        };
        let mut sockets = Vec::new();
        for (index, &ip) in ips.iter().enumerate() {
            let address = SocketAddr::new(ip, number);
            let opened = match port.transport {
                HostPortTransport::Tcp => listen_tcp(address)
                    .and_then(|socket| Ok((socket.local_addr()?, Opened::Tcp(socket)))),
                HostPortTransport::Udp => bind_udp(address)
                    .and_then(|socket| Ok((socket.local_addr()?, Opened::Udp(Arc::new(socket))))),
            };
            match opened {
                Ok((local, opened)) => {
                    number = local.port();
                    self.addresses.push((port, local));
                    sockets.push(opened);
                }
                // A host without IPv6 still has its IPv4 port.
                Err(error) if index > 0 && error.kind() != io::ErrorKind::AddrInUse => {}
                Err(source) => {
                    let HostPort { transport, pod_port, .. } = port;
                    return Err(HostPortError { address, transport, pod_port, source });
                }
            }
        }
        let mut datagram_sockets = Vec::new();
        for socket in sockets {
            let network = Arc::clone(&self.network);
            match socket {
                Opened::Tcp(listener) => {
                    self.tasks.spawn(take_connections(network, listener, port.pod_port));
                }
                Opened::Udp(socket) => datagram_sockets.push(socket),
            }
        }
        if !datagram_sockets.is_empty() {
            let published = self.network.gateway().publish(port.pod_port);
            for socket in datagram_sockets {
                let network = Arc::clone(&self.network);
                let published = Arc::clone(&published);
                self.tasks.spawn(take_datagrams(network, socket, published, port.pod_port));
            }
        }
        Ok(())
    }
}

impl Drop for HostPorts {
    fn drop(&mut self) {
        for (port, _) in &self.addresses {
            if port.transport == HostPortTransport::Udp {
                self.network.gateway().withdraw(port.pod_port);
            }
        }
    }
}

enum Opened {
    Tcp(TcpListener),
    Udp(Arc<UdpSocket>),
}

fn listen_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match AddressFamily::of(address.ip()) {
        AddressFamily::Ipv4 => TcpSocket::new_v4()?,
        AddressFamily::Ipv6 => {
            let socket = TcpSocket::new_v6()?;
            rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
            socket
        }
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    use rustix::net::{AddressFamily as Domain, SocketFlags, SocketType, socket_with};
    let domain = if address.is_ipv4() { Domain::INET } else { Domain::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(domain, SocketType::DGRAM, flags, None)?;
    if address.is_ipv6() {
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    UdpSocket::from_std(socket.into())
}

async fn take_connections(network: Arc<Network>, listener: TcpListener, pod_port: u16) {
    let mut waiting = JoinSet::new();
    loop {
        while waiting.len() >= MOST_WAITING {
            waiting.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, client)) => {
                while waiting.try_join_next().is_some() {}
                waiting.spawn(hand_over(Arc::clone(&network), stream.into(), client, pod_port));
            }
            // Out of descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn hand_over(network: Arc<Network>, stream: Stream, client: SocketAddr, pod_port: u16) {
    let to = destination(&network, client, |to| network.listener(to).is_some(), pod_port);
    let from = apparent_client(&network, to, client);
    // Refused, the client sees a reset: the nearest to what a kernel would have said.
    let _: Result<(), NetworkError> = network.hand_over(to, from, stream).await;
}

/// The Pod's IP of the client's family, or the other one when only there somebody listens.
fn destination(
    network: &Network,
    client: SocketAddr,
    listens: impl Fn(SocketAddr) -> bool,
    pod_port: u16,
) -> SocketAddr {
    let config = network.config();
    let family = AddressFamily::of(client.ip().to_canonical());
    let mut candidates = config.ip(family).into_iter().chain(config.ips.iter().copied());
    let fallback = SocketAddr::new(
        config.ip(family).or(config.ips.first().copied()).unwrap_or(family.loopback()),
        pod_port,
    );
    candidates
        .find(|ip| listens(SocketAddr::new(*ip, pod_port)))
        .map_or(fallback, |ip| SocketAddr::new(ip, pod_port))
}

/// Who calls, as the guest sees it: of the same family as `to`, and never loopback.
fn apparent_client(network: &Network, to: SocketAddr, client: SocketAddr) -> SocketAddr {
    let ip = client.ip().to_canonical();
    let same_family = ip.is_ipv4() == to.is_ipv4();
    if same_family && !ip.is_loopback() && !network.is_own(ip) {
        return SocketAddr::new(ip, client.port());
    }
    let host = network.config().host_ip;
    let host = if host.is_ipv4() == to.is_ipv4() {
        host
    } else if let IpAddr::V4(v4) = host {
        // An IPv4 address of the host, written for a guest that speaks IPv6 (RFC 6052).
        let [a, b, c, d] = v4.octets();
        let pair = |high, low| u16::from_be_bytes([high, low]);
        IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, pair(a, b), pair(c, d)))
    } else {
        IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1))
    };
    SocketAddr::new(host, client.port())
}

/// The clients of a published UDP port, so that answers find back.
#[derive(Default)]
pub(crate) struct PublishedUdp {
    clients: Mutex<VecDeque<Client>>,
}

struct Client {
    /// As the guest sees it.
    apparent: SocketAddr,
    real: SocketAddr,
    socket: Arc<UdpSocket>,
}

impl PublishedUdp {
    /// Sends an answer to a client; false when nobody with this address has asked.
    pub(crate) fn answer(&self, to: SocketAddr, payload: &[u8]) -> bool {
        let (socket, real) = {
            let clients = lock(&self.clients);
            match clients.iter().rev().find(|client| client.apparent == to) {
                Some(client) => (Arc::clone(&client.socket), client.real),
                None => return false,
            }
        };
        // An answer that the kernel does not take at once is lost, as any datagram may be.
        let _ = rustix::net::sendto(&socket, payload, rustix::net::SendFlags::DONTWAIT, &real);
        true
    }

    fn remember(&self, client: Client) {
        let mut clients = lock(&self.clients);
        if clients.back().is_some_and(|last| last.is(&client)) {
            return;
        }
        clients.retain(|known| known.apparent != client.apparent);
        if clients.len() >= MOST_CLIENTS {
            clients.pop_front();
        }
        clients.push_back(client);
    }
}

impl Client {
    fn is(&self, other: &Self) -> bool {
        self.apparent == other.apparent
            && self.real == other.real
            && Arc::ptr_eq(&self.socket, &other.socket)
    }
}

async fn take_datagrams(
    network: Arc<Network>,
    socket: Arc<UdpSocket>,
    published: Arc<PublishedUdp>,
    pod_port: u16,
) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let Ok((count, real)) = socket.recv_from(&mut buffer).await else {
            // An ICMP message for an earlier answer; the next datagram is not affected by it.
            tokio::task::yield_now().await;
            continue;
        };
        let to = destination(&network, real, |to| network.mailbox(to).is_some(), pod_port);
        let Some(mailbox) = network.mailbox(to) else { continue };
        let apparent = apparent_client(&network, to, real);
        published.remember(Client { apparent, real, socket: Arc::clone(&socket) });
        mailbox
            .deliver(Datagram { bytes: Bytes::copy_from_slice(&buffer[..count]), from: apparent });
    }
}

#[cfg(test)]
mod tests;
