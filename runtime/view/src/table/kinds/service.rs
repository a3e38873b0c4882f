//! Rule: `printService`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use serde_json::Value;

use crate::labels;
use crate::table::build::{created, name, or_none};
use crate::table::column::{AGE, Column, NAME, column};

pub(in crate::table) const COLUMNS: &[Column] = &[
    NAME,
    column("Type", "How the service is exposed"),
    column("Cluster-IP", "Its address for Pods"),
    column("External-IP", "Its addresses for others"),
    column("Port(s)", "Its ports, with the node's port behind a colon"),
    AGE,
    column("Selector", "The labels of the Pods behind it").wide(),
];

pub(in crate::table) fn cells(service: &Service, now: Timestamp) -> Vec<Value> {
    let no_spec = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&no_spec);
    let ports: Vec<String> = spec.ports.iter().flatten().map(port).collect();
    vec![
        name(&service.metadata),
        spec.type_.clone().unwrap_or_default().into(),
        or_none(spec.cluster_ips.iter().flatten().next().map(String::as_str)),
        external(service, spec).into(),
        or_none(Some(&ports.join(","))),
        created(&service.metadata, now),
        labels::joined(spec.selector.as_ref()).into(),
    ]
}

fn port(port: &ServicePort) -> String {
    let protocol = port.protocol.as_deref().unwrap_or_default();
    match port.node_port {
        Some(node_port) if node_port > 0 => format!("{}:{node_port}/{protocol}", port.port),
        Some(_) | None => format!("{}/{protocol}", port.port),
    }
}

fn external(service: &Service, spec: &ServiceSpec) -> String {
    let addresses = spec.external_ips.clone().unwrap_or_default();
    match spec.type_.as_deref() {
        Some("ClusterIP" | "NodePort") if addresses.is_empty() => "<none>".to_owned(),
        Some("ClusterIP" | "NodePort") => addresses.join(","),
        Some("LoadBalancer") => {
            let all = [balancers(service), addresses].concat();
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        Some("ExternalName") => spec.external_name.clone().unwrap_or_default(),
        Some(_) | None => "<unknown>".to_owned(),
    }
}

/// The load balancers' addresses and names, each once and in order.
fn balancers(service: &Service) -> Vec<String> {
    let ingress = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let address = |ip: &Option<String>, hostname: &Option<String>| {
        let ip = ip.clone().filter(|ip| !ip.is_empty());
        ip.or_else(|| hostname.clone().filter(|hostname| !hostname.is_empty()))
    };
    let mut all: Vec<String> = ingress
        .and_then(|balancer| balancer.ingress.as_deref())
        .unwrap_or_default()
        .iter()
        .filter_map(|ingress| address(&ingress.ip, &ingress.hostname))
        .collect();
    all.sort();
    all.dedup();
    all
}
