//! A TCP socket: the states between creation and an open connection.
//!
//! ```text
//! Unbound ─bind─▶ Bound ─listen─▶ Listening ─accept─▶ (a new socket, Connected)
//!    └──────┬───────┘
//!       connect ─▶ Connecting ─▶ Connected
//!                       └──────▶ Closed(why)
//! ```
//!
//! Protocol-neutral: the fronts of WASI 0.1, 0.2 and 0.3 are built on it and add what their version
//! demands (0.2 wants an explicit bind before listening, for example). Which misuse gives which
//! error follows wasmtime-wasi, so that programs written against it see the same.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Sleep;

use super::endpoint::{EndpointShared, Membership, PortGuard, SocketSlot};
use super::kernel::KernelStream;
use super::listener::{Backlog, Incoming, ListeningPort};
use super::options::{self, DEFAULT_BACKLOG, TcpOptions};
use super::pipe::MemoryStream;
use super::ports::Coverage;
use super::space::{CONNECT_TIMEOUT, Protocol, Route};
use super::stream::{ParkedStream, Stream};
use super::{AddressFamily, NetworkError, address, peer};

/// A TCP socket of a guest.
///
/// Dropping it frees its port. A connection lives on while its halves do.
pub struct TcpSocket {
    endpoint: Arc<EndpointShared>,
    family: AddressFamily,
    options: TcpOptions,
    backlog_length: usize,
    state: State,
}

enum State {
    Unbound(SocketSlot),
    Bound(Bound),
    Connecting(Connecting),
    Connected { connection: Arc<TcpConnection>, receive_taken: bool, send_taken: bool },
    Listening(Arc<ListeningPort>),
    Closed(NetworkError),
}

struct Bound {
    port: PortGuard,
    local: SocketAddr,
    slot: SocketSlot,
}

/// A connection on its way.
struct Connecting {
    local: SocketAddr,
    remote: SocketAddr,
    port: PortGuard,
    slot: SocketSlot,
    way: Way,
}

enum Way {
    /// Waits for a place in the listener's queue.
    Queueing {
        backlog: Arc<Backlog>,
        timeout: Option<Pin<Box<Sleep>>>,
    },
    /// Has a place.
    Queued(MemoryStream),
    /// The kernel, or another Pod's process, is asked.
    Elsewhere(Pin<Box<dyn Future<Output = Result<Stream, NetworkError>> + Send>>),
    Failed(NetworkError),
}

impl TcpSocket {
    pub(crate) fn new(
        endpoint: &Arc<EndpointShared>,
        family: AddressFamily,
    ) -> Result<Self, NetworkError> {
        Ok(Self {
            endpoint: Arc::clone(endpoint),
            family,
            options: TcpOptions::default(),
            backlog_length: DEFAULT_BACKLOG,
            state: State::Unbound(endpoint.slot()?),
        })
    }

    /// The family it was made for.
    pub fn address_family(&self) -> AddressFamily {
        self.family
    }

    /// Whether it has a local address.
    pub fn is_bound(&self) -> bool {
        !matches!(self.state, State::Unbound(_))
    }

    /// Whether it listens.
    pub fn is_listening(&self) -> bool {
        matches!(self.state, State::Listening(_))
    }

    /// Takes a local address; port 0 asks for an ephemeral one.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] unless unbound, [`NetworkError::InvalidArgument`] for another
    /// family, a v4-mapped, multicast or broadcast address, [`NetworkError::AddressNotAvailable`]
    /// for one that this Pod does not have, [`NetworkError::AddressInUse`].
    pub fn bind(&mut self, local: SocketAddr) -> Result<(), NetworkError> {
        if !matches!(self.state, State::Unbound(_)) {
            return Err(NetworkError::InvalidState);
        }
        if !self.family.admits(local.ip()) {
            return Err(NetworkError::InvalidArgument);
        }
        self.endpoint.check_bindable(local.ip())?;
        let port = self.endpoint.bind(Protocol::Tcp, Coverage::Ip(local.ip()), local.port())?;
        let local = SocketAddr::new(local.ip(), port.number());
        match self.take_state() {
            State::Unbound(slot) => self.state = State::Bound(Bound { port, local, slot }),
            other => self.state = other,
        }
        Ok(())
    }

