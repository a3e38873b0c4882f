//! By the WIT package, for components of WASI 0.2.

use wasip2::io::poll::Pollable;

use self::bindings::wasmpod::ipc::{keyed_queues, queues, segments, types};
use super::{Creation, Error, Message, Patience, QueueSize, QueueStatus, Result, TypedMessage};

/// An open message queue.
#[derive(Debug)]
pub struct Queue(queues::Queue);

impl Queue {
    /// Opens the queue of that name: `/jobs`, or without the slash. A new one has the default size.
    ///
    /// # Errors
    /// Those of mq_open.
    pub fn open(name: &str, creation: Creation) -> Result<Self> {
        Ok(Self(queues::Queue::open(name, creation.into(), None)?))
    }

    /// As [`Queue::open`]; a new one has this size.
    ///
    /// # Errors
    /// Those of mq_open.
    pub fn open_sized(name: &str, creation: Creation, size: QueueSize) -> Result<Self> {
        let QueueSize { messages, message_bytes } = size;
        let size = queues::Size { messages, message_bytes };
        Ok(Self(queues::Queue::open(name, creation.into(), Some(size))?))
    }

    /// What is in it.
    ///
    /// # Errors
    /// None; a module of WASI 0.1 could lose its handle.
    pub fn status(&self) -> Result<QueueStatus> {
        let queues::Status { size, messages, bytes } = self.0.status();
        let size = QueueSize { messages: size.messages, message_bytes: size.message_bytes };
        Ok(QueueStatus { size, messages, bytes })
    }

    /// Puts a message in, as soon as there is room.
    ///
    /// # Errors
    /// Those of mq_send.
    pub fn send(&self, body: &[u8], priority: u32, patience: Patience) -> Result<()> {
        Ok(self.0.send(body, priority, patience.into())?)
    }

    /// Takes the next message, as soon as there is one.
    ///
    /// # Errors
    /// Those of mq_receive.
    pub fn receive(&self, patience: Patience) -> Result<Message> {
        let queues::Message { priority, body } = self.0.receive(patience.into())?;
        Ok(Message { priority, body })
    }

    /// Ready when a message waits: to be waited for beside other pollables. Another may take it first.
    pub fn subscribe_to_messages(&self) -> Pollable {
        self.0.subscribe_to_messages()
    }

    /// Ready when there is room: to be waited for beside other pollables. Another may take it first.
    pub fn subscribe_to_room(&self) -> Pollable {
        self.0.subscribe_to_room()
    }
}

/// Takes a queue's name away; who has it open goes on with it.
///
/// # Errors
/// Those of mq_unlink.
pub fn unlink_queue(name: &str) -> Result<()> {
    Ok(queues::unlink(name)?)
}

/// A System V message queue.
#[derive(Debug)]
pub struct KeyedQueue(keyed_queues::KeyedQueue);

impl KeyedQueue {
    /// The queue of that key; 0 makes a new one that nobody else finds.
    ///
    /// # Errors
    /// Those of msgget.
    pub fn get(key: u32, creation: Creation) -> Result<Self> {
        Ok(Self(keyed_queues::KeyedQueue::get(key, creation.into())?))
    }

    /// Puts a message of a type, 1 or more, in as soon as there is room.
    ///
    /// # Errors
    /// Those of msgsnd.
    pub fn send(&self, kind: i64, body: &[u8], patience: Patience) -> Result<()> {
        let message = keyed_queues::Message { kind, body: body.to_vec() };
        Ok(self.0.send(&message, patience.into())?)
    }

    /// Takes a message, as soon as it is there: the oldest of all (0), the oldest of a type (a positive
    /// number), the oldest of the lowest type up to one (a negative number).
    ///
    /// # Errors
    /// Those of msgrcv.
    pub fn receive(&self, wanted: i64, patience: Patience) -> Result<TypedMessage> {
        let keyed_queues::Message { kind, body } = self.0.receive(wanted, patience.into())?;
        Ok(TypedMessage { kind, body })
    }

    /// Ends the queue for all who have it.
    ///
    /// # Errors
    /// None.
    pub fn remove(&self) -> Result<()> {
        self.0.remove();
        Ok(())
    }
}

/// A shared segment.
#[derive(Debug)]
pub struct Segment(segments::Segment);

impl Segment {
    /// Opens the segment of that name, which is the file of that name in `/dev/shm`. A new one is empty.
    ///
    /// # Errors
    /// Those of shm_open.
    pub fn open(name: &str, creation: Creation) -> Result<Self> {
        Ok(Self(segments::Segment::open(name, creation.into())?))
    }

