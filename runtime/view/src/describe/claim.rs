//! A PersistentVolumeClaim, and the template of one.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimTemplate, Pod, TypedLocalObjectReference,
};

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{events, metadata};
use crate::claim::{Bound, storage_class};

pub(super) fn describe(sheet: &mut Sheet, claim: &PersistentVolumeClaim, around: &Surroundings) {
    metadata::names(sheet, &claim.metadata);
    sheet.field(0, "StorageClass", storage_class(claim));
    match &claim.metadata.deletion_timestamp {
        Some(deleted) => {
            let lasts = around.since(Some(deleted));
            sheet.field(0, "Status", format!("Terminating (lasts {lasts})"));
        }
        None => {
            let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
            sheet.field(0, "Status", phase.unwrap_or_default());
        }
    }
    let bound = Bound::of(claim);
    sheet.field(0, "Volume", &bound.volume);
    metadata::labels(sheet, "Labels", &claim.metadata.labels);
    metadata::annotations(sheet, &claim.metadata.annotations);
    let finalizers = claim.metadata.finalizers.clone().unwrap_or_default();
    sheet.field(0, "Finalizers", format!("[{}]", finalizers.join(" ")));
    storage(sheet, claim, &bound);
    metadata::list(sheet, "Used By", &users(claim, &around.pods));
    conditions(sheet, claim, around);
    let metadata = &claim.metadata;
    let kind = Some("PersistentVolumeClaim");
    events::describe(sheet, &events::about(metadata.uid.as_deref(), metadata, kind, around));
}

/// The claim that a Pod brings with it.
pub(super) fn template(sheet: &mut Sheet, template: &PersistentVolumeClaimTemplate) {
    let claim = PersistentVolumeClaim {
        metadata: template.metadata.clone().unwrap_or_default(),
        spec: Some(template.spec.clone()),
        status: None,
    };
    let bound = Bound::of(&claim);
    sheet.field(0, "StorageClass", storage_class(&claim));
    sheet.field(0, "Volume", &bound.volume);
    metadata::labels(sheet, "Labels", &claim.metadata.labels);
    metadata::annotations(sheet, &claim.metadata.annotations);
    storage(sheet, &claim, &bound);
}

fn storage(sheet: &mut Sheet, claim: &PersistentVolumeClaim, bound: &Bound) {
    sheet.field(0, "Capacity", &bound.capacity);
    sheet.field(0, "Access Modes", &bound.access_modes);
    let spec = claim.spec.clone().unwrap_or_default();
    if let Some(mode) = &spec.volume_mode {
        sheet.field(0, "VolumeMode", mode);
    }
    if let Some(source) = &spec.data_source {
        data_source(sheet, source);
    }
}

fn data_source(sheet: &mut Sheet, source: &TypedLocalObjectReference) {
    sheet.write(0, "DataSource:\n");
    if let Some(group) = &source.api_group {
        sheet.field(1, "APIGroup", group);
    }
    sheet.field(1, "Kind", &source.kind);
    sheet.field(1, "Name", &source.name);
}

/// The Pods that mount the claim, or that it belongs to.
fn users(claim: &PersistentVolumeClaim, pods: &[Pod]) -> Vec<String> {
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    let mounts = |pod: &Pod| {
        let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        let mut claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
        claims.any(|claim| claim.claim_name == name)
    };
    let owns = |pod: &Pod| {
        let mut owners = claim.metadata.owner_references.iter().flatten();
        owners.any(|owner| owner.kind == "Pod" && Some(&owner.uid) == pod.metadata.uid.as_ref())
    };
    let is_near = |pod: &&Pod| pod.metadata.namespace == claim.metadata.namespace;
    let mut names: Vec<String> = pods
        .iter()
        .filter(is_near)
        .filter(|pod| mounts(pod) || owns(pod))
        .map(|pod| pod.metadata.name.clone().unwrap_or_default())
        .collect();
    names.sort();
    names
}

fn conditions(sheet: &mut Sheet, claim: &PersistentVolumeClaim, around: &Surroundings) {
    let conditions = claim.status.as_ref().and_then(|status| status.conditions.as_deref());
    let conditions = conditions.unwrap_or_default();
    if !conditions.is_empty() {
        sheet.write(0, "Conditions:\n");
        sheet.write(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n");
        sheet.write(1, "----\t------\t-----------------\t------------------\t------\t-------\n");
    }
    for condition in conditions {
        let line = format!(
            "{} \t{} \t{} \t{} \t{} \t{}\n",
            condition.type_,
            condition.status,
            around.date(condition.last_probe_time.as_ref()),
            around.date(condition.last_transition_time.as_ref()),
            condition.reason.as_deref().unwrap_or_default(),
            condition.message.as_deref().unwrap_or_default(),
        );
        sheet.write(1, line);
    }
}
