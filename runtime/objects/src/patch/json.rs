//! A JSON patch: operations, one after the other (RFC 6902).

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::PatchError;
use crate::depth;

/// As the API server has them: `maxJSONPatchOperations`, and what copies may add up to.
const MOST_OPERATIONS: usize = 10_000;
const MOST_COPIED: usize = 3 * 1024 * 1024;

/// `object` with all operations carried out.
pub(super) fn patched(mut object: Value, patch: &Value) -> Result<Value, PatchError> {
    let Patch(operations) = serde_json::from_value(patch.clone())
        .map_err(|error| PatchError::NoOperations(error.to_string()))?;
    if operations.len() > MOST_OPERATIONS {
        let count = operations.len();
        return Err(PatchError::TooManyOperations { most: MOST_OPERATIONS, count });
    }
    let mut copied = 0;
    for (index, operation) in operations.iter().enumerate() {
        let inserted = match operation {
            PatchOperation::Add(add) => Some(&add.value),
            PatchOperation::Replace(replace) => Some(&replace.value),
            PatchOperation::Copy(copy) => object.pointer(copy.from.as_str()),
            PatchOperation::Move(moved) => object.pointer(moved.from.as_str()),
            PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
        };
        if let (PatchOperation::Copy(_), Some(value)) = (operation, inserted) {
            copied += value.to_string().len();
            if copied > MOST_COPIED {
                return Err(PatchError::TooLarge { most: MOST_COPIED, size: copied });
            }
        }
        let left = depth::MOST.saturating_sub(operation.path().count());
        if inserted.is_some_and(|value| depth::exceeds(value, left)) {
            let (path, reason) = (operation.path().to_string(), depth::TOO_DEEP.to_owned());
            return Err(PatchError::Operation { index, path, reason });
        }
        // The object is ours: it is dropped with the first operation that fails.
        json_patch::patch_unsafe(&mut object, std::slice::from_ref(operation)).map_err(
            |error| PatchError::Operation {
                index,
                path: error.path.to_string(),
                reason: error.kind.to_string(),
            },
        )?;
    }
    Ok(object)
}
