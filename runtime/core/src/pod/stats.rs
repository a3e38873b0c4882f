//! Reading what a running Pod uses.

use std::sync::{Arc, Weak};

use k8s_openapi::api::core::v1::{ContainerStatus, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::watch;

use super::runtime::PodRuntime;
use crate::resources::PodResources;
use crate::resources::stats::{PodReference, PodStats, ProcessStats};
use crate::worker::PodHandle;

/// Reads what a Pod uses, for as long as it lives, which it does not prolong. Clones are equal.
#[derive(Clone)]
pub struct StatsReader {
    runtime: Weak<PodRuntime>,
    status: watch::Receiver<PodStatus>,
}

impl StatsReader {
    pub(super) fn new(runtime: &Arc<PodRuntime>, handle: &PodHandle) -> Self {
        Self { runtime: Arc::downgrade(runtime), status: handle.status() }
    }

    /// The figures now; `None` once the Pod is gone.
    ///
    /// A reading takes some tens of microseconds, most of them for what the kernel says of the
    /// process. On virtual time too those figures are the machine's own.
    pub fn read(&self) -> Option<PodStats> {
        let runtime = self.runtime.upgrade()?;
        let status = self.status.borrow().clone();
        let identity = &runtime.identity;
        let pod_ref = PodReference {
            name: identity.name.clone(),
            namespace: identity.namespace.clone(),
            uid: identity.uid.clone(),
        };
        let wanted = runtime.wanted_pod();
        let limits = wanted.spec.as_ref().map(PodResources::of).unwrap_or_default();
        let containers = runtime.containers().filter_map(|container| {
            let meter = runtime.runs.meter(&container.name)?;
            let mut stats = meter.read(&container.name, runtime.resources(container));
            if let Some(status) = status_of(&status, &container.name) {
                stats.restart_count = u32::try_from(status.restart_count).unwrap_or(0);
                stats.start_time = started_at(status);
            }
            Some(stats)
        });
        let now = Time(runtime.clock().wall());
        let mut stats = PodStats::of_containers(pod_ref, now, limits, containers.collect());
        stats.start_time = status.start_time;
        stats.process = Some(ProcessStats::of_this_process());
        Some(stats)
    }
}

fn status_of<'status>(status: &'status PodStatus, name: &str) -> Option<&'status ContainerStatus> {
    let init = status.init_container_statuses.iter().flatten();
    let mut all = init.chain(status.container_statuses.iter().flatten());
    all.find(|status| status.name == name)
}

fn started_at(status: &ContainerStatus) -> Option<Time> {
    status.state.as_ref()?.running.as_ref()?.started_at.clone()
}
