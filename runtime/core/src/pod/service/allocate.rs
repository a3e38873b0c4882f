//! Addresses and ports of the host for Services, none of them twice.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, TcpListener};

use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::{ServiceError, record};
use crate::manifest::field::{FieldPath, Segment};
use crate::manifest::services::{CLUSTER_IP_RANGE, NODE_PORTS, has_node_ports};
use crate::pod::address::{free_service_host, service_host, service_ips};
use crate::pod::uid::seed;
use crate::sandbox::network::{
    Directory, ServiceKind, ServicePort, ServiceRecord, ServiceTransport, take_node_port,
};

/// What is taken on this machine.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Those of commands, and those that are kept.
    services: Vec<ServiceRecord>,
    /// Node ports that the process of kept Services has, whatever their objects say by now: one that no
    /// Service has is free for another that is kept.
    held: HashSet<u16>,
}

impl Taken {
    /// On the machine of `directory`, where `kept` are the Services that are kept as objects.
    pub(super) fn on(directory: &Directory, kept: &[Service]) -> Self {
        let announced = directory.services();
        // Of a kept one its object speaks.
        let of_commands = announced.iter().filter(|service| !service.kept);
        let services = of_commands.map(|service| ServiceRecord::clone(service));
        let services = services.chain(kept.iter().map(record::kept)).collect();
        Self { services, held: HashSet::new() }
    }

    /// Has the node ports of this one for held.
    pub(super) fn hold(&mut self, service: &ServiceRecord) {
        self.held.extend(service.ports.iter().filter_map(|port| port.node_port));
    }
}

/// What is taken on this machine, and what is about to be.
pub(super) struct Allocator {
    names: HashSet<(String, String)>,
    hosts: HashSet<u16>,
    node_ports: HashSet<u16>,
    held: HashSet<u16>,
    /// What the Services in hand name themselves: not for the others among them.
    wanted_hosts: HashSet<u16>,
    wanted_ports: HashSet<u16>,
}

/// A port of a Service with what listens at its node port.
pub(super) type Listening = (ServicePort, Vec<TcpListener>);

impl Allocator {
    pub(super) fn new(there: &Taken, wanted: &[Service]) -> Self {
        let taken = || there.services.iter();
        let specs = || wanted.iter().filter_map(|service| service.spec.as_ref());
        let ports = specs().flat_map(|spec| spec.ports.iter().flatten());
        Self {
            names: taken().map(|taken| (taken.namespace.clone(), taken.name.clone())).collect(),
            hosts: taken()
                .flat_map(|taken| taken.cluster_ips())
                .filter_map(|ip| service_host(*ip))
                .collect(),
            node_ports: taken()
                .flat_map(|taken| &taken.ports)
                .filter_map(|port| port.node_port)
                .collect(),
            held: there.held.clone(),
            wanted_hosts: specs().filter_map(fixed_ip).filter_map(parse_host).collect(),
            wanted_ports: ports.filter_map(|port| u16::try_from(port.node_port?).ok()).collect(),
        }
    }

    /// Gives `record` what is still open in it, and takes its node ports.
    pub(super) fn allocate(
        &mut self,
        service: &Service,
        record: &mut ServiceRecord,
    ) -> Result<Vec<Listening>, ServiceError> {
        if !self.names.insert((record.namespace.clone(), record.name.clone())) {
            return Err(ServiceError::Exists { name: record.name.clone() });
        }
        let spec = service.spec.clone().unwrap_or_default();
        if matches!(record.kind, ServiceKind::ClusterIp(_)) {
            let host = self.host(&spec, record)?;
            self.hosts.insert(host);
            record.kind = ServiceKind::ClusterIp(service_ips(host).to_vec());
        }
        let mut listening = Vec::new();
        for index in 0..record.ports.len() {
            if let Some(listeners) = self.node_port(&spec, record, index)? {
                listening.push((record.ports[index].clone(), listeners));
            }
        }
        Ok(listening)
    }

