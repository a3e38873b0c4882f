//! What is wrong with a selector.

use crate::status::ApiError;

/// A selector that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// One requirement of a label selector.
    #[error("unable to parse requirement: {0}")]
    Requirement(String),
    /// What stands between the requirements of a label selector, or in place of one.
    #[error("found '{found}', expected: {expected}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A term of a field selector.
    #[error("invalid selector: '{selector}'; can't understand '{term}'")]
    Term {
        /// The whole selector.
        selector: String,
        /// The term.
        term: String,
    },
    /// A backslash before what needs none.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// A character that needs a backslash.
    #[error("invalid field selector: unescaped character in value: {}", u32::from(*.0))]
    Unescaped(char),
    /// A field of which the kind cannot be asked.
    #[error("field label not supported: {0}")]
    UnsupportedField(String),
    /// The same for a kind that can only be asked for its name.
    #[error(
        "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        wasmpod_manifest::field::quote(.0)
    )]
    UnknownField(String),
}

impl From<SelectorError> for ApiError {
    fn from(error: SelectorError) -> Self {
        Self::bad_request(error.to_string())
    }
}
