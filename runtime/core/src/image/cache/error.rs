//! Why the cache of machine code cannot be used.

use std::io;
use std::path::PathBuf;

use super::store::MOST_TIME;

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Not created, not written.
    #[error("cannot use the code cache {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could put code there that we would run.
    #[error("the code cache {} {problem}; remove it or choose another folder", path.display())]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// Whose it is, or who may write.
        problem: String,
    },
    /// The compiler failed for reasons of its own.
    #[error("{0}")]
    Compiler(String),
    /// The compiler did not come to an end.
    #[error("compiling took longer than {} minutes", MOST_TIME.as_secs() / 60)]
    Timeout,
}
