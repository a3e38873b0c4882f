//! One direction of a connection: the bytes that wait, and who waits for them.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::{Bytes, BytesMut};

use super::budget::{BufferBudget, FREE_CAPACITY};
use crate::sandbox::network::NetworkError;

/// A write up to this size is joined to unread bytes instead of becoming a chunk of its own.
pub(super) const JOINED_WRITE: usize = 4 * 1024;
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
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: BytesMut::new(),
            buffered: 0,
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

    fn effective_capacity(&self, budget: &BufferBudget) -> usize {
        if budget.is_tight() { self.capacity.min(FREE_CAPACITY) } else { self.capacity }
    }

    pub(super) fn room(&self, budget: &BufferBudget) -> usize {
        self.effective_capacity(budget).saturating_sub(self.buffered)
    }

    pub(super) fn writer_to_wake(&mut self, budget: &BufferBudget) -> Option<Waker> {
        if self.buffered <= self.effective_capacity(budget) / 2 { self.writer.take() } else { None }
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        if self.buffered > 0 && bytes.len() <= JOINED_WRITE {
            self.buffered += bytes.len();
            self.tail.extend_from_slice(&bytes);
            return;
        }
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
        let bytes = match self.chunks.front_mut() {
            Some(chunk) if chunk.len() > max => chunk.split_to(max),
            Some(_) => self.chunks.pop_front().expect("a front was seen"),
            None if self.tail.len() > max => self.tail.split_to(max).freeze(),
            None => std::mem::take(&mut self.tail).freeze(),
        };
        self.buffered -= bytes.len();
        bytes
    }

    pub(super) fn clear(&mut self) -> usize {
        self.chunks.clear();
        self.tail = BytesMut::new();
        std::mem::take(&mut self.buffered)
    }
}
