//! A Pod as others may see it, while it runs and after.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod as Object;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::resize::Resizer;
use super::runtime::PodRuntime;
use super::stats::StatsReader;
use crate::lifecycle::Identity;
use crate::resources::stats::PodStats;
use crate::worker::PodHandle;

/// A Pod's object and a hold on it. Clones are the same Pod; dropping all of them does not end it.
#[derive(Clone)]
pub struct PodView {
    pub(super) runtime: Arc<PodRuntime>,
    pub(super) handle: PodHandle,
}

impl PodView {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.runtime.identity
    }

    /// The Pod as its manifest has it, defaults filled in.
    pub fn manifest(&self) -> &Object {
        self.runtime.pod()
    }

    /// A hold on the Pod: its status, its events, its end.
    pub fn handle(&self) -> &PodHandle {
        &self.handle
    }

    /// The Pod with its present status, as an API server would show it.
    pub fn object(&self) -> Object {
        let mut object = self.runtime.wanted_pod().as_ref().clone();
        if let Some(deletion) = *self.handle.deletion().borrow() {
            let grace = deletion.grace.as_secs();
            object.metadata.deletion_timestamp = Some(Time(deletion.timestamp));
            object.metadata.deletion_grace_period_seconds =
                Some(i64::try_from(grace).unwrap_or(i64::MAX));
        }
        object.status = Some(self.handle.status().borrow().clone());
        object
    }

    /// What the Pod uses now; `None` once it is gone.
    pub fn stats(&self) -> Option<PodStats> {
        StatsReader::new(&self.runtime, &self.handle).read()
    }

    /// Gives the Pod other resources.
    pub fn resizer(&self) -> Resizer {
        Resizer::new(&self.runtime)
    }

    /// Calls `tell` of the Pod's maker with what the user should know once.
    pub fn note(&self, text: &str) {
        (self.runtime.request.on_note)(text);
    }
}