    /// Begins to connect; [`poll_finish_connect`](Self::poll_finish_connect) tells the outcome.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] when listening, connecting or connected,
    /// [`NetworkError::InvalidArgument`] for what is no remote address of the family. All else is
    /// told at the end.
    pub fn start_connect(&mut self, remote: SocketAddr) -> Result<(), NetworkError> {
        if !matches!(self.state, State::Unbound(_) | State::Bound(_)) {
            return Err(NetworkError::InvalidState);
        }
        if !address::is_unicast(remote.ip())
            || !address::is_remote(remote)
            || !self.family.admits(remote.ip())
        {
            return Err(NetworkError::InvalidArgument);
        }
        let remote = address::plain(remote);
        self.state = match self.take_state() {
            State::Unbound(slot) => match self.begin(remote, None, slot) {
                Ok(connecting) => State::Connecting(connecting),
                Err(error) => State::Closed(error),
            },
            State::Bound(Bound { port, local, slot }) => {
                match self.begin(remote, Some((port, local)), slot) {
                    Ok(connecting) => State::Connecting(connecting),
                    Err(error) => State::Closed(error),
                }
            }
            other => other,
        };
        Ok(())
    }

    /// Ready when the connection is there or has failed.
    ///
    /// # Errors
    /// Why it failed: [`NetworkError::ConnectionRefused`], [`NetworkError::AccessDenied`] and so on;
    /// [`NetworkError::InvalidState`] when nothing was begun.
    pub fn poll_finish_connect(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        let outcome = match &mut self.state {
            State::Connecting(connecting) => {
                ready!(connecting.poll(cx, &self.endpoint, &self.options))
            }
            State::Connected { .. } => return Poll::Ready(Ok(())),
            State::Closed(error) => return Poll::Ready(Err(*error)),
            State::Unbound(_) | State::Bound(_) | State::Listening(_) => {
                return Poll::Ready(Err(NetworkError::InvalidState));
            }
        };
        let State::Connecting(connecting) = self.take_state() else {
            return Poll::Ready(Err(NetworkError::InvalidState));
        };
        match outcome {
            Ok(stream) => {
                if !matches!(stream, Stream::Memory(_)) {
                    stream.apply(&self.options);
                }
                let connection = TcpConnection::new(
                    &self.endpoint,
                    stream,
                    connecting.local,
                    connecting.remote,
                    Some(connecting.port),
                    connecting.slot,
                );
                self.state = State::connected(connection);
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.state = State::Closed(error);
                Poll::Ready(Err(error))
            }
        }
    }

    /// Listens; an unbound socket takes an ephemeral port on all addresses of its family first.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] when listening, connecting or connected.
    pub fn listen(&mut self) -> Result<TcpAcceptor, NetworkError> {
        if matches!(self.state, State::Unbound(_)) {
            self.bind(SocketAddr::new(self.family.unspecified(), 0))?;
        }
        match self.take_state() {
            State::Bound(Bound { port, local, slot }) => {
                let listening = Arc::new(ListeningPort::new(
                    &self.endpoint,
                    port,
                    local,
                    self.backlog_length,
                    self.options,
                    slot,
                ));
                self.state = State::Listening(Arc::clone(&listening));
                Ok(TcpAcceptor { port: listening, family: self.family })
            }
            other => {
                self.state = other;
                Err(NetworkError::InvalidState)
            }
        }
    }

    /// The connection, once there is one.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] before, or why connecting failed.
    pub fn connection(&self) -> Result<&Arc<TcpConnection>, NetworkError> {
        match &self.state {
            State::Connected { connection, .. } => Ok(connection),
            State::Closed(error) => Err(*error),
            State::Unbound(_) | State::Bound(_) | State::Connecting(_) | State::Listening(_) => {
                Err(NetworkError::InvalidState)
            }
        }
    }

    /// The half to read from; it can be taken once.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] when there is no connection or it was taken.
    pub fn take_receive_half(&mut self) -> Result<TcpReceiveHalf, NetworkError> {
        match &mut self.state {
            State::Connected { connection, receive_taken, .. } if !*receive_taken => {
                *receive_taken = true;
                Ok(TcpReceiveHalf(Arc::clone(connection)))
            }
            State::Closed(error) => Err(*error),
            _ => Err(NetworkError::InvalidState),
        }
    }

    /// The half to write to; it can be taken once.
    ///
    /// # Errors
    /// As [`take_receive_half`](Self::take_receive_half).
    pub fn take_send_half(&mut self) -> Result<TcpSendHalf, NetworkError> {
        match &mut self.state {
            State::Connected { connection, send_taken, .. } if !*send_taken => {
                *send_taken = true;
                Ok(TcpSendHalf(Arc::clone(connection)))
            }
            State::Closed(error) => Err(*error),
            _ => Err(NetworkError::InvalidState),
        }
    }

