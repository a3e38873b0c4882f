//! Where datagrams wait for their socket.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::sandbox::network::NetworkError;
use crate::sandbox::network::lock::lock;
use crate::sandbox::network::wakers::WakerSet;

/// What one datagram costs in a mailbox besides its bytes: empty ones must not be free.
const DATAGRAM_OVERHEAD: usize = 256;
/// A datagram and who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The payload.
    pub bytes: Bytes,
    /// Where it came from.
    pub from: SocketAddr,
}

/// Where the datagrams for one socket wait.
pub(crate) struct Mailbox {
    state: Mutex<MailboxState>,
}

struct MailboxState {
    queue: VecDeque<Datagram>,
    held: usize,
    capacity: usize,
    /// A connected socket hears its remote only.
    only_from: Option<SocketAddr>,
    error: Option<NetworkError>,
    readers: WakerSet,
}

impl Mailbox {
    pub(super) fn new(capacity: usize) -> Self {
        let state = MailboxState {
            queue: VecDeque::new(),
            held: 0,
            capacity,
            only_from: None,
            error: None,
            readers: WakerSet::default(),
        };
        Self { state: Mutex::new(state) }
    }

    pub(super) fn capacity(&self) -> usize {
        lock(&self.state).capacity
    }

    pub(super) fn set_capacity(&self, capacity: usize) {
        lock(&self.state).capacity = capacity;
    }

    /// Puts a datagram in, or loses it.
    pub(crate) fn deliver(&self, datagram: Datagram) {
        let readers = {
            let mut state = lock(&self.state);
            let cost = datagram.bytes.len() + DATAGRAM_OVERHEAD;
            let stranger = state.only_from.is_some_and(|only| only != datagram.from);
            // As in Linux an empty mailbox takes any datagram.
            let full = state.held > 0 && state.held + cost > state.capacity;
            if stranger || full {
                return;
            }
            state.held += cost;
            state.queue.push_back(datagram);
            state.readers.take()
        };
        readers.wake();
    }

    pub(super) fn poll_take(&self, cx: &Context<'_>) -> Poll<Result<Datagram, NetworkError>> {
        let displaced = {
            let mut state = lock(&self.state);
            if let Some(error) = state.error.take() {
                return Poll::Ready(Err(error));
            }
            if let Some(datagram) = state.queue.pop_front() {
                state.held -= datagram.bytes.len() + DATAGRAM_OVERHEAD;
                return Poll::Ready(Ok(datagram));
            }
            state.readers.register(cx)
        };
        displaced.wake();
        Poll::Pending
    }

    pub(super) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let displaced = {
            let mut state = lock(&self.state);
            if state.error.is_some() || !state.queue.is_empty() {
                return Poll::Ready(());
            }
            state.readers.register(cx)
        };
        displaced.wake();
        Poll::Pending
    }

    /// Drops what came from others before: a connected socket must not see it.
    pub(super) fn listen_to(&self, only: Option<SocketAddr>) {
        let mut state = lock(&self.state);
        state.only_from = only;
        state.error = None;
        if let Some(only) = only {
            state.queue.retain(|datagram| datagram.from == only);
            state.held = state.queue.iter().map(|each| each.bytes.len() + DATAGRAM_OVERHEAD).sum();
        }
    }

    /// The remote has no such port.
    pub(super) fn refuse(&self) {
        let readers = {
            let mut state = lock(&self.state);
            state.error = Some(NetworkError::ConnectionRefused);
            state.readers.take()
        };
        readers.wake();
    }

    pub(super) fn take_error(&self) -> Option<NetworkError> {
        lock(&self.state).error.take()
    }

    pub(super) fn readers(&self) -> WakerSet {
        lock(&self.state).readers.take()
    }
}
