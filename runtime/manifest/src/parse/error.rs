//! Why a document could not be read at all.

use crate::node::Position;
use crate::problem::ProblemKind;

/// The place, the reason and, where one is at hand, the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) at: Position,
    pub(crate) kind: ProblemKind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl SyntaxError {
    pub(crate) fn new(at: Position, message: impl Into<String>) -> SyntaxError {
        SyntaxError { at, kind: ProblemKind::Syntax, message: message.into(), hint: None }
    }

    pub(crate) fn limit(at: Position, message: impl Into<String>) -> SyntaxError {
        SyntaxError { kind: ProblemKind::Limit, ..SyntaxError::new(at, message) }
    }

    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> SyntaxError {
        SyntaxError { hint: Some(hint.into()), ..self }
    }
}
