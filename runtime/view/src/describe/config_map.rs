//! A ConfigMap, with all its texts.

use k8s_openapi::api::core::v1::ConfigMap;

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{events, metadata};

pub(super) fn describe(sheet: &mut Sheet, map: &ConfigMap, around: &Surroundings) {
    metadata::opening(sheet, &map.metadata);
    sheet.write(0, "\nData\n====\n");
    for (key, text) in map.data.iter().flatten() {
        sheet.write(0, format!("{key}:\n----\n{text}\n\n"));
    }
    sheet.write(0, "\nBinaryData\n====\n");
    for (key, bytes) in map.binary_data.iter().flatten() {
        sheet.write(0, format!("{key}: {} bytes\n", bytes.0.len()));
    }
    sheet.write(0, "\n");
    let metadata = &map.metadata;
    let told = events::about(metadata.uid.as_deref(), metadata, Some("ConfigMap"), around);
    events::describe(sheet, &told);
}
