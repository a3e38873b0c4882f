//! Services of this machine: announced by whoever runs their manifest, for as long as that lives.
//!
//! There is nobody to ask for a name, an address or a port: whoever announces looks, alone, at
//! what others hold.
//!
//! Rule: the allocators of the Kubernetes API server; the words of errors are its own.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Service, ServicePort as PortOfSpec, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::address::{free_service_host, service_host, service_ips};
use super::folders::Folders;
use super::uid::{new_uid, seed};
use crate::sandbox::network::{
    Directory, Held, Known, NodePort, NodePorts, ServiceKind, ServicePort, ServiceRecord,
    ServiceTransport, TargetPort, take_node_port,
};

/// Ports of the host that Services may have, as clusters have them.
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

/// How long a client stays with its Pod, where the manifest does not say.
const AFFINITY: Duration = Duration::from_secs(3 * 60 * 60);

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
        detail: &'static str,
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
        folder: std::path::PathBuf,
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
        let mut announced = Self {
            directory: Arc::clone(&directory),
            records: Vec::new(),
            waiting: Vec::new(),
            served: NodePorts::default(),
            _held: Vec::new(),
        };
        if services.is_empty() {
            return Ok(announced);
        }
        let _alone = directory.alone().map_err(failed)?;
        for service in services {
            // With those before it in the list.
            let known = directory.known();
            let mut record = record(service, &known)?;
            let node_ports = take_node_ports(service, &mut record, &known)?;
            let held = directory.publish_service(&record, &new_uid()).map_err(failed)?;
            let record = Arc::new(record);
            announced.waiting.extend(node_ports.into_iter().map(|(port, listeners)| {
                NodePort::new(Arc::clone(&record), port, listeners)
            }));
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

/// What others see of a Service, with its addresses.
fn record(service: &Service, known: &Known) -> Result<ServiceRecord, ServiceError> {
    let metadata = &service.metadata;
    let name = metadata.name.clone().unwrap_or_default();
    let namespace = metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
    if known.services.iter().any(|other| other.name == name && other.namespace == namespace) {
        return Err(ServiceError::Exists { name });
    }
    let spec = service.spec.clone().unwrap_or_default();
    let kind = kind(&name, &namespace, &spec, known)?;
    let sticky = spec.session_affinity.as_deref() == Some("ClientIP");
    let timeout = spec.session_affinity_config.as_ref().and_then(|config| config.client_ip.as_ref());
    let timeout = timeout.and_then(|client| u64::try_from(client.timeout_seconds?).ok());
    Ok(ServiceRecord {
        kind,
        selector: spec.selector.unwrap_or_default(),
        ports: spec.ports.iter().flatten().filter_map(port).collect(),
        affinity: sticky.then(|| timeout.map_or(AFFINITY, Duration::from_secs)),
        publish_not_ready: spec.publish_not_ready_addresses == Some(true),
        name,
        namespace,
    })
}

fn kind(
    name: &str,
    namespace: &str,
    spec: &ServiceSpec,
    known: &Known,
) -> Result<ServiceKind, ServiceError> {
    if spec.type_.as_deref() == Some("ExternalName") {
        return Ok(ServiceKind::ExternalName(spec.external_name.clone().unwrap_or_default()));
    }
    let first = spec.cluster_ips.iter().flatten().next();
    let host = match spec.cluster_ip.as_ref().or(first).map(String::as_str) {
        Some("None") => return Ok(ServiceKind::Headless),
        None | Some("") => {
            let seed = seed(&format!("{namespace}/{name}"));
            free_service_host(seed, |host| is_free(host, known)).ok_or_else(|| {
                ServiceError::Exhausted { name: name.to_owned(), what: "cluster IP" }
            })?
        }
        Some(wanted) => {
            let refused = |detail| ServiceError::Invalid {
                name: name.to_owned(),
                field: "spec.clusterIPs".to_owned(),
                value: format!("[{wanted:?}]"),
                detail,
            };
            let host = wanted.parse::<IpAddr>().ok().and_then(service_host);
            let host = host.ok_or_else(|| {
                refused(
                    "provided IP is not in the valid range. \
                     The range of valid IPs is 10.96.0.0/16 and fd00:a:60::/112",
                )
            })?;
            if !is_free(host, known) {
                return Err(refused("provided IP is already allocated"));
            }
            host
        }
    };
    Ok(ServiceKind::ClusterIp(service_ips(host).to_vec()))
}

fn is_free(host: u16, known: &Known) -> bool {
    known.service_at(service_ips(host)[0]).is_none()
}

fn port(port: &PortOfSpec) -> Option<ServicePort> {
    let number = |number: i32| u16::try_from(number).ok().filter(|number| *number != 0);
    let transport = match port.protocol.as_deref() {
        None | Some("TCP") => ServiceTransport::Tcp,
        Some("UDP") => ServiceTransport::Udp,
        // Refused by name before.
        Some(_) => return None,
    };
    let target = match &port.target_port {
        None => TargetPort::Number(number(port.port)?),
        Some(IntOrString::Int(target)) => TargetPort::Number(number(*target)?),
        Some(IntOrString::String(target)) => match target.parse() {
            Ok(target) => TargetPort::Number(target),
            Err(_) => TargetPort::Name(target.clone()),
        },
    };
    Some(ServicePort {
        name: port.name.clone().unwrap_or_default(),
        transport,
        port: number(port.port)?,
        target,
        node_port: port.node_port.and_then(number),
    })
}

/// Takes the ports of the host for a Service that has any, and writes them into its record. Ports of
/// UDP are only numbers: a connection can be handed over, a flow of datagrams cannot.
fn take_node_ports(
    service: &Service,
    record: &mut ServiceRecord,
    known: &Known,
) -> Result<Vec<(ServicePort, Vec<TcpListener>)>, ServiceError> {
    let kind = service.spec.as_ref().and_then(|spec| spec.type_.as_deref());
    if !matches!(kind, Some("NodePort" | "LoadBalancer")) {
        record.ports.iter_mut().for_each(|port| port.node_port = None);
        return Ok(Vec::new());
    }
    let mut taken = Vec::new();
    let name = record.name.clone();
    for (index, port) in record.ports.iter_mut().enumerate() {
        if port.transport == ServiceTransport::Udp {
            port.node_port = None;
            continue;
        }
        let listeners = match port.node_port {
            Some(number) => {
                if holds(known, number) {
                    return Err(ServiceError::Invalid {
                        name,
                        field: format!("spec.ports[{index}].nodePort"),
                        value: number.to_string(),
                        detail: "provided port is already allocated",
                    });
                }
                take_node_port(number).map_err(|source| ServiceError::NodePort {
                    name: name.clone(),
                    port: number,
                    source,
                })?
            }
            None => {
                let key = format!("{}/{name}/{}", record.namespace, port.port);
                let (number, listeners) = free_node_port(seed(&key), known).ok_or_else(|| {
                    ServiceError::Exhausted { name: name.clone(), what: "node port" }
                })?;
                port.node_port = Some(number);
                listeners
            }
        };
        taken.push((port.clone(), listeners));
    }
    Ok(taken)
}

/// A node port that neither a Service nor anybody else of the host has.
fn free_node_port(seed: u64, known: &Known) -> Option<(u16, Vec<TcpListener>)> {
    let start = usize::try_from(seed % NODE_PORTS.len() as u64).unwrap_or(0);
    NODE_PORTS
        .cycle()
        .skip(start)
        .take(NODE_PORTS.len())
        .filter(|number| !holds(known, *number))
        .find_map(|number| Some((number, take_node_port(number).ok()?)))
}

fn holds(known: &Known, node_port: u16) -> bool {
    let mut ports = known.services.iter().flat_map(|service| &service.ports);
    ports.any(|port| port.node_port == Some(node_port))
}
