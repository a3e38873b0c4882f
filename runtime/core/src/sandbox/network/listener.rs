//! Listening: a queue of connections that are established and not accepted yet.
//!
//! As in a kernel a connection is established once it is in the queue, before anybody accepts it.
//! A full queue lets new connections wait (a kernel drops their SYN, which is sent again); a
//! closed one resets what is still in it; one whose container stops refuses new connections, still
//! hands out the queued ones and then fails to accept, as a kernel's does after `shutdown`: for a
//! guest without signals that is how it learns that it should end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::NetworkError;
use super::endpoint::{EndpointShared, Membership, PortGuard, SocketSlot};
use super::lock::lock;
use super::metered::MeteredStream;
use super::options::{DEFAULT_BACKLOG, TcpOptions};
use super::pipe::{End, FREE_CAPACITY};
use super::stream::ParkedStream;
use super::wakers::WakerSet;
use crate::resources::memory::{ContainerMemory, Held};

/// What a connection in the queue costs the listener's container: its own, and what its caller may have
/// sent and closed.
const QUEUED: usize = 1024 + FREE_CAPACITY;

/// A connection in the queue.
pub(crate) struct Incoming {
    pub(crate) stream: ParkedStream,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// The listener's options when the connection was established.
    pub(crate) options: TcpOptions,
}

/// The listener that a connection is made for.
pub(crate) struct Listening<'backlog> {
    pub(crate) options: &'backlog TcpOptions,
    memory: &'backlog Arc<ContainerMemory>,
}

impl Listening<'_> {
    /// Its end of the connection.
    pub(crate) fn end(&self) -> End<'_> {
        End { receive_buffer: self.options.receive_buffer, memory: self.memory }
    }
}

/// The queue; the address table leads here.
pub(crate) struct Backlog {
    /// Of the listener's container.
    memory: Arc<ContainerMemory>,
    state: Mutex<State>,
}

struct State {
    queue: VecDeque<(Incoming, Held)>,
    /// Places that are promised and not filled yet.
    reserved: usize,
    length: usize,
    options: TcpOptions,
    accepters: WakerSet,
    connectors: WakerSet,
    openness: Openness,
}

#[derive(PartialEq, Eq)]
enum Openness {
    Open,
    Refusing,
    Closed,
}

impl Backlog {
    pub(crate) fn new(length: usize, options: TcpOptions, memory: &Arc<ContainerMemory>) -> Self {
        let state = State {
            queue: VecDeque::new(),
            reserved: 0,
            length,
            options,
            accepters: WakerSet::default(),
            connectors: WakerSet::default(),
            openness: Openness::Open,
        };
        Self { memory: Arc::clone(memory), state: Mutex::new(state) }
    }

