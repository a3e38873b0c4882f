//! Which resources are folders, files and listings of the IPC.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::DirectoryEntry;

use crate::resources::memory::Held;
use crate::sandbox::ipc::{IpcFile, IpcFolder, RunIpc};

/// The resources of one component that are of the IPC, by their places in its table.
#[derive(Debug)]
pub struct IpcResources {
    pub(super) run: RunIpc,
    /// By their places among the preopened directories.
    pub(super) folders: Arc<[(usize, IpcFolder)]>,
    descriptors: BTreeMap<u32, Entry>,
    pub(super) listings: BTreeMap<u32, Listing>,
}

/// What is left of a folder's names, which the container pays for.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) entries: VecDeque<DirectoryEntry>,
    pub(super) _held: Held,
}

#[derive(Clone, Debug)]
pub(super) enum Entry {
    Folder(IpcFolder),
    File(Arc<IpcFile>),
}

impl IpcResources {
    /// At the start of a run.
    pub fn new(run: RunIpc, folders: Arc<[(usize, IpcFolder)]>) -> Self {
        Self { run, folders, descriptors: BTreeMap::new(), listings: BTreeMap::new() }
    }

    pub(in crate::sandbox::wasi::p2::files) fn is_ours(&self, fd: &Resource<Descriptor>) -> bool {
        self.descriptors.contains_key(&fd.rep())
    }

    pub(super) fn get(&self, fd: &Resource<Descriptor>) -> Option<Entry> {
        self.descriptors.get(&fd.rep()).cloned()
    }

    pub(super) fn insert(&mut self, fd: &Resource<Descriptor>, entry: Entry) {
        self.descriptors.insert(fd.rep(), entry);
    }

    pub(super) fn forget(&mut self, fd: &Resource<Descriptor>) {
        self.descriptors.remove(&fd.rep());
    }
}
