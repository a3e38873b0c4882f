//! The addresses and ports that Services may have here, and what the fields of one come to.
//!
//! A cluster is told its ranges at its start; here they are fixed, so that a manifest can be
//! refused before anything runs. Whoever gives out what a manifest leaves open takes it from the
//! same ranges.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use k8s_openapi::api::core::v1::ServiceSpec;

/// The range of cluster IPs as Kubernetes writes it.
pub const CLUSTER_IP_RANGE: &str = "10.96.0.0/16";

/// The cluster IPs of [`CLUSTER_IP_RANGE`] that can be given out: neither the address of the
/// network nor that of its broadcast.
pub const CLUSTER_IPS: RangeInclusive<Ipv4Addr> =
    Ipv4Addr::new(10, 96, 0, 1)..=Ipv4Addr::new(10, 96, 255, 254);

/// The same addresses in IPv6: the last part of one follows from those of the other.
pub const CLUSTER_IPS_V6: RangeInclusive<Ipv6Addr> = Ipv6Addr::new(0xfd00, 10, 96, 0, 0, 0, 0, 1)
    ..=Ipv6Addr::new(0xfd00, 10, 96, 0, 0, 0, 0, 0xfffe);

/// The ports of the host that a Service may take: the default of `--service-node-port-range`.
pub const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

/// What `clusterIP` says of a Service without one.
pub const NO_CLUSTER_IP: &str = "None";

/// Whether the Service takes ports of the host: NodePort and LoadBalancer.
pub fn has_node_ports(spec: &ServiceSpec) -> bool {
    matches!(spec.type_.as_deref(), Some("NodePort" | "LoadBalancer"))
}

/// Whether the Service has no address of its own, but leads to those of its Pods.
pub fn is_headless(spec: &ServiceSpec) -> bool {
    spec.cluster_ip.as_deref() == Some(NO_CLUSTER_IP)
}

/// Whether clients from outside can reach the Service: what Kubernetes asks before it lets
/// `externalTrafficPolicy` be set.
pub(crate) fn is_externally_accessible(spec: &ServiceSpec) -> bool {
    has_node_ports(spec)
        || spec.type_.as_deref() == Some("ClusterIP")
            && spec.external_ips.as_ref().is_some_and(|addresses| !addresses.is_empty())
}
