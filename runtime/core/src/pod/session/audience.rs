//! Everybody who listens to a run: its log, and the clients that are attached to it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::queue::{Pushed, QueueReader, QueueWriter, queue};
use crate::logs::LogStream;

/// What may wait for one client, in bytes: more than a terminal shows in a second, and less than a
/// client that stands still may cost the Pod.
const WAITING: usize = 1 << 20;

/// The clients that listen to one run.
#[derive(Default)]
pub(in crate::pod) struct Audience {
    /// Looked at for each write of a guest; a run seldom has any.
    has_listeners: AtomicBool,
    listeners: Mutex<Listeners>,
}

#[derive(Default)]
struct Listeners {
    queues: Vec<QueueWriter>,
    /// The run is over.
    ended: bool,
}

impl Audience {
    /// Takes part from now on.
    pub(super) fn join(&self) -> QueueReader {
        let (writer, reader) = queue(WAITING);
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if listeners.ended {
            writer.end();
        } else {
            listeners.queues.push(writer);
            self.has_listeners.store(true, Relaxed);
        }
        reader
    }

    /// A guest has written.
    pub(in crate::pod) fn hear(&self, stream: LogStream, bytes: &[u8]) {
        if !self.has_listeners.load(Relaxed) {
            return;
        }
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.queues.retain(|queue| queue.push_or_end(stream, bytes) == Pushed::Taken);
        self.has_listeners.store(!listeners.queues.is_empty(), Relaxed);
    }

    /// The run is over.
    pub(super) fn end(&self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.ended = true;
        listeners.queues.drain(..).for_each(|queue| queue.end());
    }
}
