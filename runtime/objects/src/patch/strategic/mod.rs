//! Strategic merge patches.
//!
//! A list is merged by what names its elements, where its type says so (`schema`); everything
//! else is replaced. Directives in the patch say what plain values cannot: `$patch`,
//! `$deleteFromPrimitiveList/…`, `$setElementOrder/…` and `$retainKeys`.
//!
//! Rule: `k8s.io/apimachinery/pkg/util/strategicpatch`. Two things are more lenient here: a field
//! of which nothing is known is no error, and `$patch: merge` says what is done anyway.

mod diff;
mod directive;
mod lists;
mod maps;
mod order;
mod schema;

use serde_json::{Map, Value};

use self::diff::Diff;
use self::maps::Merge;
use super::PatchError;
use crate::Resource;

/// `object` with a strategic merge patch applied.
pub(super) fn patched(
    resource: Resource,
    object: Value,
    patch: &Value,
) -> Result<Value, PatchError> {
    let Value::Object(patch) = patch else {
        return Err(PatchError::NoObject);
    };
    let object = match object {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    let schema = schema::of_kind(resource.kind);
    Ok(Value::Object(maps::merged(object, patch.clone(), schema, Merge::Apply)?))
}

/// The patch that `kubectl apply` sends: from `current` to `modified`, with all removed that
/// `original` had and `modified` has no longer. What is in `current` alone stays.
///
/// Rule: `CreateThreeWayMergePatch`.
///
/// # Errors
/// [`PatchError`]
pub fn three_way(
    resource: Resource,
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
) -> Result<Map<String, Value>, PatchError> {
    let schema = schema::of_kind(resource.kind);
    let delta = diff::maps(current, modified, schema, Diff::CHANGES)?;
    let deletions = diff::maps(original, modified, schema, Diff::DELETIONS)?;
    maps::merged(deletions, delta, schema, Merge::Combine)
}
