//! A port of the host that leads to the Pods of a Service: `nodePort`.
//!
//! A connection is accepted here and handed over to the process of a ready Pod, which then has it
//! from the kernel itself: nothing is copied on the way, and nothing of it stays.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::accept::take_each;
use super::directory::{Balancer, Directory, ServicePort, ServiceRecord, endpoints};
use super::hostport::listen_tcp;
use super::lock::lock;
use super::{NetworkError, peer};

/// A port of the host, taken and not served yet.
#[derive(Debug)]
pub(crate) struct NodePort {
    service: Arc<ServiceRecord>,
    port: ServicePort,
    listeners: Vec<TcpListener>,
}

/// The served node ports of some Services. Dropping it closes them; handed-over connections go on.
#[derive(Debug, Default)]
pub(crate) struct NodePorts {
    _tasks: JoinSet<()>,
}

/// Takes a port of all addresses of the host.
///
/// # Errors
/// Somebody has it, most likely ([`io::ErrorKind::AddrInUse`]).
pub(crate) fn take_node_port(number: u16) -> io::Result<Vec<TcpListener>> {
    let any: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let mut listeners = Vec::new();
    for ip in any {
        match listen_tcp(SocketAddr::new(ip, number)) {
            Ok(listener) => listeners.push(listener),
            // A host without IPv6 still has its IPv4 port.
            Err(error) if ip.is_ipv6() && error.kind() != io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Ok(listeners)
}

impl NodePort {
    pub(crate) fn new(
        service: Arc<ServiceRecord>,
        port: ServicePort,
        listeners: Vec<TcpListener>,
    ) -> Self {
        Self { service, port, listeners }
    }
}

impl NodePorts {
    /// Serves ports that were taken, within the runtime of the caller.
    ///
    /// # Errors
    /// The runtime does not take a listener.
    pub(crate) fn serve(
        ports: Vec<NodePort>,
        directory: &Arc<Directory>,
        seed: u64,
    ) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        for NodePort { service, port, listeners } in ports {
            let way = Arc::new(Way {
                service,
                port,
                directory: Arc::clone(directory),
                balancer: Mutex::new(Balancer::new(seed)),
            });
            for listener in listeners {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tasks.spawn(take_connections(Arc::clone(&way), listener));
            }
        }
        Ok(Self { _tasks: tasks })
    }
}

/// Where the connections of a port go.
struct Way {
    service: Arc<ServiceRecord>,
    port: ServicePort,
    directory: Arc<Directory>,
    balancer: Mutex<Balancer>,
}

async fn take_connections(way: Arc<Way>, listener: tokio::net::TcpListener) {
    take_each(listener, |stream, client| hand_over(Arc::clone(&way), stream, client)).await;
}

async fn hand_over(way: Arc<Way>, stream: TcpStream, client: SocketAddr) {
    // Another runtime will watch it.
    let Ok(stream) = stream.into_std() else { return };
    let client = SocketAddr::new(client.ip().to_canonical(), client.port());
    let order = {
        let pods = way.directory.pods();
        let all = endpoints(&way.service, &way.port, &pods);
        let now = Instant::now().into_std();
        lock(&way.balancer).order(&way.service, &way.port, client.ip(), all, now)
    };
    for endpoint in order {
        let Some(to) = endpoint.address(client.ip()) else { continue };
        match peer::hand_over(&endpoint.pod.socket, client, to, &stream).await {
            Ok(()) => {
                let now = Instant::now().into_std();
                let uid = &endpoint.pod.uid;
                lock(&way.balancer).connected(&way.service, &way.port, client.ip(), uid, now);
                return;
            }
            Err(NetworkError::HostUnreachable) => way.directory.forget(),
            Err(_) => {}
        }
    }
    // Nobody takes it: the client sees a reset, the nearest to a refusal.
    let _ = set_socket_linger(&stream, Some(Duration::ZERO));
}
