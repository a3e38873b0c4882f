//! In which fields two states of a spec differ.
//!
//! Rule: `apiequality.Semantic.DeepEqual`: absent and empty lists and maps are one, quantities
//! are compared by what they amount to.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::quantity::Quantity;

/// Fields whose values, or whose entries, are quantities.
const QUANTITIES: [&str; 7] =
    ["limits", "requests", "overhead", "capacity", "sizeLimit", "divisor", "allocatedResources"];

/// Maps whose keys are the user's: an empty one is none.
const MAPS: [&str; 7] =
    ["limits", "requests", "overhead", "nodeSelector", "matchLabels", "labels", "annotations"];

/// The paths of the fields that differ, below `root`; nothing if all is the same.
pub(super) fn differences(root: &str, new: &impl Serialize, old: &impl Serialize) -> Vec<String> {
    let mut found = Vec::new();
    compare(root, "", &value(new), &value(old), &mut found);
    found
}

fn value(spec: &impl Serialize) -> Value {
    serde_json::to_value(spec).expect("the types of the API have text for keys")
}

fn compare(path: &str, field: &str, new: &Value, old: &Value, found: &mut Vec<String>) {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => objects(path, field, new, old, found),
        (Value::Array(new), Value::Array(old)) if new.len() == old.len() => {
            for (index, (new, old)) in new.iter().zip(old).enumerate() {
                compare(&format!("{path}[{index}]"), "", new, old, found);
            }
        }
        (new, old) if new == old || (is_nothing(field, new) && is_nothing(field, old)) => {}
        (Value::String(new), Value::String(old)) if same_amount(field, new, old) => {}
        _ => found.push(path.to_owned()),
    }
}

fn objects(
    path: &str,
    field: &str,
    new: &Map<String, Value>,
    old: &Map<String, Value>,
    found: &mut Vec<String>,
) {
    let mut keys: Vec<&String> = new.keys().chain(old.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let [new, old] = [new, old].map(|map| map.get(key).unwrap_or(&Value::Null));
        // Below a list of quantities the keys are names of resources.
        let field = if QUANTITIES.contains(&field) { field } else { key };
        compare(&format!("{path}.{key}"), field, new, old, found);
    }
}

fn is_nothing(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(entries) => entries.is_empty() && MAPS.contains(&field),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn same_amount(field: &str, new: &str, old: &str) -> bool {
    let amounts = || Some((new.parse::<Quantity>().ok()?, old.parse::<Quantity>().ok()?));
    QUANTITIES.contains(&field) && amounts().is_some_and(|(new, old)| new == old)
}