    /// The System V segment of that key; 0 makes a new one that nobody else finds. A new one has that
    /// size for good and is full of zeros.
    ///
    /// # Errors
    /// Those of shmget.
    pub fn get(key: u32, size: u64, creation: Creation) -> Result<Self> {
        Ok(Self(segments::Segment::get(key, size, creation.into())?))
    }

    /// Bytes.
    ///
    /// # Errors
    /// None.
    pub fn size(&self) -> Result<u64> {
        Ok(self.0.size())
    }

    /// Cuts it off, or makes it longer by zeros.
    ///
    /// # Errors
    /// [`Error::NoSpace`], [`Error::Invalid`] where it has a key.
    pub fn set_size(&self, size: u64) -> Result<()> {
        Ok(self.0.set_size(size)?)
    }

    /// Reads what is at `offset`, as much as fits, and answers how much that was: nothing at the end, and
    /// no more than a mebibyte.
    ///
    /// # Errors
    /// None.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let length = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let bytes = self.0.read(offset, length);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    /// Writes all of `bytes` at `offset`, inside of its size. A mebibyte at a time is one step.
    ///
    /// # Errors
    /// [`Error::Invalid`] outside of its size, [`Error::NoSpace`], [`Error::OutOfMemory`].
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut at = offset;
        for part in bytes.chunks(1 << 20) {
            self.0.write(at, part)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    /// Writes `new` in place of the little-endian word at `offset` if that is `expected`; answers what it
    /// was.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an offset outside, or that is no multiple of the word's size.
    pub fn compare_and_swap32(&self, offset: u64, expected: u32, new: u32) -> Result<u32> {
        Ok(self.0.compare_and_swap32(offset, expected, new)?)
    }

    /// The same with twice as many bits.
    ///
    /// # Errors
    /// As above.
    pub fn compare_and_swap64(&self, offset: u64, expected: u64, new: u64) -> Result<u64> {
        Ok(self.0.compare_and_swap64(offset, expected, new)?)
    }
}

/// Takes a segment's name away; who has it open goes on with it.
///
/// # Errors
/// Those of shm_unlink.
pub fn unlink_segment(name: &str) -> Result<()> {
    Ok(segments::unlink(name)?)
}

/// Takes a segment's key away; who has it goes on with it.
///
/// # Errors
/// [`Error::NotFound`]
pub fn remove_segment(key: u32) -> Result<()> {
    Ok(segments::remove(key)?)
}

impl From<types::ErrorCode> for Error {
    fn from(code: types::ErrorCode) -> Self {
        match code {
            types::ErrorCode::Access => Self::Access,
            types::ErrorCode::WouldBlock => Self::WouldBlock,
            types::ErrorCode::Exist => Self::Exists,
            types::ErrorCode::Removed => Self::Removed,
            types::ErrorCode::Interrupted => Self::Interrupted,
            types::ErrorCode::Invalid => Self::Invalid,
            types::ErrorCode::IsDirectory => Self::IsDirectory,
            types::ErrorCode::MessageSize => Self::MessageSize,
            types::ErrorCode::NameTooLong => Self::NameTooLong,
            types::ErrorCode::NoEntry => Self::NotFound,
            types::ErrorCode::NoMessage => Self::NoMessage,
            types::ErrorCode::OutOfMemory => Self::OutOfMemory,
            types::ErrorCode::NoSpace => Self::NoSpace,
            types::ErrorCode::TimedOut => Self::TimedOut,
        }
    }
}

impl From<Creation> for types::Creation {
    fn from(creation: Creation) -> Self {
        match creation {
            Creation::Never => Self::Never,
            Creation::IfMissing => Self::IfMissing,
            Creation::Always => Self::Always,
        }
    }
}

impl From<Patience> for types::Patience {
    fn from(patience: Patience) -> Self {
        match patience {
            Patience::None => Self::None,
            Patience::Within(time) => {
                Self::Within(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
            }
            Patience::Endless => Self::Endless,
        }
    }
}

mod bindings {
    wit_bindgen::generate!({
        path: ["../../runtime/core/wit/p2/deps/io.wit", "../../runtime/core/wit/ipc/p2"],
        world: "wasmpod:ipc/imports@0.2.0",
        with: { "wasi:io/poll@0.2.12": wasip2::io::poll },
    });
}
