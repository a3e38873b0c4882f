//! What one container sends and receives, counted at its own side of each connection and socket.
//!
//! The pipes between two containers know nothing of it; it costs one addition for each chunk.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counters of a container, over all of its runs.
#[derive(Debug, Default)]
pub struct Traffic {
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    received_datagrams: AtomicU64,
    sent_datagrams: AtomicU64,
    accepted_connections: AtomicU64,
    opened_connections: AtomicU64,
}

/// What they stand at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrafficCount {
    /// Bytes that it has read from connections and datagrams.
    pub received_bytes: u64,
    /// Bytes that its connections and sockets took from it.
    pub sent_bytes: u64,
    /// Datagrams that it has received.
    pub received_datagrams: u64,
    /// Datagrams that it has sent, lost ones included.
    pub sent_datagrams: u64,
    /// Connections that it has accepted.
    pub accepted_connections: u64,
    /// Connections that it has opened.
    pub opened_connections: u64,
}

impl Traffic {
    /// What they stand at now; one may be ahead of another by what happens meanwhile.
    pub fn count(&self) -> TrafficCount {
        TrafficCount {
            received_bytes: self.received_bytes.load(Relaxed),
            sent_bytes: self.sent_bytes.load(Relaxed),
            received_datagrams: self.received_datagrams.load(Relaxed),
            sent_datagrams: self.sent_datagrams.load(Relaxed),
            accepted_connections: self.accepted_connections.load(Relaxed),
            opened_connections: self.opened_connections.load(Relaxed),
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        add(&self.received_bytes, bytes);
    }

    pub(super) fn sent(&self, bytes: usize) {
        add(&self.sent_bytes, bytes);
    }

    pub(super) fn received_datagram(&self, bytes: usize) {
        self.received(bytes);
        add(&self.received_datagrams, 1);
    }

    pub(super) fn sent_datagram(&self, bytes: usize) {
        self.sent(bytes);
        add(&self.sent_datagrams, 1);
    }

    pub(super) fn accepted(&self) {
        add(&self.accepted_connections, 1);
    }

    pub(super) fn opened(&self) {
        add(&self.opened_connections, 1);
    }
}

fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Relaxed);
}
