//! The machine as a Pod that starts meets it: what there is of it, and who else is there.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmpod::executor::cores;
use wasmpod::pod::Folders;
use wasmpod::resources::{allocatable, allocatable_memory};

use crate::admission::{Allocatable, Place};
use crate::ledger::Ledger;

/// What a machine is to its Pods; whatever is not said is found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What Pods may request together, in thousandths of a core.
    pub milli_cpu: Option<u64>,
    /// What Pods may request together, in bytes.
    pub memory: Option<u64>,
}

/// One machine. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Node {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folders: Folders,
    settings: Settings,
    ledger: Arc<Ledger>,
}

impl Node {
    /// The machine whose state is in `folders`.
    pub fn new(folders: &Folders, settings: Settings) -> Self {
        let ledger = Arc::new(Ledger::new(folders));
        Self { shared: Arc::new(Shared { folders: folders.clone(), settings, ledger }) }
    }

    /// The Pods that live on it.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.shared.ledger
    }

    /// Where its state is.
    pub fn folders(&self) -> &Folders {
        &self.shared.folders
    }

    /// A place for one more Pod, still to be had.
    pub fn place(&self) -> Arc<Place> {
        Arc::new(Place::new(self.clone()))
    }

    /// What all Pods together may request. What there is of disk is asked for only where somebody
    /// wants some.
    pub(crate) fn allocatable(&self, wants_disk: impl FnOnce() -> bool) -> Allocatable {
        let Settings { milli_cpu, memory } = self.shared.settings;
        Allocatable {
            milli_cpu: milli_cpu.unwrap_or_else(|| cores() as u64 * 1000),
            memory: memory.unwrap_or_else(allocatable_memory),
            ephemeral_storage: if wants_disk() { disk(&self.shared.folders.pods()) } else { 0 },
        }
    }
}

fn disk(folder: &Path) -> u64 {
    allocatable(folder).ephemeral_storage.bytes()
}
