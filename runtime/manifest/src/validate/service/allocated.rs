//! Which addresses and ports the Services of a manifest have been given.
//!
//! Only what a manifest asks for by itself is looked at: whether it lies in the range, and
//! whether another Service has it. Rule and words: `pkg/registry/core/service` of Kubernetes
//! (`storage/alloc.go`, `ipallocator`, `portallocator`).

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use super::super::absent::{list, text};
use super::addresses::{MOST_ADDRESSES, at_cluster_ips};
use super::ports::node_port;
use crate::field::{Errors, FieldError, Place};
use crate::services::{CLUSTER_IP_RANGE, CLUSTER_IPS, CLUSTER_IPS_V6, NODE_PORTS, has_node_ports};

/// What is taken, each with the Service that has it, for whoever asks for it again.
#[derive(Debug, Default)]
pub(crate) struct Allocated {
    addresses: HashMap<IpAddr, String>,
    node_ports: HashMap<u16, String>,
}

impl Allocated {
    /// Gives a Service what it asks for, and returns what it cannot have.
    ///
    /// `owner` names the Service and its place. What is malformed is passed over: the rules for a
    /// Service by itself speak of it.
    pub(crate) fn allocate(&mut self, service: &Service, owner: &str) -> Vec<FieldError> {
        let mut errors = Errors::default();
        if let Some(spec) = &service.spec {
            let at = Place::top("spec");
            if text(&spec.type_) != "ExternalName" {
                at_cluster_ips(spec, &at, |at| self.addresses(spec, owner, at, &mut errors));
            }
            if has_node_ports(spec) {
                self.ports(list(&spec.ports), owner, &at.field("ports"), &mut errors);
            }
        }
        errors.into_vec()
    }

    fn addresses(&mut self, spec: &ServiceSpec, owner: &str, at: &Place<'_>, errors: &mut Errors) {
        const LEAVE_OUT: &str = "leave `clusterIP` and `clusterIPs` out, and one is given";
        let all = list(&spec.cluster_ips);
        // More than those are refused as they are, and each error shows the whole list.
        for (index, text) in all.iter().take(MOST_ADDRESSES).enumerate() {
            let Ok(address) = text.parse::<IpAddr>() else { continue };
            match address {
                IpAddr::V4(four) if CLUSTER_IPS.contains(&four) => {}
                IpAddr::V4(_) => {
                    let detail = format!(
                        "failed to allocate IP {text}: the provided IP ({text}) is not in the \
                         valid range. The range of valid IPs is {CLUSTER_IP_RANGE}"
                    );
                    errors.invalid(at, all, detail);
                    errors.hint(LEAVE_OUT.to_owned());
                    continue;
                }
                // As it is written into a Service that is kept.
                IpAddr::V6(six) if follows_from(all, six) => {}
                IpAddr::V6(_) => {
                    errors.invalid(
                        &at.index(index),
                        all,
                        "the address of IPv6 follows from the one of IPv4 here",
                    );
                    errors.hint(LEAVE_OUT.to_owned());
                    continue;
                }
            }
            if let Some(other) = self.addresses.get(&address) {
                let detail =
                    format!("failed to allocate IP {text}: provided IP is already allocated");
                errors.invalid(at, all, detail);
                errors.hint(format!("{other} has it"));
            } else {
                self.addresses.insert(address, owner.to_owned());
            }
        }
    }

    fn ports(&mut self, ports: &[ServicePort], owner: &str, at: &Place<'_>, errors: &mut Errors) {
        let mut own = HashMap::new();
        let mut duplicates = HashSet::new();
        for (index, port) in ports.iter().enumerate() {
            let Some(number) = node_port(port) else { continue };
            let at = at.index(index);
            let at = at.field("nodePort");
            if !duplicates.insert((text(&port.protocol), number)) {
                continue;
            }
            // One port of two protocols may have one port of the node.
            if own.insert(port.port, number) == Some(number) {
                continue;
            }
            let Some(number) = u16::try_from(number).ok().filter(|own| NODE_PORTS.contains(own))
            else {
                let detail = format!(
                    "provided port is not in the valid range. The range of valid ports is {}-{}",
                    NODE_PORTS.start(),
                    NODE_PORTS.end()
                );
                errors.invalid(&at, number, detail);
                continue;
            };
            if let Some(other) = self.node_ports.get(&number) {
                errors.invalid(&at, number, "provided port is already allocated");
                errors.hint(format!("{other} has it"));
            } else {
                self.node_ports.insert(number, owner.to_owned());
            }
        }
    }
}

/// Whether the address of IPv6 is that of the same Service as the one of IPv4, if there is one.
fn follows_from(all: &[String], six: Ipv6Addr) -> bool {
    let four = all.iter().find_map(|text| text.parse::<Ipv4Addr>().ok());
    let host = six.segments()[7];
    let is_given = four.is_none_or(|four| four.octets()[2..] == host.to_be_bytes());
    is_given && CLUSTER_IPS_V6.contains(&six)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_of_each_family_can_be_told_again() {
        let refused = |ips: &[&str]| {
            let spec = json!({ "clusterIP": ips[0], "clusterIPs": ips });
            let service = json!({ "metadata": { "name": "web" }, "spec": spec });
            let service: Service = serde_json::from_value(service).unwrap();
            Allocated::default().allocate(&service, "web").len()
        };
        assert_eq!(refused(&["10.96.1.2", "fd00:a:60::102"]), 0);
        assert_eq!(refused(&["fd00:a:60::102"]), 0);
        assert_eq!(refused(&["10.96.1.2", "fd00:a:60::103"]), 1);
        assert_eq!(refused(&["10.96.1.2", "fd00:a:61::102"]), 1);
    }
}
