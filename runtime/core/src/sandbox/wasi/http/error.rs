//! What went wrong, in the words of `wasi:http`. Pure.

use std::error::Error as _;
use std::io;

use wasmtime_wasi_http::Error;

use crate::sandbox::network::NetworkError;

/// Which part of an exchange was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum During {
    /// The request, and the head of the response.
    Head,
    /// The body of the response.
    Body,
}

/// Of a name.
pub(super) fn of_lookup(error: NetworkError) -> Error {
    let rcode = match error {
        NetworkError::InvalidArgument => return Error::HttpRequestUriInvalid,
        NetworkError::NameNotFound => "NXDOMAIN",
        NetworkError::ResolverUnavailable => "SERVFAIL",
        NetworkError::TimedOut => return Error::DnsTimeout,
        other => return of_connect(other),
    };
    Error::DnsError { rcode: Some(rcode.to_owned()), info_code: None }
}

/// Of connecting.
pub(super) fn of_connect(error: NetworkError) -> Error {
    match error {
        NetworkError::ConnectionRefused => Error::ConnectionRefused,
        NetworkError::TimedOut => Error::ConnectionTimeout,
        // The Pod's policy refuses, not the host that was asked.
        NetworkError::AccessDenied => Error::HttpRequestDenied,
        NetworkError::HostUnreachable => Error::DestinationUnavailable,
        NetworkError::NetworkUnreachable => Error::DestinationIpUnroutable,
        NetworkError::NameNotFound => Error::DestinationNotFound,
        NetworkError::InvalidArgument => Error::HttpRequestUriInvalid,
        NetworkError::SocketLimit => Error::ConnectionLimitReached,
        NetworkError::ConnectionReset
        | NetworkError::ConnectionAborted
        | NetworkError::BrokenPipe
        | NetworkError::Closed => Error::ConnectionTerminated,
        other @ (NetworkError::AddressInUse
        | NetworkError::AddressNotAvailable
        | NetworkError::DatagramTooLarge
        | NetworkError::InvalidState
        | NetworkError::NoBuffers
        | NetworkError::NotSupported
        | NetworkError::ResolverUnavailable
        | NetworkError::Other) => Error::InternalError(Some(other.to_string())),
    }
}

/// Of a connection that was open.
pub(super) fn of_connection(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::ConnectionReadTimeout,
        _ => Error::ConnectionTerminated,
    }
}

/// Of the exchange itself.
pub(super) fn of_hyper(error: hyper::Error, during: During) -> Error {
    // The server ended the connection: without a word, or in the middle of one.
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return match during {
            During::Head => Error::ConnectionTerminated,
            During::Body => Error::HttpResponseIncomplete,
        };
    }
    if error.is_parse_too_large() {
        return Error::HttpResponseHeaderSectionSize(None);
    }
    if error.is_parse() {
        return Error::HttpProtocolError;
    }
    match error.source() {
        // The guest's own body: what is wrong with it was said there.
        Some(source) if source.is::<Error>() => of_body(source.downcast_ref()),
        Some(source) => match source.downcast_ref::<io::Error>() {
            Some(broken) if during == During::Head => of_connection(broken),
            Some(_) => Error::HttpResponseIncomplete,
            None => Error::Hyper(error),
        },
        None => Error::Hyper(error),
    }
}

fn of_body(error: Option<&Error>) -> Error {
    match error {
        Some(Error::HttpRequestBodySize(size)) => Error::HttpRequestBodySize(*size),
        Some(error) => Error::InternalError(Some(format!("the request's body: {error}"))),
        None => Error::HttpProtocolError,
    }
}
