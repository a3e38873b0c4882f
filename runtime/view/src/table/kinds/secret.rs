//! Rule: `printSecret`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use crate::table::build::{created, name};
use crate::table::column::{AGE, Column, NAME, column, numbers};

pub(in crate::table) const COLUMNS: &[Column] = &[
    NAME,
    column("Type", "What the data is for"),
    numbers("Data", "How many keys there are"),
    AGE,
];

pub(in crate::table) fn cells(secret: &Secret, now: Timestamp) -> Vec<Value> {
    vec![
        name(&secret.metadata),
        secret.type_.clone().unwrap_or_default().into(),
        secret.data.as_ref().map_or(0, |data| data.len()).into(),
        created(&secret.metadata, now),
    ]
}
