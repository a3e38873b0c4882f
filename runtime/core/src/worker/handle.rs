//! The outside of a running Pod: what it shows, and how to ask for its end.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::PodStatus;
use tokio::sync::{mpsc, watch};

use crate::event::Recorder;
use crate::lifecycle::{
    ContainerIndex, Deletion, Event, PodFailure, ShownResources, Spec, SpecChange, Stop,
};

/// A hold on a Pod that a [`Worker`](super::Worker) runs. Clones are equal; dropping all of them
/// does not end the Pod.
#[derive(Clone, Debug)]
pub struct PodHandle {
    pub(super) spec: Arc<Spec>,
    pub(super) wishes: mpsc::Sender<Event>,
    pub(super) status: watch::Receiver<PodStatus>,
    pub(super) deletion: watch::Receiver<Option<Deletion>>,
    pub(super) events: Arc<Recorder>,
}

impl PodHandle {
    /// The Pod's status, as it changes.
    ///
    /// The receiver's `changed` fails once the Pod is gone; its last value stays.
    pub fn status(&self) -> watch::Receiver<PodStatus> {
        self.status.clone()
    }

    /// What `metadata` says once the Pod is being deleted.
    pub fn deletion(&self) -> watch::Receiver<Option<Deletion>> {
        self.deletion.clone()
    }

    /// The Pod's Events.
    pub fn events(&self) -> &Arc<Recorder> {
        &self.events
    }

    /// Asks for the Pod's end, as deleting it does: each guest is told, and killed after `grace`,
    /// by default the Pod's own grace period. Asking again can only bring the end nearer.
    ///
    /// Returns at once; the end is the end of [`Worker::run`](super::Worker::run).
    pub async fn stop(&self, grace: Option<Duration>) {
        self.wish(Event::StopRequested(Stop::Graceful { grace })).await;
    }

    /// What Ctrl-C means: the first time a graceful stop, and a kill when the Pod is ending
    /// already.
    pub async fn interrupt(&self) {
        self.wish(Event::StopRequested(Stop::Interrupt)).await;
    }

    /// Ends the Pod without any grace.
    pub async fn kill(&self) {
        self.wish(Event::StopRequested(Stop::Kill)).await;
    }

    /// Ends the Pod gracefully as one that has failed as a whole, as an eviction does.
    pub async fn fail(&self, failure: PodFailure) {
        self.wish(Event::Failed(failure)).await;
    }

    /// Shows what its containers have of the resources that are wanted.
    pub(crate) async fn show_resources(&self, shown: ShownResources) {
        self.wish(Event::ResourcesChanged(shown)).await;
    }

    /// Ends the run of the container at `place` gracefully, for it to start again with other
    /// resources.
    pub(crate) async fn restart_to_resize(&self, place: usize) {
        self.wish(Event::RestartToResize { container: ContainerIndex(place) }).await;
    }

    /// Has the Pod want something else from now on.
    pub(crate) async fn change_spec(&self, change: SpecChange) {
        self.wish(Event::SpecChanged(change)).await;
    }

    /// Kills the run of `container` that is in progress, if one is, as a kernel does that is short of
    /// memory: it shows as OOMKilled with this message, and starts again by its restart policy.
    ///
    /// Gives whether the Pod has such a container.
    pub async fn out_of_memory(&self, container: &str, message: String) -> bool {
        let Some(container) = self.spec.index_of(container) else { return false };
        self.wish(Event::OutOfMemory { container, message }).await;
        true
    }

    async fn wish(&self, wish: Event) {
        // A Pod that is gone needs no wish any more.
        let _ = self.wishes.send(wish).await;
    }
}
