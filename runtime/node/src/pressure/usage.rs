//! How much memory each Pod uses.

use std::sync::Arc;

use crate::ledger::PodRecord;

/// What a Pod uses, beside what it requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodUsage {
    /// Who it is, and what it requests.
    pub pod: Arc<PodRecord>,
    /// Its containers that use something.
    pub containers: Vec<ContainerUsage>,
}

/// What a container uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerUsage {
    /// `name`
    pub name: String,
    /// In bytes.
    pub memory: u64,
}

impl PodUsage {
    /// All of its containers together, in bytes.
    pub fn memory(&self) -> u64 {
        self.containers.iter().map(|container| container.memory).sum()
    }

    /// What a container of it requests, in bytes.
    pub fn request_of(&self, container: &str) -> u64 {
        let mut containers = self.pod.containers.iter();
        containers.find(|known| known.name == container).map_or(0, |known| known.requests.memory)
    }
}
