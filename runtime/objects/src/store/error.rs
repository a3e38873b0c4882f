//! What can fail in the store.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHORT_READ};

use crate::status::{ApiError, Reason};

/// A request to the store that failed: for a reason of the API, or for one of the machine.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The request itself, as the API server would refuse it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The folder cannot be used.
    #[error("{}: {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
        /// Why.
        #[source]
        source: Option<io::Error>,
    },
    /// The file cannot be opened.
    #[error("{}: cannot open the object store", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A newer program has written the file.
    #[error(
        "{}: the object store has version {found}, this program knows up to version {known}: \
         use the newer program",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is damaged. It is left as it is.
    #[error(
        "{}: the object store is damaged ({reason}); {}`wasmpod system reset` begins a new one",
        path.display(),
        copied(copy.as_deref())
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where a copy of it was put, unless that failed.
        copy: Option<PathBuf>,
        /// How it was noticed.
        reason: String,
    },
    /// Other processes held the file for too long.
    #[error("{}: other processes have held the object store for {seconds} s", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// The file, or the file system it is on, cannot be written to.
    #[error("{}: the object store is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is no room for another write.
    #[error("{}: no space is left for the object store", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// An object is none of the type that it was asked for as.
    #[error("an object of the store is of another type than was asked for")]
    OtherType(#[source] serde_json::Error),
    /// Anything else that SQLite reports.
    #[error("the object store has failed")]
    Sqlite(#[from] rusqlite::Error),
}

fn copied(copy: Option<&std::path::Path>) -> String {
    match copy {
        Some(copy) => format!("a copy is kept as {}; ", copy.display()),
        None => String::new(),
    }
}

impl StoreError {
    /// The reason, if the request itself is at fault.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Api(error) => Some(error.reason),
            _ => None,
        }
    }

    /// Whether there is no such object.
    pub fn is_not_found(&self) -> bool {
        self.reason() == Some(Reason::NotFound)
    }

    /// Whether the object is another than was thought.
    pub fn is_conflict(&self) -> bool {
        self.reason() == Some(Reason::Conflict)
    }

    /// As the API reports it: a fault of the machine is an internal error, a busy or full store is
    /// one that is worth another try.
    pub fn api(&self) -> ApiError {
        match self {
            Self::Api(error) => error.clone(),
            Self::Busy { .. } | Self::Full { .. } => {
                ApiError::service_unavailable(self.to_string()).with_retry(1)
            }
            Self::Folder { .. }
            | Self::Open { .. }
            | Self::Newer { .. }
            | Self::Corrupt { .. }
            | Self::ReadOnly { .. }
            | Self::OtherType(_)
            | Self::Sqlite(_) => ApiError::internal(self.with_causes()),
        }
    }
}

impl StoreError {
    /// The message with all that stands behind it.
    fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

/// What kind of failure SQLite reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Busy,
    Corrupt,
    ReadOnly,
    Full,
    Other,
}

pub(super) fn failure(error: &rusqlite::Error) -> Failure {
    match error {
        // A state that is no JSON, or a column that is not what the schema says.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => Failure::Corrupt,
        error => match error.sqlite_error_code() {
            // The index beside the write-ahead log cannot grow.
            _ if extended_code(error) == Some(SQLITE_IOERR_SHMSIZE) => Failure::Full,
            // The file is shorter than its first page says.
            _ if extended_code(error) == Some(SQLITE_IOERR_SHORT_READ) => Failure::Corrupt,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Failure::Corrupt,
            Some(ErrorCode::ReadOnly) => Failure::ReadOnly,
            Some(ErrorCode::DiskFull) => Failure::Full,
            _ => Failure::Other,
        },
    }
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
