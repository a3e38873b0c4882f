//! Making the cgroup of a Pod, entering it, leaving it, and removing those of dead Pods.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::CgroupError;
use super::figures::{Figures, PERIOD};
use super::hierarchy::{Controllers, Version};
use super::look::{is_ours, look};
use super::names::{CLASSES, COMPILING, POD, TOP, class_folder, compiling_folder, pod_folder};
use super::plan::{CgroupPlan, Spot, Way};
use crate::resources::QosClass;

/// A sweep may remove a folder that nobody is in yet.
const TRIES: usize = 3;

const PROCESSES: &str = "cgroup.procs";

/// The cgroup that this process is in as a Pod. Dropping it leaves and removes it, which takes the
/// kernel some ten milliseconds.
#[derive(Debug)]
pub struct PodCgroup {
    /// Those that were made.
    spots: Vec<Spot>,
    uid: String,
    class: QosClass,
}

impl CgroupPlan {
    /// Finds out where the Pods of this process can have their cgroups.
    ///
    /// # Errors
    /// [`CgroupError::None`], [`CgroupError::NoPlace`]
    pub fn find() -> Result<Self, CgroupError> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self::of(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"), look)
    }

    /// Has this process, and those that it has started, make way in the cgroup that it was started
    /// in, where that is necessary. For who starts the processes of Pods; a Pod's own does it when it
    /// enters.
    ///
    /// # Errors
    /// [`CgroupError::Refused`]
    pub fn step_aside(&self) -> Result<(), CgroupError> {
        let aside = self.spots.iter().filter(|spot| spot.way == Way::StepAside);
        for Spot { base, home, .. } in aside {
            make_folder(&base.join(TOP))?;
            make_folder(home)?;
            let pids = fs::read_to_string(base.join(PROCESSES)).unwrap_or_default();
            for pid in pids.lines().filter(|pid| is_ours(pid)) {
                match write(&home.join(PROCESSES), pid) {
                    // A child that has ended meanwhile.
                    Err(CgroupError::Refused { source, .. })
                        if source.raw_os_error()
                            == Some(rustix::io::Errno::SRCH.raw_os_error()) => {}
                    outcome => outcome?,
                }
            }
        }
        Ok(())
    }

    /// Moves this process into a new cgroup for the Pod `uid`. Call it once in a process's life; it
    /// takes the kernel some ten milliseconds.
    ///
    /// # Errors
    /// [`CgroupError::Refused`]. Nothing is left behind.
    pub fn enter(
        &self,
        uid: &str,
        class: QosClass,
        figures: &Figures,
    ) -> Result<PodCgroup, CgroupError> {
        self.step_aside()?;
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
        let mut pod = PodCgroup { spots: Vec::new(), uid: uid.to_owned(), class };
        for spot in &self.spots {
            let folder = pod_folder(&spot.base, class, uid);
            spot.make(&folder)?;
            // From here on it is removed again.
            pod.spots.push(spot.clone());
            spot.share(&folder, figures)?;
            spot.bound(&folder, figures)?;
            if let Some(compiling) = compiling_folder(&folder) {
                spot.make(&compiling)?;
                spot.share(&compiling, figures)?;
            }
            spot.share_out(class);
            write(&folder.join(PROCESSES), &std::process::id().to_string())?;
        }
        Ok(pod)
    }

    /// Removes what is left of the cgroup of the Pod `uid`, whose process is gone.
    pub fn remove(&self, uid: &str, class: QosClass) {
        self.spots.iter().for_each(|spot| spot.remove(uid, class));
    }

    /// Removes the cgroups of Pods that have no process any more, save those in which the kernel has ended
    /// one: whoever sees to that Pod reads there why. One that is about to be entered is made again by
    /// whoever enters.
    pub fn sweep(&self) {
        for spot in &self.spots {
            for class in CLASSES {
                let folder = class_folder(&spot.base, class);
                // Where its Pod is gone: it is empty most of the time.
                let is_left = |compiling: &PathBuf| {
                    let name = compiling.file_name().unwrap_or_default().to_string_lossy();
                    let uid = name.strip_prefix(COMPILING);
                    uid.is_some_and(|uid| !folder.join(format!("{POD}{uid}")).exists())
                };
                let compiling = folders(&folder, COMPILING).filter(is_left);
                let is_to_go = |pod: &PathBuf| spot.oom_kill_in(pod).is_none();
                let all = folders(&folder, POD).filter(is_to_go).chain(compiling);
                // Refused where somebody is in it, which is right.
                let removed = all.filter(|folder| fs::remove_dir(folder).is_ok());
                if removed.count() > 0 {
                    spot.share_out(class);
                }
            }
        }
    }
}

impl Spot {
    /// Makes the folder with those above it; in version 2 each must pass its controllers on.
    fn make(&self, folder: &Path) -> Result<(), CgroupError> {
        let mut at = self.base.clone();
        for part in folder.strip_prefix(&self.base).unwrap_or(folder) {
            let above = at.clone();
            at.push(part);
            match (self.version, self.way) {
                (Version::V1, _) => make_folder(&at)?,
                (Version::V2, Way::Free | Way::StepAside) => {
                    pass_on(&above, self.controllers)?;
                    make_folder(&at)?;
                }
                (Version::V2, Way::Threaded) => {
                    make_folder(&at)?;
                    write(&at.join("cgroup.type"), "threaded")?;
                    pass_on(&above, self.controllers)?;
                }
            }
        }
        Ok(())
    }

    fn share(&self, folder: &Path, figures: &Figures) -> Result<(), CgroupError> {
        if !self.controllers.cpu {
            return Ok(());
        }
        let (file, share) = self.share_of(figures);
        write(&folder.join(file), &share.to_string())
    }

