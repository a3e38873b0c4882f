//! The Service as a whole, in the order of `ValidateService`.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::super::absent::{list, text};
use super::super::{metadata, names};
use super::{addresses, ports, traffic};
use crate::field::{Errors, FieldError, Place};
use crate::services::is_headless;

/// The annotation that was there before `loadBalancerSourceRanges`, and means the same.
pub(crate) const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

/// What is said of a field that only a load balancer reads.
pub(super) const BALANCER_ONLY: &str = "may only be used when `type` is 'LoadBalancer'";

/// Every rule that `service` breaks.
pub fn service(service: &Service) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let at = Place::top("metadata");
    metadata::object_meta_named(&service.metadata, names::dns_1035_label, &at, &mut errors);
    let empty = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&empty);
    annotations(service, spec, &mut errors);
    self::spec(spec, &Place::top("spec"), &mut errors);
    errors.into_vec()
}

fn annotations(service: &Service, spec: &ServiceSpec, errors: &mut Errors) {
    let value = |key: &str| service.metadata.annotations.as_ref()?.get(key);
    let at = Place::top("metadata");
    let at = at.field("annotations");
    if let (Some(mode), Some(hints)) = (value(TOPOLOGY_MODE), value(TOPOLOGY_HINTS))
        && mode != hints
    {
        let detail = format!("must match annotations[{TOPOLOGY_HINTS}] when both are specified");
        errors.invalid(&at.key(TOPOLOGY_MODE), mode.as_str(), detail);
    }
    let only_annotated = list(&spec.load_balancer_source_ranges).is_empty();
    if only_annotated && value(SOURCE_RANGES).is_some() && text(&spec.type_) != "LoadBalancer" {
        errors.forbidden(&at.key(SOURCE_RANGES), BALANCER_ONLY);
    }
}

fn spec(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let all_ports = list(&spec.ports);
    if all_ports.is_empty() && !is_headless(spec) && text(&spec.type_) != "ExternalName" {
        errors.required(&at.field("ports"), "");
    }
    if text(&spec.type_) == "ExternalName" {
        external_name(spec, at, errors);
    }
    ports::ports(all_ports, &at.field("ports"), errors);
    metadata::labels(spec.selector.as_ref(), &at.field("selector"), errors);
    traffic::session_affinity(spec, at, errors);
    addresses::cluster_ips(spec, at, errors);
    addresses::external_ips(list(&spec.external_ips), &at.field("externalIPs"), errors);
    match text(&spec.type_) {
        "" => errors.required(&at.field("type"), ""),
        known if TYPES.contains(&known) => {}
        other => errors.unsupported(&at.field("type"), other, &TYPES),
    }
    if text(&spec.type_) == "ClusterIP" {
        ports::no_node_ports(all_ports, &at.field("ports"), errors);
    }
    ports::duplicates(all_ports, &at.field("ports"), errors);
    traffic::load_balancer(spec, at, errors);
    traffic::policies(spec, at, errors);
}

fn external_name(spec: &ServiceSpec, at: &Place<'_>, errors: &mut Errors) {
    let at = at.field("externalName");
    // A dot at the end says that the name is complete.
    let name = text(&spec.external_name);
    match name.strip_suffix('.').unwrap_or(name) {
        "" => errors.required(&at, ""),
        name => errors.invalid_each(&at, name, names::dns_subdomain(name)),
    }
}
