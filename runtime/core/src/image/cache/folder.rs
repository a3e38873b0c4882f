//! The cache's folder: ours, and closed to others.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::error::CacheError;
use crate::private_folder::{NotPrivate, make_private};

pub(super) fn create_folder(path: &Path) -> Result<(), CacheError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| CacheError::Io { path: path.to_owned(), source })
}

pub(super) fn check_folder(folder: &Path) -> Result<(), CacheError> {
    make_private(folder).map_err(|error| match error {
        NotPrivate::Io(source) => CacheError::Io { path: folder.to_owned(), source },
        NotPrivate::NoFolder => {
            CacheError::Unsafe { path: folder.to_owned(), problem: error.to_string() }
        }
        NotPrivate::Foreign(_) | NotPrivate::Writable => {
            let problem = format!("{error}, and machine code from others is not run");
            CacheError::Unsafe { path: folder.to_owned(), problem }
        }
    })
}

/// Unique among all processes that use the folder; hidden, so that it is never taken for code.
pub(super) fn temporary_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let nanoseconds =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!(".{}-{count}-{nanoseconds:x}", std::process::id())
}
