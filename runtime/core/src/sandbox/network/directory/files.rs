//! The files of the directory, their locks, their changes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;

use super::record::{PodRecord, ServiceRecord};
use super::shelf::{RECORD, Shelf, UNFINISHED};
use crate::private_folder::make_private;

/// The directory of one machine: a folder, and what was last read of it.
#[derive(Debug)]
pub struct Directory {
    folder: PathBuf,
    pods: Shelf<PodRecord>,
    services: Shelf<ServiceRecord>,
}

/// Records as they were read together.
pub type Records<Record> = Arc<Vec<Arc<Record>>>;

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
        Self {
            pods: Shelf::new(folder.join("pods")),
            services: Shelf::new(folder.join("services")),
            folder,
        }
    }

    /// The Pods that may receive connections, in the order of their uids.
    pub fn pods(&self) -> Records<PodRecord> {
        self.pods.read()
    }

    /// The Services.
    pub fn services(&self) -> Records<ServiceRecord> {
        self.services.read()
    }

    /// The Pod that has the address.
    pub(crate) fn pod_at(&self, ip: IpAddr) -> Option<Arc<PodRecord>> {
        self.pods().iter().find(|pod| pod.ips.contains(&ip)).cloned()
    }

    /// The Service that has the address.
    pub(crate) fn service_at(&self, ip: IpAddr) -> Option<Arc<ServiceRecord>> {
        self.services().iter().find(|service| service.cluster_ips().contains(&ip)).cloned()
    }

    /// Has the next look read everything again: somebody was found to be dead, which changes no
    /// folder.
    pub(crate) fn forget(&self) {
        self.pods.forget();
        self.services.forget();
    }

    /// Makes a Pod known.
    ///
    /// # Errors
    /// The folder cannot be made or written, or is not this user's alone.
    pub(crate) fn publish_pod(&self, record: &PodRecord) -> io::Result<Held> {
        self.publish(self.pods.folder(), &record.uid, record)
    }

    /// Makes a Service known.
    ///
    /// # Errors
    /// As [`publish_pod`](Self::publish_pod).
    pub(crate) fn publish_service(&self, record: &ServiceRecord, uid: &str) -> io::Result<Held> {
        self.publish(self.services.folder(), uid, record)
    }

    /// Keeps others from publishing Services as long as the file is held: who looks for a free name
    /// or address must be alone.
    ///
    /// # Errors
    /// As [`publish_pod`](Self::publish_pod).
    pub(crate) fn alone(&self) -> io::Result<File> {
        make(&self.folder)?;
        let path = self.folder.join("services.lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    fn publish<Record: Serialize>(
        &self,
        shelf: &Path,
        name: &str,
        record: &Record,
    ) -> io::Result<Held> {
        make(&self.folder)?;
        make(shelf)?;
        let path = shelf.join(format!("{name}.{RECORD}"));
        let file = write(&path, record)?;
        Ok(Held { path, file })
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

#[cfg(test)]
impl Held {
    /// Lets go of it as a process does that is killed: the file stays.
    pub(crate) fn die(mut self) {
        self.file = File::open("/dev/null").expect("every machine has it");
        std::mem::forget(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // One that stays is a dead one's.
        let _ = fs::remove_file(&self.path);
    }
}

/// Who can write here could give Pods any name, and have them call anybody.
fn make(folder: &Path) -> io::Result<()> {
    make_private(folder).map_err(|error| io::Error::other(format!("{} {error}", folder.display())))
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
