//! Why files are not copied.

use std::io;
use std::path::Path;

/// What stands in the way.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The host's file system, or the rules of the mount, refuse.
    #[error("{path}: {source}")]
    File {
        /// The path in the container.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not to be copied.
    #[error("{path}: {why}")]
    Refused {
        /// The path in the container or, of what goes in, in the archive.
        path: String,
        /// Why.
        why: String,
    },
    /// It is no archive, or one that breaks off.
    #[error("the archive cannot be read: {0}")]
    Archive(#[source] io::Error),
    /// Nobody takes the archive any more.
    #[error("the archive cannot be sent: {0}")]
    Sent(#[source] io::Error),
    /// Its thread has failed.
    #[error("the copying has failed: {0}")]
    Failed(String),
}

impl CopyError {
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }

    pub(super) fn refused(path: &Path, why: impl Into<String>) -> Self {
        Self::Refused { path: path.display().to_string(), why: why.into() }
    }

    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
