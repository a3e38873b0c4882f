//! What the kernel here has to hold a compiling child to its work.

use std::fs;

use landlock::{AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
use serde::Serialize;

/// The walls around a compiling child: which of them stand, or could here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Confinement {
    /// Landlock: no files but the image and its code, no TCP.
    pub landlock: bool,
    /// seccomp: no system calls but those that computing takes.
    pub seccomp: bool,
}

impl Confinement {
    /// What the kernel offers.
    pub fn detect() -> Self {
        Self { landlock: has_landlock(), seccomp: has_seccomp() }
    }
}

fn has_landlock() -> bool {
    let made = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Execute)
        .and_then(Ruleset::create);
    made.is_ok()
}

/// The kernel counts the filters of a process if it has any use for them.
fn has_seccomp() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Seccomp_filters:"))
}
