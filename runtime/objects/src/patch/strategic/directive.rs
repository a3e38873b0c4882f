//! What a strategic merge patch can say beside values.

use serde_json::{Map, Value};

use super::super::PatchError;

/// What is to become of an object, or of an element of a list.
pub(super) const PATCH: &str = "$patch";
/// The only fields that an object is to have.
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

/// A value of `$patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

/// The `$patch` of an object, which is taken out.
pub(super) fn take(patch: &mut Map<String, Value>) -> Result<Directive, PatchError> {
    match patch.remove(PATCH) {
        None => Ok(Directive::Merge),
        Some(directive) => of_value(&directive),
    }
}

/// Whether an element is there only to say that it is to go.
pub(super) fn is_deletion(element: &Value) -> bool {
    element.get(PATCH).and_then(Value::as_str) == Some("delete")
}

/// Whether an element says what is to be there, and not only what is to be done.
pub(super) fn stays(element: &Value) -> bool {
    element.get(PATCH).is_none_or(|directive| directive.as_str() == Some("merge"))
}

fn of_value(directive: &Value) -> Result<Directive, PatchError> {
    match directive.as_str() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        _ => Err(PatchError::UnknownDirective(directive.to_string())),
    }
}

/// A deletion of the element of this name.
pub(super) fn deletion(key: &str, name: &Value) -> Value {
    let mut element = Map::new();
    element.insert(key.to_owned(), name.clone());
    element.insert(PATCH.to_owned(), "delete".into());
    Value::Object(element)
}

/// What a key of a patch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About<'key> {
    /// A field, and the value is what it is to be.
    Field(&'key str),
    /// A list of plain values, and the value is what is to leave it.
    DeletionFrom(&'key str),
    /// A list, and the value is the order that it is to have.
    OrderOf(&'key str),
}

pub(super) fn about(key: &str) -> Result<About<'_>, PatchError> {
    let behind = |prefix: &str| key.strip_prefix(prefix).map(|rest| rest.strip_prefix('/'));
    match (behind(DELETE_FROM_LIST), behind(ELEMENT_ORDER)) {
        (Some(Some(field)), _) => Ok(About::DeletionFrom(field)),
        (Some(None), _) => Err(PatchError::PrimitiveList),
        (_, Some(Some(field))) => Ok(About::OrderOf(field)),
        (_, Some(None)) => Err(PatchError::SetElementOrder),
        (None, None) => Ok(About::Field(key)),
    }
}

pub(super) fn deletion_from(field: &str) -> String {
    format!("{DELETE_FROM_LIST}/{field}")
}

pub(super) fn order_of(field: &str) -> String {
    format!("{ELEMENT_ORDER}/{field}")
}
