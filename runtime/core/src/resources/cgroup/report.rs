//! What this machine has of cgroups, for who asks.

use std::fs;

use serde::Serialize;

use super::CgroupError;
use super::hierarchy::{Tree, Version, trees};
use super::plan::CgroupPlan;

/// The interface that this machine's cgroups have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupVersion {
    /// No cgroups are mounted.
    None,
    /// A tree for each controller.
    V1,
    /// One tree for all.
    V2,
    /// Some controllers in trees of version 1, some in one of version 2.
    Mixed,
}

/// What a Pod that asks for a cgroup would get, here and now.
#[derive(Debug)]
pub struct CgroupReport {
    /// Of the controllers that a Pod needs.
    pub version: CgroupVersion,
    /// Where it would be, or why nowhere.
    pub plan: Result<CgroupPlan, CgroupError>,
}

impl CgroupReport {
    /// Looks at this machine; changes nothing.
    pub fn find() -> Self {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self { version: version(&trees(&mountinfo)), plan: CgroupPlan::find() }
    }
}

fn version(trees: &[Tree]) -> CgroupVersion {
    let has = |version| trees.iter().any(|tree| tree.version == version);
    match (has(Version::V1), has(Version::V2)) {
        (false, false) => CgroupVersion::None,
        (true, false) => CgroupVersion::V1,
        (false, true) => CgroupVersion::V2,
        (true, true) => CgroupVersion::Mixed,
    }
}
