//! What a worker needs from the world: a place for the Pod, images, and runs of containers.
//!
//! The real one puts guests of WebAssembly into a PodStore; the tests have a scripted one. Nothing
//! here decides whether, when or how often something is done.

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::lifecycle::{
    Exit, Hook, ImageError, ImageInfo, Placement, PodFailure, ProbeAnswer, ProbeKind, Sandbox,
    SandboxError, StartError,
};

/// Carries out what a Pod's worker is told to do. It belongs to one Pod.
///
/// Containers are given by name, which is unique among a Pod's init and app containers.
///
/// # Cancel safety
/// Any of these futures except `teardown` may be dropped at any await. Whatever it had begun must
/// then be undone, at the latest by `teardown`.
pub trait ContainerRuntime: Send + Sync + 'static {
    /// Asks for a place on the machine, and waits for it or for a reason against it that is not
    /// `refusal`, the one known already.
    ///
    /// Called until there is one, one call at a time, before anything below, and only for a Pod
    /// whose [`Admission`](crate::lifecycle::Admission) says so.
    ///
    /// # Errors
    /// The Pod can have none, now or later: it has failed.
    fn schedule(
        &self,
        refusal: Option<String>,
    ) -> impl Future<Output = Result<Placement, PodFailure>> + Send;

    /// Makes what the containers share: the address, the host ports, the volumes.
    ///
    /// Called until it succeeds, one call at a time, before anything below.
    ///
    /// # Errors
    /// [`SandboxError`]; what was made must be given back before, as it is called again.
    fn prepare_sandbox(&self) -> impl Future<Output = Result<Sandbox, SandboxError>> + Send;

    /// Makes the image of `container` ready to run: found or fetched, checked, compiled. `pulling` is to be
    /// called before it is fetched.
    ///
    /// Called before every run, restarts included, so a second call should be cheap. Calls for
    /// different containers run at the same time.
    ///
    /// # Errors
    /// [`ImageError`]; its kind decides how it shows and when it is tried again.
    fn prepare_image(
        &self,
        container: &str,
        pulling: &(dyn Fn() + Sync),
    ) -> impl Future<Output = Result<ImageInfo, ImageError>> + Send;

    /// Makes and starts run number `attempt` (0 is the first) of `container`, from the image that
    /// `prepare_image` has made ready. Never called while an earlier run of it lasts.
    ///
    /// # Errors
    /// [`StartError`]; its variant decides how it shows and when it is tried again.
    fn start(
        &self,
        container: &str,
        attempt: u32,
    ) -> impl Future<Output = Result<Run, StartError>> + Send;

    /// Asks a probe of the run of `container` that is in progress, within the probe's own
    /// `timeoutSeconds`. Calls for different probes run at the same time.
    fn probe(&self, container: &str, kind: ProbeKind) -> impl Future<Output = ProbeAnswer> + Send;

    /// Calls a hook of the run of `container` that is in progress, for as long as it takes.
    ///
    /// # Errors
    /// What went wrong, in words for an Event.
    fn hook(&self, container: &str, hook: Hook) -> impl Future<Output = Result<(), String>> + Send;

    /// Gives back everything, once nothing runs any more. The last call, made exactly once, also
    /// after a sandbox that never came to be.
    fn teardown(&self) -> impl Future<Output = ()> + Send;
}

/// A run of a container that has started.
///
/// Dropping it ends the guest as [`RunControl::kill`] does, with nobody to wait for the end but
/// `teardown`.
pub struct Run {
    /// What follows `wasmpod://` in the status's `containerID`: unique among all runs.
    pub id: String,
    /// The end of the run, with its termination message. It must come soon after a kill.
    pub exit: BoxFuture<'static, Exit>,
    /// How the guest is told to end.
    pub control: Box<dyn RunControl>,
}

/// How a running guest is told to end. Both calls return at once; the end shows in [`Run::exit`].
pub trait RunControl: Send {
    /// Tells the guest that it should end, and that it is killed after `grace`.
    fn stop(&mut self, grace: Duration);

    /// Ends the guest, whatever it is doing.
    fn kill(&mut self);
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}
