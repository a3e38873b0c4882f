//! Rule: `printNode`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, NodeStatus};
use serde_json::Value;

use crate::roles::roles;
use crate::table::build::{created, name, or_none};
use crate::table::column::{AGE, Column, NAME, column};

pub(in crate::table) const COLUMNS: &[Column] = &[
    NAME,
    column("Status", "Whether the node is ready, and whether it takes Pods"),
    column("Roles", "What the node is for, by its labels"),
    AGE,
    column("Version", "The version of what runs the Pods"),
    column("Internal-IP", "The node's address among nodes").wide(),
    column("External-IP", "The node's address for others").wide(),
    column("OS-Image", "The operating system's own name").wide(),
    column("Kernel-Version", "The version of the kernel").wide(),
    column("Container-Runtime", "What runs the containers").wide(),
];

pub(in crate::table) fn cells(node: &Node, now: Timestamp) -> Vec<Value> {
    let no_status = NodeStatus::default();
    let status = node.status.as_ref().unwrap_or(&no_status);
    let info = status.node_info.clone().unwrap_or_default();
    let or_unknown =
        |text: String| -> Value { if text.is_empty() { "<unknown>".into() } else { text.into() } };
    vec![
        name(&node.metadata),
        state(node, status).into(),
        or_none(Some(&roles(node).join(","))),
        created(&node.metadata, now),
        info.kubelet_version.into(),
        address(status, "InternalIP"),
        address(status, "ExternalIP"),
        or_unknown(info.os_image),
        or_unknown(info.kernel_version),
        or_unknown(info.container_runtime_version),
    ]
}

fn state(node: &Node, status: &NodeStatus) -> String {
    let mut conditions = status.conditions.iter().flatten();
    let ready = conditions.find(|condition| condition.type_ == "Ready");
    let word = match ready {
        Some(condition) if condition.status == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let is_closed = node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default();
    if is_closed { format!("{word},SchedulingDisabled") } else { word.to_owned() }
}

fn address(status: &NodeStatus, type_: &str) -> Value {
    let mut addresses = status.addresses.iter().flatten();
    or_none(addresses.find(|address| address.type_ == type_).map(|address| &*address.address))
}
