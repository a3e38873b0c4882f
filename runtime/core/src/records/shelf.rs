//! One folder of records, read when it has changed.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::geteuid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::held::Held;

/// Records as they were read together.
pub type Records<Record> = Arc<Vec<Arc<Record>>>;

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
pub struct Shelf<Record> {
    folder: PathBuf,
    on_death: fn(&Record),
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

impl<Record> Shelf<Record> {
    /// The records in `folder`, which needs not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, on_death: |_| {}, latest: Mutex::new(None) }
    }

    /// Has whoever removes the record of a dead process clear up what that record tells of.
    #[must_use]
    pub fn on_death(mut self, clear_up: fn(&Record)) -> Self {
        self.on_death = clear_up;
        self
    }

    /// Where the records are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has the next look read everything again: somebody was found to be dead, which changes no
    /// folder.
    pub fn forget(&self) {
        *self.latest() = None;
    }

    fn latest(&self) -> MutexGuard<'_, Option<Reading<Record>>> {
        // Each change is one assignment.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Record: Serialize> Shelf<Record> {
    /// Publishes a record of this process; its file has that `name`.
    ///
    /// # Errors
    /// The folder cannot be made or written, or is not this user's alone.
    pub fn publish(&self, name: &str, record: &Record) -> io::Result<Held> {
        Held::publish(&self.folder, name, record)
    }
}

impl<Record: DeserializeOwned> Shelf<Record> {
    /// All records of live processes, in the order of their files' names. Those of dead ones are
    /// removed; of one that has just died it may be a second until that is seen.
    pub fn read(&self) -> Records<Record> {
        let (stamp, now) = (Stamp::of(&self.folder), Instant::now());
        let mut latest = self.latest();
        if let Some(reading) = &*latest
            && reading.stamp == stamp
            && now.saturating_duration_since(reading.at) < LASTS
        {
            return Arc::clone(&reading.records);
        }
        // Before it is read: a folder that has just changed may change once more and not show it.
        let is_settled = stamp.is_none_or(|stamp| stamp.is_settled());
        let records = Arc::new(read_all(&self.folder, self.on_death));
        let reading = Reading { stamp, at: now, records: Arc::clone(&records) };
        *latest = is_settled.then_some(reading);
        records
    }
}

fn read_all<Record: DeserializeOwned>(folder: &Path, on_death: fn(&Record)) -> Vec<Arc<Record>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    let read = |path: &PathBuf| {
        if path.extension().is_some_and(|extension| extension == RECORD) {
            return open_live(path, on_death).and_then(|file| parse(file, path)).map(Arc::new);
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
fn open_live<Record: DeserializeOwned>(path: &Path, on_death: fn(&Record)) -> Option<File> {
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
            if let Some(record) = parse(file, path) {
                on_death(&record);
            }
            return None;
        }
    }
    None
}

fn parse<Record: DeserializeOwned>(file: File, path: &Path) -> Option<Record> {
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).ok()?;
    match serde_json::from_slice(&text) {
        Ok(record) => Some(record),
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
