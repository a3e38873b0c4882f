//! Where this machine keeps its cgroups. Pure.

use std::path::{Path, PathBuf};

/// The mounted hierarchies that a Pod's cgroup needs a folder in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hierarchy {
    /// One tree for each controller; one that is absent is not mounted. A hybrid machine is one of
    /// these: its controllers are here.
    V1 {
        /// `cpu.shares`, `cpu.cfs_quota_us`
        cpu: Option<PathBuf>,
        /// `memory.limit_in_bytes`
        memory: Option<PathBuf>,
    },
    /// One tree for all.
    V2(PathBuf),
}

impl Hierarchy {
    /// Reads `/proc/self/mountinfo`; none where no cgroups are mounted.
    pub(super) fn of(mountinfo: &str) -> Option<Self> {
        let (mut cpu, mut memory, mut unified) = (None, None, None);
        for mount in mountinfo.lines().filter_map(Mount::read) {
            match mount.kind {
                "cgroup" => {
                    let has = |name| mount.options.split(',').any(|option| option == name);
                    if has("cpu") {
                        cpu.get_or_insert_with(|| mount.point.clone());
                    }
                    if has("memory") {
                        memory.get_or_insert_with(|| mount.point.clone());
                    }
                }
                "cgroup2" => {
                    unified.get_or_insert(mount.point);
                }
                _ => {}
            }
        }
        if cpu.is_some() || memory.is_some() {
            return Some(Self::V1 { cpu, memory });
        }
        unified.map(Self::V2)
    }

    /// The folders of the trees.
    pub(super) fn roots(&self) -> Vec<&Path> {
        match self {
            Self::V1 { cpu, memory } => {
                let mut roots: Vec<&Path> =
                    cpu.iter().chain(memory).map(PathBuf::as_path).collect();
                // Both controllers may be mounted together.
                roots.dedup();
                roots
            }
            Self::V2(root) => vec![root],
        }
    }

    /// The controllers of the tree at `root`, as `/proc/self/cgroup` names it.
    fn is_at(&self, root: &Path, controllers: &str) -> bool {
        let has = |name| controllers.split(',').any(|controller| controller == name);
        match self {
            Self::V1 { cpu, memory } => {
                cpu.as_deref() == Some(root) && has("cpu")
                    || memory.as_deref() == Some(root) && has("memory")
            }
            Self::V2(_) => controllers.is_empty(),
        }
    }

    /// The folder in the tree at `root` of the cgroup that a process is in, by its
    /// `/proc/PID/cgroup`.
    pub(super) fn current(&self, root: &Path, cgroups: &str) -> Option<PathBuf> {
        cgroups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let path = Path::new(path.trim_start_matches('/'));
            self.is_at(root, controllers).then(|| root.join(path))
        })
    }
}

struct Mount<'line> {
    point: PathBuf,
    kind: &'line str,
    options: &'line str,
}

impl<'line> Mount<'line> {
    /// `36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    fn read(line: &'line str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        let mut filesystem = filesystem.split(' ');
        let kind = filesystem.next()?;
        let options = filesystem.nth(1)?;
        // No machine has cgroups at a place whose name needs escapes.
        Some(Self { point: point.into(), kind, options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
    const V2: &str =
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";

    #[test]
    fn the_trees_of_either_version_are_found() {
        let v1 = Hierarchy::of(V1).unwrap();
        let roots = v1.roots();
        assert_eq!(roots, ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory"].map(Path::new));
        let v2 = Hierarchy::of(V2).unwrap();
        assert_eq!(v2, Hierarchy::V2("/sys/fs/cgroup".into()));
        assert_eq!(Hierarchy::of(""), None);
        assert_eq!(Hierarchy::of("no mounts at all\n - \n1 2 3 4 5 - cgroup"), None);
    }

    #[test]
    fn a_process_is_somewhere_in_each() {
        let v1 = Hierarchy::of(V1).unwrap();
        let cgroups = "4:memory:/a/b\n2:cpu,cpuacct:/\n0::/init.scope\n";
        let current = |root: &str| v1.current(Path::new(root), cgroups);
        assert_eq!(current("/sys/fs/cgroup/memory"), Some("/sys/fs/cgroup/memory/a/b".into()));
        assert_eq!(
            current("/sys/fs/cgroup/cpu,cpuacct"),
            Some("/sys/fs/cgroup/cpu,cpuacct/".into())
        );
        let v2 = Hierarchy::of(V2).unwrap();
        let root = Path::new("/sys/fs/cgroup");
        assert_eq!(v2.current(root, cgroups), Some("/sys/fs/cgroup/init.scope".into()));
        assert_eq!(v2.current(root, "nonsense"), None);
    }
}
