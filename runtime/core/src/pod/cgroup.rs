//! The host's cgroup round the process of a Pod, for who has asked for one.
//!
//! It is entered behind the start: a Pod that is over sooner has no use for it, and what a guest may
//! use is held by the engine from its first instruction.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use super::runtime::PodRuntime;
use crate::error::chain;
use crate::resources::cgroup::{CgroupError, CgroupPlan, Figures, PodCgroup, oom_score_adj};
use crate::resources::{PodResources, QosClass, machine_memory, qos_class};

/// By then a Pod has started, or waits for something.
const SETTLED: Duration = Duration::from_millis(50);

/// Where the Pod's process has its cgroup of the host, if it is to have one.
#[derive(Debug, Clone)]
pub(super) enum CgroupWish {
    /// As far as the host lets it.
    Find,
    /// Somebody has looked already.
    Planned(CgroupPlan),
}

impl CgroupWish {
    /// # Errors
    /// Nothing can be had.
    fn plan(&self) -> Result<CgroupPlan, CgroupError> {
        match self {
            Self::Find => CgroupPlan::find(),
            Self::Planned(plan) => Ok(plan.clone()),
        }
    }
}

/// Keeps this process in a cgroup of the Pod; to be dropped with it.
pub(super) async fn contained(runtime: &PodRuntime) -> Infallible {
    let Some(wish) = runtime.request.cgroup.clone().filter(|_| runtime.virtual_life.is_none())
    else {
        return pending().await;
    };
    tokio::time::sleep(SETTLED).await;
    let spec = runtime.pod().spec.clone().unwrap_or_default();
    let (class, resources) = (qos_class(&spec), PodResources::of(&spec));
    let adjust = oom_score_adj(class, resources.memory_request, machine_memory());
    // Below what it was only root may go.
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", adjust.to_string()) {
        tracing::debug!("oom_score_adj stays as it was: {error}");
    }
    let (uid, figures) = (runtime.identity.uid.clone(), Figures::of(class, resources));
    let on_note = Arc::clone(&runtime.request.on_note);
    // To move a process takes the kernel longer than a probe should wait.
    let enter = move || {
        let plan = wish.plan()?;
        if let (CgroupWish::Find, Some(note)) = (&wish, plan.note()) {
            on_note(note);
        }
        plan.sweep();
        plan.enter(&uid, class, &figures)
    };
    match runtime.blocking().spawn(enter).await {
        Ok(Ok(entered)) => return follow_bounds(runtime, Arc::new(entered), class).await,
        Ok(Err(error)) => {
            let error: CgroupError = error;
            let text = format!("the Pod has no cgroup of the host: {}", chain(&error));
            (runtime.request.on_note)(&text);
        }
        Err(error) => tracing::warn!("the Pod has no cgroup of the host: {error}"),
    }
    pending().await
}

/// Gives the cgroup what is allocated to the Pod, each time that this is changed.
async fn follow_bounds(
    runtime: &PodRuntime,
    entered: Arc<PodCgroup>,
    class: QosClass,
) -> Infallible {
    let mut bounds = runtime.bounds.subscribe();
    loop {
        let Some(resources) = *bounds.borrow_and_update() else {
            // The sender lives as long as the Pod.
            let _ = bounds.changed().await;
            continue;
        };
        let (entered, figures) = (Arc::clone(&entered), Figures::of(class, resources));
        let adjusting = runtime.blocking().spawn(move || entered.adjust(&figures));
        if let Ok(Err(error)) = adjusting.await {
            let text = format!("the Pod's cgroup of the host keeps its bounds: {}", chain(&error));
            (runtime.request.on_note)(&text);
        }
        let _ = bounds.changed().await;
    }
}
