//! Patches: from an object and what is to change, to the object as it is to be.
//!
//! Pure. Three forms are applied ([`PatchKind`]); `kubectl apply` makes one of them from what was
//! applied before, what is to be applied and what is there ([`apply`]). Rules: RFC 7386, RFC 6902
//! and `k8s.io/apimachinery/pkg/util/strategicpatch`.

pub mod apply;
mod error;
mod json;
mod kind;
mod strategic;
#[cfg(test)]
mod tests;

pub use error::PatchError;
pub use kind::PatchKind;
pub use strategic::three_way;

use serde_json::Value;

use crate::Resource;

/// `object` with a patch applied.
///
/// # Errors
/// [`PatchError`]
pub fn patched(
    resource: Resource,
    object: Value,
    kind: PatchKind,
    patch: &Value,
) -> Result<Value, PatchError> {
    match kind {
        PatchKind::Json => json::patched(object, patch),
        PatchKind::Merge => {
            if !patch.is_object() {
                return Err(PatchError::NoObject);
            }
            let mut object = object;
            json_patch::merge(&mut object, patch);
            Ok(object)
        }
        PatchKind::Strategic => strategic::patched(resource, object, patch),
    }
}
