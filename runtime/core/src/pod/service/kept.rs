//! The Services that are kept as objects, announced by one process for all of them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;

use super::steps::{Records, Step, node_ports, steps};
use super::{ServiceError, record};
use crate::pod::folders::Folders;
use crate::pod::uid::{new_uid, seed};
use crate::records::Held;
use crate::sandbox::network::{
    Directory, NodePort, ServedPort, ServicePort, ServiceRecord, take_node_port,
};

/// Announced Services: every Pod of the machine finds them by name and address, and their node ports are
/// open. Dropping it withdraws them.
#[derive(Debug)]
pub struct KeptServices {
    folders: Folders,
    directory: Arc<Directory>,
    /// What was published last.
    announced: Records,
    ports: BTreeMap<u16, ServedPort>,
    held: BTreeMap<String, Held>,
    seed: u64,
}

impl KeptServices {
    /// None of the machine whose state is in `folders`.
    pub fn none(folders: &Folders) -> Self {
        Self {
            folders: folders.clone(),
            directory: Arc::new(Directory::new(folders.network())),
            announced: Records::new(),
            ports: BTreeMap::new(),
            held: BTreeMap::new(),
            seed: seed(&new_uid()),
        }
    }

    /// Whether none is announced.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Announces all of `wanted` and nothing else, within the tokio runtime of the caller. One that is
    /// unchanged is not touched. Gives what could not be done, each with the uid of its Service; it is
    /// tried again by the next call.
    ///
    /// # Cancel safety
    /// Safe: what was not done is done by the next call.
    pub async fn follow(&mut self, wanted: &[Service]) -> Vec<(String, ServiceError)> {
        let of = |service: &Service| {
            let uid = service.metadata.uid.clone()?;
            Some((uid, Arc::new(record::kept(service))))
        };
        let wanted: Records = wanted.iter().filter_map(of).collect();
        let ports = node_ports(&wanted);
        let open = self.ports.keys().copied().collect();
        let mut troubles = Vec::new();
        for step in steps(&self.announced, &open, &wanted) {
            match step {
                Step::Close(number) => {
                    if let Some(served) = self.ports.remove(&number) {
                        served.close().await;
                    }
                }
                Step::Withdraw(uid) => {
                    self.held.remove(&uid);
                    self.announced.remove(&uid);
                }
                Step::Open(number) => troubles.extend(self.open(number, &ports[&number], &wanted)),
                Step::Lead(number) => self.lead(number, &ports[&number], &wanted),
                Step::Publish(uid) => troubles.extend(self.publish(&uid, &wanted)),
            }
        }
        troubles
    }

    fn open(
        &mut self,
        number: u16,
        (uid, port): &(String, ServicePort),
        wanted: &Records,
    ) -> Option<(String, ServiceError)> {
        let service = Arc::clone(&wanted[uid]);
        let name = service.name.clone();
        let served = take_node_port(number).and_then(|listeners| {
            let node_port = NodePort::new(service, port.clone(), listeners);
            ServedPort::serve(node_port, &self.directory, self.seed)
        });
        match served {
            Ok(served) => {
                self.ports.insert(number, served);
                None
            }
            Err(source) => {
                Some((uid.clone(), ServiceError::NodePort { name, port: number, source }))
            }
        }
    }

    fn lead(&self, number: u16, (uid, port): &(String, ServicePort), wanted: &Records) {
        if let Some(served) = self.ports.get(&number) {
            served.lead_to(Arc::clone(&wanted[uid]), port.clone());
        }
    }

    fn publish(&mut self, uid: &str, wanted: &Records) -> Option<(String, ServiceError)> {
        let record = &wanted[uid];
        match self.write(uid, record) {
            Ok(()) => {
                self.announced.insert(uid.to_owned(), Arc::clone(record));
                None
            }
            Err(source) => {
                let folder = self.folders.network();
                Some((uid.to_owned(), ServiceError::Directory { folder, source }))
            }
        }
    }

    fn write(&mut self, uid: &str, record: &ServiceRecord) -> io::Result<()> {
        match self.held.get_mut(uid) {
            Some(held) => held.update(record),
            None => {
                let held = self.directory.publish_service(record, uid)?;
                self.held.insert(uid.to_owned(), held);
                Ok(())
            }
        }
    }
}
