//! What a Service is given that is kept as an object: written into it, and its own until it goes.

use std::io;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use super::ServiceError;
use super::allocate::{ALLOCATED, Allocator, Taken, node_port_at};
use super::record;
use crate::pod::folders::Folders;
use crate::records::Alone;
use crate::sandbox::network::{Directory, ServiceKind, ServicePort as RecordedPort, ServiceRecord};

/// As long as it is there, nobody gives away what was just allocated.
#[derive(Debug)]
pub struct Allocation {
    _alone: Alone,
}

impl Allocation {
    /// Nothing: only that nobody allocates anything meanwhile.
    ///
    /// # Errors
    /// The directory of the machine cannot be written.
    pub fn nothing(folders: &Folders) -> io::Result<Self> {
        Ok(Self { _alone: Directory::new(folders.network()).alone()? })
    }
}

/// Gives `service`, which has been defaulted and validated, an address and node ports where they are
/// open, and looks whether it can have those that it names. `before` is what it was, `others` are all
/// other Services that are kept.
///
/// # Errors
/// [`ServiceError`]
pub fn allocate_kept(
    folders: &Folders,
    service: &mut Service,
    before: Option<&Service>,
    others: &[Service],
) -> Result<Allocation, ServiceError> {
    let directory = Directory::new(folders.network());
    let failed = |source| ServiceError::Directory { folder: folders.network(), source };
    let allocation = Allocation::nothing(folders).map_err(failed)?;
    let mut taken = Taken::on(&directory, others);
    for announced in directory.services().iter().filter(|service| service.kept) {
        taken.hold(announced);
    }
    if let Some(before) = before {
        // Its own, whether or not somebody else of the host has it just now.
        taken.hold(&record::kept(before));
    }
    let mut record = record::of(service);
    let allocated =
        Allocator::new(&taken, std::slice::from_ref(service)).allocate(service, &mut record);
    allocated.map_err(|error| as_the_api_server(error, &record))?;
    if let Some(spec) = &mut service.spec {
        write_down(&record, spec);
    }
    Ok(allocation)
}

/// A port of the host that another program has is one that is allocated: a Service cannot have it.
fn as_the_api_server(error: ServiceError, record: &ServiceRecord) -> ServiceError {
    match error {
        ServiceError::NodePort { name, port, source } => {
            let index = record.ports.iter().position(|own| own.node_port == Some(port));
            let detail = format!("{ALLOCATED} by another program of this host: {source}");
            let path = node_port_at(index.unwrap_or_default());
            ServiceError::invalid(&name, path, port.into(), &detail)
        }
        other => other,
    }
}

fn write_down(record: &ServiceRecord, spec: &mut ServiceSpec) {
    if spec.type_.as_deref() != Some("ExternalName") {
        families(spec);
    }
    if let ServiceKind::ClusterIp(ips) = &record.kind {
        let of_family = |family: &String| {
            let ip = ips.iter().find(|ip| family_of(**ip) == family)?;
            Some(ip.to_string())
        };
        let addresses: Vec<String> =
            spec.ip_families.iter().flatten().filter_map(of_family).collect();
        spec.cluster_ip = addresses.first().cloned();
        spec.cluster_ips = Some(addresses);
    }
    for port in spec.ports.iter_mut().flatten() {
        if let Some(number) = given_node_port(record, port) {
            port.node_port = Some(number.into());
        }
    }
}

/// Rule: a Service has one family, the first one, unless it asks for both. Here it has an address of each
/// in any case; this is what is told of it.
fn families(spec: &mut ServiceSpec) {
    let families = spec.ip_families.get_or_insert_default();
    let named = families.len().max(spec.cluster_ips.as_ref().map_or(0, Vec::len));
    let policy = if named > 1 { "PreferDualStack" } else { "SingleStack" };
    let policy = spec.ip_family_policy.get_or_insert_with(|| policy.to_owned());
    let wanted = if policy == "SingleStack" { 1 } else { 2 };
    if families.is_empty() {
        let named = spec.cluster_ips.iter().flatten().find_map(|ip| ip.parse().ok());
        families.push(named.map_or("IPv4", family_of).to_owned());
    }
    if families.len() < wanted {
        let other = if families[0] == "IPv4" { "IPv6" } else { "IPv4" };
        families.push(other.to_owned());
    }
}

fn family_of(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { "IPv4" } else { "IPv6" }
}

fn given_node_port(record: &ServiceRecord, port: &ServicePort) -> Option<u16> {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let is_it = |own: &&RecordedPort| {
        i32::from(own.port) == port.port && own.transport.to_string() == protocol
    };
    record.ports.iter().find(is_it).and_then(|own| own.node_port)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(name: &str, spec: &Value) -> Service {
        serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec })).unwrap()
    }

    /// The spec with what it was given, or why it was not.
    fn given(spec: &Value, others: &[Service]) -> Value {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(root.path())).unwrap();
        let mut service = service("web", spec);
        match allocate_kept(&folders, &mut service, None, others) {
            Ok(_) => serde_json::to_value(service.spec).unwrap(),
            Err(error) => error.to_string().into(),
        }
    }

    #[test]
    fn what_was_given_is_written_down() {
        let spec = given(&json!({ "clusterIP": "10.96.1.2" }), &[]);
        assert_eq!(
            spec,
            json!({ "clusterIP": "10.96.1.2", "clusterIPs": ["10.96.1.2"],
                    "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack" })
        );
        let both =
            given(&json!({ "clusterIP": "10.96.1.2", "ipFamilyPolicy": "PreferDualStack" }), &[]);
        assert_eq!(both["clusterIPs"], json!(["10.96.1.2", "fd00:a:60::102"]));
        let six = given(&json!({ "ipFamilies": ["IPv6"] }), &[]);
        assert!(six["clusterIP"].as_str().unwrap().starts_with("fd00:a:60::"), "{six}");
        // And can be told again.
        let again = json!({ "clusterIP": six["clusterIP"], "clusterIPs": six["clusterIPs"] });
        assert_eq!(given(&again, &[]), six);
        let headless = given(&json!({ "clusterIP": "None", "clusterIPs": ["None"] }), &[]);
        assert_eq!(headless["clusterIPs"], json!(["None"]));
        let elsewhere = json!({ "type": "ExternalName", "externalName": "a.example" });
        assert_eq!(given(&elsewhere, &[]), elsewhere);
    }

    #[test]
    fn what_a_kept_one_has_is_taken_though_nobody_announces_it() {
        let spec = json!({ "type": "NodePort", "clusterIP": "10.96.1.2",
                           "ports": [{ "port": 80, "nodePort": 30_321 }] });
        let other = [service("other", &spec)];
        let refused = given(&json!({ "clusterIP": "10.96.1.2" }), &other);
        assert!(
            refused.as_str().unwrap().ends_with("provided IP is already allocated"),
            "{refused}"
        );
        let port = json!({ "type": "NodePort", "ports": spec["ports"] });
        let refused = given(&port, &other);
        assert!(
            refused.as_str().unwrap().ends_with("provided port is already allocated"),
            "{refused}"
        );
    }
}
