//! The socket and its addresses.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::mailbox::{Datagram, Mailbox};
use super::outside::Outside;
use super::ways::or_lost;
use crate::sandbox::network::endpoint::{EndpointShared, PortGuard, SocketSlot};
use crate::sandbox::network::lock::lock;
use crate::sandbox::network::ports::Coverage;
use crate::sandbox::network::space::{Network, Protocol, Route};
use crate::sandbox::network::{AddressFamily, NetworkError, address, options};

/// What an empty mailbox takes by default: Linux' `net.core.rmem_default`.
const DEFAULT_UDP_BUFFER: usize = 212_992;

/// A UDP socket of a guest. Clones are the same socket; the last one frees the port.
#[derive(Clone)]
pub struct UdpSocket {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    endpoint: Arc<EndpointShared>,
    pub(super) family: AddressFamily,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) state: Mutex<State>,
    _slot: SocketSlot,
}

pub(super) struct State {
    bound: Option<Bound>,
    pub(super) remote: Option<SocketAddr>,
    hop_limit: u8,
    send_buffer: usize,
    pub(super) outside: Option<Outside>,
}

struct Bound {
    port: PortGuard,
    /// As the guest asked for it.
    asked: SocketAddr,
    /// As it reads now: a connected socket has the address that its route gives it.
    local: SocketAddr,
}

