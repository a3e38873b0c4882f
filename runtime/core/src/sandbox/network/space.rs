//! The Pod's network: its addresses, its ports, and where a destination lies.
//!
//! A destination is in this Pod (loopback or one of its IPs), in another Pod (its process takes the
//! connection on a unix socket), at one of the Pods of a Service, nowhere (in the Pods' range, and no Pod has it), or outside (the
//! host's kernel, if the egress policy agrees).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use ipnet::IpNet;

use super::config::NetworkConfig;
use super::directory::{Balancer, Directory, ServiceRecord};
use super::endpoint::Endpoint;
use super::gateway::UdpGateway;
use super::host_addresses::HostAddresses;
use super::kernel::Leftovers;
use super::listener::Backlog;
use super::lock::lock;
use super::names::{self, Lookup};
use super::options::DEFAULT_BUFFER;
use super::pipe::{End, MemoryStream};
use super::place::{Place, ResetOnDrop};
use super::ports::{BindingId, Coverage, PortTable};
use super::resolver::ask_host;
use super::stream::{ParkedStream, Stream};
use super::traffic::Traffic;
use super::udp::Mailbox;
use super::{AddressFamily, NetworkError, address, egress};
use crate::resources::memory::ContainerMemory;

/// How long a connection waits for a place in a full queue; Linux gives up after six retries.
pub(crate) const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(127);

/// One Pod's network. It has no tasks of its own and lives as long as somebody holds it.
pub struct Network {
    config: NetworkConfig,
    tcp: Mutex<PortTable<Arc<Backlog>>>,
    udp: Mutex<PortTable<Arc<Mailbox>>>,
    gateway: UdpGateway,
    host_addresses: HostAddresses,
    learned: Mutex<VecDeque<Learned>>,
    /// Pays for what the host itself has here.
    host_memory: Arc<ContainerMemory>,
    leftovers: Arc<Leftovers>,
    balancer: Mutex<Balancer>,
}

/// The two port spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// Where a destination lies.
pub(crate) enum Route {
    /// In this Pod; `source` is what an unbound socket calls from.
    Local { source: IpAddr },
    /// In another Pod, whose process takes connections at `socket`.
    Peer { socket: PathBuf, source: IpAddr },
    /// At one of a Service's Pods.
    Service { service: Arc<ServiceRecord>, source: IpAddr },
    /// Outside, and the policy agrees. What is dialled differs from what the guest names only for
    /// the host itself.
    Outside { source: IpAddr, dial: SocketAddr },
}

/// An address that a name of the egress rules had when a guest asked for it.
struct Learned {
    ip: IpAddr,
    port: Option<u16>,
}

/// How many learned addresses are remembered; the oldest is forgotten first.
const MOST_LEARNED: usize = 1024;

impl Network {
    /// A network with nothing on it.
    pub fn new(config: NetworkConfig) -> Arc<Self> {
        let seed = config.seed;
        let host_bytes = u64::try_from(config.limits.host_bytes).unwrap_or(u64::MAX);
        let host_memory = ContainerMemory::apart(host_bytes);
        Arc::new(Self {
            config,
            tcp: Mutex::new(PortTable::new(seed)),
            udp: Mutex::new(PortTable::new(seed.rotate_left(17))),
            gateway: UdpGateway::default(),
            host_addresses: HostAddresses::default(),
            learned: Mutex::default(),
            host_memory,
            leftovers: Arc::default(),
            balancer: Mutex::new(Balancer::new(seed)),
        })
    }

    /// What the network was made of.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// A place for code of the host, which pays for it, and whose traffic nobody reads.
    pub fn endpoint(self: &Arc<Self>) -> Endpoint {
        let sockets = self.config.limits.sockets_per_endpoint;
        Endpoint::new(self, &self.host_memory, sockets, Arc::default())
    }

    /// A place for one run of a container, whose memory pays for it; it may have so many sockets, and
    /// what it sends and receives counts in `traffic`.
    pub fn endpoint_of(
        self: &Arc<Self>,
        memory: &Arc<ContainerMemory>,
        sockets: usize,
        traffic: Arc<Traffic>,
    ) -> Endpoint {
        Endpoint::new(self, memory, sockets, traffic)
    }

    /// Connects from the host to a port of this Pod, on its first IP: probes and port-forward.
    ///
    /// # Errors
    /// [`NetworkError::ConnectionRefused`] when nobody listens, [`NetworkError::TimedOut`] when the
    /// listener's queue stays full for 127 s.
    ///
    /// # Cancel safety
    /// Safe: a connection that did not come about leaves nothing behind.
    pub async fn connect(&self, port: u16) -> Result<Stream, NetworkError> {
        let ip = self.config.ips.first().copied();
        self.connect_to(SocketAddr::new(ip.unwrap_or(AddressFamily::Ipv4.loopback()), port)).await
    }

