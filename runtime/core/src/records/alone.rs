//! Being alone: for who looks first and writes then, and nobody may come in between.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::held::make_folder;

/// As long as it is there, nobody else has the same one; a process that dies lets go of it.
#[derive(Debug)]
pub struct Alone {
    file: File,
}

impl Alone {
    /// The file whose lock it is.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The lock of a file that was locked by somebody else, who has handed it over.
    pub fn taken_over(file: File) -> Self {
        Self { file }
    }
}

/// Waits until nobody else holds the lock `name` in `folder`, which is made if it is not there.
///
/// # Errors
/// The folder cannot be made or written, or is not this user's alone.
pub fn alone(folder: &Path, name: impl AsRef<Path>) -> io::Result<Alone> {
    let file = open(folder, name)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(Alone { file })
}

/// The same at once, or nothing when somebody else holds it.
///
/// # Errors
/// As [`alone`].
pub fn try_alone(folder: &Path, name: impl AsRef<Path>) -> io::Result<Option<Alone>> {
    let file = open(folder, name)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Alone { file })),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether `file` is still the one at `path`: a lock on a removed file keeps nobody out.
///
/// # Errors
/// One of them cannot be looked at.
pub fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn open(folder: &Path, name: impl AsRef<Path>) -> io::Result<File> {
    make_folder(folder)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    options.open(folder.join(name))
}
