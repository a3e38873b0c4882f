//! Where a Pod's cgroup goes, in whatever surroundings. Pure.
//!
//! It lies below the cgroup that this process was started in, whose bounds (those of a service of
//! systemd, of a container) then hold for the Pod as well, and which a user without privilege may
//! have been given (`Delegate=yes`). Version 1 allows that wherever the folder is ours to change. In
//! version 2 a cgroup with processes in it passes no memory on to others, and CPU only to *threaded*
//! ones, hence:
//!
//! | this process's own cgroup (version 2) | the Pod's |
//! |---|---|
//! | the root of the machine | below it |
//! | ours, nobody else's process in it, passes both controllers on | below it; we step aside into a leaf |
//! | not so, and root, and no bounds would be lost | below the root of the machine |
//! | ours, nobody else's process in it, passes one controller on | below it, with what there is |
//! | ours, with other processes in it | below it, threaded: CPU alone |
//! | anything else | none, and the reason |
//!
//! Rule: the kernel's `cgroup-v2.rst` (*No Internal Process Constraint*, *Threads*), and systemd's
//! `CGROUP_DELEGATION.md`: one never makes cgroups where somebody else manages them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::CgroupError;
use super::hierarchy::{Controllers, Tree, Version, trees};
use super::names::{BEST_EFFORT, BURSTABLE, COMMANDS, POD, TOP};

/// What is to be known of a cgroup's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) access: Access,
    /// Whose processes are in it.
    pub(super) inhabitants: Inhabitants,
    /// Of version 2: what it can pass on.
    pub(super) offers: Controllers,
    /// What leaving it would lose.
    pub(super) bounds: Bounds,
}

/// Whether folders can be made in it and processes moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Ours,
    ReadOnly,
    Refused,
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inhabitants {
    /// Version 2 makes an exception for the root of the machine: anybody may be in it.
    AnybodyInTheRoot,
    /// Nobody but this process and what it has started.
    OnlyOurs,
    Others,
}

/// Whether it, or a cgroup above it, bounds or weighs what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bounds {
    None,
    Some,
}

/// Why there is no place for a Pod's cgroup, or for a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// As in most containers.
    #[error("{} is read-only here", folder.display())]
    ReadOnly {
        /// This process's own cgroup.
        folder: PathBuf,
    },
    /// Nobody has delegated it.
    #[error(
        "{} is not this user's to change; systemd gives one away: `systemd-run --user --scope \
         --property=Delegate=yes wasmpod run …`",
        folder.display()
    )]
    Refused {
        /// This process's own cgroup.
        folder: PathBuf,
    },
    /// Another one than what is mounted here.
    #[error("{} cannot be seen here", folder.display())]
    Absent {
        /// This process's own cgroup.
        folder: PathBuf,
    },
    /// Version 2 passes memory on to nobody then.
    #[error(
        "other processes are in {}; `systemd-run --scope --property=Delegate=yes wasmpod run …` \
         begins in a cgroup of its own",
        folder.display()
    )]
    Inhabited {
        /// This process's own cgroup.
        folder: PathBuf,
    },
    /// Whoever made the cgroup above keeps the controllers back.
    #[error("{} has no controller for it; in a service of systemd `Delegate=yes` asks for all", folder.display())]
    KeptBack {
        /// This process's own cgroup.
        folder: PathBuf,
    },
}

/// Where the cgroups of this process's Pods go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupPlan {
    pub(super) spots: Vec<Spot>,
    note: Option<String>,
}

/// The place in one tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spot {
    pub(super) version: Version,
    /// The cgroup below which ours are.
    pub(super) base: PathBuf,
    /// What they have.
    pub(super) controllers: Controllers,
    pub(super) way: Way,
    /// Where this process is when it holds no Pod.
    pub(super) home: PathBuf,
}

/// How one gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Way {
    /// Nothing is in it.
    Free,
    /// Our own processes are in the base, and leave it first.
    StepAside,
    /// Others' processes are in the base, so all of ours are threaded.
    Threaded,
}

impl CgroupPlan {
    /// The plan for a process with this `/proc/self/mountinfo` and this `/proc/self/cgroup`; `look`
    /// tells of folders.
    ///
    /// # Errors
    /// [`CgroupError::None`], and [`CgroupError::NoPlace`] where not even a part can be had.
    pub(super) fn of(
        mountinfo: &str,
        cgroups: &str,
        look: impl Fn(&Tree, &Path) -> Seen,
    ) -> Result<Self, CgroupError> {
        let (mut spots, mut lacks) = (Vec::new(), Vec::new());
        for tree in trees(mountinfo) {
            let own = tree.own(cgroups).unwrap_or_else(|| tree.point.clone());
            match spot(&tree, own, |folder| look(&tree, folder)) {
                Ok((spot, obstacle)) => {
                    let lacking = tree.controllers.without(spot.controllers);
                    lacks.extend(obstacle.map(|obstacle| (lacking, obstacle)));
                    spots.push(spot);
                }
                Err(obstacle) => lacks.push((tree.controllers, obstacle)),
            }
        }
        if spots.is_empty() {
            let obstacle = lacks.into_iter().next();
            return Err(obstacle.map_or(CgroupError::None, |(_, why)| CgroupError::NoPlace(why)));
        }
        let note = |(lacking, why): &(Controllers, Obstacle)| {
            let what = match (lacking.cpu, lacking.memory) {
                (true, false) => "the Pod's cgroup shares out no CPU",
                _ => "the Pod's cgroup bounds no memory",
            };
            format!("{what}: {why}")
        };
        let notes: Vec<String> = lacks.iter().map(note).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Self { spots, note })
    }

    /// What a user should know once: that the cgroup does only a part of what it could.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The cgroups below which those of Pods are, one for each tree.
    pub fn places(&self) -> impl Iterator<Item = &Path> {
        self.spots.iter().map(|spot| &*spot.base)
    }

    /// The controllers that a Pod's cgroup has.
    pub fn controllers(&self) -> impl Iterator<Item = &'static str> {
        let all = self.spots.iter().map(|spot| spot.controllers);
        all.fold(Controllers::NONE, Controllers::or).names()
    }
}

