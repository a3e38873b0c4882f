//! Rule: `printPod`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodSpec, PodStatus};
use serde_json::Value;

use crate::summary::summary;
use crate::table::build::{created, name, or_none};
use crate::table::column::{AGE, Column, NAME, column};

pub(in crate::table) const COLUMNS: &[Column] = &[
    NAME,
    column("Ready", "How many of the containers are ready"),
    column("Status", "What the Pod is at, or what keeps it from running"),
    column("Restarts", "How often containers were started again, and when the last time was"),
    AGE,
    column("IP", "The Pod's address").wide(),
    column("Node", "Where the Pod runs").wide(),
    column("Nominated Node", "Where the Pod will run once others have made room").wide(),
    column("Readiness Gates", "How many of the Pod's readiness gates are open").wide(),
];

pub(in crate::table) fn cells(pod: &Pod, now: Timestamp) -> Vec<Value> {
    let (no_spec, no_status) = (PodSpec::default(), PodStatus::default());
    let spec = pod.spec.as_ref().unwrap_or(&no_spec);
    let status = pod.status.as_ref().unwrap_or(&no_status);
    let summary = summary(pod, now);
    vec![
        name(&pod.metadata),
        format!("{}/{}", summary.ready, summary.total).into(),
        summary.status.into(),
        summary.restarts.to_string().into(),
        created(&pod.metadata, now),
        or_none(status.pod_ips.iter().flatten().next().map(|address| &*address.ip)),
        or_none(spec.node_name.as_deref()),
        or_none(status.nominated_node_name.as_deref()),
        readiness_gates(spec, status),
    ]
}

fn readiness_gates(spec: &PodSpec, status: &PodStatus) -> Value {
    let gates = spec.readiness_gates.as_deref().unwrap_or_default();
    if gates.is_empty() {
        return "<none>".into();
    }
    let is_open = |type_: &str| {
        let mut conditions = status.conditions.iter().flatten();
        conditions.find(|condition| condition.type_ == type_).is_some_and(|it| it.status == "True")
    };
    let open = gates.iter().filter(|gate| is_open(&gate.condition_type)).count();
    format!("{open}/{}", gates.len()).into()
}
