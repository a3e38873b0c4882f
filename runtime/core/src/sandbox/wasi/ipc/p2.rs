//! `wasmpod:ipc` 0.2.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::bindings::p2::wasmpod::ipc::types::{self, ErrorCode};
use super::bindings::p2::wasmpod::ipc::{keyed_queues, queues, segments};
use super::view::{IpcCtxView, KeyedQueueHandle, QueueHandle, SegmentHandle};
use crate::sandbox::ipc::{Creation, IpcError, Message, Patience, QueueSize, TypedMessage, Wanted};

/// What one read gives at most.
const MOST_READ: u64 = 1 << 20;

impl From<IpcError> for ErrorCode {
    fn from(error: IpcError) -> Self {
        match error {
            IpcError::Access | IpcError::NotPermitted => Self::Access,
            IpcError::WouldBlock => Self::WouldBlock,
            IpcError::Exists => Self::Exist,
            IpcError::Removed => Self::Removed,
            IpcError::Interrupted => Self::Interrupted,
            // The rest is about folders and buffers, which are not here.
            IpcError::Invalid
            | IpcError::BadDescriptor
            | IpcError::NotFolder
            | IpcError::NotEmpty
            | IpcError::TooBig
            | IpcError::TooManyHandles => Self::Invalid,
            IpcError::IsFolder => Self::IsDirectory,
            IpcError::MessageSize => Self::MessageSize,
            IpcError::NameTooLong => Self::NameTooLong,
            IpcError::NotFound => Self::NoEntry,
            IpcError::NoMessage => Self::NoMessage,
            IpcError::OutOfMemory => Self::OutOfMemory,
            IpcError::NoSpace => Self::NoSpace,
            IpcError::TimedOut => Self::TimedOut,
        }
    }
}

impl From<types::Creation> for Creation {
    fn from(creation: types::Creation) -> Self {
        match creation {
            types::Creation::Never => Self::Never,
            types::Creation::IfMissing => Self::IfMissing,
            types::Creation::Always => Self::Always,
        }
    }
}

impl From<types::Patience> for Patience {
    fn from(patience: types::Patience) -> Self {
        match patience {
            types::Patience::None => Self::None,
            types::Patience::Within(nanoseconds) => Self::For(Duration::from_nanos(nanoseconds)),
            types::Patience::Endless => Self::Endless,
        }
    }
}

/// What a function gives: an error is the guest's to cope with.
type Answer<Output> = Result<std::result::Result<Output, ErrorCode>>;

fn answer<Output>(outcome: std::result::Result<Output, IpcError>) -> Answer<Output> {
    Ok(outcome.map_err(ErrorCode::from))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl types::Host for IpcCtxView<'_> {}

impl queues::Host for IpcCtxView<'_> {
    fn unlink(&mut self, name: String) -> Answer<()> {
        answer(self.run.pod().unlink_queue(&name))
    }

    fn names(&mut self) -> Result<Vec<String>> {
        Ok(self.run.pod().queue_names())
    }
}

