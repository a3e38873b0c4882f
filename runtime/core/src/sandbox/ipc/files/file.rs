//! What is done with a file of ours that is open.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;

use super::RunIpc;
use crate::resources::memory::Held;
use crate::sandbox::ipc::IpcError;
use crate::sandbox::ipc::message_queue::{MessageQueue, Side};
use crate::sandbox::ipc::queue::Message;
use crate::sandbox::ipc::segment::Segment;
use crate::sandbox::ipc::wait::{Patience, wait};

/// The size of a queue's file; `FILENT_SIZE` of Linux.
const QUEUE_FILE: u64 = 80;

/// An open file of ours.
#[derive(Debug)]
pub enum IpcFile {
    /// Of `/dev/mqueue`.
    Queue(QueueFile),
    /// Of `/dev/shm`.
    Segment(SegmentFile),
}

/// A queue that is open as a file.
#[derive(Debug)]
pub struct QueueFile {
    queue: Arc<MessageQueue>,
    read: bool,
    write: bool,
    /// What is left of messages that were longer than the buffer of who read them.
    rest: Mutex<VecDeque<(Bytes, Held)>>,
}

/// A segment that is open as a file.
#[derive(Debug)]
pub struct SegmentFile {
    segment: Arc<Segment>,
    read: bool,
    write: bool,
}

/// What is known of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpcStat {
    /// Whether it is a folder.
    pub folder: bool,
    /// Bytes.
    pub size: u64,
    /// The same for the same thing.
    pub id: u64,
}

impl QueueFile {
    pub(super) fn new(queue: Arc<MessageQueue>, read: bool, write: bool) -> Self {
        Self { queue, read, write, rest: Mutex::default() }
    }
}

impl SegmentFile {
    pub(super) fn new(segment: Arc<Segment>, read: bool, write: bool) -> Self {
        Self { segment, read, write }
    }
}

impl IpcFile {
    /// What is known of it.
    pub fn stat(&self) -> IpcStat {
        match self {
            Self::Queue(file) => stat_of_queue(&file.queue),
            Self::Segment(file) => stat_of_segment(&file.segment),
        }
    }

    /// Whether it was opened to be read, and to be written to.
    pub fn access(&self) -> (bool, bool) {
        match self {
            Self::Queue(file) => (file.read, file.write),
            Self::Segment(file) => (file.read, file.write),
        }
    }

    /// # Errors
    /// [`IpcError::Invalid`] for a queue, or what was not opened for it, and those of
    /// [`Segment::set_size`].
    pub fn set_size(&self, size: u64) -> Result<(), IpcError> {
        match self {
            Self::Segment(file) if file.write => file.segment.set_size(size),
            Self::Queue(_) | Self::Segment(_) => Err(IpcError::Invalid),
        }
    }

    /// Whether its reads take messages, which have no offsets.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Queue(QueueFile { write: true, .. }))
    }

    /// Some bytes: what is at `offset`, or of a queue the next that there are.
    ///
    /// # Errors
    /// [`IpcError::BadDescriptor`] for what was not opened for it, and those of the wait.
    ///
    /// # Cancel safety
    /// Safe: what it does not return stays.
    pub async fn read(
        &self,
        run: &RunIpc,
        offset: u64,
        most: usize,
        patience: Patience,
    ) -> Result<Bytes, IpcError> {
        match self {
            Self::Queue(file) => file.read(run, offset, most, patience).await,
            Self::Segment(file) => file.read(offset, most),
        }
    }

    /// Writes all of `bytes`: at `offset`, at the end without one, or to a queue as one message.
    ///
    /// # Errors
    /// [`IpcError::BadDescriptor`] for what was not opened for it, those of the wait, and those of
    /// [`Segment::write`].
    ///
    /// # Cancel safety
    /// Safe: all is written when it returns, and else nothing.
    pub async fn write(
        &self,
        run: &RunIpc,
        offset: Option<u64>,
        bytes: &[u8],
        patience: Patience,
    ) -> Result<(), IpcError> {
        match self {
            Self::Queue(file) => file.write(run, bytes, patience).await,
            Self::Segment(file) => file.write(run, offset, bytes),
        }
    }

    /// How long a message may be that is written to it, if it is a queue.
    pub fn most_at_once(&self) -> Option<usize> {
        match self {
            Self::Queue(file) => Some(file.queue.status().size.message_bytes),
            Self::Segment(_) => None,
        }
    }

    /// Waits until a read would have something.
    ///
    /// # Errors
    /// [`IpcError::Interrupted`]
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn readable(&self, run: &RunIpc) -> Result<(), IpcError> {
        let Self::Queue(file) = self else { return Ok(()) };
        if !self.is_stream() {
            return Ok(());
        }
        let mut turn = file.queue.turn(Side::Receivers);
        wait(Patience::Endless, run.interrupt(), |context| {
            if !file.rest().is_empty() {
                return Poll::Ready(Ok(()));
            }
            file.queue.poll_readable(context, &mut turn).map(Ok)
        })
        .await
    }

    /// Waits until a write would have room.
    ///
    /// # Errors
    /// [`IpcError::Interrupted`]
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn writable(&self, run: &RunIpc) -> Result<(), IpcError> {
        let Self::Queue(file) = self else { return Ok(()) };
        let mut turn = file.queue.turn(Side::Senders);
        wait(Patience::Endless, run.interrupt(), |context| {
            file.queue.poll_writable(context, &mut turn).map(Ok)
        })
        .await
    }

    /// Whether a write would have room now.
    pub fn has_room(&self) -> bool {
        let Self::Queue(file) = self else { return true };
        let status = file.queue.status();
        status.messages < status.size.messages
    }

    /// The queue that it is.
    pub fn queue(&self) -> Option<&Arc<MessageQueue>> {
        match self {
            Self::Queue(file) => Some(&file.queue),
            Self::Segment(_) => None,
        }
    }
}

