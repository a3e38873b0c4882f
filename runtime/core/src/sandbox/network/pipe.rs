//! A connection in memory: two lanes of bytes, one in each direction.
//!
//! Decides what a reader and a writer see: flow control, half-close, reset. Knows no addresses.
//!
//! ```text
//! open ──shutdown of writing──▶ finished: the reader drains, then sees the end
//!   ├───shutdown of reading──▶ what is written is thrown away, the writer never waits for it
//!   ├───close, all read──────▶ finished; the peer's writes fail with EPIPE
//!   └───close with unread bytes, or abort ──▶ reset: the peer drains, then sees ECONNRESET
//! ```
//!
//! Bytes travel as the chunks they were written in, so a block of 64 KiB changes hands without a
//! copy; small writes that nobody has read yet are joined, so that a chatty writer cannot fill a
//! lane with crumbs. A writer that found the lane full is woken when it is half empty: waking it for
//! every read costs a switch per chunk. Wakers are called with no lock held.
//!
//! Rules: `tcp(7)`, RFC 9293 section 3.6 (a close with unread data is a reset), and Linux where
//! both leave a choice.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use super::NetworkError;
use super::lock::lock;
use super::wakers::remember;

/// A write up to this size is joined to unread bytes instead of becoming a chunk of its own.
const JOINED_WRITE: usize = 4 * 1024;
/// What a lane may hold in any case. Only what goes beyond it counts against the Pod's budget: a
/// question and its answer must not meet a counter that all the Pod's threads write to.
const FREE_CAPACITY: usize = 16 * 1024;

/// How many bytes wait in all pipes of a Pod, and from where on all must be frugal.
///
/// A guest can open many connections and never read; its own memory limit does not see what the
/// host keeps for it. Linux does the same with `net.ipv4.tcp_mem`.
pub(crate) struct BufferBudget {
    used: AtomicUsize,
    tight_from: usize,
}

impl BufferBudget {
    pub(crate) fn new(tight_from: usize) -> Self {
        Self { used: AtomicUsize::new(0), tight_from }
    }

    fn is_tight(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.tight_from
    }

