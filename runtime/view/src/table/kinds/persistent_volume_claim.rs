//! Rule: `printPersistentVolumeClaim`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::Value;

use crate::claim;
use crate::table::build::{created, name};
use crate::table::column::{AGE, Column, NAME, column};

pub(in crate::table) const COLUMNS: &[Column] = &[
    NAME,
    column("Status", "Whether the claim has its volume"),
    column("Volume", "The volume that the claim is bound to"),
    column("Capacity", "How much the volume holds"),
    column("Access Modes", "Who may use the volume, and how"),
    column("StorageClass", "The kind of storage that is asked for"),
    column("VolumeAttributesClass", "The qualities that are asked for"),
    AGE,
    column("VolumeMode", "Whether the volume has a file system").wide(),
];

pub(in crate::table) fn cells(claim: &PersistentVolumeClaim, now: Timestamp) -> Vec<Value> {
    let spec = claim.spec.as_ref();
    let status = claim.status.as_ref();
    let phase = status.and_then(|status| status.phase.clone()).unwrap_or_default();
    let is_stopping = claim.metadata.deletion_timestamp.is_some();
    let bound = claim::Bound::of(claim);
    let unset = |text: Option<&String>| text.map_or("<unset>", String::as_str).to_owned();
    vec![
        name(&claim.metadata),
        if is_stopping { "Terminating".into() } else { phase.into() },
        bound.volume.into(),
        bound.capacity.into(),
        bound.access_modes.into(),
        claim::storage_class(claim).into(),
        unset(spec.and_then(|spec| spec.volume_attributes_class_name.as_ref())).into(),
        created(&claim.metadata, now),
        unset(spec.and_then(|spec| spec.volume_mode.as_ref())).into(),
    ]
}
