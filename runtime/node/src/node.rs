//! The machine as a Pod that starts meets it: what there is of it, and who else is there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wasmpod::pod::Folders;

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

    /// What it is to its Pods.
    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }
}
