//! What a Service that changes keeps of what it was given, where the change does not speak of it.
//!
//! Rule: `patchAllocatedValues`, `NormalizeClusterIPs` and `dropTypeDependentFields` of Kubernetes
//! (`pkg/registry/core/service`).

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use crate::services::has_node_ports;

/// Gives `new` the addresses and node ports of `old` that it still needs and does not name, and
/// takes from it those that it names and its type no longer has.
pub fn service_update(new: &mut Service, old: &Service) {
    let (Some(new), Some(old)) = (&mut new.spec, &old.spec) else { return };
    match (has_cluster_ip(old), has_cluster_ip(new)) {
        (true, true) => keep_cluster_ips(new, old),
        (true, false) => {
            if new.cluster_ip == old.cluster_ip && new.cluster_ips == old.cluster_ips {
                (new.cluster_ip, new.cluster_ips) = (None, None);
            }
            if new.ip_families == old.ip_families {
                new.ip_families = None;
            }
            if new.ip_family_policy == old.ip_family_policy {
                new.ip_family_policy = None;
            }
        }
        (false, _) => {}
    }
    match (has_node_ports(old), has_node_ports(new)) {
        (true, true) => keep_node_ports(new, old),
        (true, false) => {
            let numbers =
                |spec: &ServiceSpec| spec.ports.iter().flatten().map(node_port).collect::<Vec<_>>();
            if numbers(new) == numbers(old) {
                new.ports.iter_mut().flatten().for_each(|port| port.node_port = None);
            }
            if new.external_traffic_policy == old.external_traffic_policy {
                new.external_traffic_policy = None;
            }
        }
        (false, _) => {}
    }
    if is_balanced(old)
        && !is_balanced(new)
        && new.allocate_load_balancer_node_ports == old.allocate_load_balancer_node_ports
    {
        new.allocate_load_balancer_node_ports = None;
    }
}

fn keep_cluster_ips(new: &mut ServiceSpec, old: &ServiceSpec) {
    let is_open = |ips: &Option<Vec<String>>| ips.as_ref().is_none_or(Vec::is_empty);
    if new.cluster_ip.as_deref().unwrap_or_default().is_empty() {
        new.cluster_ip.clone_from(&old.cluster_ip);
    }
    if is_open(&new.cluster_ips) {
        new.cluster_ips.clone_from(&old.cluster_ips);
    }
    if new.cluster_ip != old.cluster_ip && new.cluster_ips == old.cluster_ips {
        // Whoever changes the one knows nothing of the others.
        new.cluster_ips = new.cluster_ip.clone().map(|ip| vec![ip]);
    }
    if is_open(&new.ip_families) {
        new.ip_families.clone_from(&old.ip_families);
    }
    if new.ip_family_policy.is_none() {
        new.ip_family_policy.clone_from(&old.ip_family_policy);
    }
    give_up_second_family(new, old);
}

/// Rule: `trimFieldsForDualStackDowngrade` of Kubernetes: asking for one family is enough.
fn give_up_second_family(new: &mut ServiceSpec, old: &ServiceSpec) {
    let is_single = |spec: &ServiceSpec| spec.ip_family_policy.as_deref() == Some("SingleStack");
    if is_single(old) || !is_single(new) {
        return;
    }
    if new.ip_families == old.ip_families {
        new.ip_families.iter_mut().for_each(|families| families.truncate(1));
    }
    if new.cluster_ips == old.cluster_ips {
        new.cluster_ips.iter_mut().for_each(|ips| ips.truncate(1));
    }
}

fn keep_node_ports(new: &mut ServiceSpec, old: &ServiceSpec) {
    let (before, after) = (old.ports.iter().flatten(), new.ports.iter().flatten());
    let named: HashSet<i32> = after.filter_map(node_port).collect();
    let by_name: HashMap<&str, i32> = before
        .filter_map(|port| Some((port.name.as_deref().unwrap_or_default(), node_port(port)?)))
        .collect();
    let mut used = named;
    for port in new.ports.iter_mut().flatten().filter(|port| node_port(port).is_none()) {
        let earlier = by_name.get(port.name.as_deref().unwrap_or_default());
        if let Some(number) = earlier.filter(|number| used.insert(**number)) {
            port.node_port = Some(*number);
        }
    }
}

