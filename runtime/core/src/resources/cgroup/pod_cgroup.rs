//! Making the cgroup of a Pod, entering it, leaving it, and removing those of dead Pods.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::figures::{Figures, PERIOD};
use super::hierarchy::{Hierarchy, Tree};
use crate::resources::QosClass;

const TOP: &str = "wasmpod";

/// A sweep may remove a folder that nobody is in yet.
const TRIES: usize = 3;

const CLASSES: [QosClass; 3] = [QosClass::Guaranteed, QosClass::Burstable, QosClass::BestEffort];

/// A Pod cannot have a cgroup.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The machine has none, or none that is ours to use.
    #[error("no cgroups are mounted here")]
    None,
    /// One of its files or folders refuses.
    #[error("{}", path.display())]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The cgroup trees of this machine.
#[derive(Debug, Clone)]
pub struct Trees {
    hierarchy: Hierarchy,
    /// Where this process is in each, by `/proc/self/cgroup`.
    cgroups: String,
}

/// The cgroup that this process is in as a Pod. Dropping it leaves and removes it, which takes the
/// kernel some ten milliseconds.
#[derive(Debug)]
pub struct PodCgroup {
    trees: Trees,
    folders: Vec<PodFolder>,
    class: QosClass,
}

/// The Pod's folder in one tree.
#[derive(Debug)]
struct PodFolder {
    tree: Tree,
    folder: PathBuf,
}

