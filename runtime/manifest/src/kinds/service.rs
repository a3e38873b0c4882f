//! Services: checked as any object, and against each other for what only one of them can have.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use super::gathered::Gathered;
use super::object::Here;
use super::pod::{self, Written};
use super::support_object;
use crate::decode::decode;
use crate::defaults;
use crate::field::Place;
use crate::manifest::WrittenService;
use crate::node::Node;
use crate::problem::ProblemKind;
use crate::schema::{BALANCER_CLIENTS, SERVICE};
use crate::services::has_node_ports;
use crate::strict::place_of;
use crate::validate::{self, SOURCE_RANGES};

pub(super) fn read(node: &mut Node, here: &Here, gathered: &mut Gathered) {
    let first_problem = gathered.report.problems.len();
    let as_written = gathered.keeps_written.then(|| decode::<serde_json::Value>(node).ok());
    let read = support_object::read::<Service>(node, &SERVICE, here, gathered, |service| {
        // What only the system writes is not part of what is wanted.
        service.status = None;
        defaults::service(service);
        validate::service(service)
    });
    let Some(service) = read else {
        return;
    };
    refuse_source_ranges(&service, node, here, gathered);
    support_object::claim_name(&SERVICE, &service.metadata, here, gathered);
    let owner = format!("{} ({}:{})", named(&service), gathered.source, here.at.line);
    let errors = gathered.allocated.allocate(&service, &owner);
    let written = Written { template: node, path: "", first_problem };
    pod::report_errors(errors, &written, here, gathered);
    if service.spec.as_ref().is_some_and(leads_nowhere) {
        let message = format!(
            "{} has no selector and leads to no Pod: Endpoints and EndpointSlices have no effect here",
            named(&service)
        );
        gathered.report.note(here.at, here.path("spec.selector"), message);
    }
    if let Some(number) = unserved_node_port(&service) {
        let message = format!(
            "{}: nodePort {number} is of UDP and not opened on this host; use hostPort",
            named(&service)
        );
        gathered.report.note(here.at, here.path("spec.ports"), message);
    }
    gathered.manifest.services.push(service);
    if let Some(mut object) = as_written.flatten() {
        // What only the system writes is not part of what is wanted.
        if let Some(fields) = object.as_object_mut() {
            fields.remove("status");
        }
        let source = gathered.source.clone();
        gathered.manifest.services_as_written.push(WrittenService { object, source });
    }
}

/// A connection can be handed to a Pod, a flow of datagrams cannot.
fn unserved_node_port(service: &Service) -> Option<i32> {
    let spec = service.spec.as_ref().filter(|spec| has_node_ports(spec))?;
    let udp = |port: &&ServicePort| port.protocol.as_deref() == Some("UDP");
    spec.ports.iter().flatten().filter(udp).find_map(|port| port.node_port)
}

fn named(service: &Service) -> String {
    format!("Service \"{}\"", service.metadata.name.as_deref().unwrap_or_default())
}

fn leads_nowhere(spec: &ServiceSpec) -> bool {
    spec.type_.as_deref() != Some("ExternalName")
        && spec.selector.as_ref().is_none_or(|selector| selector.is_empty())
}

/// The annotation is as much of a protection as the field of that name, which the table refuses.
fn refuse_source_ranges(service: &Service, node: &Node, here: &Here, gathered: &mut Gathered) {
    let annotations = service.metadata.annotations.as_ref();
    let ranges = annotations.and_then(|annotations| annotations.get(SOURCE_RANGES));
    let kind = service.spec.as_ref().and_then(|spec| spec.type_.as_deref());
    if kind != Some("LoadBalancer") || ranges.is_none_or(|ranges| ranges.trim().is_empty()) {
        return;
    }
    let at = Place::top("metadata");
    let at = at.field("annotations");
    let field = at.key(SOURCE_RANGES).path();
    let path = here.path(&field.to_string());
    let message = format!("{path}: not supported: {BALANCER_CLIENTS}");
    let at = place_of(node, &field);
    gathered.report.problem(ProblemKind::NotSupported, at, path, message, None);
}

#[cfg(test)]
mod tests {
    use crate::{Manifest, Source, load};