fn node_port(port: &ServicePort) -> Option<i32> {
    port.node_port.filter(|number| *number != 0)
}

fn has_cluster_ip(spec: &ServiceSpec) -> bool {
    spec.type_.as_deref() != Some("ExternalName")
}

fn is_balanced(spec: &ServiceSpec) -> bool {
    spec.type_.as_deref() == Some("LoadBalancer")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn changed(old: &Value, new: &Value) -> Value {
        let read = |spec: &Value| -> Service {
            serde_json::from_value(json!({ "metadata": { "name": "web" }, "spec": spec })).unwrap()
        };
        let (old, mut new) = (read(old), read(new));
        service_update(&mut new, &old);
        serde_json::to_value(new.spec).unwrap()
    }

    #[test]
    fn what_is_not_spoken_of_stays() {
        let old = json!({ "type": "NodePort", "clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.5"],
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "ports": [
                { "name": "a", "port": 80, "nodePort": 30001 },
                { "name": "b", "port": 81, "nodePort": 30002 },
            ] });
        let new = json!({ "type": "NodePort", "ports": [
            { "name": "b", "port": 8081 },
            { "name": "c", "port": 82 },
            { "name": "a", "port": 80 },
        ] });
        let spec = changed(&old, &new);
        assert_eq!(spec["clusterIPs"], json!(["10.96.0.5"]));
        assert_eq!(spec["ipFamilyPolicy"], "SingleStack");
        let ports: Vec<&Value> = (0..3).map(|index| &spec["ports"][index]["nodePort"]).collect();
        assert_eq!(ports, [&json!(30_002), &Value::Null, &json!(30_001)]);
        // One that another port asks for is not there any more.
        let new = json!({ "type": "NodePort", "ports": [
            { "name": "a", "port": 80 },
            { "name": "c", "port": 82, "nodePort": 30001 },
        ] });
        assert_eq!(changed(&old, &new)["ports"][0]["nodePort"], Value::Null);
    }

    #[test]
    fn what_the_type_does_not_have_goes() {
        let old = json!({ "type": "LoadBalancer", "clusterIP": "10.96.0.5",
            "clusterIPs": ["10.96.0.5"], "externalTrafficPolicy": "Cluster",
            "allocateLoadBalancerNodePorts": true, "ports": [{ "port": 80, "nodePort": 30001 }] });
        let mut new = old.clone();
        new["type"] = json!("ClusterIP");
        assert_eq!(
            changed(&old, &new),
            json!({ "type": "ClusterIP", "clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.5"],
                    "ports": [{ "port": 80 }] })
        );
        new["type"] = json!("ExternalName");
        assert_eq!(
            changed(&old, &new),
            json!({ "type": "ExternalName", "ports": [{ "port": 80 }] })
        );
    }

    #[test]
    fn another_address_stands_alone() {
        let old = json!({ "clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.5"] });
        let new = json!({ "clusterIP": "10.96.0.6", "clusterIPs": ["10.96.0.5"] });
        assert_eq!(changed(&old, &new)["clusterIPs"], json!(["10.96.0.6"]));
        let new = json!({ "clusterIP": "10.96.0.6" });
        assert_eq!(changed(&old, &new)["clusterIPs"], json!(["10.96.0.6"]));
    }

    #[test]
    fn asking_for_one_family_gives_up_the_second() {
        let old = json!({ "clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.5", "fd00::5"],
            "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack" });
        let spec = changed(&old, &json!({ "ipFamilyPolicy": "SingleStack" }));
        assert_eq!(spec["clusterIPs"], json!(["10.96.0.5"]));
        assert_eq!(spec["ipFamilies"], json!(["IPv4"]));
        // Whoever names both families has to decide.
        let both = json!({ "ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": "SingleStack" });
        assert_eq!(changed(&old, &both)["ipFamilies"], json!(["IPv6", "IPv4"]));
    }
}
