//! Where datagrams wait for their socket.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::contacts::{Contact, Contacts};
use crate::resources::memory::{ContainerMemory, Held, OutOfMemory};
use crate::sandbox::network::NetworkError;
use crate::sandbox::network::lock::lock;
use crate::sandbox::network::pipe::FREE_CAPACITY;
use crate::sandbox::network::wakers::WakerSet;

/// What one datagram costs in a mailbox besides its bytes: empty ones must not be free.
const DATAGRAM_OVERHEAD: usize = 256;

/// A queue that was longer does not keep its places when it is empty.
const PLACES: usize = 32;

/// A datagram and who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The payload.
    pub bytes: Bytes,
    /// Where it came from.
    pub from: SocketAddr,
}

/// Where the datagrams for one socket wait.
///
/// The receiver's container pays for what waits, as in Linux; 4 KiB are paid with the socket. What it
/// cannot pay is lost.
pub(crate) struct Mailbox {
    state: Mutex<MailboxState>,
}

struct MailboxState {
    queue: VecDeque<Datagram>,
    /// What all datagrams in the queue cost.
    cost: usize,
    /// What of it is paid apart from the socket.
    held: Held,
    capacity: usize,
    /// A connected socket hears its remote only.
    only_from: Option<SocketAddr>,
    /// The Pods that answer for Services.
    services: Contacts,
    error: Option<NetworkError>,
    readers: WakerSet,
}

impl Mailbox {
    pub(super) fn new(capacity: usize, receiver: &Arc<ContainerMemory>) -> Self {
        let state = MailboxState {
            queue: VecDeque::new(),
            cost: 0,
            held: Held::nothing(receiver),
            capacity,
            only_from: None,
            services: Contacts::default(),
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
    pub(crate) fn deliver(&self, mut datagram: Datagram) {
        let readers = {
            let mut state = lock(&self.state);
            if let Some(service) = state.services.named(datagram.from) {
                datagram.from = service;
            }
            let cost = datagram.bytes.len() + DATAGRAM_OVERHEAD;
            let stranger = state.only_from.is_some_and(|only| only != datagram.from);
            // As in Linux an empty mailbox takes any datagram.
            let full = state.cost > 0 && state.cost + cost > state.capacity;
            let more = state.cost + cost;
            if stranger || full || state.pay(more).is_err() {
                return;
            }
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
                let less = state.cost - (datagram.bytes.len() + DATAGRAM_OVERHEAD);
                state.repay(less);
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
            let less = state.queue.iter().map(|each| each.bytes.len() + DATAGRAM_OVERHEAD).sum();
            state.repay(less);
        }
    }

    /// The Pod that was last written to for a Service's address.
    pub(super) fn pod_of_service(&self, service: SocketAddr) -> Option<SocketAddr> {
        lock(&self.state).services.dialled(service)
    }

    /// What comes from `pod` is an answer of `service` from here on.
    pub(super) fn remember_service(&self, service: SocketAddr, pod: SocketAddr) {
        lock(&self.state).services.remember(Contact { named: service, dialled: pod });
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

impl MailboxState {
    fn pay(&mut self, cost: usize) -> Result<(), OutOfMemory> {
        self.held.set(cost.saturating_sub(FREE_CAPACITY))?;
        self.cost = cost;
        Ok(())
    }

    fn repay(&mut self, cost: usize) {
        let less = self.pay(cost);
        debug_assert!(less.is_ok(), "less is always granted");
        if self.queue.is_empty() && self.queue.capacity() > PLACES {
            self.queue = VecDeque::new();
        }
    }
}
