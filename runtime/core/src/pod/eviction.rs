//! Ends a Pod when one of its emptyDirs has grown over its `sizeLimit`.
//!
//! Guests are not held back while they write; the volumes are looked at now and then, off the
//! thread that the Pod's life is on, and only if a volume has a limit.
//!
//! Rule: the kubelet's eviction manager, which looks every ten seconds.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time;

use super::runtime::PodRuntime;
use crate::lifecycle::{PodFailure, PodFailureReason};
use crate::worker::PodHandle;

/// The kubelet's `housekeepingInterval` of the eviction manager.
const EVERY: Duration = Duration::from_secs(10);

/// Watches the volumes of a running Pod and fails it once; to be dropped with the Pod.
pub(super) async fn evict_over_limit(runtime: &PodRuntime, handle: &PodHandle) -> Infallible {
    if has_limits(runtime.pod()) {
        let message = over_limit(runtime).await;
        handle.fail(PodFailure { reason: PodFailureReason::Evicted, message }).await;
    }
    pending().await
}

/// Waits for the first volume over its limit.
async fn over_limit(runtime: &PodRuntime) -> String {
    let mut looks = time::interval(EVERY);
    looks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        // The sandbox may not be ready yet.
        let Some(store) = runtime.current_store() else { continue };
        let look = runtime.blocking().spawn(move || store.volumes.over_limit());
        match look.await {
            Ok(Some(message)) => return message,
            Ok(None) => {}
            Err(error) => tracing::warn!("cannot look at the size of volumes: {error}"),
        }
    }
}

fn has_limits(pod: &Pod) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| volume.empty_dir.as_ref()).any(|dir| dir.size_limit.is_some())
}
