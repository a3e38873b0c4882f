//! What a call can fail with, by the names of POSIX.

/// Why a call on a queue, a segment or a file of theirs was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpcError {
    /// EACCES: the handle was not opened for this, or the name has a slash too many.
    #[error("permission denied")]
    Access,
    /// EAGAIN: it would have to wait and may not.
    #[error("it would have to wait")]
    WouldBlock,
    /// EBADF: the handle is none, or was not opened for this.
    #[error("no such handle, or not opened for this")]
    BadDescriptor,
    /// EEXIST
    #[error("the name is taken")]
    Exists,
    /// EIDRM: the queue is gone.
    #[error("it was removed")]
    Removed,
    /// EINTR: the container is to stop.
    #[error("the container is to stop")]
    Interrupted,
    /// EINVAL
    #[error("invalid argument")]
    Invalid,
    /// EISDIR
    #[error("it is a folder")]
    IsFolder,
    /// EMSGSIZE: the message is longer than the queue takes, or the buffer shorter than a message may be.
    #[error("the message is too long, or the buffer too short")]
    MessageSize,
    /// ENAMETOOLONG
    #[error("the name is too long")]
    NameTooLong,
    /// ENOENT
    #[error("there is none of that name")]
    NotFound,
    /// ENOMSG: no message of the wanted type.
    #[error("no message of that type")]
    NoMessage,
    /// ENOMEM: the container, or its Pod, has no memory for it.
    #[error("no memory left for it")]
    OutOfMemory,
    /// ENOSPC: a limit of the Pod's IPC.
    #[error("no room left")]
    NoSpace,
    /// ENOTDIR
    #[error("it is no folder")]
    NotFolder,
    /// ENOTEMPTY
    #[error("the folder is not empty")]
    NotEmpty,
    /// EPERM: nothing of that sort can be there.
    #[error("not permitted")]
    NotPermitted,
    /// E2BIG: the message is longer than the buffer.
    #[error("the message is longer than the buffer")]
    TooBig,
    /// EMFILE: too many handles.
    #[error("too many handles")]
    TooManyHandles,
    /// ETIMEDOUT
    #[error("the time is over")]
    TimedOut,
}
