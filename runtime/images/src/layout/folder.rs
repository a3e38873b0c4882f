//! The layout's folder: ours, and closed to others. And files that are there whole or not at all.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use super::error::LayoutError;

/// Names the file or folder in an error of the operating system.
pub(super) fn at<Value>(path: &Path, result: io::Result<Value>) -> Result<Value, LayoutError> {
    result.map_err(|source| LayoutError::Io { path: path.to_owned(), source })
}

pub(super) fn create_folder(path: &Path) -> Result<(), LayoutError> {
    at(path, DirBuilder::new().recursive(true).mode(0o700).create(path))
}

/// Makes the folder with all above it, or checks the one that is there and closes it to others: who
/// can write to it could put code there that we would run.
pub(super) fn make_private(folder: &Path) -> Result<(), LayoutError> {
    create_folder(folder)?;
    let refuse = |problem: String| LayoutError::Unsafe { path: folder.to_owned(), problem };
    let user = rustix::process::geteuid().as_raw();
    // The link first: a stranger's may lead to another folder of this user.
    for metadata in [fs::symlink_metadata(folder), fs::metadata(folder)] {
        let owner = at(folder, metadata)?.uid();
        if owner != user {
            return Err(refuse(format!("belongs to user {owner}")));
        }
    }
    let mode = at(folder, fs::metadata(folder))?.mode();
    if mode & 0o022 != 0 {
        return Err(refuse("can be written to by others".to_owned()));
    }
    if mode & 0o777 != 0o700 {
        at(folder, fs::set_permissions(folder, Permissions::from_mode(0o700)))?;
    }
    Ok(())
}

/// Opens a file that only its owner reads and writes, made if it is missing, with what is in it.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Puts `bytes` at `path`, so that after any crash there is the old content or the new. Only one
/// process at a time may do so: the temporary name is fixed, hence none is ever left over for long.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), LayoutError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = Path::new(&name);
    let written = open_private(temporary).and_then(|mut file| {
        file.set_len(0)?;
        file.write_all(bytes)?;
        file.sync_data()
    });
    at(temporary, written)?;
    at(path, fs::rename(temporary, path))?;
    sync_folder_of(path)
}

/// Makes a rename outlast a loss of power.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), LayoutError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    at(folder, File::open(folder).and_then(|folder| folder.sync_all()))
}
