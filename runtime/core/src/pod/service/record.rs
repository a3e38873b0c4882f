//! A Service as others see it, from one that has been defaulted and validated. What is given out to
//! it is left open: its addresses, and node ports that the manifest does not name.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Service, ServicePort as Port, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::manifest::services::{has_node_ports, is_headless};
use crate::pod::address::{service_host, service_ips};
use crate::sandbox::network::{
    ServiceKind, ServicePort, ServiceRecord, ServiceTransport, TargetPort,
};

/// How long a client stays with its Pod, where the manifest does not say.
const AFFINITY: Duration = Duration::from_secs(3 * 60 * 60);

pub(super) fn of(service: &Service) -> ServiceRecord {
    let metadata = &service.metadata;
    let spec = service.spec.clone().unwrap_or_default();
    ServiceRecord {
        name: metadata.name.clone().unwrap_or_default(),
        namespace: metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        kind: kind(&spec),
        ports: spec.ports.iter().flatten().filter_map(|port| self::port(&spec, port)).collect(),
        affinity: affinity(&spec),
        publish_not_ready: spec.publish_not_ready_addresses == Some(true),
        selector: spec.selector.unwrap_or_default(),
        kept: false,
    }
}

/// The same of one that is kept as an object, which says what it was given.
pub(super) fn kept(service: &Service) -> ServiceRecord {
    let mut record = of(service);
    record.kept = true;
    let address = service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref());
    if let ServiceKind::ClusterIp(ips) = &mut record.kind
        && let Some(host) = address.and_then(|ip| ip.parse().ok()).and_then(service_host)
    {
        *ips = service_ips(host).to_vec();
    }
    record
}

fn kind(spec: &ServiceSpec) -> ServiceKind {
    if spec.type_.as_deref() == Some("ExternalName") {
        ServiceKind::ExternalName(spec.external_name.clone().unwrap_or_default())
    } else if is_headless(spec) {
        ServiceKind::Headless
    } else {
        ServiceKind::ClusterIp(Vec::new())
    }
}

fn affinity(spec: &ServiceSpec) -> Option<Duration> {
    if spec.session_affinity.as_deref() != Some("ClientIP") {
        return None;
    }
    let config = spec.session_affinity_config.as_ref();
    let seconds = config.and_then(|config| config.client_ip.as_ref()?.timeout_seconds);
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Some(seconds.map_or(AFFINITY, Duration::from_secs))
}

fn port(spec: &ServiceSpec, port: &Port) -> Option<ServicePort> {
    let transport = match port.protocol.as_deref() {
        None | Some("TCP") => ServiceTransport::Tcp,
        Some("UDP") => ServiceTransport::Udp,
        // Refused by name before.
        Some(_) => return None,
    };
    let target = match &port.target_port {
        None => TargetPort::Number(number(port.port)?),
        Some(IntOrString::Int(target)) => TargetPort::Number(number(*target)?),
        Some(IntOrString::String(name)) => match name.parse() {
            Ok(target) => TargetPort::Number(target),
            Err(_) => TargetPort::Name(name.clone()),
        },
    };
    // A connection can be handed over from a port of the host, a flow of datagrams cannot.
    let has_node_port = has_node_ports(spec) && transport == ServiceTransport::Tcp;
    Some(ServicePort {
        name: port.name.clone().unwrap_or_default(),
        transport,
        port: number(port.port)?,
        target,
        node_port: port.node_port.and_then(number).filter(|_| has_node_port),
    })
}

fn number(number: i32) -> Option<u16> {
    u16::try_from(number).ok().filter(|number| *number != 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(spec: serde_json::Value) -> ServiceRecord {
        let service = json!({ "metadata": { "name": "web" }, "spec": spec });
        of(&serde_json::from_value(service).unwrap())
    }

    #[test]
    fn a_port_leads_to_its_target() {
        let record = record(json!({
            "type": "NodePort",
            "ports": [
                { "name": "a", "port": 80 },
                { "name": "b", "port": 81, "targetPort": 8081, "nodePort": 30001 },
                { "name": "c", "port": 82, "targetPort": "http" },
                { "name": "d", "port": 53, "protocol": "UDP", "nodePort": 30002 },
            ],
        }));
        let shown: Vec<String> = record
            .ports
            .iter()
            .map(|port| {
                let node = port.node_port.map(|node| format!(" ({node})")).unwrap_or_default();
                format!("{} {} {:?}{node}", port.transport, port.port, port.target)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "TCP 80 Number(80)",
                "TCP 81 Number(8081) (30001)",
                "TCP 82 Name(\"http\")",
                "UDP 53 Number(53)",
            ]
        );
    }

    #[test]
    fn a_service_is_of_a_kind() {
        for (spec, expected) in [
            (json!({}), ServiceKind::ClusterIp(Vec::new())),
            (json!({ "type": "LoadBalancer" }), ServiceKind::ClusterIp(Vec::new())),
            (json!({ "clusterIP": "None" }), ServiceKind::Headless),
            (
                json!({ "type": "ExternalName", "externalName": "db.example" }),
                ServiceKind::ExternalName("db.example".into()),
            ),
        ] {
            assert_eq!(record(spec.clone()).kind, expected, "{spec}");
        }
    }

    #[test]
    fn clients_stay_for_three_hours_unless_said() {
        let timeout = |spec| record(spec).affinity.map(|timeout| timeout.as_secs());
        assert_eq!(timeout(json!({})), None);
        assert_eq!(timeout(json!({ "sessionAffinity": "None" })), None);
        assert_eq!(timeout(json!({ "sessionAffinity": "ClientIP" })), Some(10_800));
        let config = json!({ "clientIP": { "timeoutSeconds": 60 } });
        let spec = json!({ "sessionAffinity": "ClientIP", "sessionAffinityConfig": config });
        assert_eq!(timeout(spec), Some(60));
    }
}