    /// Puts what `build` makes into the queue, or waits for room.
    ///
    /// `build` is called only when there is room.
    ///
    /// # Errors
    /// [`NetworkError::ConnectionRefused`] when the listener is closed, refuses, or has no memory for
    /// one more connection.
    pub(crate) fn poll_enqueue(
        &self,
        cx: &Context<'_>,
        build: impl FnOnce(&Listening<'_>) -> Incoming,
    ) -> Poll<Result<(), NetworkError>> {
        let (outcome, wake) = {
            let mut state = lock(&self.state);
            if state.openness != Openness::Open {
                return Poll::Ready(Err(NetworkError::ConnectionRefused));
            }
            if state.is_full() {
                (Poll::Pending, state.connectors.register(cx))
            } else {
                let Ok(held) = self.memory.hold(QUEUED) else {
                    return Poll::Ready(Err(NetworkError::ConnectionRefused));
                };
                let incoming = build(&Listening { options: &state.options, memory: &self.memory });
                state.queue.push_back((incoming, held));
                (Poll::Ready(Ok(())), state.accepters.take())
            }
        };
        wake.wake();
        outcome
    }

    /// Waits for a place in the queue and keeps it for a connection to come.
    ///
    /// # Errors
    /// As [`poll_enqueue`](Self::poll_enqueue).
    pub(crate) fn poll_reserve(
        self: &Arc<Self>,
        cx: &Context<'_>,
    ) -> Poll<Result<Reservation, NetworkError>> {
        let displaced = {
            let mut state = lock(&self.state);
            if state.openness != Openness::Open {
                return Poll::Ready(Err(NetworkError::ConnectionRefused));
            }
            if !state.is_full() {
                let Ok(held) = self.memory.hold(QUEUED) else {
                    return Poll::Ready(Err(NetworkError::ConnectionRefused));
                };
                state.reserved += 1;
                let (backlog, held) = (Arc::clone(self), Some(held));
                return Poll::Ready(Ok(Reservation { backlog, held }));
            }
            state.connectors.register(cx)
        };
        displaced.wake();
        Poll::Pending
    }

    /// Takes the next connection out of the queue, if `admit` lets the accepter have one more.
    pub(crate) fn poll_dequeue<Admission>(
        &self,
        cx: &Context<'_>,
        admit: impl FnOnce() -> Result<Admission, NetworkError>,
    ) -> Poll<Result<(Incoming, Admission), NetworkError>> {
        let (outcome, wake) = {
            let mut state = lock(&self.state);
            if state.queue.is_empty() {
                match state.openness {
                    Openness::Open => {}
                    // Not InvalidState: wasi-libc takes that for an error of its own and aborts.
                    Openness::Refusing => return Poll::Ready(Err(NetworkError::InvalidArgument)),
                    Openness::Closed => return Poll::Ready(Err(NetworkError::Closed)),
                }
                (Poll::Pending, state.accepters.register(cx))
            } else {
                match admit() {
                    // The connection stays in the queue, as with EMFILE.
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(admission) => {
                        let (incoming, _held) = state.queue.pop_front().expect("not empty");
                        (Poll::Ready(Ok((incoming, admission))), state.connectors.take())
                    }
                }
            }
        };
        wake.wake();
        outcome
    }

    /// Ready when accepting would not have to wait.
    pub(crate) fn poll_acceptable(&self, cx: &Context<'_>) -> Poll<()> {
        let displaced = {
            let mut state = lock(&self.state);
            if !state.queue.is_empty() || state.openness != Openness::Open {
                return Poll::Ready(());
            }
            state.accepters.register(cx)
        };
        displaced.wake();
        Poll::Pending
    }

    pub(crate) fn set_length(&self, length: usize) {
        let connectors = {
            let mut state = lock(&self.state);
            state.length = length;
            state.connectors.take()
        };
        connectors.wake();
    }

    pub(crate) fn set_options(&self, options: TcpOptions) {
        lock(&self.state).options = options;
    }

    /// Refuses new connections from now on.
    pub(crate) fn refuse(&self) {
        let (accepters, connectors) = {
            let mut state = lock(&self.state);
            if state.openness == Openness::Open {
                state.openness = Openness::Refusing;
            }
            (state.accepters.take(), state.connectors.take())
        };
        accepters.wake();
        connectors.wake();
    }

    /// Ends listening; what nobody accepted is reset.
    pub(crate) fn close(&self) {
        let (queue, accepters, connectors) = {
            let mut state = lock(&self.state);
            state.openness = Openness::Closed;
            (std::mem::take(&mut state.queue), state.accepters.take(), state.connectors.take())
        };
        accepters.wake();
        connectors.wake();
        for (incoming, _held) in queue {
            incoming.stream.reset();
        }
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.queue.len() + self.reserved >= self.length
    }
}

/// A promised place in a queue; dropping it gives the place to somebody else.
pub(crate) struct Reservation {
    backlog: Arc<Backlog>,
    /// Until it is filled.
    held: Option<Held>,
}

impl Reservation {
    /// Puts a connection where it was promised a place; into a listener that has closed since, it
    /// is reset.
    pub(crate) fn fill(mut self, build: impl FnOnce(&Listening<'_>) -> Incoming) {
        let accepters = {
            let mut state = lock(&self.backlog.state);
            let memory = &self.backlog.memory;
            let incoming = build(&Listening { options: &state.options, memory });
            if state.openness == Openness::Closed {
                drop(state);
                incoming.stream.reset();
                return;
            }
            let held = self.held.take().expect("held until it is filled");
            state.queue.push_back((incoming, held));
            state.accepters.take()
        };
        accepters.wake();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let connectors = {
            let mut state = lock(&self.backlog.state);
            state.reserved -= 1;
            // A filled place is no free one, and a spurious wake costs little.
            state.connectors.take()
        };
        connectors.wake();
    }
}

/// A port with its queue; the last one to let go closes it.
pub(crate) struct ListeningPort {
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) local: SocketAddr,
    pub(crate) endpoint: Arc<EndpointShared>,
    _port: PortGuard,
    _membership: Membership,
}

impl ListeningPort {
    pub(crate) fn new(
        endpoint: &Arc<EndpointShared>,
        port: PortGuard,
        local: SocketAddr,
        length: usize,
        options: TcpOptions,
        slot: SocketSlot,
    ) -> Self {
        let backlog = Arc::new(Backlog::new(length, options, endpoint.memory()));
        let membership = endpoint.join_listener(&backlog, slot);
        port.listen(Arc::clone(&backlog));
        Self {
            backlog,
            local,
            endpoint: Arc::clone(endpoint),
            _port: port,
            _membership: membership,
        }
    }
}

impl Drop for ListeningPort {
    fn drop(&mut self) {
        self.backlog.close();
    }
}

/// A listening socket for code of the host: the HTTP front of a container, for example.
///
/// Dropping it frees the port and resets what was not accepted.
pub struct Listener {
    port: ListeningPort,
}

impl Listener {
    pub(crate) fn new(
        endpoint: &Arc<EndpointShared>,
        port: PortGuard,
        local: SocketAddr,
        slot: SocketSlot,
    ) -> Self {
        let options = TcpOptions::default();
        Self { port: ListeningPort::new(endpoint, port, local, DEFAULT_BACKLOG, options, slot) }
    }

