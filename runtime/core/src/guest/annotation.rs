//! Annotations that say of a container what no field of Kubernetes can. Pure.

use std::collections::BTreeMap;

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

/// One annotation of a Pod, before it is read.
pub(super) struct Annotation<'pod> {
    pub(super) name: String,
    /// What its value is, for who wrote something else.
    pub(super) expected: &'static str,
    pub(super) annotations: Option<&'pod BTreeMap<String, String>>,
}

impl Annotation<'_> {
    /// Its value, or `default` where it is not there.
    ///
    /// # Errors
    /// [`AnnotationError`] where `parse` makes nothing of it.
    pub(super) fn read<Value>(
        self,
        parse: impl FnOnce(&str) -> Option<Value>,
        default: Value,
    ) -> Result<Value, AnnotationError> {
        let Some(value) = self.annotations.and_then(|all| all.get(&self.name)) else {
            return Ok(default);
        };
        parse(value.trim()).ok_or_else(|| AnnotationError {
            annotation: self.name,
            value: value.clone(),
            expected: self.expected,
        })
    }
}
