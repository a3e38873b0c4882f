//! Rule: `printConfigMap`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::Value;

use crate::table::build::{created, name};
use crate::table::column::{AGE, Column, NAME, numbers};

pub(in crate::table) const COLUMNS: &[Column] =
    &[NAME, numbers("Data", "How many keys there are, binary ones among them"), AGE];

pub(in crate::table) fn cells(map: &ConfigMap, now: Timestamp) -> Vec<Value> {
    let texts = map.data.as_ref().map_or(0, |data| data.len());
    let binaries = map.binary_data.as_ref().map_or(0, |data| data.len());
    vec![name(&map.metadata), (texts + binaries).into(), created(&map.metadata, now)]
}
