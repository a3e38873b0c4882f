//! Services of this machine: announced by whoever runs their manifest, for as long as that lives.
//!
//! There is nobody to ask for a name, an address or a port: whoever announces looks, alone, at
//! what others hold.
//!
//! Rule: the allocators of the Kubernetes API server; the words of errors are its own.

mod allocate;
mod record;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use allocate::Allocator;
use k8s_openapi::api::core::v1::Service;

use super::folders::Folders;
use super::uid::{new_uid, seed};
use crate::records::Held;
use crate::sandbox::network::{Directory, NodePort, NodePorts, ServiceRecord};

/// A Service cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Its name is somebody's.
    #[error("services {name:?} already exists")]
    Exists {
        /// `metadata.name`
        name: String,
    },
    /// A field of it asks for what cannot be given.
    #[error("service {name:?}: {field}: Invalid value: {value}: {detail}")]
    Invalid {
        /// `metadata.name`
        name: String,
        /// The path of the field.
        field: String,
        /// What it says.
        value: String,
        /// Why not.
        detail: String,
    },
    /// A port of the host cannot be taken.
    #[error("service {name:?}: cannot listen on node port {port}")]
    NodePort {
        /// `metadata.name`
        name: String,
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No address or no port is left.
    #[error("service {name:?}: no {what} is free")]
    Exhausted {
        /// `metadata.name`
        name: String,
        /// Of what there is none.
        what: &'static str,
    },
    /// The directory of the machine cannot be written.
    #[error("cannot announce Services in {}", folder.display())]
    Directory {
        /// Where it is.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Announced Services: every Pod of the machine finds them by name and address. Dropping it withdraws
/// them.
#[derive(Debug)]
pub struct Services {
    directory: Arc<Directory>,
    records: Vec<Arc<ServiceRecord>>,
    waiting: Vec<NodePort>,
    served: NodePorts,
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
    /// ports.
    ///
    /// # Errors
    /// [`ServiceError`]
    pub fn announce(folders: &Folders, services: &[Service]) -> Result<Self, ServiceError> {
        let directory = Arc::new(Directory::new(folders.network()));
        let failed = |source| ServiceError::Directory { folder: folders.network(), source };
        // Given up after all else: when only some can be had nobody must see those.
        let _alone =
            (!services.is_empty()).then(|| directory.alone()).transpose().map_err(failed)?;
        let mut announced = Self {
            directory: Arc::clone(&directory),
            records: Vec::new(),
            waiting: Vec::new(),
            served: NodePorts::default(),
            _held: Vec::new(),
        };
        let mut allocator = Allocator::new(&directory.services(), services);
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
        let waiting = std::mem::take(&mut self.waiting);
        self.served = NodePorts::serve(waiting, &self.directory, seed(&new_uid()))?;
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
