//! The network's errors in the words of 0.3.

use wasmtime_wasi::p3::bindings::sockets::{ip_name_lookup, types};
use wasmtime_wasi::p3::sockets::SocketError;

use crate::sandbox::network::{AddressFamily, NetworkError};

/// As wasmtime-wasi maps the errno.
pub(super) fn code(error: NetworkError) -> types::ErrorCode {
    use types::ErrorCode;
    match error {
        NetworkError::InvalidArgument => ErrorCode::InvalidArgument,
        NetworkError::InvalidState | NetworkError::Closed => ErrorCode::InvalidState,
        NetworkError::AddressInUse => ErrorCode::AddressInUse,
        NetworkError::AddressNotAvailable => ErrorCode::AddressNotBindable,
        NetworkError::ConnectionRefused => ErrorCode::ConnectionRefused,
        NetworkError::ConnectionReset => ErrorCode::ConnectionReset,
        NetworkError::ConnectionAborted => ErrorCode::ConnectionAborted,
        NetworkError::BrokenPipe => ErrorCode::ConnectionBroken,
        NetworkError::NetworkUnreachable | NetworkError::HostUnreachable => {
            ErrorCode::RemoteUnreachable
        }
        NetworkError::TimedOut => ErrorCode::Timeout,
        NetworkError::AccessDenied => ErrorCode::AccessDenied,
        NetworkError::DatagramTooLarge => ErrorCode::DatagramTooLarge,
        NetworkError::NoBuffers => ErrorCode::OutOfMemory,
        NetworkError::NotSupported => ErrorCode::NotSupported,
        NetworkError::SocketLimit
        | NetworkError::NameNotFound
        | NetworkError::ResolverUnavailable
        | NetworkError::Other => ErrorCode::Other(Some(error.to_string())),
    }
}

/// For a function that gives a result or traps.
pub(super) fn socket_error(error: NetworkError) -> SocketError {
    SocketError::from(code(error))
}

pub(super) fn lookup_code(error: NetworkError) -> ip_name_lookup::ErrorCode {
    use ip_name_lookup::ErrorCode;
    match error {
        NetworkError::InvalidArgument => ErrorCode::InvalidArgument,
        NetworkError::AccessDenied => ErrorCode::AccessDenied,
        NetworkError::NameNotFound => ErrorCode::NameUnresolvable,
        NetworkError::ResolverUnavailable | NetworkError::TimedOut => {
            ErrorCode::TemporaryResolverFailure
        }
        other => ErrorCode::Other(Some(other.to_string())),
    }
}

pub(super) fn family(family: types::IpAddressFamily) -> AddressFamily {
    match family {
        types::IpAddressFamily::Ipv4 => AddressFamily::Ipv4,
        types::IpAddressFamily::Ipv6 => AddressFamily::Ipv6,
    }
}

pub(super) fn wit_family(family: AddressFamily) -> types::IpAddressFamily {
    match family {
        AddressFamily::Ipv4 => types::IpAddressFamily::Ipv4,
        AddressFamily::Ipv6 => types::IpAddressFamily::Ipv6,
    }
}
