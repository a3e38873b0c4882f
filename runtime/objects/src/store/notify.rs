//! A small file that tells other processes of a change.
//!
//! Whoever has written touches it, whoever waits watches it (inotify). The write-ahead log would
//! tell nothing: its last byte is written before the change can be seen.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::StoreError;

/// Opens the file, or makes it.
pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(
        |source| match source.kind() {
            std::io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { path: path.to_owned() }
            }
            std::io::ErrorKind::StorageFull => StoreError::Full { path: path.to_owned() },
            _ => StoreError::Open { path: path.to_owned(), source },
        },
    )
}

/// Wakes whoever waits. A failure costs them time, not a change: they look now and then anyway.
pub(super) fn touch(file: &File) {
    let _ = file.write_at(b"\n", 0);
}
