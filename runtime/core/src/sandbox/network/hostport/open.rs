//! Taking ports of the host, all or none.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily as Domain, SocketFlags, SocketType, socket_with};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use super::forward::{take_connections, take_datagrams};
use crate::sandbox::network::Network;

/// Connections that the kernel keeps for us while the guest's queue is full.
const BACKLOG: i32 = 1024;
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
                    .and_then(TcpListener::from_std)
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

/// A listener for one address, whichever runtime is to accept from it.
pub(crate) fn listen_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket(address, SocketType::STREAM)?;
    set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket(address, SocketType::DGRAM)?;
    rustix::net::bind(&socket, &address)?;
    UdpSocket::from_std(socket.into())
}

/// A socket for one family: the other one has its own at the same port.
fn socket(address: SocketAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let domain = if address.is_ipv4() { Domain::INET } else { Domain::INET6 };
    let socket = socket_with(domain, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    Ok(socket)
}
