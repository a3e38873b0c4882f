//! From objects to a table: which kind has which columns.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::column::{AGE, Column, NAME, Row, Table};
use super::kinds::{
    config_map, event, namespace, node, persistent_volume_claim, pod, secret, service,
};
use crate::age;

/// The cells of an object of a kind whose columns are known.
type Cells<Object> = fn(&Object, Timestamp) -> Vec<Value>;

/// The table of `objects` as it reads at `now`; they all are of the kind `kind` in the API group
/// `group` (empty: the core group).
///
/// A kind without columns of its own shows NAME and AGE. An object that does not read as its kind
/// shows its name, and `<unknown>` in all else.
pub fn table(group: &str, kind: &str, objects: &[Value], now: Timestamp) -> Table {
    match (group, kind) {
        ("", "Pod") => pod_table(objects, now),
        ("", "ConfigMap") => typed(config_map::COLUMNS, config_map::cells, objects, now),
        ("", "Secret") => typed(secret::COLUMNS, secret::cells, objects, now),
        ("", "PersistentVolumeClaim") => {
            typed(persistent_volume_claim::COLUMNS, persistent_volume_claim::cells, objects, now)
        }
        ("", "Event") => typed(event::COLUMNS, event::cells, objects, now),
        ("", "Service") => typed(service::COLUMNS, service::cells, objects, now),
        ("", "Node") => typed(node::COLUMNS, node::cells, objects, now),
        ("", "Namespace") => typed(namespace::COLUMNS, namespace::cells, objects, now),
        (_, _) => typed(&[NAME, AGE], any_cells, objects, now),
    }
}

fn pod_table(objects: &[Value], now: Timestamp) -> Table {
    let mut table = typed(pod::COLUMNS, pod::cells, objects, now);
    for row in &mut table.rows {
        row.ended = match row.object.pointer("/status/phase").and_then(Value::as_str) {
            Some("Succeeded") => Some("Succeeded"),
            Some("Failed") => Some("Failed"),
            Some(_) | None => None,
        };
    }
    table
}

fn typed<Object: DeserializeOwned>(
    columns: &[Column],
    cells: Cells<Object>,
    objects: &[Value],
    now: Timestamp,
) -> Table {
    let row = |object: &Value| Row {
        cells: match Object::deserialize(object) {
            Ok(typed) => cells(&typed, now),
            Err(_) => unknown_cells(columns, object),
        },
        object: object.clone(),
        ended: None,
    };
    Table { columns: columns.to_vec(), rows: objects.iter().map(row).collect() }
}

/// All that is needed of a kind that nobody here knows.
#[derive(Deserialize)]
struct AnyObject {
    #[serde(default)]
    metadata: ObjectMeta,
}

fn any_cells(object: &AnyObject, now: Timestamp) -> Vec<Value> {
    vec![name(&object.metadata), created(&object.metadata, now)]
}

fn unknown_cells(columns: &[Column], object: &Value) -> Vec<Value> {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let cell = |column: &Column| if column.format == "name" { name } else { "<unknown>" };
    columns.iter().map(|column| cell(column).into()).collect()
}

/// The cell with the object's name.
pub(super) fn name(metadata: &ObjectMeta) -> Value {
    metadata.name.clone().unwrap_or_default().into()
}

/// The cell with the object's age.
pub(super) fn created(metadata: &ObjectMeta, now: Timestamp) -> Value {
    age::since(metadata.creation_timestamp.as_ref().map(|time| time.0), now).into()
}

/// The text, or `<none>`.
pub(super) fn or_none(text: Option<&str>) -> Value {
    text.filter(|text| !text.is_empty()).unwrap_or("<none>").into()
}
