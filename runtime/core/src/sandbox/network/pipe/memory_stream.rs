//! The two ends of a connection in memory.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::lane::{Lane, ReadEnd, Readable};
use crate::resources::memory::ContainerMemory;
use crate::sandbox::network::NetworkError;
use crate::sandbox::network::lock::lock;
use crate::sandbox::network::wakers::remember;

/// One end of a connection in memory. Dropping it closes the connection.
pub struct MemoryStream {
    duplex: Arc<Duplex>,
    side: Side,
}

/// Resets a connection from a distance, without keeping it alive.
pub(crate) struct MemoryStreamHandle {
    duplex: Weak<Duplex>,
    side: Side,
}

struct Duplex {
    /// Indexed by the side that writes.
    lanes: [Mutex<Lane>; 2],
}

/// One end of a connection before it is there.
pub(crate) struct End<'end> {
    /// The room for bytes that it has not read yet.
    pub(crate) receive_buffer: usize,
    /// Who pays for what it writes.
    pub(crate) memory: &'end Arc<ContainerMemory>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Near,
    Far,
}

impl MemoryStream {
    /// The two ends of a connection.
    pub(crate) fn pair(near: End<'_>, far: End<'_>) -> (Self, Self) {
        let duplex = Arc::new(Duplex {
            lanes: [
                Mutex::new(Lane::new(far.receive_buffer, near.memory)),
                Mutex::new(Lane::new(near.receive_buffer, far.memory)),
            ],
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
            (bytes, lane.writer_to_wake())
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
            (count, lane.writer_to_wake())
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
        Ok(lane.room())
    }

    /// Sends a chunk as it is; the caller asked for a permit before.
    ///
    /// # Errors
    /// As [`write_permit`](Self::write_permit), and [`NetworkError::NoBuffers`] where the writer's memory
    /// has gone to something else since.
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
                lane.pay(bytes.len())?;
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
            let count = bytes.len().min(lane.room());
            if count == 0 {
                return Ok(None);
            }
            // Others were faster: now there is room only for what need not be paid.
            if lane.pay(count).is_err() {
                return Ok(None);
            }
            lane.push_copy(&bytes[..count]);
            (count, lane.reader.take())
        };
        wake(reader);
        Ok(Some(count))
    }

    /// Ready when a write would not have to wait, be it because it would fail.
    pub(crate) fn poll_writable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut lane = self.outbound();
        if lane.writable().is_ok() && lane.room() == 0 {
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
            lane.writer_to_wake()
        };
        wake(writer);
    }

    fn inbound(&self) -> MutexGuard<'_, Lane> {
        lock(&self.duplex.lanes[self.side.other().index()])
    }

    fn outbound(&self) -> MutexGuard<'_, Lane> {
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
                    lane.clear();
                }
                (lane.reader.take(), lane.writer.take())
            };
            wake(reader);
            wake(writer);
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

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
