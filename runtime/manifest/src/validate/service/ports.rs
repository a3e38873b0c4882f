//! `ports` of a Service.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::ServicePort;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::super::absent::{some_text, text};
use super::super::{names, ports as container_ports};
use crate::field::{Errors, Place};

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

pub(super) fn ports(ports: &[ServicePort], at: &Place<'_>, errors: &mut Errors) {
    let mut names = HashSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = at.index(index);
        match some_text(&port.name) {
            Some(name) => {
                errors.invalid_each(&at.field("name"), name, names::dns_label(name));
                if !names.insert(name) {
                    errors.duplicate(&at.field("name"), name);
                }
            }
            None if ports.len() > 1 => errors.required(&at.field("name"), ""),
            None => {}
        }
        container_ports::number(port.port, &at.field("port"), errors);
        match text(&port.protocol) {
            "" => errors.required(&at.field("protocol"), ""),
            known if PROTOCOLS.contains(&known) => {}
            other => errors.unsupported(&at.field("protocol"), other, &PROTOCOLS),
        }
        match &port.target_port {
            // Mostly the default, which is as wrong as what it was copied from.
            Some(IntOrString::Int(target)) if *target == port.port => {}
            Some(target) => {
                container_ports::number_or_name(target, &at.field("targetPort"), errors);
            }
            None => {}
        }
        if let Some(protocol) = some_text(&port.app_protocol) {
            let wrong = names::qualified_name(protocol);
            errors.invalid_each(&at.field("appProtocol"), protocol, wrong);
        }
    }
}

pub(super) fn no_node_ports(ports: &[ServicePort], at: &Place<'_>, errors: &mut Errors) {
    for (index, port) in ports.iter().enumerate() {
        if node_port(port).is_some() {
            let at = at.index(index);
            errors.forbidden(&at.field("nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
    }
}

/// Neither a port of the node nor one of the Service may stand twice for one protocol.
pub(super) fn duplicates(ports: &[ServicePort], at: &Place<'_>, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (index, port) in ports.iter().enumerate() {
        let Some(number) = node_port(port) else { continue };
        if !seen.insert((text(&port.protocol), number)) {
            errors.duplicate(&at.index(index).field("nodePort"), number);
        }
    }
    seen.clear();
    for (index, port) in ports.iter().enumerate() {
        let protocol = text(&port.protocol);
        if !seen.insert((protocol, port.port)) {
            // Kubernetes prints its own type here, of which only these two are set.
            let value = json!({"port": port.port, "protocol": protocol});
            errors.duplicate(&at.index(index), value);
        }
    }
}

/// The port of the node that is asked for; 0 asks for none.
pub(super) fn node_port(port: &ServicePort) -> Option<i32> {
    port.node_port.filter(|number| *number != 0)
}