impl QueueFile {
    async fn read(
        &self,
        run: &RunIpc,
        offset: u64,
        most: usize,
        patience: Patience,
    ) -> Result<Bytes, IpcError> {
        if !self.read {
            return Err(IpcError::BadDescriptor);
        }
        if !self.write {
            let text = Bytes::from(self.text());
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
            return Ok(text.slice(start..text.len().min(start.saturating_add(most))));
        }
        if most == 0 {
            return Ok(Bytes::new());
        }
        if let Some(bytes) = self.take_rest(most) {
            return Ok(bytes);
        }
        // All of it is taken: what does not fit is kept here.
        let message = self.queue.receive(usize::MAX, patience, run.interrupt()).await?;
        let mut body = Bytes::from(message.body);
        if body.len() <= most {
            return Ok(body);
        }
        let some = body.split_to(most);
        self.rest().push_back((body, message.charge));
        Ok(some)
    }

    async fn write(&self, run: &RunIpc, bytes: &[u8], patience: Patience) -> Result<(), IpcError> {
        if !self.write {
            return Err(IpcError::BadDescriptor);
        }
        let size = self.queue.status().size;
        size.admits(bytes.len(), 0)?;
        let message = Message { priority: 0, body: bytes.into(), charge: run.charge(bytes.len())? };
        self.queue.send(message, patience, run.interrupt()).await
    }

    /// What Linux shows of a queue. Nobody is notified here.
    fn text(&self) -> String {
        let bytes = self.queue.status().bytes;
        format!("QSIZE:{bytes:<10} NOTIFY:{:<5} SIGNO:{:<5} NOTIFY_PID:{:<6}\n", 0, 0, 0)
    }

    fn take_rest(&self, most: usize) -> Option<Bytes> {
        let mut rest = self.rest();
        let (bytes, _held) = rest.front_mut()?;
        let some = bytes.split_to(most.min(bytes.len()));
        if bytes.is_empty() {
            rest.pop_front();
        }
        Some(some)
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, VecDeque<(Bytes, Held)>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SegmentFile {
    fn read(&self, offset: u64, most: usize) -> Result<Bytes, IpcError> {
        if !self.read {
            return Err(IpcError::BadDescriptor);
        }
        let left = self.segment.size().saturating_sub(offset);
        let mut bytes = vec![0; most.min(usize::try_from(left).unwrap_or(usize::MAX))];
        let length = self.segment.read(offset, &mut bytes);
        bytes.truncate(length);
        Ok(bytes.into())
    }

    fn write(&self, run: &RunIpc, offset: Option<u64>, bytes: &[u8]) -> Result<(), IpcError> {
        if !self.write {
            return Err(IpcError::BadDescriptor);
        }
        match offset {
            Some(offset) => self.segment.write(run.memory(), offset, bytes),
            None => self.segment.append(run.memory(), bytes).map(drop),
        }
    }
}

pub(super) fn stat_of_folder(id: u64) -> IpcStat {
    IpcStat { folder: true, size: 0, id }
}

pub(super) fn stat_of_queue(queue: &MessageQueue) -> IpcStat {
    IpcStat { folder: false, size: QUEUE_FILE, id: queue.id() }
}

pub(super) fn stat_of_segment(segment: &Segment) -> IpcStat {
    IpcStat { folder: false, size: segment.size(), id: segment.id() }
}
