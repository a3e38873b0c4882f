//! Where this machine keeps its cgroups. Pure.

use std::path::{Path, PathBuf};

/// The mounted hierarchies that a Pod's cgroup needs a folder in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hierarchy {
    /// One tree for each controller; one that is absent is not mounted. A hybrid machine is one of
    /// these: its controllers are here.
    V1 {
        /// `cpu.shares`, `cpu.cfs_quota_us`
        cpu: Option<Tree>,
        /// `memory.limit_in_bytes`
        memory: Option<Tree>,
    },
    /// One tree for all.
    V2(Tree),
}

/// One tree, or the part of it that is visible here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// The cgroup that is its top there: in a container that may be the container's own.
    top: PathBuf,
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
                        cpu.get_or_insert_with(|| mount.tree.clone());
                    }
                    if has("memory") {
                        memory.get_or_insert_with(|| mount.tree.clone());
                    }
                }
                "cgroup2" => {
                    unified.get_or_insert(mount.tree);
                }
                _ => {}
            }
        }
        if cpu.is_some() || memory.is_some() {
            return Some(Self::V1 { cpu, memory });
        }
        unified.map(Self::V2)
    }

    /// The trees, each once: both controllers may be mounted together.
    pub(super) fn trees(&self) -> Vec<&Tree> {
        match self {
            Self::V1 { cpu, memory } => {
                let mut trees: Vec<&Tree> = cpu.iter().chain(memory).collect();
                trees.dedup();
                trees
            }
            Self::V2(tree) => vec![tree],
        }
    }

    /// Whether CPU is shared out in this tree.
    pub(super) fn has_cpu(&self, tree: &Tree) -> bool {
        match self {
            Self::V1 { cpu, .. } => cpu.as_ref() == Some(tree),
            Self::V2(_) => true,
        }
    }

    /// Whether memory is bounded in this tree.
    pub(super) fn has_memory(&self, tree: &Tree) -> bool {
        match self {
            Self::V1 { memory, .. } => memory.as_ref() == Some(tree),
            Self::V2(_) => true,
        }
    }

    /// The folder in this tree of the cgroup that a process is in, by its `/proc/PID/cgroup`.
    pub(super) fn current(&self, tree: &Tree, cgroups: &str) -> Option<PathBuf> {
        cgroups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, Path::new(parts.next()?));
            let has = |name| controllers.split(',').any(|controller| controller == name);
            let is_here = match self {
                Self::V1 { .. } => {
                    self.has_cpu(tree) && has("cpu") || self.has_memory(tree) && has("memory")
                }
                Self::V2(_) => controllers.is_empty(),
            };
            // One that is not below the top is out of sight: the top is the nearest to it.
            is_here.then(|| tree.point.join(path.strip_prefix(&tree.top).unwrap_or(Path::new(""))))
        })
    }
}

struct Mount<'line> {
    tree: Tree,
    kind: &'line str,
    options: &'line str,
}

impl<'line> Mount<'line> {
    /// `36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    fn read(line: &'line str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut places = mount.split(' ').skip(3);
        let (top, point) = (places.next()?, places.next()?);
        let mut filesystem = filesystem.split(' ');
        let kind = filesystem.next()?;
        let options = filesystem.nth(1)?;
        // No machine has cgroups at a place whose name needs escapes.
        Some(Self { tree: Tree { point: point.into(), top: top.into() }, kind, options })
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
        let points = |mountinfo| {
            let hierarchy = Hierarchy::of(mountinfo).unwrap();
            let trees = hierarchy.trees();
            trees.iter().map(|tree| tree.point.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(points(V1), ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory"]);
        assert_eq!(points(V2), ["/sys/fs/cgroup"]);
        assert_eq!(Hierarchy::of(""), None);
        assert_eq!(Hierarchy::of("no mounts at all\n - \n1 2 3 4 5 - cgroup"), None);
    }

    fn current(mountinfo: &str, cgroups: &str) -> Vec<Option<PathBuf>> {
        let hierarchy = Hierarchy::of(mountinfo).unwrap();
        hierarchy.trees().into_iter().map(|tree| hierarchy.current(tree, cgroups)).collect()
    }

    #[test]
    fn a_process_is_somewhere_in_each() {
        let cgroups = "4:memory:/a/b\n2:cpu,cpuacct:/\n0::/init.scope\n";
        let some = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            current(V1, cgroups),
            [some("/sys/fs/cgroup/cpu,cpuacct/"), some("/sys/fs/cgroup/memory/a/b")]
        );
        assert_eq!(current(V2, cgroups), [some("/sys/fs/cgroup/init.scope")]);
        assert_eq!(current(V2, "nonsense"), [None]);
    }

    #[test]
    fn in_a_container_the_top_may_be_its_own() {
        let mounted = V2.replace(" / /sys", " /docker/1 /sys");
        let top = Some(PathBuf::from("/sys/fs/cgroup/"));
        for (cgroups, expected) in [
            ("0::/docker/1", top.clone()),
            ("0::/docker/1/below", Some("/sys/fs/cgroup/below".into())),
            ("0::/elsewhere", top),
        ] {
            assert_eq!(current(&mounted, cgroups), [expected], "{cgroups}");
        }
    }
}
