//! A JSON patch: operations, one after the other (RFC 6902).

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::PatchError;

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
        if let PatchOperation::Copy(copy) = operation {
            copied += object.pointer(copy.from.as_str()).map_or(0, |value| value.to_string().len());
            if copied > MOST_COPIED {
                return Err(PatchError::TooLarge { most: MOST_COPIED, size: copied });
            }
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
