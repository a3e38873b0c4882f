//! What may change of a Pod while it runs: its labels, its images, its deadline, and what it refers to.
//!
//! Resources change by another way: see [`Resizer`](super::Resizer).

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Pod as Object};

use super::runtime::PodRuntime;
use super::view::PodView;
use crate::event::{Involved, PodEvent, Reason};
use crate::lifecycle::{Spec, SpecChange};
use crate::manifest::Manifest;
use crate::sandbox::filesystem::{PodSources, Refreshed};

impl PodView {
    /// Has the Pod be what `pod` says from now on, where that may be changed, and refer to `objects`.
    ///
    /// A container with another image is ended and starts again with that, whatever its restart policy.
    /// The files of configMap, secret, downwardAPI and projected volumes follow at once; environment
    /// variables and mounts by `subPath` are those of the start, as with a kubelet.
    pub async fn update(&self, pod: &Object, objects: Manifest) {
        let runtime = &self.runtime;
        runtime.set_objects(objects);
        let (old, new) = self.take_in(pod);
        // Both were read before: the Pod is one that runs.
        if let (Ok(old), Ok(new)) = (Spec::new(&old), Spec::new(&new)) {
            let change = SpecChange::between(&old, &new);
            if !change.is_empty() {
                self.handle.change_spec(change).await;
            }
        }
        self.refresh_volumes().await;
    }

    /// What was wanted before, and what is now.
    fn take_in(&self, pod: &Object) -> (Arc<Object>, Object) {
        let runtime = &self.runtime;
        // Resources that are changed at the same time are not to be lost.
        let _turn = runtime.resize_turn();
        let old = runtime.wanted_pod();
        let new = updated(&old, pod);
        if new != *old {
            runtime.set_wanted_pod(new.clone());
            runtime.relabelled.notify_one();
        }
        (old, new)
    }

    async fn refresh_volumes(&self) {
        let (runtime, now) = (Arc::clone(&self.runtime), self.runtime.clock().wall());
        let refreshing = self.runtime.blocking().spawn(move || refresh(&runtime));
        let refreshed = match refreshing.await {
            Ok(refreshed) => refreshed,
            Err(panicked) => {
                tracing::warn!("the Pod's volumes are not brought up to date: {panicked}");
                return;
            }
        };
        for Refreshed { changed, .. } in refreshed {
            // What fails keeps its old content.
            if let Err(error) = changed {
                let event =
                    PodEvent::warning(Reason::FailedMount, Involved::Pod, error.to_string());
                self.handle.events().record(event, now);
            }
        }
    }
}

fn refresh(runtime: &PodRuntime) -> Vec<Refreshed> {
    // It has none yet, or none any more.
    let Some(store) = runtime.current_store() else { return Vec::new() };
    let (objects, pod) = (runtime.objects(), runtime.wanted_pod());
    let sources = PodSources {
        objects: &*objects,
        claims: &objects.persistent_volume_claims,
        pod: &pod,
        status: &store.downward,
    };
    store.volumes.refresh(&pod, &sources, runtime.clock().wall())
}

/// `old` with what may be changed from `new`.
///
/// Rule: `ValidatePodUpdate` of the API server. Tolerations mean nothing here.
fn updated(old: &Object, new: &Object) -> Object {
    let mut updated = old.clone();
    updated.metadata.labels.clone_from(&new.metadata.labels);
    updated.metadata.annotations.clone_from(&new.metadata.annotations);
    updated.metadata.generation = new.metadata.generation.max(old.metadata.generation);
    if let (Some(spec), Some(new)) = (&mut updated.spec, &new.spec) {
        spec.active_deadline_seconds = new.active_deadline_seconds.or(spec.active_deadline_seconds);
        take_images(&mut spec.containers, &new.containers);
        let init = new.init_containers.as_deref().unwrap_or_default();
        take_images(spec.init_containers.as_deref_mut().unwrap_or_default(), init);
    }
    updated
}

fn take_images(containers: &mut [Container], new: &[Container]) {
    for container in containers {
        if let Some(new) = new.iter().find(|new| new.name == container.name) {
            container.image.clone_from(&new.image);
        }
    }
}