    /// # Errors
    /// [`NetworkError::InvalidState`] unless bound, and while connecting.
    pub fn local_address(&self) -> Result<SocketAddr, NetworkError> {
        match &self.state {
            State::Unbound(_) | State::Connecting(_) => Err(NetworkError::InvalidState),
            State::Bound(bound) => Ok(bound.local),
            State::Connected { connection, .. } => Ok(connection.local),
            State::Listening(port) => Ok(port.local),
            State::Closed(error) => Err(*error),
        }
    }

    /// # Errors
    /// [`NetworkError::InvalidState`] unless connected.
    pub fn remote_address(&self) -> Result<SocketAddr, NetworkError> {
        self.connection().map(|connection| connection.remote)
    }

    /// How many connections may wait to be accepted; clamped to 4096.
    ///
    /// # Errors
    /// [`NetworkError::InvalidArgument`] for zero, [`NetworkError::InvalidState`] when connected or
    /// connecting.
    pub fn set_listen_backlog(&mut self, length: u64) -> Result<(), NetworkError> {
        let length = options::backlog(length)?;
        match &self.state {
            State::Unbound(_) | State::Bound(_) => {}
            State::Listening(port) => port.backlog.set_length(length),
            State::Closed(error) => return Err(*error),
            State::Connecting(_) | State::Connected { .. } => {
                return Err(NetworkError::InvalidState);
            }
        }
        self.backlog_length = length;
        Ok(())
    }

    /// The options as they are kept.
    ///
    /// # Errors
    /// [`NetworkError::InvalidState`] while connecting, or why connecting failed.
    pub fn options(&self) -> Result<TcpOptions, NetworkError> {
        match &self.state {
            State::Connecting(_) => Err(NetworkError::InvalidState),
            State::Closed(error) => Err(*error),
            State::Unbound(_) | State::Bound(_) | State::Connected { .. } | State::Listening(_) => {
                Ok(self.options)
            }
        }
    }

    /// # Errors
    /// As [`options`](Self::options).
    pub fn set_keep_alive(&mut self, enabled: bool) -> Result<(), NetworkError> {
        self.change(|options| options.keep_alive = enabled)
    }

    /// # Errors
    /// [`NetworkError::InvalidArgument`] for zero, else as [`options`](Self::options).
    pub fn set_keep_alive_idle(&mut self, time: Duration) -> Result<(), NetworkError> {
        let time = options::keep_alive_time(time)?;
        self.change(|options| options.keep_alive_idle = time)
    }

    /// # Errors
    /// As [`set_keep_alive_idle`](Self::set_keep_alive_idle).
    pub fn set_keep_alive_interval(&mut self, time: Duration) -> Result<(), NetworkError> {
        let time = options::keep_alive_time(time)?;
        self.change(|options| options.keep_alive_interval = time)
    }

    /// # Errors
    /// As [`set_keep_alive_idle`](Self::set_keep_alive_idle).
    pub fn set_keep_alive_count(&mut self, count: u32) -> Result<(), NetworkError> {
        let count = options::keep_alive_count(count)?;
        self.change(|options| options.keep_alive_count = count)
    }

    /// # Errors
    /// As [`set_keep_alive_idle`](Self::set_keep_alive_idle).
    pub fn set_hop_limit(&mut self, hops: u8) -> Result<(), NetworkError> {
        let hops = options::hop_limit(hops)?;
        self.change(|options| options.hop_limit = hops)
    }

    /// # Errors
    /// As [`set_keep_alive_idle`](Self::set_keep_alive_idle).
    pub fn set_receive_buffer(&mut self, bytes: u64) -> Result<(), NetworkError> {
        let bytes = options::buffer_size(bytes)?;
        self.change(|options| options.receive_buffer = bytes)
    }

    /// # Errors
    /// As [`set_keep_alive_idle`](Self::set_keep_alive_idle).
    pub fn set_send_buffer(&mut self, bytes: u64) -> Result<(), NetworkError> {
        let bytes = options::buffer_size(bytes)?;
        self.change(|options| options.send_buffer = bytes)
    }

    /// # Errors
    /// As [`options`](Self::options).
    pub fn set_no_delay(&mut self, no_delay: bool) -> Result<(), NetworkError> {
        self.change(|options| options.no_delay = no_delay)
    }

