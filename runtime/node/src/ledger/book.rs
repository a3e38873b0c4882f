//! The folder that the records are in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wasmpod::pod::Folders;
use wasmpod::records::{Alone, Held, Records, Shelf, try_alone};

use super::record::PodRecord;

/// The Pods of one machine.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    pods: Shelf<PodRecord>,
}

impl Ledger {
    /// The Pods whose state is in `folders`, which need not exist.
    pub fn new(folders: &Folders) -> Self {
        let folder = folders.node();
        let pods = Shelf::new(folder.join("pods")).on_death(remove_socket);
        Self { folder, pods }
    }

    /// The Pods that live or wait, in the order of their uids. Of one that was killed it may be a
    /// second until that is seen.
    pub fn pods(&self) -> Records<PodRecord> {
        self.pods.read()
    }

    /// The same as of this moment.
    pub fn pods_now(&self) -> Records<PodRecord> {
        self.pods.forget();
        self.pods.read()
    }

    /// The folder that changes when Pods come and go.
    pub(crate) fn folder(&self) -> &Path {
        self.pods.folder()
    }

    /// Makes a Pod known as long as its record is held.
    ///
    /// # Errors
    /// The folder cannot be made or written, or is not this user's alone.
    pub(crate) fn publish(&self, record: &PodRecord) -> io::Result<Held> {
        self.pods.publish(&record.uid, record)
    }

    /// The file of the lock `name`.
    pub(crate) fn lock_file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Has the lock `name`, unless another process has it.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub(crate) fn try_alone(&self, name: &str) -> io::Result<Option<Alone>> {
        try_alone(&self.folder, name)
    }
}

/// A process that was killed has left its socket.
fn remove_socket(dead: &PodRecord) {
    // One that stays is in nobody's way: no other Pod has its name.
    let _ = fs::remove_file(&dead.socket);
}
