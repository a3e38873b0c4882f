//! One object, or a List of them.

use serde_json::{Value, json};

/// What is to be shown.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'objects> {
    /// The one object that was asked for by its name.
    One(&'objects Value),
    /// All that were found, however few.
    Several(&'objects [Value]),
}

impl Shown<'_> {
    /// The object itself, or a `v1` List.
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::One(object) => object.clone(),
            Self::Several(objects) => json!({
                "apiVersion": "v1",
                "items": objects,
                "kind": "List",
                "metadata": { "resourceVersion": "" },
            }),
        }
    }

    pub(super) fn objects(&self) -> &[Value] {
        match self {
            Self::One(object) => std::slice::from_ref(*object),
            Self::Several(objects) => objects,
        }
    }
}

/// The object without the record of who set which field: shown with `--show-managed-fields` only.
#[must_use]
pub fn without_managed_fields(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}
