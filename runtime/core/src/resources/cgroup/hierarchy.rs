//! Where this machine keeps its cgroups. Pure.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The interface of a tree of cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Version {
    /// A tree for each controller, or for some together.
    V1,
    /// One tree for all.
    V2,
}

/// Those controllers that a Pod's cgroup needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Controllers {
    /// Shares and quotas of CPU time.
    pub(super) cpu: bool,
    /// A bound on memory.
    pub(super) memory: bool,
}

impl Controllers {
    pub(super) const NONE: Self = Self { cpu: false, memory: false };
    pub(super) const ALL: Self = Self { cpu: true, memory: true };

    /// Those in a list such as `cpu,cpuacct` or `cpuset cpu io memory`.
    pub(super) fn listed(list: &str) -> Self {
        let has = |name| list.split([',', ' ', '\n']).any(|listed| listed == name);
        Self { cpu: has("cpu"), memory: has("memory") }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu && other.cpu, memory: self.memory && other.memory }
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self { cpu: self.cpu && !other.cpu, memory: self.memory && !other.memory }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { cpu: self.cpu || other.cpu, memory: self.memory || other.memory }
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let cpu = self.cpu.then_some("cpu");
        cpu.into_iter().chain(self.memory.then_some("memory"))
    }
}

/// One tree, or the part of it that is visible here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) version: Version,
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// The cgroup that is its top there: in a container that may be the container's own.
    top: PathBuf,
    /// What is to be found in this tree and in no other.
    pub(super) controllers: Controllers,
}

/// The trees with the controllers that matter, by `/proc/self/mountinfo`; none where no cgroups are
/// mounted. On a hybrid machine each controller is of version 1 if it is mounted so: it cannot be in
/// both.
pub(super) fn trees(mountinfo: &str) -> Vec<Tree> {
    let mut found = Controllers::NONE;
    let mut trees = Vec::new();
    let mut unified = None;
    for mount in mountinfo.lines().filter_map(Mount::read) {
        let (version, controllers) = match mount.kind {
            "cgroup" => (Version::V1, Controllers::listed(mount.options).without(found)),
            "cgroup2" => (Version::V2, Controllers::ALL),
            _ => continue,
        };
        let Mount { top, point, .. } = mount;
        let tree = Tree { version, point: point.into(), top: top.into(), controllers };
        match version {
            Version::V1 if controllers == Controllers::NONE => {}
            Version::V1 => {
                found = found.or(controllers);
                trees.push(tree);
            }
            Version::V2 => {
                unified.get_or_insert(tree);
            }
        }
    }
    if let Some(unified) = unified {
        let controllers = unified.controllers.without(found);
        if controllers != Controllers::NONE {
            trees.push(Tree { controllers, ..unified });
        }
    }
    trees
}

impl Tree {
    /// The folder in this tree of the cgroup that a process is in, by its `/proc/PID/cgroup`. Of one
    /// that is not below the top, which is out of sight, it is the top.
    pub(super) fn own(&self, cgroups: &str) -> Option<PathBuf> {
        cgroups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, Path::new(parts.next()?));
            let is_here = match self.version {
                Version::V1 => {
                    Controllers::listed(controllers).and(self.controllers) != Controllers::NONE
                }
                Version::V2 => controllers.is_empty(),
            };
            is_here.then(|| match path.strip_prefix(&self.top) {
                Ok(below) if below != Path::new("") => self.point.join(below),
                Ok(_) | Err(_) => self.point.clone(),
            })
        })
    }
}

struct Mount<'line> {
    top: &'line str,
    point: &'line str,
    kind: &'line str,
    options: &'line str,
}

impl<'line> Mount<'line> {
    /// `36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    fn read(line: &'line str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut places = mount.split(' ').skip(3);
        // No machine has cgroups at a place whose name needs escapes.
        let (top, point) = (places.next()?, places.next()?);
        let mut filesystem = filesystem.split(' ');
        let kind = filesystem.next()?;
        let options = filesystem.nth(1)?;
        Some(Self { top, point, kind, options })
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

    fn points(mountinfo: &str) -> Vec<String> {
        let shown = |tree: Tree| {
            let controllers: Vec<&str> = tree.controllers.names().collect();
            format!("{} {}", tree.point.display(), controllers.join("+"))
        };
        trees(mountinfo).into_iter().map(shown).collect()
    }

    #[test]
    fn the_trees_of_either_version_are_found() {
        let v1 = ["/sys/fs/cgroup/cpu,cpuacct cpu", "/sys/fs/cgroup/memory memory"];
        assert_eq!(points(V1), v1);
        assert_eq!(points(V2), ["/sys/fs/cgroup cpu+memory"]);
        assert!(points("").is_empty());
        assert!(points("no mounts at all\n - \n1 2 3 4 5 - cgroup").is_empty());
    }

    #[test]
    fn controllers_may_be_mounted_together_and_in_both_versions() {
        let together = "9 8 0:1 / /cgroup rw - cgroup cgroup rw,cpu,memory\n";
        assert_eq!(points(together), ["/cgroup cpu+memory"]);
        assert_eq!(points(&format!("{together}{together}")), ["/cgroup cpu+memory"], "once");
        let half: String =
            V1.lines().filter(|line| !line.ends_with("memory")).collect::<Vec<_>>().join("\n");
        assert_eq!(
            points(&half),
            ["/sys/fs/cgroup/cpu,cpuacct cpu", "/sys/fs/cgroup/unified memory"]
        );
    }

    fn own(mountinfo: &str, cgroups: &str) -> Vec<Option<PathBuf>> {
        trees(mountinfo).iter().map(|tree| tree.own(cgroups)).collect()
    }

    #[test]
    fn a_process_is_somewhere_in_each() {
        let cgroups = "4:memory:/a/b\n2:cpu,cpuacct:/\n0::/init.scope\n";
        let some = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            own(V1, cgroups),
            [some("/sys/fs/cgroup/cpu,cpuacct/"), some("/sys/fs/cgroup/memory/a/b")]
        );
        assert_eq!(own(V2, cgroups), [some("/sys/fs/cgroup/init.scope")]);
        assert_eq!(own(V2, "nonsense"), [None]);
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
            assert_eq!(own(&mounted, cgroups), [expected], "{cgroups}");
        }
    }
}
