//! Rule: `printNamespace`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use serde_json::Value;

use crate::table::build::{created, name};
use crate::table::column::{AGE, Column, NAME, column};

pub(in crate::table) const COLUMNS: &[Column] =
    &[NAME, column("Status", "Whether the namespace is in use or on its way out"), AGE];

pub(in crate::table) fn cells(namespace: &Namespace, now: Timestamp) -> Vec<Value> {
    let phase = namespace.status.as_ref().and_then(|status| status.phase.clone());
    let metadata = &namespace.metadata;
    vec![name(metadata), phase.unwrap_or_default().into(), created(metadata, now)]
}
