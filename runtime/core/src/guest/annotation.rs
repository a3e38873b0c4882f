//! Annotations that say of a container what no field of Kubernetes can. Pure.

use std::collections::BTreeMap;

use crate::manifest::annotation::Grammar;

/// An annotation has a value that it cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("annotation `{annotation}`: {value:?} is not {expected}")]
pub struct AnnotationError {
    /// Its whole name.
    pub annotation: String,
    /// What it says.
    pub value: String,
    /// What it should be.
    pub expected: &'static str,
}

/// One annotation of a Pod, before it is read. Its grammar says whether it may be for all containers.
pub(super) struct Annotation<'pod> {
    pub(super) grammar: Grammar,
    pub(super) annotations: Option<&'pod BTreeMap<String, String>>,
    pub(super) container: &'pod str,
}

impl Annotation<'_> {
    /// The container's, else that of all, else `default`.
    ///
    /// # Errors
    /// [`AnnotationError`] where `parse` makes nothing of it.
    pub(super) fn read<Value>(
        self,
        parse: impl Fn(&str) -> Option<Value>,
        default: Value,
    ) -> Result<Value, AnnotationError> {
        let Some(annotations) = self.annotations else { return Ok(default) };
        let mut value = default;
        for name in self.grammar.names(self.container) {
            let Some(text) = annotations.get(&name) else { continue };
            value = parse(text.trim()).ok_or_else(|| AnnotationError {
                annotation: name,
                value: text.clone(),
                expected: self.grammar.expected,
            })?;
        }
        Ok(value)
    }
}
