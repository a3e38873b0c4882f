//! A Node, with the Pods on it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, NodeSpec, NodeStatus, NodeSystemInfo};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{events, metadata, node_resources, scheduling};
use crate::quantity::canonical;
use crate::roles::roles;

pub(super) fn describe(sheet: &mut Sheet, node: &Node, around: &Surroundings) {
    let (no_spec, no_status) = (NodeSpec::default(), NodeStatus::default());
    let spec = node.spec.as_ref().unwrap_or(&no_spec);
    let status = node.status.as_ref().unwrap_or(&no_status);
    let name = node.metadata.name.as_deref().unwrap_or_default();
    sheet.field(0, "Name", name);
    let roles = roles(node).join(",");
    sheet.field(0, "Roles", if roles.is_empty() { "<none>" } else { &roles });
    metadata::labels(sheet, "Labels", &node.metadata.labels);
    metadata::annotations(sheet, &node.metadata.annotations);
    sheet.field(0, "CreationTimestamp", around.date(node.metadata.creation_timestamp.as_ref()));
    scheduling::taints(sheet, spec.taints.as_deref().unwrap_or_default());
    sheet.field(0, "Unschedulable", spec.unschedulable.unwrap_or_default().to_string());
    lease(sheet, name, around);
    conditions(sheet, status, around);
    sheet.write(0, "Addresses:\n");
    for address in status.addresses.iter().flatten() {
        sheet.field(1, &address.type_, &address.address);
    }
    amounts(sheet, "Capacity", &status.capacity);
    amounts(sheet, "Allocatable", &status.allocatable);
    system(sheet, &status.node_info.clone().unwrap_or_default());
    networks(sheet, spec);
    node_resources::describe(sheet, name, status, around);

    // Some write the name of the node where its uid belongs.
    let by_uid = events::about(node.metadata.uid.as_deref(), &node.metadata, Some("Node"), around);
    let by_name = events::about(Some(name), &node.metadata, Some("Node"), around);
    events::describe(sheet, &by_uid.and(by_name));
}

fn lease(sheet: &mut Sheet, name: &str, around: &Surroundings) {
    let Some(lease) = &around.lease else {
        let missing = format!("Failed to get lease: leases.coordination.k8s.io {name:?} not found");
        return sheet.field(0, "Lease", missing);
    };
    let spec = lease.spec.clone().unwrap_or_default();
    let date = |time: Option<jiff::Timestamp>| match time {
        Some(time) => around.date_of(Some(time)),
        None => "<unset>".to_owned(),
    };
    sheet.write(0, "Lease:\n");
    let holder = spec.holder_identity.unwrap_or_else(|| "<unset>".to_owned());
    sheet.field(1, "HolderIdentity", holder);
    sheet.field(1, "AcquireTime", date(spec.acquire_time.map(|time| time.0)));
    sheet.field(1, "RenewTime", date(spec.renew_time.map(|time| time.0)));
}

fn conditions(sheet: &mut Sheet, status: &NodeStatus, around: &Surroundings) {
    let conditions = status.conditions.as_deref().unwrap_or_default();
    if !conditions.is_empty() {
        sheet.write(
            0,
            "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n",
        );
        sheet.write(1, "----\t------\t-----------------\t------------------\t------\t-------\n");
    }
    for condition in conditions {
        let line = format!(
            "{} \t{} \t{} \t{} \t{} \t{}\n",
            condition.type_,
            condition.status,
            around.date(condition.last_heartbeat_time.as_ref()),
            around.date(condition.last_transition_time.as_ref()),
            condition.reason.as_deref().unwrap_or_default(),
            condition.message.as_deref().unwrap_or_default(),
        );
        sheet.write(1, line);
    }
}

fn amounts(sheet: &mut Sheet, title: &str, amounts: &Option<BTreeMap<String, Quantity>>) {
    let amounts: Vec<_> = amounts.iter().flatten().collect();
    if !amounts.is_empty() {
        sheet.write(0, format!("{title}:\n"));
    }
    for (name, quantity) in amounts {
        sheet.field(1, name, canonical(quantity));
    }
}

fn system(sheet: &mut Sheet, info: &NodeSystemInfo) {
    sheet.write(0, "System Info:\n");
    for (name, text) in [
        ("Machine ID", &info.machine_id),
        ("System UUID", &info.system_uuid),
        ("Boot ID", &info.boot_id),
        ("Kernel Version", &info.kernel_version),
        ("OS Image", &info.os_image),
        ("Operating System", &info.operating_system),
        ("Architecture", &info.architecture),
        ("Container Runtime Version", &info.container_runtime_version),
        ("Kubelet Version", &info.kubelet_version),
        ("Kube-Proxy Version", &info.kube_proxy_version),
    ] {
        sheet.field(1, name, text);
    }
}

fn networks(sheet: &mut Sheet, spec: &NodeSpec) {
    let ranges = spec.pod_cidrs.clone().unwrap_or_default().join(",");
    for (name, text) in [
        ("PodCIDR", spec.pod_cidr.as_deref()),
        ("PodCIDRs", Some(&*ranges)),
        ("ProviderID", spec.provider_id.as_deref()),
    ] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            sheet.field(0, name, text);
        }
    }
}
