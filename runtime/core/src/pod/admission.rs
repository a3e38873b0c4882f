//! Where a Pod asks for its place on the machine.
//!
//! The library alone keeps no account of what Pods ask for, and each begins at once. Whoever does
//! keep one is asked by every Pod that requests something, before it makes or touches anything.

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;

use super::runtime::PodRuntime;
use crate::lifecycle::{Admission, Placement, PodFailure, ResizeAnswer};
use crate::resources::PodResources;

/// Who gives Pods their places on a machine.
pub trait Scheduler: Send + Sync {
    /// Waits for a place for `pod`, or for a reason against it that is not `refusal`, the one known
    /// already. Asked again until there is a place; that is held as long as the process lives.
    ///
    /// # Errors
    /// The Pod can have none, now or later: it has failed.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue at the latest when the scheduler itself is
    /// dropped.
    fn schedule<'call>(
        &'call self,
        pod: &'call Pod,
        refusal: Option<&'call str>,
    ) -> BoxFuture<'call, Result<Placement, PodFailure>>;

    /// Whether there is room for `pod`, which runs, with the resources that it has here; once admitted
    /// they are set aside for it. Asked again after a while where they are deferred.
    ///
    /// # Cancel safety
    /// The future may be dropped; what was set aside by then is the Pod's all the same.
    fn resize<'call>(&'call self, pod: &'call Pod) -> BoxFuture<'call, ResizeAnswer>;
}

/// What a Pod that asks for nothing is given: there is always enough of that.
pub(super) fn admission(pod: &Pod, scheduler: Option<&dyn Scheduler>) -> Admission {
    let asks = |pod: &Pod| pod.spec.as_ref().is_some_and(|spec| PodResources::of(spec).requests());
    if scheduler.is_some() && asks(pod) { Admission::Asked } else { Admission::AtOnce }
}

pub(super) async fn schedule(
    runtime: &PodRuntime,
    refusal: Option<&str>,
) -> Result<Placement, PodFailure> {
    match &runtime.request.scheduler {
        Some(scheduler) => scheduler.schedule(runtime.pod(), refusal).await,
        None => Err(PodFailure::rejected(&"nobody gives it a place")),
    }
}