    fn change(&mut self, change: impl FnOnce(&mut TcpOptions)) -> Result<(), NetworkError> {
        let mut options = self.options()?;
        change(&mut options);
        self.options = options;
        match &self.state {
            State::Connected { connection, .. } => connection.stream.apply(&options),
            State::Listening(port) => port.backlog.set_options(options),
            State::Unbound(_) | State::Bound(_) | State::Connecting(_) | State::Closed(_) => {}
        }
        Ok(())
    }

    /// Leaves `Closed` behind; every caller puts a state in its place.
    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Closed(NetworkError::InvalidState))
    }

    fn begin(
        &self,
        remote: SocketAddr,
        bound: Option<(PortGuard, SocketAddr)>,
        slot: SocketSlot,
    ) -> Result<Connecting, NetworkError> {
        let network = self.endpoint.network();
        let route = network.route(remote);
        let source = match &route {
            Ok(
                Route::Local { source }
                | Route::Peer { source, .. }
                | Route::Outside { source, .. },
            ) => *source,
            Err(_) => self.family.unspecified(),
        };
        let (port, local) = match bound {
            Some((port, local)) if local.ip().is_unspecified() => {
                (port, SocketAddr::new(source, local.port()))
            }
            Some(bound) => bound,
            None => {
                let port = self.endpoint.bind(Protocol::Tcp, Coverage::Ip(source), 0)?;
                let local = SocketAddr::new(source, port.number());
                (port, local)
            }
        };
        let way = match route {
            Err(error) => Way::Failed(error),
            Ok(Route::Local { .. }) => match network.listener(remote) {
                Some(backlog) => Way::Queueing { backlog, timeout: None },
                None => Way::Failed(NetworkError::ConnectionRefused),
            },
            // Loopback does not leave the Pod, whoever it calls.
            Ok(_) if local.ip().is_loopback() => Way::Failed(NetworkError::InvalidArgument),
            Ok(Route::Peer { peer, .. }) => {
                let socket = peer.socket.clone();
                let leftovers = Arc::clone(network.leftovers());
                Way::Elsewhere(Box::pin(async move {
                    let stream = peer::connect(&socket, local, remote).await?;
                    Ok(Stream::Unix(KernelStream::new(stream, Some(leftovers))))
                }))
            }
            Ok(Route::Outside { dial, .. }) => {
                let leftovers = Arc::clone(network.leftovers());
                Way::Elsewhere(Box::pin(async move {
                    let stream = tokio::net::TcpStream::connect(dial).await?;
                    Ok(Stream::Tcp(KernelStream::new(stream, Some(leftovers))))
                }))
            }
        };
        let mut connecting = Connecting { local, remote, port, slot, way };
        // Most connections inside a Pod are established here and now.
        connecting.try_queue(&self.endpoint, &self.options);
        Ok(connecting)
    }
}

impl State {
    fn connected(connection: Arc<TcpConnection>) -> Self {
        Self::Connected { connection, receive_taken: false, send_taken: false }
    }
}

impl Connecting {
    fn try_queue(&mut self, endpoint: &EndpointShared, options: &TcpOptions) {
        let mut nobody = Context::from_waker(std::task::Waker::noop());
        let _ = self.poll_queue(&mut nobody, endpoint, options);
    }

    fn poll_queue(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &EndpointShared,
        options: &TcpOptions,
    ) -> Poll<()> {
        let Way::Queueing { backlog, .. } = &self.way else {
            return Poll::Ready(());
        };
        let (local, remote) = (self.local, self.remote);
        let mut ours = None;
        let queued = backlog.poll_enqueue(cx, |listener| {
            let budget = endpoint.network().budget();
            let (near, far) =
                MemoryStream::pair(options.receive_buffer, listener.receive_buffer, budget);
            ours = Some(near);
            Incoming {
                stream: ParkedStream::Memory(far),
                local: remote,
                remote: local,
                options: *listener,
            }
        });
        self.way = match (ready!(queued), ours) {
            (Ok(()), Some(stream)) => Way::Queued(stream),
            (Err(error), _) => Way::Failed(error),
            (Ok(()), None) => Way::Failed(NetworkError::ConnectionAborted),
        };
        Poll::Ready(())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &EndpointShared,
        options: &TcpOptions,
    ) -> Poll<Result<Stream, NetworkError>> {
        if self.poll_queue(cx, endpoint, options).is_pending() {
            if let Way::Queueing { timeout, .. } = &mut self.way {
                let timeout =
                    timeout.get_or_insert_with(|| Box::pin(tokio::time::sleep(CONNECT_TIMEOUT)));
                ready!(timeout.as_mut().poll(cx));
            }
            self.way = Way::Failed(NetworkError::TimedOut);
        }
        let gone = Way::Failed(NetworkError::InvalidState);
        match std::mem::replace(&mut self.way, gone) {
            Way::Queued(stream) => Poll::Ready(Ok(Stream::Memory(stream))),
            Way::Failed(error) => Poll::Ready(Err(error)),
            Way::Elsewhere(mut attempt) => {
                let outcome = attempt.as_mut().poll(cx);
                if outcome.is_pending() {
                    self.way = Way::Elsewhere(attempt);
                }
                outcome
            }
            Way::Queueing { .. } => Poll::Ready(Err(NetworkError::InvalidState)),
        }
    }
}

