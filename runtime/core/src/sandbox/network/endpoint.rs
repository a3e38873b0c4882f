//! What one container run holds on the Pod's network.
//!
//! Every socket, listener and connection of the run is a member of its [`Endpoint`]: it counts
//! against the container's limit, refuses when the container stops, and ends with it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::kernel::Backing;
use super::listener::{Backlog, Listener};
use super::lock::lock;
use super::outgoing::OutgoingStream;
use super::pipe::FREE_CAPACITY;
use super::ports::{BindingId, Coverage};
use super::space::{Network, Protocol};
use super::stream::{Stream, StreamHandle};
use super::tcp::TcpSocket;
use super::traffic::Traffic;
use super::udp::{Mailbox, UdpSocket};
use super::{AddressFamily, NetworkError, address};
use crate::resources::memory::{ContainerMemory, Held};

/// One container run's place on the Pod's network. Dropping it is [`end`](Self::end).
pub struct Endpoint {
    shared: Arc<EndpointShared>,
}

impl Endpoint {
    pub(crate) fn new(
        network: &Arc<Network>,
        memory: &Arc<ContainerMemory>,
        most: usize,
        traffic: Arc<Traffic>,
    ) -> Self {
        let shared = EndpointShared {
            network: Arc::clone(network),
            memory: Arc::clone(memory),
            traffic,
            sockets: Arc::default(),
            most_sockets: most,
            refusing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            members: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// A place beside this one for what the container runs besides: its sockets count with those here
    /// against one limit, and end by themselves.
    pub(crate) fn beside(&self) -> Self {
        let EndpointShared { network, memory, traffic, sockets, most_sockets, .. } = &*self.shared;
        let shared = EndpointShared {
            network: Arc::clone(network),
            memory: Arc::clone(memory),
            traffic: Arc::clone(traffic),
            sockets: Arc::clone(sockets),
            most_sockets: *most_sockets,
            refusing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            members: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The network that the endpoint is a part of.
    pub fn network(&self) -> &Arc<Network> {
        &self.shared.network
    }

    /// The memory of the container.
    pub(crate) fn memory(&self) -> &Arc<ContainerMemory> {
        &self.shared.memory
    }

    /// A new TCP socket.
    ///
    /// # Errors
    /// [`NetworkError::SocketLimit`], [`NetworkError::NoBuffers`] without memory for it,
    /// [`NetworkError::Closed`] after the end.
    pub fn tcp_socket(&self, family: AddressFamily) -> Result<TcpSocket, NetworkError> {
        TcpSocket::new(&self.shared, family)
    }

    /// A new UDP socket.
    ///
    /// # Errors
    /// As [`tcp_socket`](Self::tcp_socket).
    pub fn udp_socket(&self, family: AddressFamily) -> Result<UdpSocket, NetworkError> {
        UdpSocket::new(&self.shared, family)
    }

    /// Connects on behalf of the guest, for code of the host: its policy and limits hold.
    ///
    /// # Errors
    /// What a guest's own socket would have told: [`NetworkError::ConnectionRefused`],
    /// [`NetworkError::AccessDenied`] and so on.
    ///
    /// # Cancel safety
    /// Safe: a connection that did not come about leaves nothing behind.
    pub async fn connect(&self, remote: SocketAddr) -> Result<OutgoingStream, NetworkError> {
        let mut socket = self.tcp_socket(AddressFamily::of(remote.ip()))?;
        socket.start_connect(remote)?;
        poll_fn(|cx| socket.poll_finish_connect(cx)).await?;
        Ok(OutgoingStream::new(Arc::clone(socket.connection()?)))
    }

    /// Listens at an address, for code of the host; a wildcard covers its own family only.
    ///
    /// # Errors
    /// [`NetworkError::AddressInUse`], [`NetworkError::AddressNotAvailable`],
    /// [`NetworkError::Closed`] after the end.
    pub fn listen(&self, at: SocketAddr) -> Result<Listener, NetworkError> {
        self.shared.check_bindable(at.ip())?;
        let slot = self.shared.slot()?;
        let port = self.shared.bind(Protocol::Tcp, Coverage::Ip(at.ip()), at.port())?;
        let local = SocketAddr::new(at.ip(), port.number());
        Ok(Listener::new(&self.shared, port, local, slot))
    }

    /// Listens at a port of all addresses of both families: Pod IPs and loopback alike.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub fn listen_any(&self, port: u16) -> Result<Listener, NetworkError> {
        let slot = self.shared.slot()?;
        let port = self.shared.bind(Protocol::Tcp, Coverage::DualStack, port)?;
        let local = SocketAddr::new(AddressFamily::Ipv4.unspecified(), port.number());
        Ok(Listener::new(&self.shared, port, local, slot))
    }

    /// The addresses of a name, as this Pod sees it.
    ///
    /// # Errors
    /// [`NetworkError::InvalidArgument`] for what cannot be a name, [`NetworkError::NameNotFound`],
    /// [`NetworkError::ResolverUnavailable`].
    pub async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NetworkError> {
        self.shared.network.resolve(name).await
    }

    /// The container is asked to stop: its listeners refuse new connections, now and in future;
    /// open connections go on.
    pub fn refuse_new(&self) {
        self.shared.refuse_new();
    }

    /// The container has ended: its listeners close, its connections are reset, nothing new begins.
    ///
    /// A guest that ends by itself has dropped its sockets before, with the orderly close that a
    /// kernel does for an exiting process; what is reset here is what somebody still holds.
    pub fn end(&self) {
        self.shared.end();
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.shared.end();
    }
}

pub(crate) struct EndpointShared {
    network: Arc<Network>,
    memory: Arc<ContainerMemory>,
    traffic: Arc<Traffic>,
    sockets: Arc<AtomicUsize>,
    most_sockets: usize,
    refusing: AtomicBool,
    ended: AtomicBool,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    next: u64,
    /// In the order of their joining, in which they end: whom that wakes must not be chance.
    all: BTreeMap<u64, Member>,
}

enum Member {
    Stream(StreamHandle),
    Listener(Weak<Backlog>),
    Port { protocol: Protocol, number: u16, id: BindingId },
}

/// A port that this Pod's table grants to a socket; dropping it frees the port.
pub(crate) struct PortGuard {
    protocol: Protocol,
    number: u16,
    id: BindingId,
    membership: Membership,
}

impl PortGuard {
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Lets connections to the port go to `backlog`.
    pub(crate) fn listen(&self, backlog: Arc<Backlog>) {
        self.membership.endpoint.network.receive_tcp(self.number, self.id, backlog);
    }

    /// Lets datagrams to the port go to `mailbox`.
    pub(crate) fn deliver_to(&self, mailbox: Arc<Mailbox>) {
        self.membership.endpoint.network.receive_udp(self.number, self.id, mailbox);
    }
}

impl Drop for PortGuard {
    fn drop(&mut self) {
        self.membership.endpoint.network.release(self.protocol, self.number, self.id);
    }
}

/// What a socket costs its container, with the first bytes that it sends or that wait for it.
const SOCKET: usize = 4 * 1024 + FREE_CAPACITY;

/// One place in the container's count of sockets, and the memory for it.
pub(crate) struct SocketSlot {
    sockets: Arc<AtomicUsize>,
    _held: Held,
}

impl Drop for SocketSlot {
    fn drop(&mut self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Keeps a connection or listener on its container's list.
pub(crate) struct Membership {
    endpoint: Arc<EndpointShared>,
    id: u64,
    _slot: Option<SocketSlot>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        lock(&self.endpoint.members).all.remove(&self.id);
    }
}

impl EndpointShared {
    pub(crate) fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// What its container sends and receives.
    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// The memory of the container.
    pub(crate) fn memory(&self) -> &Arc<ContainerMemory> {
        &self.memory
    }

    /// What stands behind a connection of the host's kernel that the container has.
    pub(crate) fn backing(&self) -> Backing {
        let leftovers = Arc::clone(self.network.leftovers());
        Backing { leftovers, memory: Arc::clone(&self.memory) }
    }

    /// # Errors
    /// [`NetworkError::Closed`] after the end.
    pub(crate) fn alive(&self) -> Result<(), NetworkError> {
        if self.ended.load(Ordering::Acquire) { Err(NetworkError::Closed) } else { Ok(()) }
    }

    /// A place for one more socket.
    ///
    /// # Errors
    /// [`NetworkError::Closed`] after the end, [`NetworkError::SocketLimit`],
    /// [`NetworkError::NoBuffers`] when the container has no memory for it.
    pub(crate) fn slot(&self) -> Result<SocketSlot, NetworkError> {
        self.alive()?;
        let held = self.memory.hold(SOCKET).map_err(|_| NetworkError::NoBuffers)?;
        let limit = self.most_sockets;
        let taken = self.sockets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < limit).then_some(count + 1)
        });
        match taken {
            Ok(_) => Ok(SocketSlot { sockets: Arc::clone(&self.sockets), _held: held }),
            Err(_) => Err(NetworkError::SocketLimit),
        }
    }

    pub(crate) fn join_stream(self: &Arc<Self>, stream: &Stream, slot: SocketSlot) -> Membership {
        let membership = self.join(Member::Stream(stream.handle()), Some(slot));
        if self.ended.load(Ordering::Acquire) {
            stream.reset();
        }
        membership
    }

    pub(crate) fn join_listener(
        self: &Arc<Self>,
        backlog: &Arc<Backlog>,
        slot: SocketSlot,
    ) -> Membership {
        let membership = self.join(Member::Listener(Arc::downgrade(backlog)), Some(slot));
        // The flags are read after joining, so that a stop in between is not missed.
        if self.refusing.load(Ordering::Acquire) {
            backlog.refuse();
        }
        if self.ended.load(Ordering::Acquire) {
            backlog.close();
        }
        membership
    }

    /// Whether a socket of this Pod may be bound to `ip`.
    pub(crate) fn check_bindable(&self, ip: IpAddr) -> Result<(), NetworkError> {
        if !address::is_unicast(ip) {
            return Err(NetworkError::InvalidArgument);
        }
        if ip.is_unspecified() || self.network.is_own(ip) {
            Ok(())
        } else {
            Err(NetworkError::AddressNotAvailable)
        }
    }

    /// Takes a port; 0 asks for an ephemeral one.
    pub(crate) fn bind(
        self: &Arc<Self>,
        protocol: Protocol,
        coverage: Coverage,
        port: u16,
    ) -> Result<PortGuard, NetworkError> {
        let (number, id) = self.network.bind(protocol, coverage, port)?;
        let membership = self.join(Member::Port { protocol, number, id }, None);
        let guard = PortGuard { protocol, number, id, membership };
        self.alive()?;
        Ok(guard)
    }

    fn join(self: &Arc<Self>, member: Member, slot: Option<SocketSlot>) -> Membership {
        let id = {
            let mut members = lock(&self.members);
            let id = members.next;
            members.next += 1;
            members.all.insert(id, member);
            id
        };
        Membership { endpoint: Arc::clone(self), id, _slot: slot }
    }

    fn refuse_new(&self) {
        self.refusing.store(true, Ordering::Release);
        for backlog in self.listeners() {
            backlog.refuse();
        }
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let members = std::mem::take(&mut lock(&self.members).all);
        for member in members.into_values() {
            match member {
                Member::Stream(stream) => stream.reset(),
                // At once: the next run of this container must find its ports free.
                Member::Port { protocol, number, id } => {
                    self.network.release(protocol, number, id);
                }
                Member::Listener(backlog) => {
                    if let Some(backlog) = backlog.upgrade() {
                        backlog.close();
                    }
                }
            }
        }
    }

    fn listeners(&self) -> Vec<Arc<Backlog>> {
        let members = lock(&self.members);
        let listeners = members.all.values().filter_map(|member| match member {
            Member::Listener(backlog) => backlog.upgrade(),
            Member::Stream(_) | Member::Port { .. } => None,
        });
        listeners.collect()
    }
}
