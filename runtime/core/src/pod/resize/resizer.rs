//! Who wants other resources for a Pod.

use std::sync::{Arc, Weak};

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::patch::{PatchError, PatchKind, patched};
use super::rules;
use crate::manifest::field::FieldError;
use crate::manifest::{defaults, validate};
use crate::pod::runtime::PodRuntime;

/// Gives a Pod other resources while it runs; it does not keep it alive. Clones are equal.
#[derive(Clone)]
pub struct Resizer {
    runtime: Weak<PodRuntime>,
}

/// A Pod after a patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Resized {
    /// Other resources are wanted for it from now on. Whether and when it has them, its status
    /// tells.
    Changed(Box<Pod>),
    /// It was wanted so before.
    Unchanged(Box<Pod>),
}

/// Why other resources cannot be wanted for a Pod.
#[derive(Debug, thiserror::Error)]
pub enum ResizeError {
    /// The patch cannot be applied.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// What comes of it is no Pod.
    #[error("the patch makes no Pod")]
    Decode {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It breaks rules of the API.
    #[error("The Pod {name:?} is invalid: {}", lines(errors))]
    Invalid {
        /// `metadata.name`
        name: String,
        /// Which rules.
        errors: Vec<FieldError>,
    },
    /// The Pod has ended.
    #[error("the Pod has ended")]
    Gone,
}

/// One error behind the colon, several on lines of their own, as kubectl prints them.
fn lines(errors: &[FieldError]) -> String {
    match errors {
        [one] => one.to_string(),
        several => several.iter().map(|error| format!("\n* {error}")).collect(),
    }
}

impl Resizer {
    pub(in crate::pod) fn new(runtime: &Arc<PodRuntime>) -> Self {
        Self { runtime: Arc::downgrade(runtime) }
    }

    /// The Pod as it is wanted now, without its status.
    pub fn pod(&self) -> Option<Pod> {
        Some(self.runtime.upgrade()?.wanted_pod().as_ref().clone())
    }

    /// Applies a patch of the subresource `resize`: CPU and memory of containers may change, nothing
    /// else.
    ///
    /// # Errors
    /// [`ResizeError`]; nothing has changed then.
    pub fn patch(&self, patch: &Value, kind: PatchKind) -> Result<Resized, ResizeError> {
        let runtime = self.runtime.upgrade().ok_or(ResizeError::Gone)?;
        // Two at once are one after the other.
        let _turn = runtime.resize_turn();
        let old = runtime.wanted_pod();
        let decoding = |source| ResizeError::Decode { source };
        let tree = serde_json::to_value(old.as_ref()).map_err(decoding)?;
        let mut new: Pod = serde_json::from_value(patched(tree, patch, kind)?).map_err(decoding)?;
        defaults::apply(&mut new);
        let mut errors = validate::pod(&new);
        errors.extend(rules::check(&old, &new));
        if !errors.is_empty() {
            let name = runtime.identity.name.clone();
            return Err(ResizeError::Invalid { name, errors });
        }
        if new == *old {
            return Ok(Resized::Unchanged(Box::new(new)));
        }
        new.metadata.generation = Some(old.metadata.generation.unwrap_or(1).saturating_add(1));
        runtime.set_wanted_pod(new.clone());
        runtime.resized.notify_one();
        Ok(Resized::Changed(Box::new(new)))
    }
}