    fn manifest(text: &str) -> Manifest {
        let source = Source { name: "pod.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
        load(&[source]).unwrap_or_else(|errors| panic!("refused:\n{errors}"))
    }

    fn notes(manifest: &Manifest) -> String {
        manifest.notes.iter().map(|note| format!("{note}\n")).collect()
    }

    #[test]
    fn services_are_kept_in_their_order() {
        let manifest = manifest(
            "apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}
---
apiVersion: v1
kind: ServiceList
items:
- {metadata: {generateName: db-, namespace: shop}, spec: {clusterIP: None, selector: {app: db}}}
- {metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}
",
        );
        let places: Vec<_> = manifest
            .services
            .iter()
            .map(|service| {
                let metadata = &service.metadata;
                (metadata.namespace.as_deref().unwrap(), metadata.name.as_deref().unwrap())
            })
            .collect();
        assert_eq!(places[0], ("default", "web"));
        assert!(places[1].0 == "shop" && places[1].1.starts_with("db-"), "{places:?}");
        assert_eq!(places[2], ("shop", "web"));
        assert_eq!(manifest.services[0].status, None);
        let spec = manifest.services[0].spec.as_ref().unwrap();
        assert_eq!(spec.type_.as_deref(), Some("ClusterIP"));
        assert_eq!(notes(&manifest), "");
    }

    #[test]
    fn a_node_port_of_udp_is_told_of() {
        let manifest = manifest(
            "apiVersion: v1
kind: Service
metadata: {name: dns}
spec:
  type: NodePort
  selector: {app: dns}
  ports:
  - {name: tcp, port: 53, nodePort: 30053}
  - {name: udp, port: 53, nodePort: 30053, protocol: UDP}
",
        );
        let expected = "nodePort 30053 is of UDP and not opened on this host; use hostPort";
        assert!(notes(&manifest).contains(expected), "{}", notes(&manifest));
    }

    #[test]
    fn what_has_no_effect_is_said_once() {
        let balanced = |name: &str| {
            format!(
                "apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  externalIPs: [192.0.2.1]
  healthCheckNodePort: 30099
  ipFamilies: [IPv4]
  ipFamilyPolicy: SingleStack
  loadBalancerClass: a/b
  loadBalancerIP: 192.0.2.1
  selector: {{app: web}}
  ports:
  - {{port: 80, appProtocol: http}}
  trafficDistribution: PreferSameNode
"
            )
        };
        let manifest = manifest(&format!("{}---\n{}", balanced("a"), balanced("b")));
        insta::assert_snapshot!(notes(&manifest), @r"
        pod.yaml:5:3: spec.type: accepted without effect: no load balancer here: clients from outside come by the node port only
        pod.yaml:7:3: spec.externalIPs: accepted without effect: no address is added to this machine
        pod.yaml:8:3: spec.healthCheckNodePort: accepted without effect: no load balancer is put before this machine
        pod.yaml:9:3: spec.ipFamilies: accepted without effect: a Service has an address of each family
        pod.yaml:10:3: spec.ipFamilyPolicy: accepted without effect: a Service has an address of each family
        pod.yaml:11:3: spec.loadBalancerClass: accepted without effect: no load balancer is put before this machine
        pod.yaml:12:3: spec.loadBalancerIP: accepted without effect: no load balancer is put before this machine
        pod.yaml:15:16: spec.ports[0].appProtocol: accepted without effect: connections are passed on as they are
        pod.yaml:16:3: spec.trafficDistribution: accepted without effect: every endpoint runs on this machine
        ");
    }

    #[test]
    fn a_service_without_a_selector_leads_nowhere() {
        let manifest = manifest(
            "apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: old}, spec: {ports: [{port: 80}]}}
- {apiVersion: v1, kind: Service, metadata: {name: api}, spec: {type: ExternalName, externalName: a}}
",
        );
        insta::assert_snapshot!(
            notes(&manifest),
            @r#"pod.yaml:4:3: Service "old" has no selector and leads to no Pod: Endpoints and EndpointSlices have no effect here"#
        );
        assert_eq!(manifest.services.len(), 2);
    }
}