/// An open connection with its addresses. It closes when the last holder lets go.
pub struct TcpConnection {
    stream: Stream,
    local: SocketAddr,
    remote: SocketAddr,
    _membership: Membership,
    _port: Option<PortGuard>,
}

impl TcpConnection {
    fn new(
        endpoint: &Arc<EndpointShared>,
        stream: Stream,
        local: SocketAddr,
        remote: SocketAddr,
        port: Option<PortGuard>,
        slot: SocketSlot,
    ) -> Arc<Self> {
        let membership = endpoint.join_stream(&stream, slot);
        Arc::new(Self { stream, local, remote, _membership: membership, _port: port })
    }

    /// This side's address.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The other side's address.
    pub fn remote_address(&self) -> SocketAddr {
        self.remote
    }

    /// Reading, writing and shutting down.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

/// Accepts connections; the port stays open while this or its socket lives.
#[derive(Clone)]
pub struct TcpAcceptor {
    port: Arc<ListeningPort>,
    family: AddressFamily,
}

impl TcpAcceptor {
    /// Ready when [`poll_accept`](Self::poll_accept) would not have to wait.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.port.backlog.poll_acceptable(cx)
    }

    /// The next connection, as a socket with the listener's options.
    ///
    /// # Errors
    /// [`NetworkError::SocketLimit`], while the connection stays queued; [`NetworkError::Closed`]
    /// after the container's end.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Result<TcpSocket, NetworkError>> {
        let endpoint = &self.port.endpoint;
        let (incoming, slot) = ready!(self.port.backlog.poll_dequeue(cx, || endpoint.slot()))?;
        let stream = incoming.stream.unpark(endpoint.network().leftovers())?;
        if !matches!(stream, Stream::Memory(_)) {
            stream.apply(&incoming.options);
        }
        let connection =
            TcpConnection::new(endpoint, stream, incoming.local, incoming.remote, None, slot);
        Poll::Ready(Ok(TcpSocket {
            endpoint: Arc::clone(endpoint),
            family: self.family,
            options: incoming.options,
            backlog_length: DEFAULT_BACKLOG,
            state: State::connected(connection),
        }))
    }
}

/// The half of a connection to read from. Dropping it shuts reading down.
pub struct TcpReceiveHalf(Arc<TcpConnection>);

impl TcpReceiveHalf {
    /// Ready when a read would not have to wait.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.stream.poll_readable(cx)
    }

    /// At most `max` bytes, which is not zero; empty at the end.
    ///
    /// # Errors
    /// As [`Stream::try_read`].
    pub fn poll_read(&self, cx: &mut Context<'_>, max: usize) -> Poll<Result<Bytes, NetworkError>> {
        self.0.stream.poll_read_bytes(cx, max)
    }

    /// Reads into a buffer of the caller's; 0 at the end.
    ///
    /// # Errors
    /// As [`Stream::try_read`].
    pub fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, NetworkError>> {
        self.0.stream.poll_read_into(cx, buffer)
    }
}

impl Drop for TcpReceiveHalf {
    fn drop(&mut self) {
        self.0.stream.shutdown_read();
    }
}

/// The half of a connection to write to. Dropping it shuts writing down.
pub struct TcpSendHalf(Arc<TcpConnection>);

impl TcpSendHalf {
    /// Ready when a write would not have to wait.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.stream.poll_writable(cx)
    }

    /// Sends a copy of as many bytes as possible.
    ///
    /// # Errors
    /// As [`Stream::write_permit`].
    pub fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, NetworkError>> {
        self.0.stream.poll_write_from(cx, bytes)
    }
}

impl Drop for TcpSendHalf {
    fn drop(&mut self) {
        self.0.stream.shutdown_write();
    }
}