    fn host(&self, spec: &ServiceSpec, record: &ServiceRecord) -> Result<u16, ServiceError> {
        let name = &record.name;
        let Some(wanted) = fixed_ip(spec) else {
            let seed = seed(&format!("{}/{name}", record.namespace));
            let is_free = |host| !self.hosts.contains(&host) && !self.wanted_hosts.contains(&host);
            return free_service_host(seed, is_free)
                .ok_or_else(|| ServiceError::Exhausted { name: name.clone(), what: "cluster IP" });
        };
        let detail = match parse_host(wanted) {
            Some(host) if !self.hosts.contains(&host) => return Ok(host),
            Some(_) => format!("failed to allocate IP {wanted}: provided IP is already allocated"),
            None => format!(
                "failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the valid \
                 range. The range of valid IPs is {CLUSTER_IP_RANGE}"
            ),
        };
        let path = spec_field("clusterIPs");
        Err(ServiceError::invalid(name, path, vec![wanted.to_owned()].into(), &detail))
    }

    /// What listens at the node port of the port at `index`, if it is to have one.
    fn node_port(
        &mut self,
        spec: &ServiceSpec,
        record: &mut ServiceRecord,
        index: usize,
    ) -> Result<Option<Vec<TcpListener>>, ServiceError> {
        let port = &mut record.ports[index];
        let name = || record.name.clone();
        let (number, listeners) = match port.node_port {
            Some(number) if self.node_ports.contains(&number) => {
                return Err(ServiceError::invalid(
                    &record.name,
                    node_port_at(index),
                    number.into(),
                    ALLOCATED,
                ));
            }
            Some(number) => match self.listen(number) {
                Ok(listeners) => (number, listeners),
                Err(source) => {
                    return Err(ServiceError::NodePort { name: name(), port: number, source });
                }
            },
            None if gives_node_ports(spec) && port.transport == ServiceTransport::Tcp => {
                let key = format!("{}/{}/{}", record.namespace, record.name, port.port);
                self.free_node_port(seed(&key))
                    .ok_or_else(|| ServiceError::Exhausted { name: name(), what: "node port" })?
            }
            None => return Ok(None),
        };
        self.node_ports.insert(number);
        port.node_port = Some(number);
        Ok(Some(listeners))
    }

    /// A node port that neither a Service nor anybody else of the host has.
    fn free_node_port(&self, seed: u64) -> Option<(u16, Vec<TcpListener>)> {
        let count = NODE_PORTS.len();
        let start = usize::try_from(seed).unwrap_or(0) % count;
        let is_free =
            |port: &u16| !self.node_ports.contains(port) && !self.wanted_ports.contains(port);
        let mut ports = NODE_PORTS.cycle().skip(start).take(count).filter(is_free);
        ports.find_map(|number| Some((number, self.listen(number).ok()?)))
    }

    /// Takes a port, unless it is known to be free for Services.
    fn listen(&self, number: u16) -> io::Result<Vec<TcpListener>> {
        if self.held.contains(&number) { Ok(Vec::new()) } else { take_node_port(number) }
    }
}

/// What the API server says of a node port that somebody has.
pub(super) const ALLOCATED: &str = "provided port is already allocated";

fn spec_field(name: &'static str) -> FieldPath {
    FieldPath::root().then(Segment::Field("spec".into())).then(Segment::Field(name.into()))
}

/// Where the node port of the port at `index` stands.
pub(super) fn node_port_at(index: usize) -> FieldPath {
    spec_field("ports").then(Segment::Index(index)).then(Segment::Field("nodePort".into()))
}

/// Whether ports without one get a node port.
fn gives_node_ports(spec: &ServiceSpec) -> bool {
    has_node_ports(spec) && spec.allocate_load_balancer_node_ports != Some(false)
}

/// The cluster IP that the manifest names.
fn fixed_ip(spec: &ServiceSpec) -> Option<&str> {
    let first = spec.cluster_ips.iter().flatten().next();
    spec.cluster_ip.as_ref().or(first).map(String::as_str).filter(|ip| !ip.is_empty())
}

