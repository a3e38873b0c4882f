//! A patch that cannot be applied.

use crate::status::ApiError;

/// What is wrong with a patch. The texts are those of apimachinery where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// A merge patch is no object.
    #[error("the patch is no JSON object")]
    NoObject,
    /// A JSON patch is no list of operations.
    #[error("the patch is no list of operations: {0}")]
    NoOperations(String),
    /// One operation of a JSON patch.
    #[error("operation {index}, at {path:?}: {reason}")]
    Operation {
        /// Counted from 0.
        index: usize,
        /// Where it was to do something.
        path: String,
        /// Why it could not.
        reason: String,
    },
    /// More operations than anybody needs.
    #[error("The allowed maximum operations in a JSON patch is {most}, got {count}")]
    TooManyOperations {
        /// So many are allowed.
        most: usize,
        /// So many there are.
        count: usize,
    },
    /// Operations that copy would make the object far too large.
    #[error(
        "Unable to complete the copy, the accumulated size increase of copy is {size}, \
             exceeding the limit {most}"
    )]
    TooLarge {
        /// So many bytes are allowed.
        most: usize,
        /// So many there were.
        size: usize,
    },
    /// An element of a list that is merged lacks what names it.
    #[error("map: {element} does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The element.
        element: String,
        /// What names the elements of this list.
        key: &'static str,
    },
    /// A list with elements of two kinds.
    #[error("list element types are not identical: {0}")]
    Mixed(String),
    /// A list within a list that is merged.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// Something else than was expected.
    #[error("expected a {expected}, but received a {received}")]
    WrongType {
        /// What would be right.
        expected: &'static str,
        /// What is there.
        received: &'static str,
    },
    /// A value of `$patch` that means nothing.
    #[error("unknown patch type: {0}")]
    UnknownDirective(String),
    /// A malformed `$deleteFromPrimitiveList`.
    #[error("invalid patch format of primitive list")]
    PrimitiveList,
    /// A malformed `$retainKeys`, or a field beside it that it does not name.
    #[error("invalid patch format of retainKeys")]
    RetainKeys,
    /// A malformed `$setElementOrder`.
    #[error("invalid patch format of setElementOrder list")]
    SetElementOrder,
    /// A list in another order than `$setElementOrder` says.
    #[error("The order in patch list:\n{list}\n doesn't match $setElementOrder list:\n{order}\n")]
    Order {
        /// The list.
        list: String,
        /// Its order.
        order: String,
    },
    /// What was applied is now something else.
    #[error("At least one of apiVersion, kind and name was changed")]
    Renamed,
    /// The annotation that holds what was last applied.
    #[error("the annotation {} is no JSON object", super::apply::LAST_APPLIED)]
    LastApplied,
}

impl From<PatchError> for ApiError {
    fn from(error: PatchError) -> Self {
        let text = error.to_string();
        match error {
            PatchError::NoObject
            | PatchError::NoOperations(_)
            | PatchError::PrimitiveList
            | PatchError::RetainKeys
            | PatchError::SetElementOrder
            | PatchError::LastApplied
            | PatchError::Renamed => Self::bad_request(text),
            PatchError::TooManyOperations { .. } | PatchError::TooLarge { .. } => {
                Self::too_large(text)
            }
            PatchError::Operation { .. }
            | PatchError::NoMergeKey { .. }
            | PatchError::Mixed(_)
            | PatchError::ListOfLists
            | PatchError::WrongType { .. }
            | PatchError::UnknownDirective(_)
            | PatchError::Order { .. } => Self::unprocessable(text),
        }
    }
}
