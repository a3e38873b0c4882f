//! Any other object: all its fields, by their names.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::label::label;
use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{events, metadata};
use crate::go;

pub(super) fn describe(sheet: &mut Sheet, object: &Value, around: &Surroundings) {
    let metadata = ObjectMeta::deserialize(&object["metadata"]).unwrap_or_default();
    metadata::opening(sheet, &metadata);
    if let Some(fields) = object.as_object() {
        content(sheet, 0, fields, "");
    }
    let kind = object["kind"].as_str();
    events::describe(sheet, &events::about(metadata.uid.as_deref(), &metadata, kind, around));
}

fn content(sheet: &mut Sheet, level: usize, fields: &Map<String, Value>, path: &str) {
    const HIDDEN: [&str; 5] = [
        ".metadata.managedFields",
        ".metadata.name",
        ".metadata.namespace",
        ".metadata.labels",
        ".metadata.annotations",
    ];
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    for (name, value) in fields {
        let path = format!("{path}.{name}");
        if HIDDEN.contains(&&*path) {
            continue;
        }
        match value {
            Value::Object(map) => {
                sheet.write(level, format!("{}:\n", label(name)));
                content(sheet, level + 1, map, &path);
            }
            Value::Array(items) => {
                sheet.write(level, format!("{}:\n", label(name)));
                for item in items {
                    match item {
                        Value::Object(map) => content(sheet, level + 1, map, &path),
                        other => sheet.write(level + 1, go::display(other) + "\n"),
                    }
                }
            }
            other => sheet.field(level, &label(name), go::display(other)),
        }
    }
}