    /// A lane held `before` bytes and holds `after`.
    fn account(&self, before: usize, after: usize) {
        let before = before.saturating_sub(FREE_CAPACITY);
        let after = after.saturating_sub(FREE_CAPACITY);
        match after.cmp(&before) {
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => {
                self.used.fetch_add(after - before, Ordering::Relaxed);
            }
            std::cmp::Ordering::Less => {
                self.used.fetch_sub(before - after, Ordering::Relaxed);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// One end of a connection in memory. Dropping it closes the connection.
pub struct MemoryStream {
    duplex: Arc<Duplex>,
    side: Side,
}

/// Resets a connection from a distance, without keeping it alive.
pub(crate) struct MemoryStreamHandle {
    duplex: std::sync::Weak<Duplex>,
    side: Side,
}

struct Duplex {
    /// Indexed by the side that writes.
    lanes: [Mutex<Lane>; 2],
    budget: Arc<BufferBudget>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Near,
    Far,
}

#[derive(PartialEq, Eq)]
enum ReadEnd {
    Open,
    /// Shut down for reading: what comes is thrown away.
    Discarding,
    Closed,
}

struct Lane {
    chunks: VecDeque<Bytes>,
    /// Small writes after the last chunk, joined.
    tail: BytesMut,
    /// The bytes in `chunks` and `tail`.
    buffered: usize,
    capacity: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// The writer has said its last byte.
    finished: bool,
    reset: bool,
    read_end: ReadEnd,
    /// Bytes were thrown away: a close now is a close with unread data.
    discarded: bool,
}

impl MemoryStream {
    /// Two ends of a connection, each with the room for bytes that it has not read yet.
    pub(crate) fn pair(
        near_capacity: usize,
        far_capacity: usize,
        budget: &Arc<BufferBudget>,
    ) -> (Self, Self) {
        let duplex = Arc::new(Duplex {
            lanes: [Mutex::new(Lane::new(far_capacity)), Mutex::new(Lane::new(near_capacity))],
            budget: Arc::clone(budget),
        });
        (Self { duplex: Arc::clone(&duplex), side: Side::Near }, Self { duplex, side: Side::Far })
    }

    pub(crate) fn handle(&self) -> MemoryStreamHandle {
        MemoryStreamHandle { duplex: Arc::downgrade(&self.duplex), side: self.side }
    }

    /// The next bytes, at most `max`; `None` when there are none yet, empty at the end.
    ///
    /// # Errors
    /// [`NetworkError::ConnectionReset`] once what had arrived before the reset is read.
    pub(crate) fn try_read(&self, max: usize) -> Result<Option<Bytes>, NetworkError> {
        let (bytes, writer) = {
            let mut lane = self.inbound();
            match lane.readable() {
                Readable::Bytes => {}
                Readable::End => return Ok(Some(Bytes::new())),
                Readable::Reset => return Err(NetworkError::ConnectionReset),
                Readable::NotYet => return Ok(None),
            }
            let bytes = lane.pop(max);
            self.duplex.budget.account(lane.buffered + bytes.len(), lane.buffered);
            (bytes, lane.writer_to_wake(&self.duplex.budget))
        };
        wake(writer);
        Ok(Some(bytes))
    }

    /// Copies what has arrived; `None` when nothing has, 0 at the end.
    ///
    /// # Errors
    /// As [`try_read`](Self::try_read).
    pub(crate) fn try_read_into(&self, buffer: &mut [u8]) -> Result<Option<usize>, NetworkError> {
        if buffer.is_empty() {
            return Ok(Some(0));
        }
        let (count, writer) = {
            let mut lane = self.inbound();
            match lane.readable() {
                Readable::Bytes => {}
                Readable::End => return Ok(Some(0)),
                Readable::Reset => return Err(NetworkError::ConnectionReset),
                Readable::NotYet => return Ok(None),
            }
            let mut count = 0;
            while count < buffer.len() && lane.buffered > 0 {
                let chunk = lane.pop(buffer.len() - count);
                buffer[count..count + chunk.len()].copy_from_slice(&chunk);
                count += chunk.len();
            }
            self.duplex.budget.account(lane.buffered + count, lane.buffered);
            (count, lane.writer_to_wake(&self.duplex.budget))
        };
        wake(writer);
        Ok(Some(count))
    }

    /// Ready when a read would not have to wait.
    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut lane = self.inbound();
        if matches!(lane.readable(), Readable::NotYet) {
            remember(&mut lane.reader, cx);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// How many bytes a write may hold now; 0 when the peer must read first.
    ///
    /// # Errors
    /// [`NetworkError::BrokenPipe`] after a shutdown or when the peer is gone,
    /// [`NetworkError::ConnectionReset`] after a reset.
    pub(crate) fn write_permit(&self) -> Result<usize, NetworkError> {
        let lane = self.outbound();
        lane.writable()?;
        Ok(lane.room(&self.duplex.budget))
    }

    /// Sends a chunk as it is, whatever the permit was: the caller asked for one before.
    ///
    /// # Errors
    /// As [`write_permit`](Self::write_permit).
    pub(crate) fn write(&self, bytes: Bytes) -> Result<(), NetworkError> {
        if bytes.is_empty() {
            return self.outbound().writable();
        }
        let reader = {
            let mut lane = self.outbound();
            lane.writable()?;
            if lane.read_end == ReadEnd::Discarding {
                lane.discarded = true;
                None
            } else {
                self.duplex.budget.account(lane.buffered, lane.buffered + bytes.len());
                lane.push(bytes);
                lane.reader.take()
            }
        };
        wake(reader);
        Ok(())
    }

    /// Copies as much as there is room for; `None` when there is none.
    ///
    /// # Errors
    /// As [`write_permit`](Self::write_permit).
    pub(crate) fn try_write_from(&self, bytes: &[u8]) -> Result<Option<usize>, NetworkError> {
        if bytes.is_empty() {
            return self.outbound().writable().map(|()| Some(0));
        }
        let (count, reader) = {
            let mut lane = self.outbound();
            lane.writable()?;
            if lane.read_end == ReadEnd::Discarding {
                lane.discarded = true;
                return Ok(Some(bytes.len()));
            }
            let count = bytes.len().min(lane.room(&self.duplex.budget));
            if count == 0 {
                return Ok(None);
            }
            self.duplex.budget.account(lane.buffered, lane.buffered + count);
            lane.push_copy(&bytes[..count]);
            (count, lane.reader.take())
        };
        wake(reader);
        Ok(Some(count))
    }

    /// Ready when a write would not have to wait, be it because it would fail.
    pub(crate) fn poll_writable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut lane = self.outbound();
        if lane.writable().is_ok() && lane.room(&self.duplex.budget) == 0 {
            remember(&mut lane.writer, cx);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Says that nothing more will be written; the peer reads what is left and then the end.
    pub(crate) fn shutdown_write(&self) {
        let (reader, writer) = {
            let mut lane = self.outbound();
            lane.finished = true;
            (lane.reader.take(), lane.writer.take())
        };
        wake(reader);
        wake(writer);
    }

    /// Says that nothing more will be read: reads see the end, what the peer writes is lost.
    pub(crate) fn shutdown_read(&self) {
        let (reader, writer) = {
            let mut lane = self.inbound();
            if lane.read_end == ReadEnd::Open {
                lane.read_end = ReadEnd::Discarding;
                let unread = lane.clear();
                lane.discarded |= unread > 0;
                self.duplex.budget.account(unread, 0);
            }
            (lane.reader.take(), lane.writer.take())
        };
        wake(reader);
        wake(writer);
    }

    /// Ends the connection at once, for both sides.
    pub(crate) fn reset(&self) {
        self.duplex.reset(self.side);
    }

    /// Changes the room for bytes that wait for this end's reader.
    pub(crate) fn set_receive_buffer(&self, capacity: usize) {
        let writer = {
            let mut lane = self.inbound();
            lane.capacity = capacity;
            lane.writer_to_wake(&self.duplex.budget)
        };
        wake(writer);
    }

    fn inbound(&self) -> std::sync::MutexGuard<'_, Lane> {
        lock(&self.duplex.lanes[self.side.other().index()])
    }

    fn outbound(&self) -> std::sync::MutexGuard<'_, Lane> {
        lock(&self.duplex.lanes[self.side.index()])
    }
}

impl std::fmt::Debug for MemoryStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MemoryStream").finish_non_exhaustive()
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        let (lost, reader, writer) = {
            let mut lane = self.inbound();
            let unread = lane.clear();
            self.duplex.budget.account(unread, 0);
            lane.read_end = ReadEnd::Closed;
            (unread > 0 || lane.discarded, lane.reader.take(), lane.writer.take())
        };
        let (reset, peer_reader, own_writer) = {
            let mut lane = self.outbound();
            // Who has seen the end already is not told of a reset: its writes fail with EPIPE.
            let reset = lost && !lane.finished;
            lane.reset |= reset;
            lane.finished = true;
            (reset, lane.reader.take(), lane.writer.take())
        };
        if reset {
            self.inbound().reset = true;
        }
        for waker in [reader, writer, peer_reader, own_writer] {
            wake(waker);
        }
    }
}

impl MemoryStreamHandle {
    pub(crate) fn reset(&self) {
        if let Some(duplex) = self.duplex.upgrade() {
            duplex.reset(self.side);
        }
    }
}

impl Duplex {
    fn reset(&self, by: Side) {
        for side in [by, by.other()] {
            let (reader, writer) = {
                let mut lane = lock(&self.lanes[side.index()]);
                lane.reset = true;
                // What this side had not read is gone; what it had sent can still be read.
                if side != by {
                    let unread = lane.clear();
                    self.budget.account(unread, 0);
                }
                (lane.reader.take(), lane.writer.take())
            };
            wake(reader);
            wake(writer);
        }
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        for lane in &self.lanes {
            let unread = lock(lane).clear();
            self.budget.account(unread, 0);
        }
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Near => 0,
            Self::Far => 1,
        }
    }
}

enum Readable {
    Bytes,
    End,
    Reset,
    NotYet,
}

impl Lane {
    fn new(capacity: usize) -> Self {
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

    fn readable(&self) -> Readable {
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

    fn writable(&self) -> Result<(), NetworkError> {
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

    fn room(&self, budget: &BufferBudget) -> usize {
        self.effective_capacity(budget).saturating_sub(self.buffered)
    }

    fn writer_to_wake(&mut self, budget: &BufferBudget) -> Option<Waker> {
        if self.buffered <= self.effective_capacity(budget) / 2 { self.writer.take() } else { None }
    }

    fn push(&mut self, bytes: Bytes) {
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

    fn push_copy(&mut self, bytes: &[u8]) {
        if self.buffered > 0 && bytes.len() <= JOINED_WRITE {
            self.buffered += bytes.len();
            self.tail.extend_from_slice(bytes);
        } else {
            self.push(Bytes::copy_from_slice(bytes));
        }
    }

    fn pop(&mut self, max: usize) -> Bytes {
        let bytes = match self.chunks.front_mut() {
            Some(chunk) if chunk.len() > max => chunk.split_to(max),
            Some(_) => self.chunks.pop_front().expect("a front was seen"),
            None if self.tail.len() > max => self.tail.split_to(max).freeze(),
            None => std::mem::take(&mut self.tail).freeze(),
        };
        self.buffered -= bytes.len();
        bytes
    }

    fn clear(&mut self) -> usize {
        self.chunks.clear();
        self.tail = BytesMut::new();
        std::mem::take(&mut self.buffered)
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