    /// As [`connect`](Self::connect), to any address of this Pod, loopback included.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`NetworkError::HostUnreachable`] for an address that is
    /// not this Pod's.
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn connect_to(&self, to: SocketAddr) -> Result<Stream, NetworkError> {
        if !self.is_own(to.ip()) {
            return Err(NetworkError::HostUnreachable);
        }
        let from = if to.ip().is_loopback() { to.ip() } else { self.config.host_ip };
        // The host's port means nothing to the guest; the number only has to look like one.
        self.connect_from(SocketAddr::new(from, 32_768), to, &self.host_memory).await
    }

    /// Connects to a listener of this Pod, as `from`; `memory` pays for what is written there.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(super) async fn connect_from(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        memory: &Arc<ContainerMemory>,
    ) -> Result<Stream, NetworkError> {
        let place = self.reserve(to).await?;
        let mut ours = None;
        place.fill_with(from, |listening| {
            let near = End { receive_buffer: DEFAULT_BUFFER, memory };
            let (near, far) = MemoryStream::pair(near, listening.end());
            ours = Some(near);
            ParkedStream::Memory(far)
        });
        Ok(Stream::Memory(ours.expect("made when the place was filled")))
    }

    /// Gives a connection that the host has accepted to the listener at `to`; the guest then reads
    /// it itself.
    ///
    /// # Errors
    /// As [`connect_to`](Self::connect_to); the stream is closed then, with a reset if it can be.
    ///
    /// # Cancel safety
    /// Safe: the stream is closed when the wait is given up.
    pub async fn hand_over(
        &self,
        to: SocketAddr,
        from: SocketAddr,
        stream: Stream,
    ) -> Result<(), NetworkError> {
        let mut parked = ResetOnDrop(Some(ParkedStream::park(stream)?));
        let place = self.reserve(to).await?;
        if let Some(stream) = parked.0.take() {
            place.fill_with(from, |_| stream);
        }
        Ok(())
    }

    /// Waits for a place in the queue of the listener at `to`.
    ///
    /// # Errors
    /// [`NetworkError::ConnectionRefused`], [`NetworkError::TimedOut`].
    pub(crate) async fn reserve(&self, to: SocketAddr) -> Result<Place, NetworkError> {
        let backlog = self.listener(to).ok_or(NetworkError::ConnectionRefused)?;
        let mut waiting = std::pin::pin!(poll_fn(|cx| backlog.poll_reserve(cx)));
        // With room in the queue no timer is made.
        let reservation = match futures::poll!(waiting.as_mut()) {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => match tokio::time::timeout(CONNECT_TIMEOUT, waiting).await {
                Ok(outcome) => outcome?,
                Err(_elapsed) => return Err(NetworkError::TimedOut),
            },
        };
        Ok(Place { reservation, to })
    }

    /// Whether an address belongs to this Pod, loopback included.
    pub(crate) fn is_own(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.config.ips.contains(&ip)
    }

    /// Where a destination lies.
    ///
    /// # Errors
    /// [`NetworkError::HostUnreachable`] for an address in the Pods' range that no Pod has, or in the
    /// Services' that no Service has, [`NetworkError::AccessDenied`] where the egress policy refuses.
    pub(crate) fn route(&self, to: SocketAddr) -> Result<Route, NetworkError> {
        let ip = to.ip();
        if self.is_own(ip) {
            // As in Linux: 127.0.0.1 calls all of 127.0.0.0/8, any other address calls itself.
            let source = if ip.is_loopback() { AddressFamily::of(ip).loopback() } else { ip };
            return Ok(Route::Local { source });
        }
        let own = self.config.ip(AddressFamily::of(ip));
        if let Some(peer) = self.config.peers.iter().find(|peer| peer.ips.contains(&ip)) {
            let source = own.ok_or(NetworkError::NetworkUnreachable)?;
            return Ok(Route::Peer { socket: peer.socket.clone(), source });
        }
        if in_range(&self.config.service_ranges, ip) {
            let source = own.ok_or(NetworkError::NetworkUnreachable)?;
            let service = self.directory().and_then(|directory| directory.service_at(ip));
            let service = service.ok_or(NetworkError::HostUnreachable)?;
            return Ok(Route::Service { service, source });
        }
        // A Pod without an address of that family borrows the host's; nobody else sees the number.
        let source = own.unwrap_or(AddressFamily::of(ip).unspecified());
        // Before the Pods' range: the host has an address in it.
        if ip == self.config.host_ip {
            // The host itself: what listens on its loopback must be allowed by name.
            let dial = SocketAddr::new(AddressFamily::of(ip).loopback(), to.port());
            return if self.config.egress.has_rule_for(dial.ip(), dial.port()) {
                Ok(Route::Outside { source, dial })
            } else {
                Err(NetworkError::AccessDenied)
            };
        }
        if in_range(&self.config.pod_ranges, ip) {
            let source = own.ok_or(NetworkError::NetworkUnreachable)?;
            let pod = self.directory().and_then(|directory| directory.pod_at(ip));
            let pod = pod.ok_or(NetworkError::HostUnreachable)?;
            return Ok(Route::Peer { socket: pod.socket.clone(), source });
        }
        if !address::is_unicast(ip) {
            return Err(NetworkError::NetworkUnreachable);
        }
        let allowed = self.config.egress.allows(to, |ip| self.host_addresses.contains(ip));
        if allowed || self.has_learned(to) {
            Ok(Route::Outside { source, dial: to })
        } else {
            Err(NetworkError::AccessDenied)
        }
    }

    /// The addresses of a name (see [`Endpoint::resolve`]).
    pub(crate) async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NetworkError> {
        let domain = match names::look_up(&self.config, name)? {
            Lookup::Known(addresses) => return Ok(addresses),
            Lookup::Ask(domain) => domain,
        };
        if !self.config.egress.may_resolve(&domain) {
            return Err(NetworkError::NameNotFound);
        }
        let found = ask_host(&domain).await.map_err(|_| NetworkError::NameNotFound)?;
        let addresses: Vec<IpAddr> = found.iter().map(IpAddr::to_canonical).collect();
        self.learn(&domain, &addresses);
        let mut unique = Vec::with_capacity(addresses.len());
        for ip in addresses {
            if !unique.contains(&ip) {
                unique.push(ip);
            }
        }
        if unique.is_empty() { Err(NetworkError::NameNotFound) } else { Ok(unique) }
    }

    /// A rule that names a host opens the addresses that a guest gets for it, but never the host's
    /// own: who rules over that name's DNS must not rule over this host.
    fn learn(&self, domain: &str, addresses: &[IpAddr]) {
        let ports = self.config.egress.ports_of(domain);
        if ports.is_empty() {
            return;
        }
        let mut learned = lock(&self.learned);
        for &ip in addresses {
            if egress::is_refused(ip) || self.host_addresses.contains(ip) {
                continue;
            }
            for &port in &ports {
                learned.retain(|known| !(known.ip == ip && known.port == port));
                if learned.len() >= MOST_LEARNED {
                    learned.pop_front();
                }
                learned.push_back(Learned { ip, port });
            }
        }
    }

    fn has_learned(&self, to: SocketAddr) -> bool {
        let ip = to.ip().to_canonical();
        lock(&self.learned)
            .iter()
            .any(|known| known.ip == ip && known.port.is_none_or(|port| port == to.port()))
    }

    pub(crate) fn listener(&self, to: SocketAddr) -> Option<Arc<Backlog>> {
        lock(&self.tcp).lookup(to.ip(), to.port()).cloned()
    }

    pub(crate) fn mailbox(&self, to: SocketAddr) -> Option<Arc<Mailbox>> {
        lock(&self.udp).lookup(to.ip(), to.port()).cloned()
    }

    pub(crate) fn bind(
        &self,
        protocol: Protocol,
        coverage: Coverage,
        port: u16,
    ) -> Result<(u16, BindingId), NetworkError> {
        match protocol {
            Protocol::Tcp => lock(&self.tcp).bind(coverage, port),
            Protocol::Udp => lock(&self.udp).bind(coverage, port),
        }
    }

    pub(crate) fn receive_tcp(&self, port: u16, id: BindingId, backlog: Arc<Backlog>) {
        lock(&self.tcp).receive(port, id, backlog);
    }

    pub(crate) fn receive_udp(&self, port: u16, id: BindingId, mailbox: Arc<Mailbox>) {
        lock(&self.udp).receive(port, id, mailbox);
    }

    pub(crate) fn release(&self, protocol: Protocol, port: u16, id: BindingId) {
        // What received there is dropped once the lock is free.
        match protocol {
            Protocol::Tcp => {
                let receiver = lock(&self.tcp).release(port, id);
                drop(receiver);
            }
            Protocol::Udp => {
                let receiver = lock(&self.udp).release(port, id);
                drop(receiver);
            }
        }
    }

    pub(crate) fn leftovers(&self) -> &Arc<Leftovers> {
        &self.leftovers
    }

    pub(crate) fn gateway(&self) -> &UdpGateway {
        &self.gateway
    }

    /// Where the Services and Pods of this machine are found.
    pub(super) fn directory(&self) -> Option<&Directory> {
        self.config.directory.as_deref()
    }

    /// Notes the outcome of a call to another Pod: its process may be dead, which others need not find
    /// out by themselves.
    pub(super) fn heard_of<Value>(
        &self,
        outcome: Result<Value, NetworkError>,
    ) -> Result<Value, NetworkError> {
        if matches!(outcome, Err(NetworkError::HostUnreachable))
            && let Some(directory) = self.directory()
        {
            directory.forget();
        }
        outcome
    }

    pub(super) fn balancer(&self) -> &Mutex<Balancer> {
        &self.balancer
    }
}

fn in_range(ranges: &[IpNet], ip: IpAddr) -> bool {
    ranges.iter().any(|range| range.contains(&ip))
}
