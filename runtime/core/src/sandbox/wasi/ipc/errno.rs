//! The errors of the IPC as errnos of WASI 0.1.

use wasmtime_wasi::p1::types::Errno;

use crate::sandbox::ipc::IpcError;

pub(crate) fn errno(error: IpcError) -> Errno {
    match error {
        IpcError::Access => Errno::Acces,
        IpcError::WouldBlock => Errno::Again,
        IpcError::BadDescriptor => Errno::Badf,
        IpcError::Exists => Errno::Exist,
        IpcError::Removed => Errno::Idrm,
        IpcError::Interrupted => Errno::Intr,
        IpcError::Invalid => Errno::Inval,
        IpcError::IsFolder => Errno::Isdir,
        IpcError::MessageSize => Errno::Msgsize,
        IpcError::NameTooLong => Errno::Nametoolong,
        IpcError::NotFound => Errno::Noent,
        IpcError::NoMessage => Errno::Nomsg,
        IpcError::OutOfMemory => Errno::Nomem,
        IpcError::NoSpace => Errno::Nospc,
        IpcError::NotFolder => Errno::Notdir,
        IpcError::NotEmpty => Errno::Notempty,
        IpcError::NotPermitted => Errno::Perm,
        IpcError::TooBig => Errno::TooBig,
        IpcError::TooManyHandles => Errno::Mfile,
        IpcError::TimedOut => Errno::Timedout,
    }
}
