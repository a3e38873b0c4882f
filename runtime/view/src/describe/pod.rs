//! A Pod.

use k8s_openapi::api::core::v1::{Pod, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::container::Containers;
use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{container, events, metadata, pod_resources, qos, scheduling, volumes};
use crate::summary::has_ended;

pub(super) fn describe(sheet: &mut Sheet, pod: &Pod, around: &Surroundings) {
    let (no_spec, no_status) = (PodSpec::default(), PodStatus::default());
    let spec = pod.spec.as_ref().unwrap_or(&no_spec);
    let status = pod.status.as_ref().unwrap_or(&no_status);
    identity(sheet, &pod.metadata, spec, status, around);
    state(sheet, pod, status, around);
    if let Some(profile) =
        spec.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref())
    {
        container::seccomp(sheet, 0, 0, profile);
    }
    addresses(sheet, status);
    if let Some(owner) = controller(&pod.metadata) {
        sheet.field(0, "Controlled By", owner);
    }
    optional(sheet, "NominatedNodeName", status.nominated_node_name.as_deref());
    if let Some(resources) = &spec.resources {
        sheet.write(0, "Resources:\n");
        pod_resources::limits_and_requests(sheet, 1, resources);
    }
    containers(sheet, pod, spec, status, around);
    conditions(sheet, spec, status);
    volumes::describe(sheet, spec.volumes.as_deref().unwrap_or_default());
    sheet.field(0, "QoS Class", qos::class(spec, status));
    metadata::labels(sheet, "Node-Selectors", &spec.node_selector);
    scheduling::tolerations(sheet, spec.tolerations.as_deref().unwrap_or_default());
    scheduling::spread(sheet, spec.topology_spread_constraints.as_deref().unwrap_or_default());
    events::describe(
        sheet,
        &events::about(pod.metadata.uid.as_deref(), &pod.metadata, None, around),
    );
}

fn identity(
    sheet: &mut Sheet,
    metadata: &ObjectMeta,
    spec: &PodSpec,
    status: &PodStatus,
    around: &Surroundings,
) {
    metadata::names(sheet, metadata);
    if let Some(priority) = spec.priority {
        sheet.field(0, "Priority", priority.to_string());
    }
    optional(sheet, "Priority Class Name", spec.priority_class_name.as_deref());
    optional(sheet, "Runtime Class Name", spec.runtime_class_name.as_deref());
    optional(sheet, "Service Account", spec.service_account_name.as_deref());
    match spec.node_name.as_deref().filter(|name| !name.is_empty()) {
        Some(node) => {
            let host = status.host_ip.as_deref().unwrap_or_default();
            sheet.field(0, "Node", format!("{node}/{host}"));
        }
        None => sheet.field(0, "Node", "<none>"),
    }
    if let Some(start) = &status.start_time {
        sheet.field(0, "Start Time", around.date(Some(start)));
    }
    metadata::labels(sheet, "Labels", &metadata.labels);
    metadata::annotations(sheet, &metadata.annotations);
}

fn state(sheet: &mut Sheet, pod: &Pod, status: &PodStatus, around: &Surroundings) {
    match &pod.metadata.deletion_timestamp {
        Some(deleted) if !has_ended(status) => {
            let lasts = around.since(Some(deleted));
            sheet.field(0, "Status", format!("Terminating (lasts {lasts})"));
            let period = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
            sheet.field(0, "Termination Grace Period", format!("{period}s"));
        }
        Some(_) | None => {
            sheet.field(0, "Status", status.phase.as_deref().unwrap_or_default());
        }
    }
    optional(sheet, "Reason", status.reason.as_deref());
    optional(sheet, "Message", status.message.as_deref());
}

fn addresses(sheet: &mut Sheet, status: &PodStatus) {
    sheet.field(0, "IP", status.pod_ip.as_deref().unwrap_or_default());
    match status.pod_ips.as_deref() {
        None | Some([]) => sheet.field(0, "IPs", "<none>"),
        Some(addresses) => {
            sheet.write(0, "IPs:\n");
            addresses.iter().for_each(|address| sheet.field(1, "IP", &address.ip));
        }
    }
}

fn containers(
    sheet: &mut Sheet,
    pod: &Pod,
    spec: &PodSpec,
    status: &PodStatus,
    around: &Surroundings,
) {
    let mut describe = |title, containers: &[_], statuses: &Option<Vec<_>>| {
        let statuses = statuses.as_deref().unwrap_or_default();
        container::describe(sheet, &Containers { title, containers, statuses, pod, around });
    };
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    if !inits.is_empty() {
        describe("Init Containers", inits, &status.init_container_statuses);
    }
    describe("Containers", &spec.containers, &status.container_statuses);
    let ephemeral: Vec<_> =
        spec.ephemeral_containers.iter().flatten().map(container::of_ephemeral).collect();
    if !ephemeral.is_empty() {
        describe("Ephemeral Containers", &ephemeral, &status.ephemeral_container_statuses);
    }
}

fn conditions(sheet: &mut Sheet, spec: &PodSpec, status: &PodStatus) {
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let gates = spec.readiness_gates.as_deref().unwrap_or_default();
    if !gates.is_empty() {
        sheet.write(0, "Readiness Gates:\n  Type\tStatus\n");
        for gate in gates {
            let condition = conditions.iter().find(|it| it.type_ == gate.condition_type);
            let status = condition.map_or("<none>", |condition| &condition.status);
            sheet.write(1, format!("{} \t{status} \n", gate.condition_type));
        }
    }
    if !conditions.is_empty() {
        sheet.write(0, "Conditions:\n  Type\tStatus\n");
        for condition in conditions {
            sheet.write(1, format!("{} \t{} \n", condition.type_, condition.status));
        }
    }
}

fn controller(metadata: &ObjectMeta) -> Option<String> {
    let mut owners = metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true))?;
    Some(format!("{}/{}", owner.kind, owner.name))
}

fn optional(sheet: &mut Sheet, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        sheet.field(0, name, text);
    }
}
