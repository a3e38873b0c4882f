//! A compiling child leaves the cgroup of the Pod that it compiles for.
//!
//! It is started by the Pod's process, so it begins in the Pod's cgroup. A large module takes hundreds
//! of MiB to compile, which are not the Pod's: the kernel would end the Pod for them. Beside the Pod
//! is a cgroup with its weight and without its bounds.

use std::fs;

use super::hierarchy::trees;
use super::names::compiling_folder;

/// Moves this process, a compiling child, out of the Pod's cgroup if it is in one.
pub(crate) fn leave_pod() {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cgroups = read("/proc/self/cgroup");
    if !cgroups.contains(super::names::TOP) {
        return;
    }
    for tree in trees(&read("/proc/self/mountinfo")) {
        if let Some(folder) = tree.own(&cgroups).as_deref().and_then(compiling_folder) {
            // Where that fails it compiles as well, within the Pod's bounds.
            let _ = fs::write(folder.join("cgroup.procs"), "0");
        }
    }
}