impl Trees {
    /// The trees that are mounted.
    ///
    /// # Errors
    /// [`CgroupError::None`]
    pub fn find() -> Result<Self, CgroupError> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let hierarchy = Hierarchy::of(&read("/proc/self/mountinfo")).ok_or(CgroupError::None)?;
        Ok(Self { hierarchy, cgroups: read("/proc/self/cgroup") })
    }

    /// Moves this process into a new cgroup for the Pod `uid`. Call it once in a process's life; it
    /// takes the kernel some ten milliseconds.
    ///
    /// # Errors
    /// [`CgroupError::Refused`], as for whoever is not root. Nothing is left behind.
    pub fn enter(
        &self,
        uid: &str,
        class: QosClass,
        figures: &Figures,
    ) -> Result<PodCgroup, CgroupError> {
        let mut outcome = self.try_enter(uid, class, figures);
        for _ in 1..TRIES {
            match &outcome {
                Err(CgroupError::Refused { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    outcome = self.try_enter(uid, class, figures);
                }
                _ => break,
            }
        }
        outcome
    }

    fn try_enter(
        &self,
        uid: &str,
        class: QosClass,
        figures: &Figures,
    ) -> Result<PodCgroup, CgroupError> {
        let mut pod = PodCgroup { trees: self.clone(), folders: Vec::new(), class };
        for tree in self.hierarchy.trees() {
            let folder = class_folder(tree, class).join(format!("pod{uid}"));
            self.make(tree, &folder)?;
            // From here on it is removed again.
            pod.folders.push(PodFolder { tree: tree.clone(), folder: folder.clone() });
            self.bound(tree, &folder, figures)?;
            self.share_out(tree, class);
            write(&folder.join("cgroup.procs"), &std::process::id().to_string())?;
        }
        Ok(pod)
    }

    /// Removes the cgroups of Pods that have no process any more. One that is about to be entered is
    /// made again by whoever enters.
    pub fn sweep(&self) {
        for tree in self.hierarchy.trees() {
            for class in CLASSES {
                let pods = pods(&class_folder(tree, class));
                // Refused where somebody is in it, which is right.
                let removed = pods.filter(|folder| fs::remove_dir(folder).is_ok());
                if removed.count() > 0 {
                    self.share_out(tree, class);
                }
            }
        }
    }

    /// Makes the folder with those above it; in version 2 each must pass its controllers on.
    fn make(&self, tree: &Tree, folder: &Path) -> Result<(), CgroupError> {
        let mut at = tree.point.clone();
        for part in folder.strip_prefix(&tree.point).unwrap_or(folder) {
            if matches!(self.hierarchy, Hierarchy::V2(_)) {
                pass_on(&at)?;
            }
            at.push(part);
            match fs::create_dir(&at) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(CgroupError::Refused { path: at, source: error });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn bound(&self, tree: &Tree, folder: &Path, figures: &Figures) -> Result<(), CgroupError> {
        let set = |file: &str, value: String| write(&folder.join(file), &value);
        let is_v2 = matches!(self.hierarchy, Hierarchy::V2(_));
        if self.hierarchy.has_cpu(tree) {
            let (file, share) = self.share(figures);
            set(file, share.to_string())?;
            match figures.quota {
                Some(quota) if is_v2 => set("cpu.max", format!("{quota} {PERIOD}"))?,
                Some(quota) => {
                    set("cpu.cfs_period_us", PERIOD.to_string())?;
                    set("cpu.cfs_quota_us", quota.to_string())?;
                }
                None => {}
            }
        }
        if self.hierarchy.has_memory(tree)
            && let Some(limit) = figures.memory
        {
            set(if is_v2 { "memory.max" } else { "memory.limit_in_bytes" }, limit.to_string())?;
        }
        Ok(())
    }

    /// The share of the CPU, and the file that it is written to.
    fn share(&self, figures: &Figures) -> (&'static str, u64) {
        match self.hierarchy {
            Hierarchy::V1 { .. } => ("cpu.shares", figures.shares),
            Hierarchy::V2(_) => ("cpu.weight", figures.weight()),
        }
    }

    /// Gives a class the sum of what its Pods have: what they get then is what they would get side by
    /// side. Best effort together has the least there is.
    fn share_out(&self, tree: &Tree, class: QosClass) {
        if class == QosClass::Guaranteed || !self.hierarchy.has_cpu(tree) {
            return;
        }
        let folder = class_folder(tree, class);
        // Who counts must be alone: a sum of before would stay.
        let Ok(_alone) = File::open(&folder).and_then(|folder| {
            flock(&folder, FlockOperation::LockExclusive)?;
            Ok(folder)
        }) else {
            return;
        };
        let (file, least) = self.share(&Figures::LEAST);
        let most = match self.hierarchy {
            Hierarchy::V1 { .. } => 262_144,
            Hierarchy::V2(_) => 10_000,
        };
        let shares = pods(&folder)
            .filter_map(|pod| fs::read_to_string(pod.join(file)).ok()?.trim().parse::<u64>().ok());
        let share = match class {
            QosClass::BestEffort => least,
            QosClass::Burstable | QosClass::Guaranteed => shares.sum::<u64>().clamp(least, most),
        };
        if let Err(error) = write(&folder.join(file), &share.to_string()) {
            tracing::debug!("a class of Pods keeps its share: {error}");
        }
    }
}

impl Drop for PodCgroup {
    fn drop(&mut self) {
        let Trees { hierarchy, cgroups } = &self.trees;
        for PodFolder { tree, folder } in &self.folders {
            let before = hierarchy.current(tree, cgroups).unwrap_or_else(|| tree.point.clone());
            // Where it cannot go back the folder stays until a sweep after its end.
            let _ = write(&before.join("cgroup.procs"), &std::process::id().to_string());
            let _ = fs::remove_dir(folder);
            self.trees.share_out(tree, self.class);
        }
    }
}

fn class_folder(tree: &Tree, class: QosClass) -> PathBuf {
    let top = tree.point.join(TOP);
    match class {
        QosClass::Guaranteed => top,
        QosClass::Burstable => top.join("burstable"),
        QosClass::BestEffort => top.join("besteffort"),
    }
}

/// The folders of the Pods of a class.
fn pods(class: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let is_a_pods = |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(b"pod");
    entries.filter(is_a_pods).map(|entry| entry.path())
}

/// Lets the folders below have the controllers.
fn pass_on(folder: &Path) -> Result<(), CgroupError> {
    const CONTROLLERS: [&str; 2] = ["cpu", "memory"];
    let file = folder.join("cgroup.subtree_control");
    let passed = fs::read_to_string(&file).unwrap_or_default();
    let has = |controller: &&str| passed.split_whitespace().any(|passed| passed == *controller);
    let missing: Vec<String> = CONTROLLERS
        .iter()
        .filter(|controller| !has(controller))
        .map(|controller| format!("+{controller}"))
        .collect();
    if missing.is_empty() { Ok(()) } else { write(&file, &missing.join(" ")) }
}

fn write(path: &Path, value: &str) -> Result<(), CgroupError> {
    // As a kernel wants it: in one call, into a file that is there.
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(|source| CgroupError::Refused { path: path.to_owned(), source })
}
