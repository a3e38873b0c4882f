//! `kubectl apply`: what was applied before is kept in an annotation, so that what has gone from
//! the manifest can be told from what others have added.
//!
//! Rule: `pkg/cmd/apply` of kubectl.

use serde_json::{Map, Value};

use super::{PatchError, three_way};
use crate::{Resource, metadata};

/// The annotation with what was applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What has to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Send this strategic merge patch.
    Patch(Value),
    /// All is as it should be: send nothing.
    Unchanged,
}

/// What was done, in the word that `kubectl apply` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The object is new.
    Created,
    /// It was changed.
    Configured,
    /// It was as it should be.
    Unchanged,
}

impl Applied {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Plans how `manifest` is applied to what is there.
///
/// The manifest is the object as its author wrote it, with its namespace, without defaults.
///
/// # Errors
/// [`PatchError`]
pub fn plan(resource: Resource, manifest: &Value, current: &Value) -> Result<Plan, PatchError> {
    let modified = annotated(manifest)?;
    let empty = Map::new();
    let [Some(modified), Some(now)] = [&modified, current].map(Value::as_object) else {
        return Err(PatchError::NoObject);
    };
    let original = last_applied(current)?;
    let patch = three_way(resource, original.as_ref().unwrap_or(&empty), modified, now)?;
    let name = patch.get("metadata").and_then(|metadata| metadata.get("name"));
    if name.is_some() || patch.contains_key("apiVersion") || patch.contains_key("kind") {
        return Err(PatchError::Renamed);
    }
    Ok(if patch.is_empty() { Plan::Unchanged } else { Plan::Patch(Value::Object(patch)) })
}

/// What was applied last, if anything was: `kubectl` warns of an object without it.
///
/// # Errors
/// [`PatchError::LastApplied`]
pub fn last_applied(object: &Value) -> Result<Option<Map<String, Value>>, PatchError> {
    let annotation = metadata::of(object).and_then(|own| own.get("annotations")?.get(LAST_APPLIED));
    match annotation.and_then(Value::as_str).unwrap_or_default() {
        "" => Ok(None),
        text => serde_json::from_str(text).map(Some).map_err(|_| PatchError::LastApplied),
    }
}

/// The manifest with itself in the annotation.
///
/// # Errors
/// [`PatchError::NoObject`]
pub fn annotated(manifest: &Value) -> Result<Value, PatchError> {
    if !manifest.is_object() {
        return Err(PatchError::NoObject);
    }
    let mut object = manifest.clone();
    metadata::child(metadata::of_mut(&mut object), "annotations").remove(LAST_APPLIED);
    let text = go_json(&object);
    let annotations = metadata::child(metadata::of_mut(&mut object), "annotations");
    annotations.insert(LAST_APPLIED.to_owned(), text.into());
    Ok(object)
}

/// As Go's encoder writes it, to the byte: another text would be another annotation.
fn go_json(value: &Value) -> String {
    let mut text = sorted(value).to_string();
    for (plain, escaped) in [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ] {
        // None of them can stand outside of a string.
        text = text.replace(plain, escaped);
    }
    text.push('\n');
    text
}

/// With the keys of all maps in order, whichever way the map keeps them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            let fields = fields.into_iter().map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(fields.collect())
        }
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        plain => plain.clone(),
    }
}
