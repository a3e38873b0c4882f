//! The cache's folder: ours, and closed to others.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::error::CacheError;

pub(super) fn create_folder(path: &Path) -> Result<(), CacheError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| CacheError::Io { path: path.to_owned(), source })
}

pub(super) fn check_folder(folder: &Path) -> Result<(), CacheError> {
    let failed = |source| CacheError::Io { path: folder.to_owned(), source };
    let metadata = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_folder(folder)?;
            fs::metadata(folder)
        }
        other => other,
    }
    .map_err(failed)?;
    let problem = if !metadata.is_dir() {
        Some("is not a folder".to_owned())
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        Some(format!("belongs to user {}, and machine code from others is not run", metadata.uid()))
    } else if metadata.mode() & 0o022 != 0 {
        Some("can be written to by others, and machine code from others is not run".to_owned())
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(CacheError::Unsafe { path: folder.to_owned(), problem });
    }
    if metadata.mode() & 0o777 != 0o700 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Unique among all processes that use the folder; hidden, so that it is never taken for code.
pub(super) fn temporary_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let nanoseconds =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!(".{}-{count}-{nanoseconds:x}", std::process::id())
}
