//! Removing all that wasmpod has on this machine: every Pod, and the state folder's contents.
//!
//! It does not open the store, and works where that is damaged or of a newer program. The objects go
//! first, so that nobody starts a Pod anew; then whoever holds a lock is ended, and what it held removed.
//! Only folders of our own names go: the state folder may have been named by mistake.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};
use wasmpod::pod::{Folders, sweep_dead_pods};
use wasmpod::sandbox::filesystem::remove_tree;

use super::usage::size;
use crate::background::services;
use crate::ledger::Ledger;
use crate::podprocess::PodClient;

/// How long a process may take to end by itself, and then by a signal that it cannot ignore.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one may take to answer.
const SOON: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// What was removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reset {
    /// How many Pods were ended.
    pub ended: usize,
    /// What all of it took on the disk.
    pub bytes: u64,
    /// What is in the state folder and is none of ours.
    pub foreign: Vec<PathBuf>,
}

/// Something stays.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The state folder is not one.
    #[error("{} is no state folder of wasmpod: nothing was removed", root.display())]
    Foreign {
        /// The folder.
        root: PathBuf,
    },
    /// A Pod's process does not end.
    #[error("the process that holds {} does not end", lock.display())]
    Stuck {
        /// Its lock.
        lock: PathBuf,
    },
    /// A file or folder cannot be removed.
    #[error("cannot remove all of {}", path.display())]
    Remove {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Ends every Pod whose state is in `folders`, and removes that state. Compiled code, which other state
/// folders share, stays.
///
/// # Errors
/// [`ResetError`]; what comes before in the order is gone, and another try goes on.
pub async fn reset(folders: &Folders) -> Result<Reset, ResetError> {
    if !is_ours(folders) {
        return Err(ResetError::Foreign { root: folders.root().to_owned() });
    }
    let mut done = Reset { bytes: size(folders.root()), ..Reset::default() };
    remove(&folders.objects())?;
    for locks in [folders.processes(), folders.pods()] {
        done.ended += end_all(folders, &locks).await?;
    }
    // Nobody is left who could write there. One that was ended has opened a new store for its last words.
    for folder in [folders.objects(), folders.processes(), folders.pods(), folders.addresses()] {
        remove(&folder)?;
    }
    for folder in [folders.logs(), folders.volumes(), folders.network(), folders.node()] {
        remove(&folder)?;
    }
    remove(&folders.images())?;
    if folders.sockets().starts_with(folders.root()) {
        remove(folders.sockets())?;
    }
    let left = fs::read_dir(folders.root()).into_iter().flatten().flatten();
    done.foreign = left.map(|entry| entry.path()).collect();
    if done.foreign.is_empty() {
        // Its parent may not let go of it, and nobody minds an empty one.
        let _ = fs::remove_dir(folders.root());
    }
    done.bytes = done.bytes.saturating_sub(size(folders.root()));
    Ok(done)
}

/// Whether there is something in the state folder that nobody else has there, or nothing at all of these names:
/// others have folders named `objects` or `volumes`, too.
fn is_ours(folders: &Folders) -> bool {
    let signs = [
        folders.objects().join("objects.notify"),
        folders.objects().join("objects.db"),
        folders.images().join("pins"),
        folders.pods().join(".spare"),
        folders.node().join("pods"),
        folders.network().join("pods"),
        folders.logs().join("pods"),
        folders.addresses(),
        folders.processes(),
    ];
    let names = [folders.objects(), folders.volumes(), folders.logs(), folders.network()];
    signs.iter().any(|sign| sign.exists()) || !names.iter().any(|name| name.exists())
}

fn remove(path: &Path) -> Result<(), ResetError> {
    remove_tree(path).map_err(|source| ResetError::Remove { path: path.to_owned(), source })
}

/// Ends every process that holds a lock in this folder, and removes the locks; answers how many there were.
async fn end_all(folders: &Folders, locks: &Path) -> Result<usize, ResetError> {
    let mut ended = 0;
    // One that was being started may turn up behind the first look.
    loop {
        // Dead Pods may have Secrets in memory, to which only their folders lead.
        sweep_dead_pods(folders);
        let held = take_free(locks);
        if held.is_empty() {
            return Ok(ended);
        }
        ended += held.iter().filter(|(uid, _)| uid != services::NAME).count();
        for (uid, _) in &held {
            tell(folders, uid).await;
        }
        if !released(&held, PATIENCE).await {
            kill(folders, &held).await;
        }
        if let Some((_, lock)) = held.iter().find(|(_, lock)| is_held(lock))
            && !released(&held, PATIENCE).await
        {
            return Err(ResetError::Stuck { lock: lock.clone() });
        }
        for (uid, _) in &held {
            // What a killed process has left; others have removed it.
            let _ = fs::remove_file(folders.control_socket(uid));
            let _ = fs::remove_file(folders.socket(uid));
        }
    }
}

/// Removes the locks that nobody holds, and gives the others, with the uids of their Pods.
fn take_free(locks: &Path) -> Vec<(String, PathBuf)> {
    let mut held = Vec::new();
    for entry in fs::read_dir(locks).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(uid) = name.to_str().and_then(|name| name.strip_suffix(".lock")) else { continue };
        let path = entry.path();
        let Ok(file) = File::open(&path) else { continue };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // With the lock held: whoever waits for it sees that it is gone, and begins anew.
            Ok(()) => drop(fs::remove_file(&path)),
            Err(_) => held.push((uid.to_owned(), path)),
        }
    }
    held
}