impl queues::HostQueue for IpcCtxView<'_> {
    fn open(
        &mut self,
        name: String,
        creation: types::Creation,
        size: Option<queues::Size>,
    ) -> Answer<Resource<QueueHandle>> {
        let whole = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let size = size.map(|size| QueueSize {
            messages: whole(size.messages),
            message_bytes: whole(size.message_bytes),
        });
        let (pod, memory) = (self.run.pod(), self.run.memory());
        match pod.open_queue(memory, &name, creation.into(), size) {
            Ok(queue) => Ok(Ok(self.table.push(queue)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn status(&mut self, queue: Resource<QueueHandle>) -> Result<queues::Status> {
        let status = self.table.get(&queue)?.status();
        Ok(queues::Status {
            size: queues::Size {
                messages: count(status.size.messages),
                message_bytes: count(status.size.message_bytes),
            },
            messages: count(status.messages),
            bytes: u64::try_from(status.bytes).unwrap_or(u64::MAX),
        })
    }

    async fn send(
        &mut self,
        queue: Resource<QueueHandle>,
        body: Vec<u8>,
        priority: u32,
        patience: types::Patience,
    ) -> Answer<()> {
        let queue = self.table.get(&queue)?;
        let charge = match self.run.charge(body.len()) {
            Ok(charge) => charge,
            Err(error) => return Ok(Err(error.into())),
        };
        let message = Message { priority, body: body.into(), charge };
        answer(queue.send(message, patience.into(), self.run.interrupt()).await)
    }

    async fn receive(
        &mut self,
        queue: Resource<QueueHandle>,
        patience: types::Patience,
    ) -> Answer<queues::Message> {
        let queue = self.table.get(&queue)?;
        let received = queue.receive(usize::MAX, patience.into(), self.run.interrupt()).await;
        answer(received.map(|message| queues::Message {
            priority: message.priority,
            body: message.body.into(),
        }))
    }

    fn subscribe_to_messages(
        &mut self,
        queue: Resource<QueueHandle>,
    ) -> Result<Resource<DynPollable>> {
        let ready = Messages(self.table.get(&queue)?.clone());
        let ready = self.table.push(ready)?;
        subscribe(self.table, ready)
    }

    fn subscribe_to_room(&mut self, queue: Resource<QueueHandle>) -> Result<Resource<DynPollable>> {
        let ready = Room(self.table.get(&queue)?.clone());
        let ready = self.table.push(ready)?;
        subscribe(self.table, ready)
    }

    fn drop(&mut self, queue: Resource<QueueHandle>) -> Result<()> {
        self.table.delete(queue)?;
        Ok(())
    }
}

struct Messages(QueueHandle);

#[async_trait::async_trait]
impl Pollable for Messages {
    async fn ready(&mut self) {
        self.0.readable().await;
    }
}

struct Room(QueueHandle);

#[async_trait::async_trait]
impl Pollable for Room {
    async fn ready(&mut self) {
        self.0.writable().await;
    }
}

impl keyed_queues::Host for IpcCtxView<'_> {}

impl keyed_queues::HostKeyedQueue for IpcCtxView<'_> {
    fn get(&mut self, key: u32, creation: types::Creation) -> Answer<Resource<KeyedQueueHandle>> {
        match self.run.pod().keyed_queue(self.run.memory(), key, creation.into()) {
            Ok(queue) => Ok(Ok(self.table.push(queue)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn status(&mut self, queue: Resource<KeyedQueueHandle>) -> Answer<keyed_queues::Status> {
        let wide = |number| u64::try_from(number).unwrap_or(u64::MAX);
        answer(self.table.get(&queue)?.status().map(|status| keyed_queues::Status {
            messages: count(status.messages),
            bytes: wide(status.bytes),
            most_bytes: wide(status.most_bytes),
        }))
    }

    async fn send(
        &mut self,
        queue: Resource<KeyedQueueHandle>,
        message: keyed_queues::Message,
        patience: types::Patience,
    ) -> Answer<()> {
        let queue = self.table.get(&queue)?;
        let keyed_queues::Message { kind, body } = message;
        let charge = match self.run.charge(body.len()) {
            Ok(charge) => charge,
            Err(error) => return Ok(Err(error.into())),
        };
        let message = TypedMessage { kind, body: body.into(), charge };
        answer(queue.send(message, patience.into(), self.run.interrupt()).await)
    }

    async fn receive(
        &mut self,
        queue: Resource<KeyedQueueHandle>,
        wanted: i64,
        patience: types::Patience,
    ) -> Answer<keyed_queues::Message> {
        let (queue, wanted) = (self.table.get(&queue)?, Wanted::of(wanted));
        let interrupt = self.run.interrupt();
        let received = queue.receive(wanted, usize::MAX, patience.into(), interrupt).await;
        answer(
            received.map(|message| keyed_queues::Message {
                kind: message.kind,
                body: message.body.into(),
            }),
        )
    }

    fn remove(&mut self, queue: Resource<KeyedQueueHandle>) -> Result<()> {
        self.run.pod().remove_keyed_queue(self.table.get(&queue)?);
        Ok(())
    }

    fn drop(&mut self, queue: Resource<KeyedQueueHandle>) -> Result<()> {
        self.table.delete(queue)?;
        Ok(())
    }
}

impl segments::Host for IpcCtxView<'_> {
    fn unlink(&mut self, name: String) -> Answer<()> {
        answer(self.run.pod().unlink_segment(&name))
    }

    fn remove(&mut self, key: u32) -> Answer<()> {
        answer(self.run.pod().remove_keyed_segment(key))
    }
}

impl segments::HostSegment for IpcCtxView<'_> {
    fn open(&mut self, name: String, creation: types::Creation) -> Answer<Resource<SegmentHandle>> {
        match self.run.pod().open_segment(self.run.memory(), &name, creation.into()) {
            Ok(segment) => Ok(Ok(self.table.push(segment)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn get(
        &mut self,
        key: u32,
        size: u64,
        creation: types::Creation,
    ) -> Answer<Resource<SegmentHandle>> {
        match self.run.pod().keyed_segment(self.run.memory(), key, size, creation.into()) {
            Ok(segment) => Ok(Ok(self.table.push(segment)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn size(&mut self, segment: Resource<SegmentHandle>) -> Result<u64> {
        Ok(self.table.get(&segment)?.size())
    }

    fn set_size(&mut self, segment: Resource<SegmentHandle>, size: u64) -> Answer<()> {
        answer(self.table.get(&segment)?.set_size(size))
    }

    fn read(
        &mut self,
        segment: Resource<SegmentHandle>,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>> {
        let segment = self.table.get(&segment)?;
        let left = segment.size().saturating_sub(offset);
        let length = length.min(MOST_READ).min(left);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let read = segment.read(offset, &mut bytes);
        bytes.truncate(read);
        Ok(bytes)
    }

    fn write(
        &mut self,
        segment: Resource<SegmentHandle>,
        offset: u64,
        bytes: Vec<u8>,
    ) -> Answer<()> {
        answer(self.table.get(&segment)?.write_inside(self.run.memory(), offset, &bytes))
    }

    fn compare_and_swap32(
        &mut self,
        segment: Resource<SegmentHandle>,
        offset: u64,
        expected: u32,
        new: u32,
    ) -> Answer<u32> {
        let segment = self.table.get(&segment)?;
        let (expected, new) = (expected.to_le_bytes(), new.to_le_bytes());
        let found = segment.compare_and_swap(self.run.memory(), offset, expected, new);
        answer(found.map(u32::from_le_bytes))
    }

    fn compare_and_swap64(
        &mut self,
        segment: Resource<SegmentHandle>,
        offset: u64,
        expected: u64,
        new: u64,
    ) -> Answer<u64> {
        let segment = self.table.get(&segment)?;
        let (expected, new) = (expected.to_le_bytes(), new.to_le_bytes());
        let found = segment.compare_and_swap(self.run.memory(), offset, expected, new);
        answer(found.map(u64::from_le_bytes))
    }

    fn drop(&mut self, segment: Resource<SegmentHandle>) -> Result<()> {
        self.table.delete(segment)?;
        Ok(())
    }
}