impl UdpSocket {
    pub(crate) fn new(
        endpoint: &Arc<EndpointShared>,
        family: AddressFamily,
    ) -> Result<Self, NetworkError> {
        let slot = endpoint.slot()?;
        let state = State {
            bound: None,
            remote: None,
            hop_limit: 64,
            send_buffer: DEFAULT_UDP_BUFFER,
            outside: None,
        };
        let inner = Inner {
            endpoint: Arc::clone(endpoint),
            family,
            mailbox: Arc::new(Mailbox::new(DEFAULT_UDP_BUFFER, endpoint.memory())),
            state: Mutex::new(state),
            _slot: slot,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The family it was made for.
    pub fn address_family(&self) -> AddressFamily {
        self.inner.family
    }

    /// Whether it has a local address.
    pub fn is_bound(&self) -> bool {
        lock(&self.inner.state).bound.is_some()
    }

    /// Whether it has a remote address.
    pub fn is_connected(&self) -> bool {
        lock(&self.inner.state).remote.is_some()
    }

    /// Takes a local address; port 0 asks for an ephemeral one.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] when bound, [`NetworkError::InvalidArgument`] for another
    /// family or a v4-mapped address, [`NetworkError::AddressNotAvailable`] for one that this Pod
    /// does not have, [`NetworkError::AddressInUse`].
    pub fn bind(&self, local: SocketAddr) -> Result<(), NetworkError> {
        if !self.inner.family.admits(local.ip()) {
            return Err(NetworkError::InvalidArgument);
        }
        let mut state = lock(&self.inner.state);
        if state.bound.is_some() {
            return Err(NetworkError::InvalidState);
        }
        self.inner.endpoint.check_bindable(local.ip()).map_err(|error| match error {
            NetworkError::InvalidArgument => NetworkError::AddressNotAvailable,
            other => other,
        })?;
        state.bound = Some(self.take_port(local)?);
        Ok(())
    }

    /// Sets the one address to talk with; an unbound socket takes an ephemeral port first.
    ///
    /// # Errors
    /// [`NetworkError::InvalidArgument`] for what is no remote address of the family,
    /// [`NetworkError::AccessDenied`], [`NetworkError::HostUnreachable`],
    /// [`NetworkError::NetworkUnreachable`].
    pub fn connect(&self, remote: SocketAddr) -> Result<(), NetworkError> {
        if !self.inner.family.admits(remote.ip()) || !address::is_remote(remote) {
            return Err(NetworkError::InvalidArgument);
        }
        let remote = address::plain(remote);
        let source = match self.network().route(remote)? {
            Route::Local { source }
            | Route::Peer { source, .. }
            | Route::Service { source, .. }
            | Route::Outside { source, .. } => source,
        };
        let mut state = lock(&self.inner.state);
        if state.bound.is_none() {
            let any = SocketAddr::new(self.inner.family.unspecified(), 0);
            state.bound = Some(self.take_port(any)?);
        }
        if let Some(bound) = &mut state.bound
            && bound.asked.ip().is_unspecified()
        {
            bound.local = SocketAddr::new(source, bound.port.number());
        }
        state.remote = Some(remote);
        self.inner.mailbox.listen_to(Some(remote));
        Ok(())
    }

    /// Talks with anybody again; the port stays.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] unless connected.
    pub fn disconnect(&self) -> Result<(), NetworkError> {
        let mut state = lock(&self.inner.state);
        if state.remote.take().is_none() {
            return Err(NetworkError::InvalidState);
        }
        if let Some(bound) = &mut state.bound {
            bound.local = SocketAddr::new(bound.asked.ip(), bound.port.number());
        }
        self.inner.mailbox.listen_to(None);
        Ok(())
    }

    /// # Errors
    /// [`NetworkError::InvalidState`] unless bound.
    pub fn local_address(&self) -> Result<SocketAddr, NetworkError> {
        let state = lock(&self.inner.state);
        state.bound.as_ref().map(|bound| bound.local).ok_or(NetworkError::InvalidState)
    }

    /// # Errors
    /// [`NetworkError::InvalidState`] unless connected.
    pub fn remote_address(&self) -> Result<SocketAddr, NetworkError> {
        lock(&self.inner.state).remote.ok_or(NetworkError::InvalidState)
    }

    /// Sends one datagram; a connected socket needs no address, an unbound one is bound first.
    ///
    /// It never waits: inside Pods a full receiver loses the datagram, and outside a full kernel
    /// queue does.
    ///
    /// # Errors
    /// [`NetworkError::DatagramTooLarge`], [`NetworkError::InvalidArgument`] for a missing address,
    /// one that differs from the connected one, or no remote address of the family,
    /// [`NetworkError::AccessDenied`], [`NetworkError::HostUnreachable`],
    /// [`NetworkError::ConnectionRefused`] when a connected socket's last datagram found nobody,
    /// and [`NetworkError::Closed`] after the container's end.
    pub fn send(&self, payload: Bytes, to: Option<SocketAddr>) -> Result<(), NetworkError> {
        let bytes = payload.len();
        self.dispatch(payload, to)?;
        self.inner.endpoint.traffic().sent_datagram(bytes);
        Ok(())
    }

    fn dispatch(&self, payload: Bytes, to: Option<SocketAddr>) -> Result<(), NetworkError> {
        self.inner.endpoint.alive()?;
        if payload.len() > self.inner.family.max_datagram() {
            return Err(NetworkError::DatagramTooLarge);
        }
        if let Some(to) = to
            && !(address::is_remote(to) && self.inner.family.admits(to.ip()))
        {
            return Err(NetworkError::InvalidArgument);
        }
        let to = to.map(address::plain);
        let (to, local, connected) = {
            let mut state = lock(&self.inner.state);
            let to = match (to, state.remote) {
                (Some(to), Some(remote)) if to != remote => {
                    return Err(NetworkError::InvalidArgument);
                }
                (Some(to), _) | (None, Some(to)) => to,
                (None, None) => return Err(NetworkError::InvalidArgument),
            };
            let connected = state.remote.is_some();
            if connected && let Some(error) = self.inner.mailbox.take_error() {
                return Err(error);
            }
            if state.bound.is_none() {
                let any = SocketAddr::new(self.inner.family.unspecified(), 0);
                state.bound = Some(self.take_port(any)?);
            }
            let bound = state.bound.as_ref().expect("bound above");
            (to, bound.local, connected)
        };
        if self.network().gateway().answer(local.port(), to, &payload) {
            return Ok(());
        }
        let route = self.network().route(to)?;
        let from = |source| {
            let ip = if local.ip().is_unspecified() { source } else { local.ip() };
            SocketAddr::new(ip, local.port())
        };
        match route {
            Route::Local { source } => {
                self.send_inside(payload, from(source), to, connected);
                Ok(())
            }
            // Loopback does not leave the Pod, whoever it calls.
            Route::Peer { .. } | Route::Service { .. } | Route::Outside { .. }
                if local.ip().is_loopback() =>
            {
                Err(NetworkError::InvalidArgument)
            }
            Route::Peer { socket, source } => {
                let network = self.network();
                let sent = network.gateway().send_to_peer(&socket, from(source), to, &payload);
                or_lost(network.heard_of(sent))
            }
            Route::Service { service, source } => {
                self.send_to_service(&service, payload, from(source), to, connected)
            }
            Route::Outside { dial, .. } => self.send_outside(&payload, to, dial),
        }
    }

    /// The next datagram.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] unless bound, [`NetworkError::ConnectionRefused`] when a
    /// connected socket's last datagram found nobody.
    pub fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Result<Datagram, NetworkError>> {
        let datagram = ready!(self.poll_next(cx))?;
        self.inner.endpoint.traffic().received_datagram(datagram.bytes.len());
        Poll::Ready(Ok(datagram))
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Datagram, NetworkError>> {
        let outside = {
            let state = lock(&self.inner.state);
            if state.bound.is_none() {
                return Poll::Ready(Err(NetworkError::InvalidState));
            }
            state.outside.as_ref().map(|outside| Arc::clone(&outside.socket))
        };
        if let Poll::Ready(outcome) = self.inner.mailbox.poll_take(cx) {
            return Poll::Ready(outcome);
        }
        let Some(outside) = outside else { return Poll::Pending };
        loop {
            ready!(outside.poll_recv_ready(cx))?;
            if let Some(datagram) = self.receive_outside(&outside)? {
                return Poll::Ready(Ok(datagram));
            }
        }
    }

    /// Ready when receiving would not have to wait, be it for an error. May be ready for nothing
    /// once in a while: a datagram of a stranger came from outside.
    pub fn poll_receivable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let outside = {
            let state = lock(&self.inner.state);
            if state.bound.is_none() {
                return Poll::Ready(());
            }
            state.outside.as_ref().map(|outside| Arc::clone(&outside.socket))
        };
        if self.inner.mailbox.poll_ready(cx).is_ready() {
            return Poll::Ready(());
        }
        match outside {
            Some(outside) => outside.poll_recv_ready(cx).map(|_outcome| ()),
            None => Poll::Pending,
        }
    }

    /// The time to live of its datagrams.
    pub fn hop_limit(&self) -> u8 {
        lock(&self.inner.state).hop_limit
    }

    /// # Errors
    /// [`NetworkError::InvalidArgument`] for zero.
    pub fn set_hop_limit(&self, hops: u8) -> Result<(), NetworkError> {
        lock(&self.inner.state).hop_limit = options::hop_limit(hops)?;
        Ok(())
    }

    /// How many bytes of datagrams may wait to be received.
    pub fn receive_buffer(&self) -> usize {
        self.inner.mailbox.capacity()
    }

    /// # Errors
    /// [`NetworkError::InvalidArgument`] for zero.
    pub fn set_receive_buffer(&self, bytes: u64) -> Result<(), NetworkError> {
        self.inner.mailbox.set_capacity(options::buffer_size(bytes)?);
        Ok(())
    }

    /// Stored for the guest; nothing waits to be sent.
    pub fn send_buffer(&self) -> usize {
        lock(&self.inner.state).send_buffer
    }

    /// # Errors
    /// [`NetworkError::InvalidArgument`] for zero.
    pub fn set_send_buffer(&self, bytes: u64) -> Result<(), NetworkError> {
        lock(&self.inner.state).send_buffer = options::buffer_size(bytes)?;
        Ok(())
    }

    pub(super) fn network(&self) -> &Arc<Network> {
        self.inner.endpoint.network()
    }

    fn take_port(&self, local: SocketAddr) -> Result<Bound, NetworkError> {
        let coverage = Coverage::Ip(local.ip());
        let port = self.inner.endpoint.bind(Protocol::Udp, coverage, local.port())?;
        port.deliver_to(Arc::clone(&self.inner.mailbox));
        let local = SocketAddr::new(local.ip(), port.number());
        Ok(Bound { port, asked: local, local })
    }
}
