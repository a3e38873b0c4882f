//! The files of the directory, their locks, their changes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::endpoints::chosen;
use super::record::{PodRecord, ServiceKind, ServiceRecord};
use crate::sandbox::network::lock::lock;

/// A folder's time of change is that of the kernel's tick: two changes within one look alike.
const TICK: Duration = Duration::from_millis(50);

/// The extensions of a record, and of one that is being written.
const RECORD: &str = "json";
const UNFINISHED: &str = "new";

/// By then a record is finished, or whoever wrote it is dead.
const LEFT: Duration = Duration::from_secs(60);

/// The largest record that is read; the labels of a Pod are 256 KiB at most.
const LARGEST: u64 = 1 << 20;

/// The directory of one machine: a folder, and what was last read of it.
#[derive(Debug)]
pub struct Directory {
    folder: PathBuf,
    latest: Mutex<Option<Reading>>,
}

/// All that is known of the machine.
#[derive(Debug, Default)]
pub struct Known {
    /// The Services.
    pub services: Vec<Arc<ServiceRecord>>,
    /// The Pods, in the order of their uids.
    pub pods: Vec<Arc<PodRecord>>,
}

#[derive(Debug)]
struct Reading {
    stamps: [Option<Stamp>; 2],
    known: Arc<Known>,
}

/// When and what a folder was: it is another after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified: SystemTime,
}

/// A record that this process has published: withdrawn when dropped, or when the process dies.
#[derive(Debug)]
pub(crate) struct Held {
    path: PathBuf,
    /// Its lock says that the record is a live one's.
    file: File,
}

impl Directory {
    /// The directory in `folder`, which needs not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, latest: Mutex::new(None) }
    }

    /// What is known now.
    pub fn known(&self) -> Arc<Known> {
        let stamps = [stamp(&self.pods()), stamp(&self.services())];
        let mut latest = lock(&self.latest);
        match &*latest {
            Some(reading) if reading.stamps == stamps => Arc::clone(&reading.known),
            _ => {
                let known = Arc::new(self.read());
                // A folder that has just changed may change once more and not show it.
                let is_settled = stamps.iter().flatten().all(Stamp::is_settled);
                *latest = is_settled.then(|| Reading { stamps, known: Arc::clone(&known) });
                known
            }
        }
    }

    /// Has the next look read everything again: somebody was found to be dead.
    pub(crate) fn forget(&self) {
        *lock(&self.latest) = None;
    }

    fn read(&self) -> Known {
        Known { services: read_all(&self.services()), pods: read_all(&self.pods()) }
    }

    fn pods(&self) -> PathBuf {
        self.folder.join("pods")
    }

    fn services(&self) -> PathBuf {
        self.folder.join("services")
    }

    /// Makes a Pod known, or what has changed of it: what is returned replaces the one before.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub(crate) fn publish_pod(&self, record: &PodRecord) -> io::Result<Held> {
        publish(&self.pods(), &record.uid, record)
    }

    /// Makes a Service known.
    ///
    /// # Errors
    /// As [`publish_pod`](Self::publish_pod).
    pub(crate) fn publish_service(&self, record: &ServiceRecord, uid: &str) -> io::Result<Held> {
        publish(&self.services(), uid, record)
    }

    /// Keeps others from publishing Services as long as the file is held: who looks for a free name
    /// or address must be alone.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub(crate) fn alone(&self) -> io::Result<File> {
        make(&self.folder)?;
        let path = self.folder.join("services.lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }
}

impl Known {
    /// The Service that has the address.
    pub(crate) fn service_at(&self, ip: std::net::IpAddr) -> Option<&Arc<ServiceRecord>> {
        self.services.iter().find(|service| service.cluster_ips().contains(&ip))
    }

    /// The Pod that has the address.
    pub(crate) fn pod_at(&self, ip: std::net::IpAddr) -> Option<&Arc<PodRecord>> {
        self.pods.iter().find(|pod| pod.ips.contains(&ip))
    }

    /// The Pods whose addresses a headless Service gives for its name.
    pub(crate) fn pods_of(&self, service: &ServiceRecord) -> impl Iterator<Item = &Arc<PodRecord>> {
        let headless = service.kind == ServiceKind::Headless;
        chosen(service, &self.pods).filter(move |_| headless)
    }
}

impl Held {
    /// Publishes what has changed.
    ///
    /// # Errors
    /// The folder cannot be written; what was published before stays.
    pub(crate) fn update<Record: Serialize>(&mut self, record: &Record) -> io::Result<()> {
        self.file = write(&self.path, record)?;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // One that stays is a dead one's.
        let _ = fs::remove_file(&self.path);
    }
}

impl Stamp {
    fn is_settled(&self) -> bool {
        // A clock that was set back makes it read once more, no less.
        self.modified.elapsed().is_ok_and(|age| age > TICK)
    }
}

fn stamp(folder: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(folder).ok()?;
    Some(Stamp { inode: metadata.ino(), modified: metadata.modified().ok()? })
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn publish<Record: Serialize>(folder: &Path, name: &str, record: &Record) -> io::Result<Held> {
    let path = folder.join(format!("{name}.{RECORD}"));
    let file = match write(&path, record) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(folder)?;
            write(&path, record)?
        }
        written => written?,
    };
    Ok(Held { path, file })
}

/// Writes a record whole, and locks it before it has its name: nobody finds it without an owner.
fn write<Record: Serialize>(path: &Path, record: &Record) -> io::Result<File> {
    let newer = path.with_extension(UNFINISHED);
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&newer)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    let written =
        file.write_all(&serde_json::to_vec(record)?).and_then(|()| fs::rename(&newer, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&newer);
        return Err(error);
    }
    Ok(file)
}

/// All records of live processes in `folder`, by the names of their files. Those of dead ones are
/// removed.
fn read_all<Record: DeserializeOwned>(folder: &Path) -> Vec<Arc<Record>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths.iter().filter_map(|path| read_one(path)).collect()
}

fn read_one<Record: DeserializeOwned>(path: &Path) -> Option<Arc<Record>> {
    if path.extension().is_none_or(|extension| extension != RECORD) {
        remove_if_left(path);
        return None;
    }
    let file = File::open(path).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => {}
        // Nobody holds it. Its name is nobody else's, so this removes no other.
        Ok(()) => {
            let _ = fs::remove_file(path);
            return None;
        }
        Err(_) => return None,
    }
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