fn parse_host(ip: &str) -> Option<u16> {
    ip.parse::<IpAddr>().ok().and_then(service_host)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(name: &str, spec: &Value) -> Service {
        serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec })).unwrap()
    }

    /// What each Service is given, or why not, beside those that there are.
    fn given(there: &[ServiceRecord], services: &[Service]) -> Vec<String> {
        let there = Taken { services: there.to_vec(), ..Taken::default() };
        let mut allocator = Allocator::new(&there, services);
        let give = |service: &Service| {
            let mut record = record::of(service);
            match allocator.allocate(service, &mut record) {
                Ok(taken) => {
                    let ports = taken.iter().map(|(port, listeners)| {
                        assert!(!listeners.is_empty());
                        port.node_port.unwrap().to_string()
                    });
                    let ips = record.cluster_ips().iter().map(ToString::to_string);
                    ips.take(1).chain(ports).collect::<Vec<_>>().join(" ")
                }
                Err(error) => error.to_string(),
            }
        };
        services.iter().map(give).collect()
    }

    /// A port that is free, from `first` on: each test has its own part of the range.
    fn free_node_port(first: u16) -> u16 {
        (first..*NODE_PORTS.end()).find(|port| take_node_port(*port).is_ok()).unwrap()
    }

    #[test]
    fn the_same_name_gets_the_same_address_if_that_is_free() {
        let first = given(&[], &[service("web", &json!({}))]);
        assert_eq!(first, given(&[], &[service("web", &json!({}))]));
        // Another one has fixed it, later in the list.
        let fixed = service("other", &json!({ "clusterIP": first[0] }));
        let both = given(&[], &[service("web", &json!({})), fixed]);
        assert_ne!(both[0], first[0]);
        assert_eq!(both[1], first[0]);
    }

    #[test]
    fn what_somebody_has_is_refused() {
        let port = free_node_port(31_000);
        let mut there = record::of(&service("there", &json!({ "ports": [{ "port": 80 }] })));
        there.kind = ServiceKind::ClusterIp(service_ips(0x0102).to_vec());
        there.ports[0].node_port = Some(port);
        let outcome = given(
            &[there],
            &[
                service("there", &json!({})),
                service("fixed", &json!({ "clusterIP": "10.96.1.2" })),
                service("outside", &json!({ "clusterIP": "10.1.1.2" })),
                service(
                    "port",
                    &json!({ "type": "NodePort", "ports": [{ "port": 1, "nodePort": port }] }),
                ),
            ],
        );
        assert_eq!(
            outcome,
            [
                "services \"there\" already exists".to_owned(),
                "service \"fixed\": spec.clusterIPs: Invalid value: [\"10.96.1.2\"]: failed to \
                 allocate IP 10.96.1.2: provided IP is already allocated"
                    .to_owned(),
                "service \"outside\": spec.clusterIPs: Invalid value: [\"10.1.1.2\"]: failed to \
                 allocate IP 10.1.1.2: the provided IP (10.1.1.2) is not in the valid range. The \
                 range of valid IPs is 10.96.0.0/16"
                    .to_owned(),
                format!(
                    "service \"port\": spec.ports[0].nodePort: Invalid value: {port}: provided \
                     port is already allocated"
                ),
            ]
        );
    }

    #[test]
    fn node_ports_are_given_to_tcp_ports_that_name_none() {
        let port = free_node_port(32_000);
        let ports = json!([
            { "name": "a", "port": 80 },
            { "name": "b", "port": 81, "nodePort": port },
            { "name": "c", "port": 53, "protocol": "UDP" },
        ]);
        let spec = json!({ "type": "NodePort", "ports": ports });
        let outcome = given(&[], &[service("web", &spec)]);
        let given_ports: Vec<u16> =
            outcome[0].split(' ').skip(1).map(|port| port.parse().unwrap()).collect();
        assert_eq!(given_ports.len(), 2, "{outcome:?}");
        assert!(NODE_PORTS.contains(&given_ports[0]));
        assert_eq!(given_ports[1], port);

        let written = json!({ "type": "LoadBalancer", "ports": ports,
                              "allocateLoadBalancerNodePorts": false });
        let outcome = given(&[], &[service("web", &written)]);
        assert_eq!(outcome[0].split(' ').count(), 2, "only the one that is written: {outcome:?}");
        let outcome = given(&[], &[service("web", &json!({ "clusterIP": "None" }))]);
        assert_eq!(outcome, [""]);
    }
}
