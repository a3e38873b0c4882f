//! One folder of records, read when it has changed.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::geteuid;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::files::Records;
use crate::sandbox::network::lock::lock;

/// The extensions of a record, and of one that is being written.
pub(super) const RECORD: &str = "json";
pub(super) const UNFINISHED: &str = "new";

/// A folder's time of change is that of the kernel's tick: two changes within one look alike.
const TICK: Duration = Duration::from_millis(50);

/// The death of a process changes no folder: after so long it is looked whether all still live.
const LASTS: Duration = Duration::from_secs(1);

/// By then a record is finished, or whoever wrote it is dead.
const LEFT: Duration = Duration::from_secs(60);

/// The largest record that is read; the labels of a Pod are 256 KiB at most.
const LARGEST: u64 = 1 << 20;

/// How often a record may be replaced while it is being opened.
const TRIES: usize = 100;

/// A folder of records and what was last read of it.
#[derive(Debug)]
pub(super) struct Shelf<Record> {
    folder: PathBuf,
    latest: Mutex<Option<Reading<Record>>>,
}

#[derive(Debug)]
struct Reading<Record> {
    stamp: Option<Stamp>,
    at: Instant,
    records: Records<Record>,
}

/// When and what a folder was: it is another after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified: SystemTime,
}

impl<Record: DeserializeOwned> Shelf<Record> {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, latest: Mutex::new(None) }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All records of live processes, by the names of their files. Those of dead ones are removed.
    pub(super) fn read(&self) -> Records<Record> {
        let (stamp, now) = (Stamp::of(&self.folder), Instant::now());
        let mut latest = lock(&self.latest);
        if let Some(reading) = &*latest
            && reading.stamp == stamp
            && now.saturating_duration_since(reading.at) < LASTS
        {
            return Arc::clone(&reading.records);
        }
        // Before it is read: a folder that has just changed may change once more and not show it.
        let is_settled = stamp.is_none_or(|stamp| stamp.is_settled());
        let records = Arc::new(read_all(&self.folder));
        let reading = Reading { stamp, at: now, records: Arc::clone(&records) };
        *latest = is_settled.then_some(reading);
        records
    }

    pub(super) fn forget(&self) {
        *lock(&self.latest) = None;
    }
}

fn read_all<Record: DeserializeOwned>(folder: &Path) -> Vec<Arc<Record>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    let read = |path: &PathBuf| {
        if path.extension().is_some_and(|extension| extension == RECORD) {
            return parse(open_live(path)?, path);
        }
        remove_if_left(path);
        None
    };
    paths.iter().filter_map(read).collect()
}

impl Stamp {
    fn of(folder: &Path) -> Option<Self> {
        let metadata = fs::metadata(folder).ok()?;
        Some(Self { inode: metadata.ino(), modified: metadata.modified().ok()? })
    }

    /// A clock that was set back makes it read each time until it has caught up, and no less.
    fn is_settled(&self) -> bool {
        self.modified.elapsed().is_ok_and(|age| age > TICK)
    }
}

/// Opens a record whose process lives, and removes that of a dead one.
fn open_live(path: &Path) -> Option<File> {
    for _ in 0..TRIES {
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        if metadata.uid() != geteuid().as_raw() {
            return None;
        }
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Err(Errno::WOULDBLOCK) => return Some(file),
            Err(_) => return None,
            Ok(()) => {}
        }
        // Nobody holds it. A live one has put another file in its place, a dead one never will.
        let there = fs::metadata(path).ok()?;
        if there.ino() == metadata.ino() {
            let _ = fs::remove_file(path);
            return None;
        }
    }
    None
}

fn parse<Record: DeserializeOwned>(file: File, path: &Path) -> Option<Arc<Record>> {
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).ok()?;
    match serde_json::from_slice(&text) {
        Ok(record) => Some(Arc::new(record)),
        Err(error) => {
            // Another version of the program, most likely.
            tracing::debug!("{} is not understood: {error}", path.display());
            None
        }
    }
}

/// Removes what a process has not finished writing, once it is too old to be at work.
fn remove_if_left(path: &Path) {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    if modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > LEFT)) {
        let _ = fs::remove_file(path);
    }
}
