//! Which descriptors are folders and files of the IPC.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime_wasi::p1::types::Errno;

use super::readiness::PolledFile;
use crate::sandbox::ipc::{IpcFile, IpcFolder, Patience, RunIpc};
use crate::sandbox::wasi::ipc::errno;

/// The first descriptor after the standard streams.
const FIRST: i32 = 3;

/// `fdflags`
pub(super) const APPEND: i32 = 1;
pub(super) const NON_BLOCKING: i32 = 4;

/// The descriptors of one module that are of the IPC, by the stock implementation's numbers.
#[derive(Debug)]
pub struct IpcDescriptors {
    pub(super) run: RunIpc,
    open: BTreeMap<i32, Entry>,
}

#[derive(Clone, Debug)]
pub(super) enum Entry {
    Folder(IpcFolder),
    File(OpenFile),
}

#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    pub(super) file: Arc<IpcFile>,
    /// Where the next read or write is.
    pub(super) offset: u64,
    /// `fdflags`
    pub(super) flags: i32,
}

impl IpcDescriptors {
    /// At the start of a run: the folders, by their places among the preopened directories.
    pub fn new(run: RunIpc, folders: &[(usize, IpcFolder)]) -> Self {
        let open = folders.iter().filter_map(|(place, folder)| {
            let number = FIRST.checked_add(i32::try_from(*place).ok()?)?;
            Some((number, Entry::Folder(folder.clone())))
        });
        Self { run, open: open.collect() }
    }

    pub(super) fn is_ours(&self, fd: i32) -> bool {
        self.open.contains_key(&fd)
    }

    pub(super) fn get(&self, fd: i32) -> Option<&Entry> {
        self.open.get(&fd)
    }

    /// The folder under a number that is one of ours.
    ///
    /// # Errors
    /// `notdir` for a file.
    pub(super) fn folder(&self, fd: i32) -> Option<Result<IpcFolder, Errno>> {
        Some(match self.open.get(&fd)? {
            Entry::Folder(folder) => Ok(folder.clone()),
            Entry::File(_) => Err(Errno::Notdir),
        })
    }

    /// The file under a number that is one of ours.
    ///
    /// # Errors
    /// `isdir` for a folder.
    pub(super) fn file(&mut self, fd: i32) -> Option<Result<&mut OpenFile, Errno>> {
        Some(match self.open.get_mut(&fd)? {
            Entry::Folder(_) => Err(Errno::Isdir),
            Entry::File(file) => Ok(file),
        })
    }

    /// Whether any number is of a file of ours.
    pub(in crate::sandbox::wasi::p1) fn has_files(&self) -> bool {
        self.open.values().any(|entry| matches!(entry, Entry::File(_)))
    }

    /// The file of ours under a number, to be waited for.
    pub(in crate::sandbox::wasi::p1) fn polled(&self, fd: i32) -> Option<PolledFile> {
        match self.open.get(&fd)? {
            Entry::Folder(_) => None,
            Entry::File(open) => Some(PolledFile { run: self.run.clone(), open: open.clone() }),
        }
    }

    pub(super) fn insert(&mut self, fd: i32, entry: Entry) {
        self.open.insert(fd, entry);
    }

    pub(super) fn remove(&mut self, fd: i32) {
        self.open.remove(&fd);
    }

    /// What was under `fd` is under `to` from now on, in place of what was there.
    pub(super) fn renumber(&mut self, fd: i32, to: i32) {
        self.open.remove(&to);
        if let Some(entry) = self.open.remove(&fd) {
            self.open.insert(to, entry);
        }
    }
}

impl OpenFile {
    pub(super) fn is_append(&self) -> bool {
        self.flags & APPEND != 0
    }

    pub(super) fn patience(&self) -> Patience {
        if self.flags & NON_BLOCKING == 0 { Patience::Endless } else { Patience::None }
    }

    pub(super) fn set_size(&self, size: i64) -> Result<(), Errno> {
        // A negative one is more than any file may have.
        self.file.set_size(size.cast_unsigned()).map_err(errno)
    }
}
