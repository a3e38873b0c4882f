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

/// A served node port. Dropping it has it closed soon; handed-over connections go on.
#[derive(Debug)]
pub(crate) struct ServedPort {
    way: Arc<Way>,
    tasks: JoinSet<()>,
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

impl ServedPort {
    /// Serves a port that was taken, within the runtime of the caller.
    ///
    /// # Errors
    /// The runtime does not take a listener.
    pub(crate) fn serve(
        NodePort { service, port, listeners }: NodePort,
        directory: &Arc<Directory>,
        seed: u64,
    ) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let way = Arc::new(Way {
            end: Mutex::new(End { service, port }),
            directory: Arc::clone(directory),
            balancer: Mutex::new(Balancer::new(seed)),
        });
        for listener in listeners {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tasks.spawn(take_connections(Arc::clone(&way), listener));
        }
        Ok(Self { way, tasks })
    }

    /// Closes it: when this returns, nobody listens any more.
    pub(crate) async fn close(mut self) {
        self.tasks.shutdown().await;
    }

    /// Has connections from now on go elsewhere; those that wait to be accepted, too.
    pub(crate) fn lead_to(&self, service: Arc<ServiceRecord>, port: ServicePort) {
        *lock(&self.way.end) = End { service, port };
    }
}

/// Where the connections of a port go.
#[derive(Debug)]
struct Way {
    end: Mutex<End>,
    directory: Arc<Directory>,
    balancer: Mutex<Balancer>,
}

#[derive(Debug, Clone)]
struct End {
    service: Arc<ServiceRecord>,
    port: ServicePort,
}

async fn take_connections(way: Arc<Way>, listener: tokio::net::TcpListener) {
    take_each(listener, |stream, client| hand_over(Arc::clone(&way), stream, client)).await;
}

async fn hand_over(way: Arc<Way>, stream: TcpStream, client: SocketAddr) {
    // Another runtime will watch it.
    let Ok(stream) = stream.into_std() else { return };
    let client = SocketAddr::new(client.ip().to_canonical(), client.port());
    let End { service, port } = lock(&way.end).clone();
    let order = {
        let pods = way.directory.pods();
        let all = endpoints(&service, &port, &pods);
        let now = Instant::now().into_std();
        lock(&way.balancer).order(&service, &port, client.ip(), all, now)
    };
    for endpoint in order {
        let Some(to) = endpoint.address(client.ip()) else { continue };
        match peer::hand_over(&endpoint.pod.socket, client, to, &stream).await {
            Ok(()) => {
                let now = Instant::now().into_std();
                let uid = &endpoint.pod.uid;
                lock(&way.balancer).connected(&service, &port, client.ip(), uid, now);
                return;
            }
            Err(NetworkError::HostUnreachable) => way.directory.forget(),
            Err(_) => {}
        }
    }
    // Nobody takes it: the client sees a reset, the nearest to a refusal.
    let _ = set_socket_linger(&stream, Some(Duration::ZERO));
}
