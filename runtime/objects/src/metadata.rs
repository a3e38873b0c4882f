//! `metadata` of an object that is a plain JSON value: read, and written by the API server alone.
//!
//! Pure: the time, the uid and the revision come in.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// The metadata; what is no object has none.
pub(crate) fn of(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.as_object()
}

/// The metadata, made if it is absent.
pub(crate) fn of_mut(object: &mut Value) -> &mut Map<String, Value> {
    child(self::object(object), "metadata")
}

/// A field that is an object, made if it is absent or anything else.
pub(crate) fn child<'map>(
    map: &'map mut Map<String, Value>,
    field: &str,
) -> &'map mut Map<String, Value> {
    self::object(map.entry(field).or_insert(Value::Null))
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("made one above")
}

/// A text of the metadata; empty if it is absent.
pub(crate) fn text<'object>(object: &'object Value, field: &str) -> &'object str {
    of(object).and_then(|metadata| metadata.get(field)?.as_str()).unwrap_or_default()
}

/// A number of the metadata.
pub(crate) fn number(object: &Value, field: &str) -> Option<i64> {
    of(object)?.get(field)?.as_i64()
}

/// Whether the object is on its way out.
pub(crate) fn is_deleting(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

/// Whether something has still to be done before the object may go.
pub(crate) fn has_finalizers(object: &Value) -> bool {
    of(object)
        .and_then(|metadata| metadata.get("finalizers")?.as_array())
        .is_some_and(|finalizers| !finalizers.is_empty())
}

/// Sets a field of the metadata, or takes it away.
pub(crate) fn set(object: &mut Value, field: &str, value: Option<Value>) {
    let metadata = of_mut(object);
    match value {
        Some(value) => {
            metadata.insert(field.to_owned(), value);
        }
        None => {
            metadata.remove(field);
        }
    }
}

/// Takes a field of the metadata from another state of the object, absence too.
pub(crate) fn keep(object: &mut Value, stored: &Value, field: &str) {
    let value = of(stored).and_then(|metadata| metadata.get(field)).cloned();
    set(object, field, value);
}

/// A time as Kubernetes writes it: whole seconds.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Marks an object as on its way out, to be gone after `grace_seconds`.
pub(crate) fn mark_deleted(object: &mut Value, started: Timestamp, grace_seconds: i64) {
    let end =
        started.checked_add(SignedDuration::from_secs(grace_seconds)).unwrap_or(Timestamp::MAX);
    set(object, "deletionTimestamp", Some(time(end).into()));
    set(object, "deletionGracePeriodSeconds", Some(grace_seconds.into()));
}

/// Counts one more change of an object whose changes are counted.
pub(crate) fn next_generation(object: &mut Value) {
    if let Some(generation) = number(object, "generation").filter(|generation| *generation > 0) {
        set(object, "generation", Some(generation.saturating_add(1).into()));
    }
}

/// Whether two states of an object differ in nothing but their revision.
pub(crate) fn same_content(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else {
        return one == other;
    };
    let without = |map: &Map<String, Value>, left_out: &str| {
        map.keys().filter(|key| *key != left_out).count()
    };
    let rest = |one: &Map<String, Value>, other: &Map<String, Value>, left_out: &str| {
        without(one, left_out) == without(other, left_out)
            && one.iter().all(|(key, value)| key == left_out || other.get(key) == Some(value))
    };
    let metadata = match (one.get("metadata"), other.get("metadata")) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            rest(one, other, "resourceVersion")
        }
        (one, other) => one == other,
    };
    metadata && rest(one, other, "metadata")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_revision_alone_is_no_change() {
        let one = json!({ "metadata": { "name": "a", "resourceVersion": "1" }, "spec": {} });
        let mut other = one.clone();
        set(&mut other, "resourceVersion", Some("2".into()));
        assert!(same_content(&one, &other));
        set(&mut other, "labels", Some(json!({ "a": "b" })));
        assert!(!same_content(&one, &other));
        assert!(!same_content(&one, &json!({ "metadata": { "name": "a" } })));
    }

    #[test]
    fn a_time_has_no_fractions() {
        let at: Timestamp = "2026-11-30T20:21:22.987Z".parse().unwrap();
        assert_eq!(time(at), "2026-11-30T20:21:22Z");
        let mut object = json!({});
        mark_deleted(&mut object, at, i64::MAX);
        assert!(is_deleting(&object));
    }
}