    /// The address that was bound, with the port that was granted.
    pub fn local_address(&self) -> SocketAddr {
        self.port.local
    }

    /// Ready when [`poll_accept`](Self::poll_accept) would not have to wait.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.port.backlog.poll_acceptable(cx)
    }

    /// The next connection: its stream, the address that was called, and who called.
    ///
    /// # Errors
    /// [`NetworkError::InvalidArgument`] once the container is stopping and the queue is empty,
    /// [`NetworkError::Closed`] once the endpoint has ended, [`NetworkError::SocketLimit`] when the
    /// container holds too many sockets and [`NetworkError::NoBuffers`] when it has no memory for one
    /// more; the connection then stays in the queue.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Result<Accepted, NetworkError>> {
        self.poll_take(cx).map(|taken| taken?.open())
    }

    fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Result<Taken, NetworkError>> {
        let endpoint = &self.port.endpoint;
        self.port.backlog.poll_dequeue(cx, || endpoint.slot()).map_ok(|(incoming, slot)| Taken {
            incoming,
            slot,
            endpoint: Arc::clone(endpoint),
        })
    }

    /// As [`accept`](Self::accept), for a task of the connection's own to open.
    ///
    /// # Errors
    /// As [`poll_accept`](Self::poll_accept).
    ///
    /// # Cancel safety
    /// As [`accept`](Self::accept).
    pub(crate) async fn take(&self) -> Result<Taken, NetworkError> {
        poll_fn(|cx| self.poll_take(cx)).await
    }

    /// As [`poll_accept`](Self::poll_accept), to be awaited.
    ///
    /// # Errors
    /// As [`poll_accept`](Self::poll_accept).
    ///
    /// # Cancel safety
    /// Safe: a connection that was not handed over stays in the queue.
    pub async fn accept(&self) -> Result<Accepted, NetworkError> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }
}

/// A connection out of the queue that no runtime watches yet.
pub(crate) struct Taken {
    incoming: Incoming,
    slot: SocketSlot,
    endpoint: Arc<EndpointShared>,
}

impl Taken {
    /// Has the runtime of the caller watch the connection: its events wake that thread.
    ///
    /// # Errors
    /// The kernel's, of a connection that is broken already.
    pub(crate) fn open(self) -> Result<Accepted, NetworkError> {
        let Self { incoming, slot, endpoint } = self;
        let stream = incoming.stream.unpark(&endpoint)?;
        stream.apply(&incoming.options);
        let membership = endpoint.join_stream(&stream, slot);
        endpoint.traffic().accepted();
        Ok(Accepted {
            stream: MeteredStream::new(stream, Arc::clone(endpoint.traffic())),
            local: incoming.local,
            remote: incoming.remote,
            membership: Connected { _membership: membership },
        })
    }
}

/// A connection that host code has accepted.
pub struct Accepted {
    /// The connection.
    pub stream: MeteredStream,
    /// The address that the caller called.
    pub local: SocketAddr,
    /// The caller.
    pub remote: SocketAddr,
    /// Keep it as long as the stream: while it lives, the connection counts as one of its container
    /// and is reset when the container ends.
    pub membership: Connected,
}

/// Counts a connection as one of its container (see [`Accepted::membership`]).
pub struct Connected {
    _membership: Membership,
}
