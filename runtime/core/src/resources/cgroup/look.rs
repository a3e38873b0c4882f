//! Looking at the folder of a cgroup, for the plan.

use std::fs;
use std::path::Path;

use rustix::fs::{Access as Wanted, access};
use rustix::io::Errno;
use rustix::process::getpid;

use super::hierarchy::{Controllers, Tree, Version};
use super::plan::{Access, Bounds, Inhabitants, Seen};

/// What `folder` of `tree` is.
pub(super) fn look(tree: &Tree, folder: &Path) -> Seen {
    match tree.version {
        Version::V1 => Seen {
            access: access_to(&[folder]),
            inhabitants: Inhabitants::OnlyOurs,
            offers: tree.controllers,
            bounds: Bounds::None,
        },
        Version::V2 => Seen {
            // Given away are the folder and these two of its files; the others stay whose they were.
            access: access_to(&[
                folder,
                &folder.join("cgroup.procs"),
                &folder.join("cgroup.subtree_control"),
            ]),
            inhabitants: inhabitants(folder),
            offers: Controllers::listed(&read(&folder.join("cgroup.controllers"))),
            bounds: bounds(tree, folder),
        },
    }
}

fn access_to(paths: &[&Path]) -> Access {
    let refused = paths.iter().find_map(|path| {
        let directory = Wanted::WRITE_OK | Wanted::EXEC_OK;
        access(*path, if path.is_dir() { directory } else { Wanted::WRITE_OK }).err()
    });
    match refused {
        None => Access::Ours,
        Some(Errno::ROFS) => Access::ReadOnly,
        Some(Errno::NOENT | Errno::NOTDIR) => Access::Absent,
        Some(_) => Access::Refused,
    }
}

fn inhabitants(folder: &Path) -> Inhabitants {
    // Only the root of the machine has no type.
    if !folder.join("cgroup.type").exists() {
        return Inhabitants::AnybodyInTheRoot;
    }
    match fs::read_to_string(folder.join("cgroup.procs")) {
        Ok(pids) if pids.lines().all(is_ours) => Inhabitants::OnlyOurs,
        // Of a threaded one it cannot be read.
        Ok(_) | Err(_) => Inhabitants::Others,
    }
}

/// Whether a process is this one, or one that it has started. One from another namespace has no
/// number here but 0.
pub(super) fn is_ours(pid: &str) -> bool {
    let own = getpid().as_raw_nonzero().to_string();
    pid == own || parent(pid).is_some_and(|parent| parent == own)
}

fn parent(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which may hold anything: the state, then the parent.
    stat.rsplit(')').next()?.split_whitespace().nth(1).map(str::to_owned)
}

/// Whether this cgroup or one above it holds back what is in it, so far as it is visible.
fn bounds(tree: &Tree, folder: &Path) -> Bounds {
    let unbounded = [
        ("memory.max", "max"),
        ("memory.high", "max"),
        ("cpu.max", "max 100000"),
        ("cpu.weight", "100"),
        ("cpu.idle", "0"),
        ("memory.swap.max", "max"),
        ("cpuset.cpus", ""),
        ("io.max", ""),
    ];
    let is_bounded = |folder: &Path| {
        unbounded.iter().any(|(file, without)| {
            let text = read(&folder.join(file));
            // A controller that is not here bounds nothing.
            !text.is_empty() && text.trim() != *without
        })
    };
    let mut chain = folder.ancestors().take_while(|above| above.starts_with(&tree.point));
    if chain.any(is_bounded) { Bounds::Some } else { Bounds::None }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
