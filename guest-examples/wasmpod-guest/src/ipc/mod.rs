//! The Pod's message queues and shared segments, for modules of WASI 0.1 and components of 0.2 alike.
//!
//! All containers of a Pod have the same ones, by name or by key; no other Pod sees them, and they outlive
//! the container that made them. What they are is said in the WIT package `wasmpod:ipc`.
//!
//! ```no_run
//! use wasmpod_guest::ipc::{Creation, Patience, Queue, Segment};
//!
//! let jobs = Queue::open("/jobs", Creation::IfMissing)?;
//! jobs.send(b"paint the fence", 0, Patience::Endless)?;
//! let job = jobs.receive(Patience::Endless)?;
//!
//! // A word that several containers count in.
//! let done = Segment::open("/done", Creation::IfMissing)?;
//! done.set_size(8)?;
//! let _lock = done.lock(0)?;
//! let mut count = [0; 4];
//! done.read(4, &mut count)?;
//! done.write(4, &(u32::from_le_bytes(count) + 1).to_le_bytes())?;
//! # Ok::<(), wasmpod_guest::ipc::Error>(())
//! ```

#[cfg(target_env = "p1")]
#[path = "p1.rs"]
mod host;
#[cfg(target_env = "p2")]
#[path = "p2.rs"]
mod host;
mod lock;

use std::fmt;
use std::io;
use std::time::Duration;

pub use host::{KeyedQueue, Queue, Segment, remove_segment, unlink_queue, unlink_segment};
pub use lock::SegmentLock;

/// Why something was refused, by the names of POSIX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// EACCES: the name has a slash too many, or leads elsewhere.
    Access,
    /// EAGAIN: it would have to wait and may not.
    WouldBlock,
    /// EEXIST
    Exists,
    /// EIDRM: the queue was removed.
    Removed,
    /// EINTR: the container is to stop.
    Interrupted,
    /// EINVAL: a size, a priority, a type or an offset that cannot be.
    Invalid,
    /// EISDIR: the name is that of a folder of `/dev/shm`.
    IsDirectory,
    /// EMSGSIZE: the message is longer than the queue was made for.
    MessageSize,
    /// ENAMETOOLONG
    NameTooLong,
    /// ENOENT
    NotFound,
    /// ENOMSG: there is no message of that type, and it may not wait.
    NoMessage,
    /// ENOMEM: the container or its Pod has no memory left for it.
    OutOfMemory,
    /// ENOSPC: a limit of the Pod's IPC.
    NoSpace,
    /// ETIMEDOUT
    TimedOut,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Access => "permission denied",
            Self::WouldBlock => "it would have to wait",
            Self::Exists => "the name is taken",
            Self::Removed => "it was removed",
            Self::Interrupted => "the container is to stop",
            Self::Invalid => "invalid argument",
            Self::IsDirectory => "it is a folder",
            Self::MessageSize => "the message is too long",
            Self::NameTooLong => "the name is too long",
            Self::NotFound => "there is none of that name",
            Self::NoMessage => "no message of that type",
            Self::OutOfMemory => "no memory left for it",
            Self::NoSpace => "no room left",
            Self::TimedOut => "the time is over",
        })
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Access => io::ErrorKind::PermissionDenied,
            Error::WouldBlock | Error::NoMessage => io::ErrorKind::WouldBlock,
            Error::Exists => io::ErrorKind::AlreadyExists,
            Error::Removed | Error::NotFound => io::ErrorKind::NotFound,
            Error::Interrupted => io::ErrorKind::Interrupted,
            Error::Invalid | Error::MessageSize | Error::NameTooLong => io::ErrorKind::InvalidInput,
            Error::IsDirectory => io::ErrorKind::IsADirectory,
            Error::OutOfMemory => io::ErrorKind::OutOfMemory,
            Error::NoSpace => io::ErrorKind::StorageFull,
            Error::TimedOut => io::ErrorKind::TimedOut,
        };
        Self::new(kind, error)
    }
}

/// What a call comes to.
pub type Result<Output> = std::result::Result<Output, Error>;

/// Whether something may be new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It has to be there.
    Never,
    /// It is made if it is not there: `O_CREAT`.
    IfMissing,
    /// It must not be there: `O_CREAT | O_EXCL`.
    Always,
}

/// How long to wait, by the Pod's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not at all: [`Error::WouldBlock`] in place of a wait.
    None,
    /// So long: then [`Error::TimedOut`].
    Within(Duration),
    /// As long as it takes.
    Endless,
}

/// What a queue is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSize {
    /// Messages that it holds.
    pub messages: u32,
    /// Bytes of one.
    pub message_bytes: u32,
}

/// What is in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueStatus {
    /// What it was made for.
    pub size: QueueSize,
    /// Messages that wait to be received.
    pub messages: u32,
    /// Bytes of them all.
    pub bytes: u64,
}

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// 0 to 32767; the highest is received first.
    pub priority: u32,
    /// What it says.
    pub body: Vec<u8>,
}

/// A message of a queue with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedMessage {
    /// 1 or more.
    pub kind: i64,
    /// What it says.
    pub body: Vec<u8>,
}