fn is_held(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

/// Waits until none of the locks is held; answers whether that came in time.
async fn released(held: &[(String, PathBuf)], patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while held.iter().any(|(_, lock)| is_held(lock)) {
        if Instant::now() > until {
            return false;
        }
        sleep(PAUSE).await;
    }
    true
}

/// Asks the process of a Pod, or that of Services, to end; one that does not answer is killed.
async fn tell(folders: &Folders, uid: &str) {
    if uid == services::NAME {
        // It ends where there are none, and there is no object any more.
        let folders = folders.clone();
        let telling = tokio::task::spawn_blocking(move || services::tell(&folders));
        let _ = tokio::time::timeout(SOON, telling).await;
        return;
    }
    let client = PodClient::new(folders.control_socket(uid));
    let _ = tokio::time::timeout(SOON, client.kill()).await;
}

/// Ends processes that do not listen: those that have made themselves known, and whoever else has one of
/// the locks open, now and a moment later.
async fn kill(folders: &Folders, held: &[(String, PathBuf)]) {
    for record in Ledger::new(folders).pods_now().iter() {
        let is_meant = held.iter().any(|(uid, lock)| *uid == record.uid && is_held(lock));
        // Its record is there as long as it lives, so nobody else has its number.
        if is_meant {
            kill_process_of(record.pid);
        }
    }
    // A command that only looks has a lock open for an instant.
    let before = holders(held);
    sleep(PAUSE).await;
    holders(held).intersection(&before).copied().for_each(kill_process_of);
}

fn kill_process_of(id: u32) {
    if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process(id, Signal::KILL);
    }
}

/// The other processes that have one of the locks open that are still held.
fn holders(held: &[(String, PathBuf)]) -> HashSet<u32> {
    let still_held = held.iter().map(|(_, lock)| lock).filter(|lock| is_held(lock));
    // As the kernel names them: the state folder may be a link.
    let locks: Vec<PathBuf> = still_held.filter_map(|lock| fs::canonicalize(lock).ok()).collect();
    let has_open = |process: &Path| {
        let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        let mut files = open.filter_map(|file| fs::read_link(file.path()).ok());
        files.any(|file| locks.contains(&file))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|process| {
        let id: u32 = process.file_name().to_str()?.parse().ok()?;
        (id != std::process::id() && has_open(&process.path())).then_some(id)
    });
    ids.collect()
}
