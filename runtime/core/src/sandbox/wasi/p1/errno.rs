//! The network's errors as errnos of WASI 0.1.

use wasmtime_wasi::p1::types::Errno;

use crate::sandbox::network::NetworkError;

pub(crate) fn errno(error: NetworkError) -> Errno {
    match error {
        NetworkError::InvalidArgument | NetworkError::InvalidState => Errno::Inval,
        NetworkError::AddressInUse => Errno::Addrinuse,
        NetworkError::AddressNotAvailable => Errno::Addrnotavail,
        NetworkError::ConnectionRefused => Errno::Connrefused,
        NetworkError::ConnectionReset => Errno::Connreset,
        NetworkError::ConnectionAborted | NetworkError::Closed => Errno::Connaborted,
        NetworkError::BrokenPipe => Errno::Pipe,
        NetworkError::NetworkUnreachable => Errno::Netunreach,
        NetworkError::HostUnreachable => Errno::Hostunreach,
        NetworkError::TimedOut => Errno::Timedout,
        NetworkError::AccessDenied => Errno::Acces,
        NetworkError::DatagramTooLarge => Errno::Msgsize,
        NetworkError::SocketLimit => Errno::Mfile,
        NetworkError::NoBuffers => Errno::Nobufs,
        NetworkError::NotSupported => Errno::Notsup,
        NetworkError::NameNotFound => Errno::Noent,
        NetworkError::ResolverUnavailable => Errno::Again,
        NetworkError::Other => Errno::Io,
    }
}

/// What a function of WASI 0.1 returns.
pub(super) fn raw(outcome: Result<(), Errno>) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(errno) => i32::from(u16::from(errno)),
    }
}