/// The place in `tree`, and what keeps it from being a whole one.
fn spot(
    tree: &Tree,
    own: PathBuf,
    look: impl Fn(&Path) -> Seen,
) -> Result<(Spot, Option<Obstacle>), Obstacle> {
    // A process that has stepped aside, or holds a Pod, is below the one that it was started in.
    let base = started_in(&own).unwrap_or_else(|| own.clone());
    let spot = |base: PathBuf, controllers, way| {
        let home = match way {
            Way::Free => own.clone(),
            Way::StepAside => base.join(TOP).join(COMMANDS),
            Way::Threaded => base.clone(),
        };
        Spot { version: tree.version, base, controllers, way, home }
    };
    let seen = look(&base);
    let top = look(&tree.point);
    let offers = seen.offers.and(tree.controllers);
    match (tree.version, seen.access, seen.inhabitants) {
        (Version::V1, Access::Ours, _) => Ok((spot(base, tree.controllers, Way::Free), None)),
        (Version::V1, _, _) if top.access == Access::Ours => {
            Ok((spot(tree.point.clone(), tree.controllers, Way::Free), None))
        }
        (Version::V2, Access::Ours, Inhabitants::AnybodyInTheRoot) => whole(tree, offers)
            .map(|lack| (spot(base.clone(), offers, Way::Free), lack))
            .ok_or(Obstacle::KeptBack { folder: base }),
        (Version::V2, Access::Ours, Inhabitants::OnlyOurs) if offers == tree.controllers => {
            Ok((spot(base, offers, Way::StepAside), None))
        }
        (Version::V2, _, _) if is_harmless(seen, top) => {
            let offers = top.offers.and(tree.controllers);
            let base = tree.point.clone();
            whole(tree, offers)
                .map(|lack| (spot(base.clone(), offers, Way::Free), lack))
                .ok_or(Obstacle::KeptBack { folder: base })
        }
        (Version::V2, Access::Ours, Inhabitants::OnlyOurs) if offers != Controllers::NONE => {
            let obstacle = Obstacle::KeptBack { folder: base.clone() };
            Ok((spot(base, offers, Way::StepAside), Some(obstacle)))
        }
        (Version::V2, Access::Ours, Inhabitants::Others) if offers.cpu => {
            let cpu = Controllers { cpu: true, memory: false };
            let lacks_memory = tree.controllers.memory;
            let obstacle = lacks_memory.then(|| Obstacle::Inhabited { folder: base.clone() });
            Ok((spot(base, cpu, Way::Threaded), obstacle))
        }
        (Version::V2, Access::Ours, Inhabitants::Others) => {
            Err(Obstacle::Inhabited { folder: base })
        }
        (Version::V2, Access::Ours, Inhabitants::OnlyOurs) => {
            Err(Obstacle::KeptBack { folder: base })
        }
        (_, Access::ReadOnly, _) => Err(Obstacle::ReadOnly { folder: base }),
        (_, Access::Refused, _) => Err(Obstacle::Refused { folder: base }),
        (_, Access::Absent, _) => Err(Obstacle::Absent { folder: base }),
    }
}

/// Whether a process may go below the root of the machine and nobody misses it.
fn is_harmless(own: Seen, top: Seen) -> bool {
    let is_root = top.inhabitants == Inhabitants::AnybodyInTheRoot;
    is_root && top.access == Access::Ours && own.bounds == Bounds::None
}

/// What is lacking of a root's controllers; nothing at all of them makes no cgroup.
fn whole(tree: &Tree, offers: Controllers) -> Option<Option<Obstacle>> {
    if offers == Controllers::NONE {
        return None;
    }
    let folder = tree.point.clone();
    Some((offers != tree.controllers).then_some(Obstacle::KeptBack { folder }))
}

/// The cgroup above our own folders, for a process in one of them.
fn started_in(own: &Path) -> Option<PathBuf> {
    let ours = own.ancestors().zip(own.ancestors().skip(1)).find(|(folder, above)| {
        let is_ours = |name: &OsStr| {
            [COMMANDS, BURSTABLE, BEST_EFFORT].iter().any(|ours| name == *ours)
                || name.as_encoded_bytes().starts_with(POD.as_bytes())
        };
        folder.file_name().is_some_and(is_ours) && above.file_name().is_some_and(|name| name == TOP)
    });
    ours?.1.parent().map(Path::to_owned)
}
