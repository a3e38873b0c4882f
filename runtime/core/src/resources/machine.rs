//! What this machine has for its Pods, and what it is called.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::executor::cores;
use crate::manifest::downward::Allocatable;
use crate::manifest::quantity::Quantity;

/// Cores, memory, and the disk that `folder` is on: what a container without a limit of its own
/// sees as one (`resourceFieldRef`). What cannot be found out is zero.
pub fn allocatable(folder: &Path) -> Allocatable {
    Allocatable {
        cpu: Quantity::units(i64::try_from(cores()).unwrap_or(i64::MAX)),
        memory: Quantity::from_bytes(allocatable_memory()),
        ephemeral_storage: Quantity::from_bytes(disk(folder)),
    }
}

/// The name of the node: the host's.
pub fn node_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Bytes that the guests of a Pod without limits of their own may use together, which is also what
/// `resourceFieldRef` tells them: three quarters of what the kernel would let this process have.
/// The rest is for the host's own buffers and for everybody else: guests must fail before their
/// host does.
pub fn allocatable_memory() -> u64 {
    static MEMORY: LazyLock<u64> = LazyLock::new(|| {
        let cgroups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let bound = cgroup_limit(&cgroups, Path::new("/sys/fs/cgroup")).unwrap_or(u64::MAX);
        machine_memory().min(bound) / 4 * 3
    });
    *MEMORY
}

/// Bytes of memory that this machine has.
pub fn machine_memory() -> u64 {
    let system = rustix::system::sysinfo();
    // The unit is 1 on every 64-bit system.
    u64::from(system.mem_unit.max(1)).saturating_mul(system.totalram)
}

/// The least memory limit of the cgroups that this process is in, given `/proc/self/cgroup`.
///
/// In a container that path may be the host's, of which only the end is visible: what is not there
/// is passed over, up to the root.
fn cgroup_limit(cgroups: &str, root: &Path) -> Option<u64> {
    let limits = cgroups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let (folder, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return Vec::new(),
        };
        let path = Path::new(path.trim_start_matches('/'));
        let files = path.ancestors().map(|path| folder.join(path).join(file));
        files.filter_map(limit_in).collect()
    });
    limits.min()
}

/// `max` of version 2 is no number, and no limit.
fn limit_in(file: PathBuf) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
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
    fn the_least_limit_of_all_cgroups_around_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let limit = |cgroups: &str| cgroup_limit(cgroups, root.path());
        assert_eq!(limit("0::/a/b\n"), None);
        write("a/b/memory.max", "max\n");
        assert_eq!(limit("0::/a/b\n"), None);
        write("a/memory.max", "4096\n");
        assert_eq!(limit("0::/a/b\n"), Some(4096));
        // Version 1, in a container that sees its own cgroup as the root.
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit("5:cpu:/x\n4:memory:/docker/1\n"), Some(9_223_372_036_854_771_712));
        write("memory/docker/1/memory.limit_in_bytes", "512\n");
        assert_eq!(limit("5:cpu:/x\n4:memory,misc:/docker/1\n0::/a\n"), Some(512));
        assert_eq!(limit("nonsense\n\n:::\n"), None);
    }

    #[test]
    fn the_machine_has_something_of_everything() {
        let all = allocatable(Path::new("/nowhere/that/exists"));
        assert!(all.cpu.units_ceil() > 0);
        assert!(all.memory.bytes() > 1 << 20);
        assert!(all.ephemeral_storage.bytes() > 1 << 20);
        assert!(!node_name().is_empty());
    }
}
