//! The socket and its states.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::acceptor::TcpAcceptor;
use super::connecting::Connecting;
use super::connection::{TcpConnection, TcpReceiveHalf, TcpSendHalf};
use crate::sandbox::network::endpoint::{EndpointShared, PortGuard, SocketSlot};
use crate::sandbox::network::listener::ListeningPort;
use crate::sandbox::network::options::{self, DEFAULT_BACKLOG, TcpOptions};
use crate::sandbox::network::ports::Coverage;
use crate::sandbox::network::space::Protocol;
use crate::sandbox::network::{AddressFamily, NetworkError, Stream, address};

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

impl TcpSocket {
    /// A socket for a connection that was accepted.
    pub(super) fn accepted(
        endpoint: &Arc<EndpointShared>,
        family: AddressFamily,
        options: TcpOptions,
        connection: Arc<TcpConnection>,
    ) -> Self {
        Self {
            endpoint: Arc::clone(endpoint),
            family,
            options,
            backlog_length: DEFAULT_BACKLOG,
            state: State::connected(connection),
        }
    }

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
                self.endpoint.traffic().opened();
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
            State::Connected { connection, .. } => Ok(connection.local_address()),
            State::Listening(port) => Ok(port.local),
            State::Closed(error) => Err(*error),
        }
    }

    /// # Errors
    /// [`NetworkError::InvalidState`] unless connected.
    pub fn remote_address(&self) -> Result<SocketAddr, NetworkError> {
        self.connection().map(|connection| connection.remote_address())
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
            State::Connected { connection, .. } => connection.stream().apply(&options),
            State::Listening(port) => port.backlog.set_options(options),
            State::Unbound(_) | State::Bound(_) | State::Connecting(_) | State::Closed(_) => {}
        }
        Ok(())
    }

    fn begin(
        &self,
        remote: SocketAddr,
        bound: Option<(PortGuard, SocketAddr)>,
        slot: SocketSlot,
    ) -> Result<Connecting, NetworkError> {
        Connecting::begin(&self.endpoint, &self.options, remote, bound, slot)
    }

    /// Leaves `Closed` behind; every caller puts a state in its place.
    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Closed(NetworkError::InvalidState))
    }
}

impl State {
    fn connected(connection: Arc<TcpConnection>) -> Self {
        Self::Connected { connection, receive_taken: false, send_taken: false }
    }
}
