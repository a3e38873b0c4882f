//! One direction of a connection: the bytes that wait, who waits for them, and who pays for them.
//!
//! The writer's container pays. What is up to [`FREE_CAPACITY`] is paid with its socket: a question
//! and its answer must not meet a counter that all the Pod's threads write to, and a container at its
//! memory limit must still get along. Beyond, a writer that cannot pay waits until the reader has
//! read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use bytes::{Bytes, BytesMut};

use crate::resources::memory::{ContainerMemory, Held};
use crate::sandbox::network::NetworkError;

/// What a lane or mailbox may hold in any case: it is paid with the socket.
pub(crate) const FREE_CAPACITY: usize = 4 * 1024;

/// A write up to this size is joined to unread bytes instead of becoming a chunk of its own.
pub(super) const JOINED_WRITE: usize = 4 * 1024;

/// Memory is asked for and given back in such steps: a stream that flows would do both for every
/// chunk.
const STEP: usize = 32 * 1024;

/// A queue that was longer does not keep its places when it is empty.
const PLACES: usize = 32;

#[derive(PartialEq, Eq)]
pub(super) enum ReadEnd {
    Open,
    /// Shut down for reading: what comes is thrown away.
    Discarding,
    Closed,
}

pub(super) struct Lane {
    chunks: VecDeque<Bytes>,
    /// Small writes after the last chunk, joined.
    tail: BytesMut,
    /// The bytes in `chunks` and `tail`.
    pub(super) buffered: usize,
    /// Bytes of the first chunk that are read already: its memory is there until the last one is.
    spent: usize,
    /// What the writer pays.
    held: Held,
    pub(super) capacity: usize,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    /// The writer has said its last byte.
    pub(super) finished: bool,
    pub(super) reset: bool,
    pub(super) read_end: ReadEnd,
    /// Bytes were thrown away: a close now is a close with unread data.
    pub(super) discarded: bool,
}

/// What a reader would meet.
pub(super) enum Readable {
    Bytes,
    End,
    Reset,
    NotYet,
}

impl Lane {
    pub(super) fn new(capacity: usize, writer: &Arc<ContainerMemory>) -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: BytesMut::new(),
            buffered: 0,
            spent: 0,
            held: Held::nothing(writer),
            capacity,
            reader: None,
            writer: None,
            finished: false,
            reset: false,
            read_end: ReadEnd::Open,
            discarded: false,
        }
    }

    pub(super) fn readable(&self) -> Readable {
        if self.buffered > 0 {
            Readable::Bytes
        } else if self.reset {
            Readable::Reset
        } else if self.finished || self.read_end != ReadEnd::Open {
            Readable::End
        } else {
            Readable::NotYet
        }
    }

    pub(super) fn writable(&self) -> Result<(), NetworkError> {
        if self.reset {
            Err(NetworkError::ConnectionReset)
        } else if self.finished || self.read_end == ReadEnd::Closed {
            Err(NetworkError::BrokenPipe)
        } else {
            Ok(())
        }
    }

    /// How many bytes a write may hold now.
    pub(super) fn room(&self) -> usize {
        let mut room = self.capacity.saturating_sub(self.buffered);
        while !self.can_pay(room) {
            if room <= FREE_CAPACITY {
                return FREE_CAPACITY.saturating_sub(self.memory());
            }
            room /= 2;
        }
        room
    }

    fn can_pay(&self, more: usize) -> bool {
        let owed = (self.memory() + more).saturating_sub(FREE_CAPACITY);
        owed <= self.held.bytes() || self.held.memory().can_hold(owed - self.held.bytes())
    }

    fn memory(&self) -> usize {
        self.buffered + self.spent
    }

    /// Makes the writer pay for `more` bytes that it is about to write.
    ///
    /// # Errors
    /// [`NetworkError::NoBuffers`]: it cannot, though it could when it was told of the room.
    pub(super) fn pay(&mut self, more: usize) -> Result<(), NetworkError> {
        let owed = (self.memory() + more).saturating_sub(FREE_CAPACITY);
        if owed <= self.held.bytes() {
            return Ok(());
        }
        let in_steps = self.held.set(owed.next_multiple_of(STEP));
        in_steps.or_else(|_| self.held.set(owed)).map_err(|_| NetworkError::NoBuffers)
    }

    /// Gives back what is not needed any more.
    fn settle(&mut self) {
        let owed = self.memory().saturating_sub(FREE_CAPACITY);
        let needed = if owed == 0 { 0 } else { owed.next_multiple_of(STEP) };
        if needed < self.held.bytes() && (needed == 0 || needed <= self.held.bytes() / 2) {
            let less = self.held.set(needed);
            debug_assert!(less.is_ok(), "less is always granted");
        }
    }

    pub(super) fn writer_to_wake(&mut self) -> Option<Waker> {
        let wake = self.buffered <= self.capacity / 2 && self.writer.is_some() && self.room() > 0;
        if wake { self.writer.take() } else { None }
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        if self.buffered > 0 && bytes.len() <= JOINED_WRITE {
            self.buffered += bytes.len();
            self.tail.extend_from_slice(&bytes);
            return;
        }
        // A little may be a part of something large.
        let bytes = match bytes.len() {
            ..=JOINED_WRITE => Bytes::copy_from_slice(&bytes),
            _ => bytes,
        };
        self.buffered += bytes.len();
        if !self.tail.is_empty() {
            let tail = std::mem::take(&mut self.tail);
            self.chunks.push_back(tail.freeze());
        }
        self.chunks.push_back(bytes);
    }

    pub(super) fn push_copy(&mut self, bytes: &[u8]) {
        if self.buffered > 0 && bytes.len() <= JOINED_WRITE {
            self.buffered += bytes.len();
            self.tail.extend_from_slice(bytes);
        } else {
            self.push(Bytes::copy_from_slice(bytes));
        }
    }

    pub(super) fn pop(&mut self, max: usize) -> Bytes {
        let (bytes, is_whole) = match self.chunks.front_mut() {
            Some(chunk) if chunk.len() > max => (chunk.split_to(max), false),
            Some(_) => (self.chunks.pop_front().expect("a front was seen"), true),
            None if self.tail.len() > max => (self.tail.split_to(max).freeze(), false),
            None => (std::mem::take(&mut self.tail).freeze(), true),
        };
        self.buffered -= bytes.len();
        // A part would keep the whole in memory wherever it goes, which nobody pays for.
        let is_part = !is_whole || self.spent > 0;
        let bytes = if is_part { Bytes::copy_from_slice(&bytes) } else { bytes };
        self.spent = if is_whole { 0 } else { self.spent + bytes.len() };
        if self.buffered == 0 && self.chunks.capacity() > PLACES {
            self.chunks = VecDeque::new();
        }
        self.settle();
        bytes
    }

    pub(super) fn clear(&mut self) -> usize {
        self.chunks = VecDeque::new();
        self.tail = BytesMut::new();
        self.spent = 0;
        let unread = std::mem::take(&mut self.buffered);
        self.settle();
        unread
    }
}
