//! Removing what nothing needs, while Pods run and other commands work.
//!
//! Whatever goes is nobody's: it is found by the absence of an object and of a lock, in an order in which
//! a Pod that is being made has both before it has anything else. Links are removed, never followed.

use std::time::Duration;

use wasmpod::image::remove_unused_code;
use wasmpod::logs::pod_folders;
use wasmpod::pod::{Folders, sweep_dead_pods};
use wasmpod::sandbox::filesystem::{self, clear_spare, remove_tree};

use super::known::{Known, claims};
use super::usage::{Kind, size};
use crate::background::{BackgroundError, BackgroundPods};
use crate::images::{self, Images};

/// Machine code that was not used for so long is not missed: at worst it is compiled once more.
const LONG: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is to go beside what nothing needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prune {
    /// Pods that have ended, and all images and machine code that no Pod uses now.
    pub all: bool,
    /// The data of claims that are no objects, and that no Pod names.
    pub volumes: bool,
}

/// What has gone.
#[derive(Debug, Default)]
pub struct Pruned {
    /// By name where it had one.
    pub removed: Vec<(Kind, String)>,
    /// What all of it took on the disk.
    pub bytes: u64,
    /// What could not be removed, and why.
    pub problems: Vec<String>,
}

impl Pruned {
    fn note(&mut self, problem: impl std::fmt::Display) {
        self.problems.push(problem.to_string());
    }

    fn remove(&mut self, kind: Kind, name: String, path: &std::path::Path) {
        let bytes = size(path);
        match remove_tree(path) {
            Ok(()) => {
                self.removed.push((kind, name));
                self.bytes += bytes;
            }
            Err(error) => self.note(error),
        }
    }
}

/// Removes what nothing needs. What killed processes have left was mended before, by whoever opened `pods`.
///
/// # Errors
/// The store cannot be read or written; what could be removed before is gone.
pub fn prune(pods: &BackgroundPods, what: Prune) -> Result<Pruned, BackgroundError> {
    let folders = pods.folders();
    let mut pruned = Pruned::default();
    if what.all {
        ended_pods(pods, &mut pruned)?;
    }
    dead_pods(folders, &mut pruned);
    match clear_spare(&folders.pods()) {
        Ok(bytes) => pruned.bytes += bytes,
        Err(error) => pruned.note(error),
    }
    logs(pods, &mut pruned)?;
    if what.volumes {
        volumes(pods, &mut pruned)?;
    }
    images(folders, what.all, &mut pruned);
    let unused_for = if what.all { Duration::ZERO } else { LONG };
    pruned.bytes += remove_unused_code(&folders.cache(), unused_for);
    Ok(pruned)
}

fn images(folders: &Folders, all: bool, pruned: &mut Pruned) {
    let what = if all { images::Prune::Unused } else { images::Prune::Unnamed };
    match Images::new(folders).prune(what) {
        Ok(gone) => {
            for (digest, names) in gone.images {
                let names = if names.is_empty() { vec![digest.to_string()] } else { names };
                pruned.removed.extend(names.into_iter().map(|name| (Kind::Images, name)));
            }
            pruned.bytes += gone.bytes;
        }
        Err(error) => pruned.note(wasmpod::error::chain(&error)),
    }
}

fn ended_pods(pods: &BackgroundPods, pruned: &mut Pruned) -> Result<(), BackgroundError> {
    let folders = pods.folders();
    let known = Known::read(folders, pods.store())?;
    for pod in known.pods.iter().filter(|pod| pod.has_ended()) {
        let bytes = size(&pod.logs(folders));
        if pods.forget_ended(&pod.identity)? {
            let name = format!("{}/{}", pod.identity.namespace, pod.identity.name);
            pruned.removed.push((Kind::Pods, name));
            pruned.bytes += bytes;
        }
    }
    Ok(())
}

fn dead_pods(folders: &Folders, pruned: &mut Pruned) {
    let pods = folders.pods();
    let dead = filesystem::dead(&pods).unwrap_or_default();
    let sizes: Vec<u64> = dead.iter().map(|uid| size(&pods.join(uid))).collect();
    sweep_dead_pods(folders);
    for (uid, bytes) in dead.into_iter().zip(sizes) {
        if !folders.has_owner(&uid) {
            pruned.removed.push((Kind::Pods, uid));
            pruned.bytes += bytes;
        }
    }
}

fn logs(pods: &BackgroundPods, pruned: &mut Pruned) -> Result<(), BackgroundError> {
    let folders = pods.folders();
    // Before the objects are read: the logs of a Pod that is made from now on are not among them.
    let found = pod_folders(&folders.logs()).unwrap_or_default();
    let known = Known::read(folders, pods.store())?;
    for (uid, folder) in found {
        if !known.is_needed(folders, &uid) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            pruned.remove(Kind::Logs, name, &folder);
        }
    }
    Ok(())
}

fn volumes(pods: &BackgroundPods, pruned: &mut Pruned) -> Result<(), BackgroundError> {
    let folders = pods.folders();
    let found = claims(folders);
    let known = Known::read(folders, pods.store())?;
    // One that has just started in the foreground is no object yet, and may name any of them.
    let is_object = |uid: &String| known.pods.iter().any(|pod| pod.identity.uid == *uid);
    let live = filesystem::live(&folders.pods());
    if !live.is_ok_and(|live| live.iter().all(is_object)) {
        pruned.note("volumes stay: a Pod runs that is no object, and may use them");
        return Ok(());
    }
    for (claim, folder) in found {
        // Anew for each: to remove the one before may have taken long.
        if !Known::read(folders, pods.store())?.needs_claim(&claim) {
            pruned.remove(Kind::Volumes, format!("{}/{}", claim.0, claim.1), &folder);
        }
    }
    Ok(())
}
