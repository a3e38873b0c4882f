//! What is written down of a Pod and of a Service.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A Pod that may receive connections, as others of the machine see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodRecord {
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `spec.hostname`, or the Pod's name.
    pub hostname: String,
    /// `spec.subdomain`
    pub subdomain: Option<String>,
    /// `metadata.labels`
    pub labels: BTreeMap<String, String>,
    /// `status.podIPs`
    pub ips: Vec<IpAddr>,
    /// The named ports of its containers.
    pub ports: Vec<PodPort>,
    /// Where its process takes connections (see [`PeerServer`](crate::sandbox::network::PeerServer)).
    pub socket: PathBuf,
    /// Whether it takes new ones.
    pub readiness: Readiness,
}

/// A named port of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodPort {
    /// `name`
    pub name: String,
    /// `containerPort`
    pub number: u16,
    /// `protocol`
    pub transport: ServiceTransport,
}

/// Whether a Pod takes new connections through its Services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readiness {
    /// Its condition Ready is not True.
    NotReady,
    /// It is.
    Ready,
    /// It is being ended: it takes no new ones, whatever its probes say.
    Terminating,
}

/// A Service.
///
/// Rule: Service v1 of the Kubernetes API, what of it has a meaning on one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// How it is reached.
    pub kind: ServiceKind,
    /// `spec.selector`; an empty one chooses no Pod.
    pub selector: BTreeMap<String, String>,
    /// `spec.ports`
    pub ports: Vec<ServicePort>,
    /// `spec.sessionAffinity: ClientIP`, with the time for which a client stays with a Pod.
    pub affinity: Option<Duration>,
    /// `spec.publishNotReadyAddresses`
    pub publish_not_ready: bool,
    /// Whether it is kept as an object, which has the last word on it.
    #[serde(default)]
    pub kept: bool,
}

/// How a Service is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceKind {
    /// At addresses of its own: `spec.clusterIPs`.
    ClusterIp(Vec<IpAddr>),
    /// `clusterIP: None`: its name leads to its Pods.
    Headless,
    /// Its name stands for another one.
    ExternalName(String),
}

/// One port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePort {
    /// `name`; empty where there is only one.
    pub name: String,
    /// `protocol`
    pub transport: ServiceTransport,
    /// `port`
    pub port: u16,
    /// `targetPort`
    pub target: TargetPort,
    /// `nodePort`
    pub node_port: Option<u16>,
}

/// `protocol` of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceTransport {
    /// TCP
    Tcp,
    /// UDP
    Udp,
}

/// `targetPort`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetPort {
    /// A number, the same in all Pods.
    Number(u16),
    /// A port of each Pod's containers, by name.
    Name(String),
}

impl ServiceRecord {
    /// The addresses that are the Service's own.
    pub fn cluster_ips(&self) -> &[IpAddr] {
        match &self.kind {
            ServiceKind::ClusterIp(ips) => ips,
            ServiceKind::Headless | ServiceKind::ExternalName(_) => &[],
        }
    }

    /// The port that answers to `number`.
    pub(crate) fn port(&self, transport: ServiceTransport, number: u16) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.transport == transport && port.port == number)
    }
}

impl std::fmt::Display for ServiceTransport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}
