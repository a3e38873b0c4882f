//! Where datagrams wait for their socket.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::contacts::{Contact, Contacts};
use crate::sandbox::network::NetworkError;
use crate::sandbox::network::lock::lock;
use crate::sandbox::network::pipe::{BufferBudget, FREE_CAPACITY};
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
///
/// What it holds counts against the Pod's budget; when that is tight it holds 16 KiB at most and
/// loses the rest.
pub(crate) struct Mailbox {
    budget: Arc<BufferBudget>,
    state: Mutex<MailboxState>,
}

struct MailboxState {
    queue: VecDeque<Datagram>,
    held: usize,
    capacity: usize,
    /// A connected socket hears its remote only.
    only_from: Option<SocketAddr>,
    /// The Pods that answer for Services.
    services: Contacts,
    error: Option<NetworkError>,
    readers: WakerSet,
}

impl Mailbox {
    pub(super) fn new(capacity: usize, budget: &Arc<BufferBudget>) -> Self {
        let state = MailboxState {
            queue: VecDeque::new(),
            held: 0,
            capacity,
            only_from: None,
            services: Contacts::default(),
            error: None,
            readers: WakerSet::default(),
        };
        Self { budget: Arc::clone(budget), state: Mutex::new(state) }
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
            let capacity = match self.budget.is_tight() {
                true => state.capacity.min(FREE_CAPACITY),
                false => state.capacity,
            };
            let full = state.held > 0 && state.held + cost > capacity;
            if stranger || full {
                return;
            }
            let held = state.held + cost;
            state.hold(held, &self.budget);
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
                let held = state.held - (datagram.bytes.len() + DATAGRAM_OVERHEAD);
                state.hold(held, &self.budget);
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
            let held = state.queue.iter().map(|each| each.bytes.len() + DATAGRAM_OVERHEAD).sum();
            state.hold(held, &self.budget);
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
    fn hold(&mut self, bytes: usize, budget: &BufferBudget) {
        budget.account(self.held, bytes);
        self.held = bytes;
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        lock(&self.state).hold(0, &self.budget);
    }
}
