//! Making the cgroup of a Pod, entering it, leaving it, and removing those of dead Pods.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::figures::{Figures, PERIOD};
use super::hierarchy::Hierarchy;
use crate::resources::QosClass;

const TOP: &str = "kubepods";

/// A sweep may remove a folder that nobody is in yet.
const TRIES: usize = 3;

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

/// The cgroup that this process is in as a Pod. Dropping it leaves and removes it.
#[derive(Debug)]
pub struct PodCgroup {
    trees: Trees,
    folders: Vec<PodFolder>,
    class: QosClass,
}

/// The Pod's folder in one tree.
#[derive(Debug)]
struct PodFolder {
    root: PathBuf,
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

    /// Moves this process into a new cgroup for the Pod `uid`. Call it once in a process's life.
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
        let roots: Vec<PathBuf> =
            pod.trees.hierarchy.roots().into_iter().map(Path::to_owned).collect();
        for root in roots {
            let folder = class_folder(&root, class).join(format!("pod{uid}"));
            pod.make(&root, &folder)?;
            // From here on it is removed again.
            pod.folders.push(PodFolder { root: root.clone(), folder: folder.clone() });
            pod.bound(&root, &folder, figures)?;
            pod.share_out(&root);
            write(&folder.join("cgroup.procs"), &std::process::id().to_string())?;
        }
        Ok(pod)
    }

    /// Removes the cgroups of Pods that have no process any more, and no owner.
    pub fn sweep(&self, is_owned: impl Fn(&str) -> bool) {
        for root in self.hierarchy.roots() {
            for class in [QosClass::Guaranteed, QosClass::Burstable, QosClass::BestEffort] {
                let Ok(entries) = fs::read_dir(class_folder(root, class)) else { continue };
                for entry in entries.flatten() {
                    let name = entry.file_name();
                    let uid = name.to_str().and_then(|name| name.strip_prefix("pod"));
                    if uid.is_some_and(|uid| !is_owned(uid)) {
                        // Refused where somebody is in it, which is right.
                        let _ = fs::remove_dir(entry.path());
                    }
                }
            }
        }
    }
}

impl PodCgroup {
    /// The folders of the Pod, one in each tree.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(|pod| pod.folder.as_path())
    }

    /// Makes the folder with those above it; in version 2 each must pass its controllers on.
    fn make(&self, root: &Path, folder: &Path) -> Result<(), CgroupError> {
        let below = folder.strip_prefix(root).unwrap_or(folder);
        let mut at = root.to_owned();
        for part in below {
            if matches!(self.trees.hierarchy, Hierarchy::V2(_)) {
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

    fn bound(&self, root: &Path, folder: &Path, figures: &Figures) -> Result<(), CgroupError> {
        let set = |file: &str, value: String| write(&folder.join(file), &value);
        match &self.trees.hierarchy {
            Hierarchy::V1 { cpu, memory } => {
                if cpu.as_deref() == Some(root) {
                    set("cpu.shares", figures.shares.to_string())?;
                    if let Some(quota) = figures.quota {
                        set("cpu.cfs_period_us", PERIOD.to_string())?;
                        set("cpu.cfs_quota_us", quota.to_string())?;
                    }
                }
                if memory.as_deref() == Some(root)
                    && let Some(limit) = figures.memory
                {
                    set("memory.limit_in_bytes", limit.to_string())?;
                }
            }
            Hierarchy::V2(_) => {
                set("cpu.weight", figures.weight().to_string())?;
                if let Some(quota) = figures.quota {
                    set("cpu.max", format!("{quota} {PERIOD}"))?;
                }
                if let Some(limit) = figures.memory {
                    set("memory.max", limit.to_string())?;
                }
            }
        }
        Ok(())
    }

    /// Gives the Pod's class the sum of what its Pods have: what they get then is what they would
    /// get side by side. Best effort together has the least there is, as in Kubernetes.
    fn share_out(&self, root: &Path) {
        if self.class != QosClass::Burstable {
            return;
        }
        let (file, most) = match &self.trees.hierarchy {
            Hierarchy::V1 { .. } => ("cpu.shares", 262_144),
            Hierarchy::V2(_) => ("cpu.weight", 10_000),
        };
        let class = class_folder(root, self.class);
        let Ok(entries) = fs::read_dir(&class) else { return };
        let pods = entries
            .flatten()
            .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"pod"));
        let shares = pods.filter_map(|pod| {
            fs::read_to_string(pod.path().join(file)).ok()?.trim().parse::<u64>().ok()
        });
        let sum = shares.sum::<u64>().clamp(2, most);
        // Another one that comes or goes in this moment writes a truer one.
        let _ = fs::write(class.join(file), sum.to_string());
    }
}

impl Drop for PodCgroup {
    fn drop(&mut self) {
        let trees = &self.trees;
        for PodFolder { root, folder } in &self.folders {
            let before = trees.hierarchy.current(root, &trees.cgroups);
            let back = before.unwrap_or_else(|| root.clone()).join("cgroup.procs");
            // Where it cannot go back the folder stays until a sweep after its end.
            let _ = fs::write(back, std::process::id().to_string());
            let _ = fs::remove_dir(folder);
            self.share_out(root);
        }
    }
}

fn class_folder(root: &Path, class: QosClass) -> PathBuf {
    let top = root.join(TOP);
    match class {
        QosClass::Guaranteed => top,
        QosClass::Burstable => top.join("burstable"),
        QosClass::BestEffort => top.join("besteffort"),
    }
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
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()))
        .map_err(|source| CgroupError::Refused { path: path.to_owned(), source })
}
