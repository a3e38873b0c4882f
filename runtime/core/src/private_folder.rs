//! A folder that is this user's alone.
//!
//! What lies at a well-known place may have been made by somebody else, in `/tmp` by anybody: who
//! can write to a folder of ours could put code or a socket there that we would trust.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Why a folder cannot be trusted. `Display` goes on where the folder's name ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPrivate {
    /// It could not be made or looked at.
    #[error("cannot be used")]
    Io(#[from] io::Error),
    /// Something else is there.
    #[error("is not a folder")]
    NoFolder,
    /// It, or the link that leads to it, is somebody else's.
    #[error("belongs to user {0}")]
    Foreign(u32),
    /// Others may put files there.
    #[error("can be written to by others")]
    Writable,
}

/// Makes the folder with all above it, or checks the one that is there and closes it to others.
///
/// # Errors
/// [`NotPrivate`]
pub(crate) fn make_private(folder: &Path) -> Result<(), NotPrivate> {
    let there = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            fs::symlink_metadata(folder)?
        }
        there => there?,
    };
    let user = rustix::process::geteuid().as_raw();
    // Before the link is followed: a stranger's link may lead to another folder of this user.
    if there.uid() != user {
        return Err(NotPrivate::Foreign(there.uid()));
    }
    let metadata = fs::metadata(folder)?;
    if !metadata.is_dir() {
        return Err(NotPrivate::NoFolder);
    }
    if metadata.uid() != user {
        return Err(NotPrivate::Foreign(metadata.uid()));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(NotPrivate::Writable);
    }
    if metadata.mode() & 0o777 != 0o700 {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(folder: &Path) -> u32 {
        fs::metadata(folder).unwrap().mode() & 0o777
    }

    #[test]
    fn what_is_there_is_checked_and_what_is_not_is_made() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("new/deep");
        make_private(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        make_private(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(make_private(&folder), Err(NotPrivate::Writable)));
        let file = above.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(make_private(&file), Err(NotPrivate::NoFolder)));
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        if rustix::process::geteuid().is_root() {
            let above = tempfile::tempdir().unwrap();
            let link = above.path().join("link");
            std::os::unix::fs::symlink(above.path(), &link).unwrap();
            make_private(&link).unwrap();
            std::os::unix::fs::lchown(&link, Some(12), None).unwrap();
            assert!(matches!(make_private(&link), Err(NotPrivate::Foreign(12))));
        } else {
            assert!(matches!(make_private(Path::new("/usr")), Err(NotPrivate::Foreign(0))));
        }
    }
}
