//! A Service, with the endpoints behind it.

use k8s_openapi::api::core::v1::{LoadBalancerIngress, Service, ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{events, metadata};
use crate::labels;

pub(super) fn describe(sheet: &mut Sheet, service: &Service, around: &Surroundings) {
    let no_spec = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&no_spec);
    metadata::opening(sheet, &service.metadata);
    sheet.field(0, "Selector", labels::joined(spec.selector.as_ref()));
    sheet.field(0, "Type", spec.type_.as_deref().unwrap_or_default());
    addresses(sheet, service, spec);
    let slices = slices(service, around);
    spec.ports.iter().flatten().for_each(|it| port(sheet, it, &slices));
    traffic(sheet, spec);
    let metadata = &service.metadata;
    let told = events::about(metadata.uid.as_deref(), metadata, Some("Service"), around);
    events::describe(sheet, &told);
}

fn optional(sheet: &mut Sheet, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        sheet.field(0, name, text);
    }
}

fn addresses(sheet: &mut Sheet, service: &Service, spec: &ServiceSpec) {
    let or_none = |texts: &Option<Vec<String>>| match texts.as_deref() {
        None | Some([]) => "<none>".to_owned(),
        Some(texts) => texts.join(","),
    };
    if let Some(policy) = &spec.ip_family_policy {
        sheet.field(0, "IP Family Policy", policy);
    }
    sheet.field(0, "IP Families", or_none(&spec.ip_families));
    sheet.field(0, "IP", spec.cluster_ip.as_deref().unwrap_or_default());
    sheet.field(0, "IPs", or_none(&spec.cluster_ips));
    let external = spec.external_ips.clone().unwrap_or_default();
    optional(sheet, "External IPs", Some(&external.join(",")));
    optional(sheet, "Desired LoadBalancer IP", spec.load_balancer_ip.as_deref());
    optional(sheet, "External Name", spec.external_name.as_deref());
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let ingress = balancer.and_then(|it| it.ingress.as_deref()).unwrap_or_default();
    if !ingress.is_empty() {
        let texts: Vec<String> = ingress.iter().map(balancer_address).collect();
        sheet.field(0, "LoadBalancer Ingress", texts.join(", "));
    }
}

fn balancer_address(ingress: &LoadBalancerIngress) -> String {
    match (ingress.ip.as_deref().filter(|ip| !ip.is_empty()), &ingress.ip_mode) {
        (Some(ip), Some(mode)) => format!("{ip} ({mode})"),
        (Some(ip), None) => ip.to_owned(),
        (None, _) => ingress.hostname.clone().unwrap_or_default(),
    }
}

fn port(sheet: &mut Sheet, port: &ServicePort, slices: &[&EndpointSlice]) {
    let name = port.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("<unset>");
    let protocol = port.protocol.as_deref().unwrap_or_default();
    sheet.field(0, "Port", format!("{name}\t{}/{protocol}", port.port));
    let target = match &port.target_port {
        Some(IntOrString::Int(number)) => number.to_string(),
        Some(IntOrString::String(name)) => name.clone(),
        None => "0".to_owned(),
    };
    sheet.field(0, "TargetPort", format!("{target}/{protocol}"));
    if let Some(node_port) = port.node_port.filter(|node_port| *node_port != 0) {
        sheet.field(0, "NodePort", format!("{name}\t{node_port}/{protocol}"));
    }
    sheet.field(0, "Endpoints", endpoints(slices, port.name.as_deref().unwrap_or_default()));
}

fn traffic(sheet: &mut Sheet, spec: &ServiceSpec) {
    sheet.field(0, "Session Affinity", spec.session_affinity.as_deref().unwrap_or_default());
    optional(sheet, "External Traffic Policy", spec.external_traffic_policy.as_deref());
    if let Some(policy) = &spec.internal_traffic_policy {
        sheet.field(0, "Internal Traffic Policy", policy);
    }
    if let Some(port) = spec.health_check_node_port.filter(|port| *port != 0) {
        sheet.field(0, "HealthCheck NodePort", port.to_string());
    }
    let ranges = spec.load_balancer_source_ranges.clone().unwrap_or_default();
    optional(sheet, "LoadBalancer Source Ranges", Some(&ranges.join(",")));
}

fn slices<'around>(
    service: &Service,
    around: &'around Surroundings,
) -> Vec<&'around EndpointSlice> {
    let is_of = |slice: &&EndpointSlice| {
        let labels = slice.metadata.labels.as_ref();
        let of = labels.and_then(|labels| labels.get("kubernetes.io/service-name"));
        of == service.metadata.name.as_ref()
            && slice.metadata.namespace == service.metadata.namespace
    };
    around.endpoint_slices.iter().filter(is_of).collect()
}

/// The addresses of the ready endpoints of a port: three, and how many more there are.
fn endpoints(slices: &[&EndpointSlice], port_name: &str) -> String {
    const SHOWN: usize = 3;
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for slice in slices {
        let ready = slice.endpoints.iter().flatten().filter(|endpoint| {
            endpoint.conditions.as_ref().and_then(|it| it.ready).unwrap_or(true)
        });
        let addresses: Vec<&str> =
            ready.filter_map(|endpoint| endpoint.addresses.first()).map(String::as_str).collect();
        let ports = slice.ports.as_deref().unwrap_or_default();
        if ports.is_empty() {
            all.extend(addresses.iter().map(|address| (*address).to_owned()));
        }
        for port in ports {
            if port.name.as_deref().unwrap_or_default() != port_name {
                continue;
            }
            let number = port.port.unwrap_or_default();
            all.extend(addresses.iter().map(|address| match address.contains(':') {
                true => format!("[{address}]:{number}"),
                false => format!("{address}:{number}"),
            }));
        }
    }
    match all.len().checked_sub(SHOWN) {
        None | Some(0) => all.join(","),
        Some(more) => format!("{} + {more} more...", all[..SHOWN].join(",")),
    }
}
