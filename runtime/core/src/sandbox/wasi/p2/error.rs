//! Errors of calls on sockets: a code for the guest, or a trap.

use wasmtime::component::ResourceTableError;

use super::bindings::wasi::sockets::network::ErrorCode;
use crate::sandbox::network::NetworkError;

/// The outcome of a call on a socket.
pub type SocketResult<Value> = Result<Value, SocketError>;

/// Why a call on a socket failed. Unlike a boxed error it costs nothing: would-block is one, too.
#[derive(Debug)]
pub enum SocketError {
    /// The guest gets this code.
    Code(ErrorCode),
    /// The guest has broken a rule of the component model, or the host is at its end.
    Trap(wasmtime::Error),
}

impl From<ErrorCode> for SocketError {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<NetworkError> for SocketError {
    fn from(error: NetworkError) -> Self {
        Self::Code(error.into())
    }
}

impl From<ResourceTableError> for SocketError {
    fn from(error: ResourceTableError) -> Self {
        match error {
            // The table of the Store is bounded too; for the guest it is one limit.
            ResourceTableError::Full => Self::Code(ErrorCode::NewSocketLimit),
            other => Self::Trap(other.into()),
        }
    }
}

impl From<NetworkError> for ErrorCode {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::InvalidArgument => Self::InvalidArgument,
            NetworkError::InvalidState => Self::InvalidState,
            NetworkError::AddressInUse => Self::AddressInUse,
            NetworkError::AddressNotAvailable => Self::AddressNotBindable,
            NetworkError::ConnectionRefused => Self::ConnectionRefused,
            NetworkError::ConnectionReset => Self::ConnectionReset,
            NetworkError::ConnectionAborted | NetworkError::Closed => Self::ConnectionAborted,
            NetworkError::NetworkUnreachable | NetworkError::HostUnreachable => {
                Self::RemoteUnreachable
            }
            NetworkError::TimedOut => Self::Timeout,
            NetworkError::AccessDenied => Self::AccessDenied,
            NetworkError::DatagramTooLarge => Self::DatagramTooLarge,
            NetworkError::SocketLimit => Self::NewSocketLimit,
            NetworkError::NoBuffers => Self::OutOfMemory,
            NetworkError::NotSupported => Self::NotSupported,
            NetworkError::NameNotFound => Self::NameUnresolvable,
            NetworkError::ResolverUnavailable => Self::TemporaryResolverFailure,
            NetworkError::BrokenPipe | NetworkError::Other => Self::Unknown,
        }
    }
}
