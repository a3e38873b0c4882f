//! Defaults of a Service.

use k8s_openapi::api::core::v1::{
    ClientIPConfig, Service, ServicePort, ServiceSpec, SessionAffinityConfig,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{objects, set_text};
use crate::services::{has_node_ports, is_externally_accessible};

/// Three hours.
const AFFINITY_SECONDS: i32 = 10_800;

/// Fills in a Service: its namespace and all of its spec but what a cluster would allocate
/// (addresses, their families, ports of nodes).
///
/// `clusterIPs` follows `clusterIP`, as the API server's storage has it.
pub fn service(service: &mut Service) {
    objects::metadata(&mut service.metadata);
    spec(service.spec.get_or_insert_default());
}

fn spec(spec: &mut ServiceSpec) {
    session_affinity(spec);
    set_text(&mut spec.type_, "ClusterIP");
    spec.ports.iter_mut().flatten().for_each(port);
    if is_externally_accessible(spec) {
        set_text(&mut spec.external_traffic_policy, "Cluster");
    }
    if has_node_ports(spec) || spec.type_.as_deref() == Some("ClusterIP") {
        set_text(&mut spec.internal_traffic_policy, "Cluster");
    }
    if spec.type_.as_deref() == Some("LoadBalancer") {
        spec.allocate_load_balancer_node_ports.get_or_insert(true);
    }
    if let Some(address) = spec.cluster_ip.as_ref().filter(|address| !address.is_empty()) {
        let addresses = spec.cluster_ips.get_or_insert_default();
        if addresses.is_empty() {
            addresses.push(address.clone());
        }
    }
}

/// What is configured for an affinity that is off is dropped, and so is an incomplete
/// configuration: Kubernetes replaces the whole of it.
fn session_affinity(spec: &mut ServiceSpec) {
    set_text(&mut spec.session_affinity, "None");
    let timeout = |config: &SessionAffinityConfig| config.client_ip.as_ref()?.timeout_seconds;
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") if spec.session_affinity_config.as_ref().and_then(timeout).is_none() => {
            let client_ip = ClientIPConfig { timeout_seconds: Some(AFFINITY_SECONDS) };
            spec.session_affinity_config =
                Some(SessionAffinityConfig { client_ip: Some(client_ip) });
        }
        _ => {}
    }
}

fn port(port: &mut ServicePort) {
    set_text(&mut port.protocol, "TCP");
    let is_set = match &port.target_port {
        None | Some(IntOrString::Int(0)) => false,
        Some(IntOrString::String(name)) => !name.is_empty(),
        Some(IntOrString::Int(_)) => true,
    };
    if !is_set {
        port.target_port = Some(IntOrString::Int(port.port));
    }
}
