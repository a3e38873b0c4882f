//! The folders of the directory.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::record::{PodRecord, ServiceRecord};
use crate::records::{Alone, Held, Records, Shelf, alone};

/// The directory of one machine: a folder, and what was last read of it.
#[derive(Debug)]
pub struct Directory {
    folder: PathBuf,
    pods: Shelf<PodRecord>,
    services: Shelf<ServiceRecord>,
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
        self.pods.publish(&record.uid, record)
    }

    /// Makes a Service known.
    ///
    /// # Errors
    /// As [`publish_pod`](Self::publish_pod).
    pub(crate) fn publish_service(&self, record: &ServiceRecord, uid: &str) -> io::Result<Held> {
        self.services.publish(uid, record)
    }

    /// Keeps others from publishing Services as long as it is held: who looks for a free name or
    /// address must be alone.
    ///
    /// # Errors
    /// As [`publish_pod`](Self::publish_pod).
    pub(crate) fn alone(&self) -> io::Result<Alone> {
        alone(&self.folder, "services.lock")
    }
}
