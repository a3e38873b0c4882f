//! What a Pod's network is made of: names, addresses, neighbours, limits.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;

use super::{AddressFamily, Directory, EgressPolicy};

/// The network of one Pod, before it exists.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NetworkConfig {
    /// `spec.hostname`, or the Pod's name.
    pub hostname: String,
    /// `spec.subdomain`: with it the Pod answers to `hostname.subdomain` too.
    pub subdomain: Option<String>,
    /// The Pod's namespace, a part of its fully qualified name and of the search list.
    pub namespace: String,
    /// The last part of fully qualified names; `cluster.local`.
    pub cluster_domain: String,
    /// The Pod's addresses: at most one of each family counts, the first one is `status.podIP`.
    pub ips: Vec<IpAddr>,
    /// The addresses of all Pods of this node. What no Pod has there is unreachable; packets for
    /// it never leave through the host.
    pub pod_ranges: Vec<IpNet>,
    /// The addresses of all Services of this node, likewise.
    pub service_ranges: Vec<IpNet>,
    /// Where the Services of this node, and the Pods behind them, are found.
    pub directory: Option<Arc<Directory>>,
    /// Whom the guests see when the host itself connects (probes, port-forward).
    pub host_ip: IpAddr,
    /// `spec.hostAliases`
    pub host_aliases: Vec<HostAlias>,
    /// The other Pods that can be reached by name and address.
    pub peers: Vec<Peer>,
    /// Where guests may go outside of Pods.
    pub egress: EgressPolicy,
    /// Decides the order of ephemeral ports.
    pub seed: u64,
    /// What one container, and the Pod, may hold.
    pub limits: NetworkLimits,
}

impl NetworkConfig {
    /// A network with these names and addresses, no neighbours and the default egress policy.
    pub fn new(hostname: impl Into<String>, ips: Vec<IpAddr>) -> Self {
        Self {
            hostname: hostname.into(),
            subdomain: None,
            namespace: "default".to_owned(),
            cluster_domain: "cluster.local".to_owned(),
            ips,
            pod_ranges: Vec::new(),
            service_ranges: Vec::new(),
            directory: None,
            host_ip: IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1)),
            host_aliases: Vec::new(),
            peers: Vec::new(),
            egress: EgressPolicy::default(),
            seed: 0,
            limits: NetworkLimits::default(),
        }
    }

    /// The Pod's address of a family.
    pub(crate) fn ip(&self, family: AddressFamily) -> Option<IpAddr> {
        self.ips.iter().copied().find(|ip| AddressFamily::of(*ip) == family)
    }
}

/// One entry of `spec.hostAliases`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAlias {
    /// Where the names lead.
    pub ip: IpAddr,
    /// The names.
    pub hostnames: Vec<String>,
}

/// Another Pod, as this one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The name of the Pod.
    pub name: String,
    /// `spec.hostname`, or the Pod's name.
    pub hostname: String,
    /// `spec.subdomain`
    pub subdomain: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its addresses.
    pub ips: Vec<IpAddr>,
    /// The unix socket on which its process takes connections (see [`PeerServer`](super::PeerServer)).
    pub socket: PathBuf,
}

/// Bounds on what guests can make the host hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkLimits {
    /// Sockets and connections of one endpoint of the host; more fail with `EMFILE`.
    pub sockets_per_endpoint: usize,
    /// Bytes that the host itself, its probes for one, may have written to guests of the Pod and they have
    /// not read. What guests write is charged to their containers.
    pub host_bytes: usize,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        Self { sockets_per_endpoint: 16 * 1024, host_bytes: 16 * 1024 * 1024 }
    }
}
