//! `ports` of a container, and the ports of the host that they take.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::absent::{list, some_text, text};
use super::names;
use crate::field::{Errors, Place};

pub(super) fn container_ports(ports: &[ContainerPort], at: &Place<'_>, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = at.index(index);
        if let Some(name) = some_text(&port.name) {
            let wrong = names::port_name(name);
            if !wrong.is_empty() {
                errors.invalid_each(&at.field("name"), name, wrong);
            } else if !seen.insert(name) {
                errors.duplicate(&at.field("name"), name);
            }
        }
        match port.container_port {
            0 => errors.required(&at.field("containerPort"), ""),
            number => self::number(number, &at.field("containerPort"), errors),
        }
        if let Some(host_port) = port.host_port.filter(|port| *port != 0) {
            number(host_port, &at.field("hostPort"), errors);
        }
        // Not checked upstream, where a wrong address is found out by the node. Here the node
        // is the one that reads the manifest.
        if let Some(address) = some_text(&port.host_ip) {
            errors.invalid_each(&at.field("hostIP"), address, names::ip_address(address));
        }
        match text(&port.protocol) {
            "" => errors.required(&at.field("protocol"), ""),
            "TCP" | "UDP" | "SCTP" => {}
            other => errors.unsupported(&at.field("protocol"), other, &["TCP", "UDP", "SCTP"]),
        }
    }
}

/// A port by number or by name, as probes and hooks give it.
pub(super) fn number_or_name(port: &IntOrString, at: &Place<'_>, errors: &mut Errors) {
    match port {
        IntOrString::Int(port) => number(*port, at, errors),
        IntOrString::String(name) => errors.invalid_each(at, name, names::port_name(name)),
    }
}

pub(super) fn number(port: i32, at: &Place<'_>, errors: &mut Errors) {
    if !(1..=65_535).contains(&port) {
        errors.invalid(at, port, names::between(1, 65_535));
    }
}

/// No two containers that run together may take the same port of the host.
pub(super) fn host_port_conflicts<'c>(
    containers: impl IntoIterator<Item = (usize, &'c Container)>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let mut taken = HashSet::new();
    for (index, container) in containers {
        let at = at.index(index);
        let at = at.field("ports");
        for (index, port) in list(&container.ports).iter().enumerate() {
            let Some(number) = port.host_port.filter(|number| *number != 0) else {
                continue;
            };
            let listener = format!("{}/{}/{number}", text(&port.protocol), text(&port.host_ip));
            if taken.contains(&listener) {
                errors.duplicate(&at.index(index).field("hostPort"), listener);
            } else {
                taken.insert(listener);
            }
        }
    }
}

/// On the host's network a container port is a port of the host, and no other.
pub(super) fn host_network(containers: &[Container], at: &Place<'_>, errors: &mut Errors) {
    for (index, container) in containers.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("ports");
        for (index, port) in list(&container.ports).iter().enumerate() {
            let host_port = port.host_port.unwrap_or(0);
            if host_port != port.container_port {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid(&at.index(index).field("hostPort"), host_port, detail);
            }
        }
    }
}
