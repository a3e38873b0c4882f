//! A record that this process has published.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;

use super::shelf::{RECORD, UNFINISHED};
use crate::private_folder::make_private;

/// A record that this process has published: withdrawn when dropped, or when the process dies.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    /// Its lock says that the record is a live one's.
    file: File,
}

impl Held {
    /// Publishes `record` in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// It, or the folder that it is in, cannot be made or written, or is not this user's alone.
    pub(super) fn publish<Record: Serialize>(
        folder: &Path,
        name: &str,
        record: &Record,
    ) -> io::Result<Self> {
        if let Some(above) = folder.parent() {
            make_folder(above)?;
        }
        make_folder(folder)?;
        let path = folder.join(format!("{name}.{RECORD}"));
        let file = write(&path, record)?;
        Ok(Self { path, file })
    }

    /// Publishes what has changed.
    ///
    /// # Errors
    /// The folder cannot be written; what was published before stays.
    pub fn update<Record: Serialize>(&mut self, record: &Record) -> io::Result<()> {
        self.file = write(&self.path, record)?;
        Ok(())
    }
}

#[cfg(test)]
impl Held {
    /// Lets go of it as a process does that is killed: the file stays.
    pub(crate) fn die(mut self) {
        self.file = File::open("/dev/null").expect("every machine has it");
        std::mem::forget(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // One that stays is a dead one's.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a folder that is this user's alone, or checks the one that is there: who can write to it
/// could have others believe anything.
///
/// # Errors
/// It cannot be made, or others can write to it.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    make_private(folder).map_err(|error| io::Error::other(format!("{} {error}", folder.display())))
}

/// Writes a record whole, and locks it before it has its name: nobody finds it without an owner.
fn write<Record: Serialize>(path: &Path, record: &Record) -> io::Result<File> {
    let newer = path.with_extension(UNFINISHED);
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&newer)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    let written =
        file.write_all(&serde_json::to_vec(record)?).and_then(|()| fs::rename(&newer, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&newer);
        return Err(error);
    }
    Ok(file)
}
