//! How much memory there is: the kubelet's signal `memory.available`.
//!
//! Where it was said how much Pods may have, it is that less what they use. Else it is what the kernel
//! says of the machine, or of the nearest of the cgroups round this process that has less: a container,
//! a service of systemd. What could be dropped from the page cache counts as available.

use std::fs;
use std::path::{Path, PathBuf};

use super::usage::PodUsage;
use super::watch::Memory;

/// The folder of our own cgroups: that of a Pod bounds the Pod and not the machine.
const OURS: &str = "wasmpod";

/// What is left of `capacity`.
pub(super) fn beside(capacity: u64, pods: &[PodUsage]) -> Memory {
    let used: u64 = pods.iter().map(PodUsage::memory).sum();
    Memory { available: capacity.saturating_sub(used), capacity }
}

/// What is left of this machine; nothing where the kernel does not say.
pub(super) fn of_machine() -> Option<Memory> {
    let machine = meminfo(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let folders = cgroup_folders(&cgroups, Path::new("/sys/fs/cgroup"));
    let bounds = folders.iter().filter_map(|folder| bound(folder));
    Some(bounds.fold(machine, |least, bound| Memory {
        available: least.available.min(bound.available),
        capacity: least.capacity.min(bound.capacity),
    }))
}

fn meminfo(text: &str) -> Option<Memory> {
    let kib = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    Some(Memory {
        available: kib("MemAvailable")?.saturating_mul(1024),
        capacity: kib("MemTotal")?.saturating_mul(1024),
    })
}

/// The folders of the memory controller, from this process's up to the root. In a container that path
/// may be the host's, of which only the end is visible.
fn cgroup_folders(cgroups: &str, root: &Path) -> Vec<PathBuf> {
    let of_line = |line: &str| -> Option<(PathBuf, PathBuf)> {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let base = match controllers {
            "" => root.to_owned(),
            _ if controllers.split(',').any(|name| name == "memory") => root.join("memory"),
            _ => return None,
        };
        let path = Path::new(path.trim_start_matches('/')).iter();
        Some((base, path.take_while(|part| *part != OURS).collect()))
    };
    let lines = cgroups.lines().filter_map(of_line);
    lines
        .flat_map(|(base, path)| {
            let above: Vec<PathBuf> = path.ancestors().map(|path| base.join(path)).collect();
            above
        })
        .collect()
}

/// What is left within the bound of one cgroup, if it has one.
fn bound(folder: &Path) -> Option<Memory> {
    let number = |names: [&str; 2]| -> Option<u64> {
        let text = names.iter().find_map(|name| fs::read_to_string(folder.join(name)).ok())?;
        // `max` is no number, and no bound.
        text.trim().parse().ok()
    };
    let capacity = number(["memory.max", "memory.limit_in_bytes"])?;
    let used = number(["memory.current", "memory.usage_in_bytes"])?;
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let droppable = ["total_inactive_file ", "inactive_file "].iter().find_map(|name| {
        stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
    });
    let used = used.saturating_sub(droppable.unwrap_or(0));
    Some(Memory { available: capacity.saturating_sub(used), capacity })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_machine_says_what_is_available() {
        let text = "MemTotal:       2097152 kB\nMemFree:          1024 kB\n\
                    MemAvailable:    1048576 kB\n";
        let expected = Memory { available: 1024 * MIB, capacity: 2048 * MIB };
        assert_eq!(meminfo(text), Some(expected));
        assert_eq!(meminfo("MemTotal: many kB\n"), None);
        let here = of_machine().unwrap();
        assert!(here.available > 0 && here.available <= here.capacity, "{here:?}");
    }

    #[test]
    fn a_bound_round_the_process_counts_and_that_of_a_pod_does_not() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/memory.max", &format!("{}\n", 100 * MIB));
        write("a/memory.current", &format!("{}\n", 80 * MIB));
        write("a/memory.stat", &format!("anon 1\ninactive_file {}\n", 10 * MIB));
        write("a/wasmpod/podx/memory.max", "4096\n");
        write("a/wasmpod/podx/memory.current", "4096\n");
        write("memory/b/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/b/memory.usage_in_bytes", "4096\n");
        let bounds = |cgroups: &str| -> Vec<Memory> {
            let folders = cgroup_folders(cgroups, root.path());
            folders.iter().filter_map(|folder| bound(folder)).collect()
        };
        let expected = Memory { available: 30 * MIB, capacity: 100 * MIB };
        assert_eq!(bounds("0::/a/wasmpod/podx\n"), [expected]);
        assert_eq!(bounds("0::/a/b\n"), [expected]);
        assert_eq!(bounds("5:cpu:/a\n4:memory:/b\n").len(), 1);
        assert_eq!(bounds("nonsense\n\n:::\n"), []);
    }
}
