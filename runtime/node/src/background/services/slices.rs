//! The endpoints of a Service as an API server has them. Pure.
//!
//! Rule: the EndpointSlice controller of Kubernetes. As for connections, a Pod that is being ended is none.

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

const OF_SERVICE: &str = "kubernetes.io/service-name";

/// The endpoints of `service` among `pods`, which are those of its namespace, in slices: Pods that resolve
/// its ports to the same numbers are in one.
pub fn endpoint_slices(service: &Service, pods: &[Pod]) -> Vec<EndpointSlice> {
    let mut slices: Vec<EndpointSlice> = Vec::new();
    for pod in pods.iter().filter(|pod| is_chosen(service, pod)) {
        let Some(address) = address(service, pod) else { continue };
        let ports = ports(service, pod);
        let endpoint = Endpoint {
            addresses: vec![address],
            conditions: Some(EndpointConditions {
                ready: Some(is_open(service, pod)),
                ..EndpointConditions::default()
            }),
            ..Endpoint::default()
        };
        match slices.iter_mut().find(|slice| slice.ports.as_ref() == Some(&ports)) {
            Some(slice) => slice.endpoints.get_or_insert_default().push(endpoint),
            None => slices.push(EndpointSlice {
                address_type: family(service).to_owned(),
                endpoints: Some(vec![endpoint]),
                metadata: ObjectMeta {
                    labels: service
                        .metadata
                        .name
                        .clone()
                        .map(|name| [(OF_SERVICE.to_owned(), name)].into_iter().collect()),
                    namespace: service.metadata.namespace.clone(),
                    ..ObjectMeta::default()
                },
                ports: Some(ports),
            }),
        }
    }
    slices
}

fn is_chosen(service: &Service, pod: &Pod) -> bool {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else { return false };
    let labels = pod.metadata.labels.as_ref();
    let has = |(name, value)| labels.and_then(|labels| labels.get(name)) == Some(value);
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    selector.iter().all(has)
        && pod.metadata.deletion_timestamp.is_none()
        && !matches!(phase, Some("Succeeded" | "Failed"))
}

fn is_open(service: &Service, pod: &Pod) -> bool {
    let whatever = service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses);
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref());
    let is_ready = conditions
        .unwrap_or_default()
        .iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    whatever == Some(true) || is_ready
}

fn family(service: &Service) -> &str {
    let families = service.spec.as_ref().and_then(|spec| spec.ip_families.as_deref());
    families.and_then(<[String]>::first).map_or("IPv4", String::as_str)
}

fn address(service: &Service, pod: &Pod) -> Option<String> {
    let is_v6 = family(service) == "IPv6";
    let ips = pod.status.as_ref()?.pod_ips.as_deref().unwrap_or_default();
    ips.iter().find(|ip| ip.ip.contains(':') == is_v6).map(|ip| ip.ip.clone())
}

fn ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let of = |port: &ServicePort| {
        Some(EndpointPort {
            name: Some(port.name.clone().unwrap_or_default()),
            port: Some(target(port, pod)?),
            protocol: port.protocol.clone(),
            ..EndpointPort::default()
        })
    };
    ports.filter_map(of).collect()
}

/// A Pod whose containers name no such port has no endpoint there.
fn target(port: &ServicePort, pod: &Pod) -> Option<i32> {
    let name = match &port.target_port {
        None => return Some(port.port),
        Some(IntOrString::Int(number)) => return Some(*number),
        Some(IntOrString::String(name)) => name,
    };
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut named = containers.flat_map(|container| container.ports.iter().flatten());
    let protocol = |protocol: &Option<String>| protocol.clone().unwrap_or_else(|| "TCP".to_owned());
    let is_it = |own: &&k8s_openapi::api::core::v1::ContainerPort| {
        own.name.as_ref() == Some(name) && protocol(&own.protocol) == protocol(&port.protocol)
    };
    named.find(is_it).map(|own| own.container_port)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(name: &str, change: &Value) -> Pod {
        let mut pod = json!({
            "metadata": { "name": name, "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "a", "ports": [{ "name": "http", "containerPort": 8080 }] }] },
            "status": { "phase": "Running", "podIPs": [{ "ip": name }, { "ip": "fd00::1" }],
                        "conditions": [{ "type": "Ready", "status": "True" }] },
        });
        for (pointer, value) in change.as_object().into_iter().flatten() {
            *pod.pointer_mut(pointer).unwrap() = value.clone();
        }
        serde_json::from_value(pod).unwrap()
    }

    fn told(spec: &Value) -> String {
        let service: Service = serde_json::from_value(json!({
            "metadata": { "name": "web", "namespace": "default" }, "spec": spec,
        }))
        .unwrap();
        let pods = [
            pod("10.0.0.1", &json!({})),
            pod("10.0.0.2", &json!({ "/status/conditions/0/status": "False" })),
            pod("10.0.0.3", &json!({ "/metadata/labels/app": "db" })),
            pod("10.0.0.4", &json!({ "/spec/containers/0/ports/0/containerPort": 8081 })),
            pod("10.0.0.5", &json!({ "/status/phase": "Failed" })),
        ];
        let slices = endpoint_slices(&service, &pods);
        let line = |slice: &EndpointSlice| {
            let endpoints = slice.endpoints.iter().flatten().map(|endpoint| {
                let is_ready = endpoint.conditions.as_ref().and_then(|it| it.ready).unwrap();
                format!("{}{}", endpoint.addresses[0], if is_ready { "" } else { " not ready" })
            });
            let ports = slice.ports.iter().flatten().map(|port| port.port.unwrap().to_string());
            let (endpoints, ports): (Vec<_>, Vec<_>) = (endpoints.collect(), ports.collect());
            format!("{}: {}\n", ports.join(","), endpoints.join(", "))
        };
        slices.iter().map(line).collect()
    }

    #[test]
    fn chosen_pods_are_endpoints_by_the_numbers_of_their_ports() {
        let selector = json!({ "app": "web" });
        let number = json!({ "selector": selector, "ports": [{ "port": 80, "targetPort": 8080 }] });
        insta::assert_snapshot!(told(&number), @"8080: 10.0.0.1, 10.0.0.2 not ready, 10.0.0.4");
        let name = json!({ "selector": selector, "publishNotReadyAddresses": true,
                           "ports": [{ "port": 80, "targetPort": "http" }] });
        insta::assert_snapshot!(told(&name), @"
        8080: 10.0.0.1, 10.0.0.2
        8081: 10.0.0.4
        ");
        let six =
            json!({ "selector": selector, "ipFamilies": ["IPv6"], "ports": [{ "port": 80 }] });
        insta::assert_snapshot!(told(&six), @"80: fd00::1, fd00::1 not ready, fd00::1");
        assert_eq!(told(&json!({ "ports": [{ "port": 80 }] })), "", "no selector, no Pod");
    }
}
