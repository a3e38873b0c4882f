//! What can go wrong on a Pod's network, in the words of a kernel.
//!
//! One small `Copy` value per errno: the fronts translate it to the error code of their WASI
//! version, and nothing is allocated on a guest's hot path. Host-side subjects that can say more
//! (a taken host port, a peer's socket file) have error types of their own.

use std::io;

use rustix::io::Errno;

/// Why an operation on a socket, a stream or a name failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NetworkError {
    /// `EINVAL`: a wrong address family, an unspecified remote, a value out of range.
    #[error("invalid argument")]
    InvalidArgument,
    /// The socket is in a state that forbids the call: bound twice, not connected, already listening.
    #[error("the socket's state does not allow this")]
    InvalidState,
    /// `EADDRINUSE`: another socket of this Pod owns the port on an overlapping address.
    #[error("address in use")]
    AddressInUse,
    /// `EADDRNOTAVAIL`: not an address of this Pod, or no ephemeral port is left.
    #[error("address not available")]
    AddressNotAvailable,
    /// `ECONNREFUSED`: nobody listens there, or the listener's container is stopping.
    #[error("connection refused")]
    ConnectionRefused,
    /// `ECONNRESET`: the other side closed with unread data, was aborted or went away.
    #[error("connection reset")]
    ConnectionReset,
    /// `ECONNABORTED`: the connection ended before it was accepted.
    #[error("connection aborted")]
    ConnectionAborted,
    /// `EPIPE`: writing to a connection that the other side has closed, or after a shutdown.
    #[error("broken pipe")]
    BrokenPipe,
    /// `ENETUNREACH`: no route for this family from here.
    #[error("network unreachable")]
    NetworkUnreachable,
    /// `EHOSTUNREACH`: an address of the Pod range that no Pod has.
    #[error("host unreachable")]
    HostUnreachable,
    /// `ETIMEDOUT`.
    #[error("timed out")]
    TimedOut,
    /// `EACCES`: the egress policy does not let this Pod go there.
    #[error("not allowed by the Pod's egress policy")]
    AccessDenied,
    /// `EMSGSIZE`: a datagram larger than UDP can carry.
    #[error("datagram too large")]
    DatagramTooLarge,
    /// `EMFILE`: this container holds as many sockets as one container may.
    #[error("too many open sockets in this container")]
    SocketLimit,
    /// `ENOBUFS`: the host is out of memory for buffers.
    #[error("no buffer space")]
    NoBuffers,
    /// `EOPNOTSUPP`.
    #[error("not supported")]
    NotSupported,
    /// The name is well formed and nobody answers to it.
    #[error("name not found")]
    NameNotFound,
    /// The resolver could not be asked; a later try may succeed.
    #[error("temporary failure in name resolution")]
    ResolverUnavailable,
    /// The listener or the endpoint it belonged to has ended.
    #[error("closed")]
    Closed,
    /// An error of the host's kernel that has no closer word here.
    #[error("input/output error")]
    Other,
}

impl NetworkError {
    /// The errno that a kernel would have set.
    pub fn errno(self) -> Errno {
        match self {
            Self::InvalidArgument | Self::InvalidState | Self::Closed => Errno::INVAL,
            Self::AddressInUse => Errno::ADDRINUSE,
            Self::AddressNotAvailable => Errno::ADDRNOTAVAIL,
            Self::ConnectionRefused => Errno::CONNREFUSED,
            Self::ConnectionReset => Errno::CONNRESET,
            Self::ConnectionAborted => Errno::CONNABORTED,
            Self::BrokenPipe => Errno::PIPE,
            Self::NetworkUnreachable => Errno::NETUNREACH,
            Self::HostUnreachable => Errno::HOSTUNREACH,
            Self::TimedOut => Errno::TIMEDOUT,
            Self::AccessDenied => Errno::ACCESS,
            Self::DatagramTooLarge => Errno::MSGSIZE,
            Self::SocketLimit => Errno::MFILE,
            Self::NoBuffers => Errno::NOBUFS,
            Self::NotSupported => Errno::OPNOTSUPP,
            Self::NameNotFound => Errno::NOENT,
            Self::ResolverUnavailable => Errno::AGAIN,
            Self::Other => Errno::IO,
        }
    }
}

impl From<Errno> for NetworkError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::INVAL | Errno::AFNOSUPPORT => Self::InvalidArgument,
            Errno::ISCONN | Errno::NOTCONN | Errno::DESTADDRREQ | Errno::ALREADY => {
                Self::InvalidState
            }
            Errno::ADDRINUSE => Self::AddressInUse,
            Errno::ADDRNOTAVAIL => Self::AddressNotAvailable,
            Errno::CONNREFUSED => Self::ConnectionRefused,
            Errno::CONNRESET => Self::ConnectionReset,
            Errno::CONNABORTED => Self::ConnectionAborted,
            Errno::PIPE => Self::BrokenPipe,
            Errno::NETUNREACH | Errno::NETDOWN => Self::NetworkUnreachable,
            Errno::HOSTUNREACH | Errno::HOSTDOWN | Errno::NONET => Self::HostUnreachable,
            Errno::TIMEDOUT => Self::TimedOut,
            Errno::ACCESS | Errno::PERM => Self::AccessDenied,
            Errno::MSGSIZE => Self::DatagramTooLarge,
            Errno::MFILE | Errno::NFILE => Self::SocketLimit,
            Errno::NOBUFS | Errno::NOMEM => Self::NoBuffers,
            Errno::OPNOTSUPP | Errno::NOPROTOOPT | Errno::PROTONOSUPPORT => Self::NotSupported,
            _ => Self::Other,
        }
    }
}

impl From<&io::Error> for NetworkError {
    fn from(error: &io::Error) -> Self {
        if let Some(errno) = Errno::from_io_error(error) {
            return errno.into();
        }
        match error.kind() {
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::PermissionDenied => Self::AccessDenied,
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::ConnectionReset => Self::ConnectionReset,
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            io::ErrorKind::UnexpectedEof => Self::ConnectionReset,
            _ => Self::Other,
        }
    }
}

impl From<io::Error> for NetworkError {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<NetworkError> for io::Error {
    fn from(error: NetworkError) -> Self {
        match error {
            // The two that have no errno of their own keep their text.
            NetworkError::Closed | NetworkError::NameNotFound => {
                Self::new(io::ErrorKind::NotFound, error)
            }
            other => Self::from(other.errno()),
        }
    }
}
