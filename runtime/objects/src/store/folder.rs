//! The folder of the store, this user's alone.
//!
//! Secrets lie in it, and what lies in it is believed: a folder of somebody else, or one that
//! others may write to, is refused.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::StoreError;

/// Makes the folder with all above it, or checks the one that is there and closes it to others.
pub(super) fn make_private(folder: &Path) -> Result<(), StoreError> {
    let refused = |reason, source| StoreError::Folder { path: folder.to_owned(), reason, source };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path: folder.to_owned() },
        io::ErrorKind::StorageFull => StoreError::Full { path: folder.to_owned() },
        _ => refused("cannot be used", Some(error)),
    };
    let there = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
            fs::symlink_metadata(folder)
        }
        there => there,
    };
    let there = there.map_err(failed)?;
    let metadata = fs::metadata(folder).map_err(failed)?;
    let user = rustix::process::geteuid().as_raw();
    // The link and where it leads: a stranger's link may lead to another folder of this user.
    if there.uid() != user || metadata.uid() != user {
        return Err(refused("belongs to another user", None));
    }
    if !metadata.is_dir() {
        return Err(refused("is not a folder", None));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(refused("can be written to by others", None));
    }
    if metadata.mode() & 0o777 != 0o700 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
