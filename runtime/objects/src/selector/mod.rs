//! Which objects are meant: by their labels, and by some of their fields.
//!
//! Pure. Rule: `k8s.io/apimachinery/pkg/labels` and `.../fields`, whose errors these are.

mod error;
mod field;
mod fields_of;
mod label;
mod lexer;
mod parser;
mod pick;
#[cfg(test)]
mod tests;

pub use error::SelectorError;
pub use field::FieldSelector;
pub use label::LabelSelector;
pub(crate) use pick::Paths;

use serde_json::Value;

/// Both selectors of a list or a watch; the default selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// `labelSelector`.
    pub labels: LabelSelector,
    /// `fieldSelector`.
    pub fields: FieldSelector,
}

impl Selection {
    /// Whether it selects `object`.
    pub fn matches(&self, object: &Value) -> bool {
        self.labels.matches_object(object) && self.fields.matches(object)
    }

    /// Of what [`Selection::matches`] takes a look at.
    pub(crate) fn paths(&self) -> Paths {
        let labels = (!self.labels.is_empty()).then_some("metadata.labels");
        Paths::new(labels.into_iter().chain(self.fields.looked_at()))
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}
