//! What this machine has for its Pods, and what it is called.

use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::available_parallelism;

use crate::manifest::downward::Allocatable;
use crate::manifest::quantity::Quantity;

/// Cores, memory, and the disk that `folder` is on: what a container without a limit of its own
/// sees as one (`resourceFieldRef`). What cannot be found out is zero.
pub fn allocatable(folder: &Path) -> Allocatable {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    Allocatable {
        cpu: Quantity::units(i64::try_from(cores).unwrap_or(i64::MAX)),
        memory: Quantity::from_bytes(memory()),
        ephemeral_storage: Quantity::from_bytes(disk(folder)),
    }
}

/// The name of the node: the host's.
pub fn node_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn memory() -> u64 {
    let system = rustix::system::sysinfo();
    u64::from(system.mem_unit).saturating_mul(system.totalram)
}

/// The disk of the nearest folder above that exists.
fn disk(folder: &Path) -> u64 {
    folder
        .ancestors()
        .find_map(|folder| rustix::fs::statvfs(folder).ok())
        .map_or(0, |disk| disk.f_blocks.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_something_of_everything() {
        let all = allocatable(Path::new("/nowhere/that/exists"));
        assert!(all.cpu.units_ceil() > 0);
        assert!(all.memory.bytes() > 1 << 20);
        assert!(all.ephemeral_storage.bytes() > 1 << 20);
        assert!(!node_name().is_empty());
    }
}
