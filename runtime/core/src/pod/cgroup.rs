//! The host's cgroup round the process of a Pod.
//!
//! It is entered behind the start: a Pod that is over sooner has no use for it, and what a guest may
//! use is held by the engine from its first instruction.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use super::runtime::PodRuntime;
use crate::error::chain;
use crate::resources::cgroup::{CgroupError, Figures, PodCgroup, Trees, oom_score_adj};
use crate::resources::{PodResources, machine_memory, qos_class};

/// By then a Pod has started, or waits for something.
const SETTLED: Duration = Duration::from_millis(50);

/// Keeps this process in a cgroup of the Pod, if it is the Pod's own; to be dropped with the Pod.
pub(super) async fn contained(runtime: &PodRuntime) -> Infallible {
    if runtime.request.own_process && runtime.virtual_life.is_none() {
        tokio::time::sleep(SETTLED).await;
        match enter(runtime) {
            Ok(_entered) => return pending().await,
            // Most users may not: what their containers may use is held by the engine.
            Err(error) => tracing::debug!("the Pod has no cgroup: {}", chain(&error)),
        }
    }
    pending().await
}

fn enter(runtime: &PodRuntime) -> Result<PodCgroup, CgroupError> {
    let spec = runtime.pod().spec.clone().unwrap_or_default();
    let (class, resources) = (qos_class(&spec), PodResources::of(&spec));
    let figures = Figures::of(class, resources);
    let entered = Trees::find()?.enter(&runtime.identity.uid, class, &figures)?;
    let adjust = oom_score_adj(class, resources.memory_request, machine_memory());
    // Below what it was only root may go.
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", adjust.to_string()) {
        tracing::debug!("oom_score_adj stays as it was: {error}");
    }
    Ok(entered)
}
