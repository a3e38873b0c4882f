//! What there is too little of, in the words of the scheduler. Pure.

use std::fmt;

/// Something that Pods request of a machine, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `cpu`
    Cpu,
    /// `ephemeral-storage`
    EphemeralStorage,
    /// `memory`
    Memory,
}

/// Why there is no room for a Pod; `Display` is the message of the scheduler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("0/1 nodes are available: {}.", reasons(.resources))]
pub struct Insufficient {
    /// What there is too little of, one at least.
    pub resources: Vec<Resource>,
}

fn reasons(resources: &[Resource]) -> String {
    let reasons: Vec<String> =
        resources.iter().map(|resource| format!("1 Insufficient {resource}")).collect();
    reasons.join(", ")
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cpu => "cpu",
            Self::EphemeralStorage => "ephemeral-storage",
            Self::Memory => "memory",
        })
    }
}