    fn bound(&self, folder: &Path, figures: &Figures) -> Result<(), CgroupError> {
        let set = |file: &str, value: String| write(&folder.join(file), &value);
        if self.controllers.cpu
            && let Some(quota) = figures.quota
        {
            match self.version {
                Version::V2 => set("cpu.max", format!("{quota} {PERIOD}"))?,
                Version::V1 => {
                    set("cpu.cfs_period_us", PERIOD.to_string())?;
                    match set("cpu.cfs_quota_us", quota.to_string()) {
                        // A cgroup above allows less, and holds.
                        Err(CgroupError::Refused { source, .. })
                            if source.kind() == io::ErrorKind::InvalidInput => {}
                        outcome => outcome?,
                    }
                }
            }
        }
        if self.controllers.memory
            && let Some(limit) = figures.memory
        {
            match self.version {
                Version::V2 => {
                    set("memory.max", limit.to_string())?;
                    // As the kubelet has it: all of it or nothing. Kernels before 4.19 have no word
                    // for that, and there is one process in it.
                    let _ = set("memory.oom.group", "1".to_owned());
                }
                Version::V1 => set("memory.limit_in_bytes", limit.to_string())?,
            }
        }
        Ok(())
    }

    /// What bounds the memory; none where nothing does.
    fn memory_bound(&self, folder: &Path) -> Option<u64> {
        let file = match self.version {
            Version::V2 => "memory.max",
            Version::V1 => "memory.limit_in_bytes",
        };
        fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
    }

    /// The share of the CPU, and the file that it is written to.
    fn share_of(&self, figures: &Figures) -> (&'static str, u64) {
        match self.version {
            Version::V1 => ("cpu.shares", figures.shares),
            Version::V2 => ("cpu.weight", figures.weight()),
        }
    }

    /// Gives a class the sum of what its Pods have: what they get then is what they would get side by
    /// side. Best effort together has the least there is.
    fn share_out(&self, class: QosClass) {
        if class == QosClass::Guaranteed || !self.controllers.cpu {
            return;
        }
        let folder = class_folder(&self.base, class);
        // Who counts must be alone: a sum of before would stay.
        let Ok(_alone) = File::open(&folder).and_then(|folder| {
            flock(&folder, FlockOperation::LockExclusive)?;
            Ok(folder)
        }) else {
            return;
        };
        let (file, least) = self.share_of(&Figures::LEAST);
        let most = match self.version {
            Version::V1 => 262_144,
            Version::V2 => 10_000,
        };
        let shares = folders(&folder, POD)
            .filter_map(|pod| fs::read_to_string(pod.join(file)).ok()?.trim().parse::<u64>().ok());
        let share = match class {
            QosClass::BestEffort => least,
            QosClass::Burstable | QosClass::Guaranteed => shares.sum::<u64>().clamp(least, most),
        };
        if let Err(error) = write(&folder.join(file), &share.to_string()) {
            tracing::debug!("a class of Pods keeps its share: {error}");
        }
    }

    fn remove(&self, uid: &str, class: QosClass) {
        let folder = pod_folder(&self.base, class, uid);
        for folder in compiling_folder(&folder).iter().chain([&folder]) {
            // Where somebody is still in it a later sweep removes it.
            let _ = fs::remove_dir(folder);
        }
        self.share_out(class);
    }
}

impl PodCgroup {
    /// Gives a Pod that runs other shares and bounds. That of its memory only grows: guests are held by the
    /// engine, and a kernel would end the Pod where it holds more than a smaller one.
    ///
    /// # Errors
    /// [`CgroupError::Refused`]
    pub fn adjust(&self, figures: &Figures) -> Result<(), CgroupError> {
        for spot in &self.spots {
            let folder = pod_folder(&spot.base, self.class, &self.uid);
            spot.share(&folder, figures)?;
            let memory = figures
                .memory
                .filter(|memory| spot.memory_bound(&folder).is_some_and(|bound| *memory > bound));
            if figures.quota.is_none() && spot.controllers.cpu {
                match spot.version {
                    Version::V2 => write(&folder.join("cpu.max"), "max")?,
                    Version::V1 => write(&folder.join("cpu.cfs_quota_us"), "-1")?,
                }
            }
            spot.bound(&folder, &Figures { memory, ..*figures })?;
            spot.share_out(self.class);
        }
        Ok(())
    }
}

impl Drop for PodCgroup {
    fn drop(&mut self) {
        for spot in &self.spots {
            // Where it cannot go back the folder stays until a sweep after its end.
            let _ = write(&spot.home.join(PROCESSES), &std::process::id().to_string());
            spot.remove(&self.uid, self.class);
        }
    }
}

/// The folders in that of a class whose names begin so.
fn folders(class: &Path, prefix: &'static str) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let is_one =
        move |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes());
    entries.filter(is_one).map(|entry| entry.path())
}

/// Lets the folders below have the controllers.
fn pass_on(folder: &Path, controllers: Controllers) -> Result<(), CgroupError> {
    let file = folder.join("cgroup.subtree_control");
    let passed = Controllers::listed(&fs::read_to_string(&file).unwrap_or_default());
    let missing: Vec<String> =
        controllers.without(passed).names().map(|name| format!("+{name}")).collect();
    if missing.is_empty() { Ok(()) } else { write(&file, &missing.join(" ")) }
}

fn make_folder(path: &Path) -> Result<(), CgroupError> {
    match fs::create_dir(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(CgroupError::Refused { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write(path: &Path, value: &str) -> Result<(), CgroupError> {
    // As a kernel wants it: in one call, into a file that is there.
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(|source| CgroupError::Refused { path: path.to_owned(), source })
}
