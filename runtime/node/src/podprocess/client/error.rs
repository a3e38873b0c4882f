//! What a Pod's process has not done.

use std::io;
use std::path::PathBuf;

use http::StatusCode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;

use crate::podprocess::refusal::CONNECTION_REFUSED;

/// What a Pod's process did not do.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there: the Pod has ended, or has only just begun.
    #[error("nobody answers at {}", socket.display())]
    Gone {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has refused.
    #[error("{message}")]
    Refused {
        /// The status of HTTP.
        code: StatusCode,
        /// The reason in the words of the API, such as `NotFound`.
        reason: String,
        /// The sentence beside it.
        message: String,
    },
    /// It does not answer in time.
    #[error("{} does not answer in time", socket.display())]
    TimedOut {
        /// The socket.
        socket: PathBuf,
    },
    /// What it answers is not understood, or it has broken off.
    #[error("{} speaks in another way", socket.display())]
    Protocol {
        /// The socket.
        socket: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection has ended before it said how.
    #[error("the connection to the process of the Pod has broken off")]
    BrokenOff {
        /// Why, if there is more to say.
        #[source]
        source: Option<io::Error>,
    },
}

impl ClientError {
    /// Whether nobody listens at the port that was asked for.
    pub fn is_connection_refused(&self) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == CONNECTION_REFUSED)
    }

    pub(super) fn broken_off(source: io::Error) -> Self {
        // That it has ended is all that these say.
        let is_end = matches!(
            source.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
        );
        Self::BrokenOff { source: Some(source).filter(|_| !is_end) }
    }
}

pub(super) fn refused(code: StatusCode, status: Status) -> ClientError {
    ClientError::Refused {
        code,
        reason: status.reason.unwrap_or_default(),
        message: status.message.unwrap_or_else(|| code.to_string()),
    }
}
