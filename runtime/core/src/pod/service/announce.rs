//! The Services of a command, announced for as long as it lives.

use std::io;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;

use super::ServiceError;
use super::allocate::{Allocator, Taken};
use super::record;
use crate::pod::folders::Folders;
use crate::pod::uid::{new_uid, seed};
use crate::records::Held;
use crate::sandbox::network::{Directory, NodePort, ServedPort, ServiceRecord};

/// Announced Services: every Pod of the machine finds them by name and address. Dropping it withdraws
/// them.
#[derive(Debug)]
pub struct Services {
    directory: Arc<Directory>,
    records: Vec<Arc<ServiceRecord>>,
    waiting: Vec<NodePort>,
    served: Vec<ServedPort>,
    _held: Vec<Held>,
}

/// How a Service can be reached from the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedPort {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// `spec.ports[].port`
    pub port: u16,
    /// `spec.ports[].nodePort`, chosen where the manifest did not.
    pub node_port: u16,
}

impl Services {
    /// Announces Services that have been defaulted and validated, all or none, and takes their node
    /// ports; `kept` gives the Services that are kept as objects, as they are when it is called.
    ///
    /// # Errors
    /// [`ServiceError`]
    pub fn announce(
        folders: &Folders,
        services: &[Service],
        kept: impl FnOnce() -> io::Result<Vec<Service>>,
    ) -> Result<Self, ServiceError> {
        let directory = Arc::new(Directory::new(folders.network()));
        let failed = |source| ServiceError::Directory { folder: folders.network(), source };
        // Given up after all else: when only some can be had nobody must see those.
        let _alone =
            (!services.is_empty()).then(|| directory.alone()).transpose().map_err(failed)?;
        let mut announced = Self {
            directory: Arc::clone(&directory),
            records: Vec::new(),
            waiting: Vec::new(),
            served: Vec::new(),
            _held: Vec::new(),
        };
        let kept = if services.is_empty() { Vec::new() } else { kept().map_err(failed)? };
        let mut allocator = Allocator::new(&Taken::on(&directory, &kept), services);
        for service in services {
            let mut record = record::of(service);
            let node_ports = allocator.allocate(service, &mut record)?;
            let held = directory.publish_service(&record, &new_uid()).map_err(failed)?;
            let record = Arc::new(record);
            announced.waiting.extend(
                node_ports
                    .into_iter()
                    .map(|(port, listeners)| NodePort::new(Arc::clone(&record), port, listeners)),
            );
            announced.records.push(record);
            announced._held.push(held);
        }
        Ok(announced)
    }

    /// Has connections to the node ports accepted, by the tokio runtime that this is called in.
    ///
    /// # Errors
    /// The runtime does not take a listener.
    pub fn serve(&mut self) -> io::Result<()> {
        let seed = seed(&new_uid());
        for port in std::mem::take(&mut self.waiting) {
            self.served.push(ServedPort::serve(port, &self.directory, seed)?);
        }
        Ok(())
    }

    /// The node ports, in the order of the manifest.
    pub fn node_ports(&self) -> impl Iterator<Item = AnnouncedPort> {
        self.records.iter().flat_map(|record| {
            record.ports.iter().filter_map(|port| {
                Some(AnnouncedPort {
                    namespace: record.namespace.clone(),
                    name: record.name.clone(),
                    port: port.port,
                    node_port: port.node_port?,
                })
            })
        })
    }
}
