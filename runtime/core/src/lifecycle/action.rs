//! All that a Pod's worker can be told to do.

use std::time::{Duration, Instant};

use super::event::PodFailure;
use super::probe::ProbeKind;
use super::running::StopReason;
use super::spec::ContainerIndex;

/// Something to do for a Pod. The worker hands each to `Observed::begin`, then carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask for a place on the machine.
    Schedule {
        /// What the last answer was, where it was a refusal: only another one is an answer.
        refusal: Option<String>,
    },
    /// Make the Pod's network, volumes and identity.
    PrepareSandbox,
    /// Make a container's image ready.
    PrepareImage {
        /// The container.
        container: ContainerIndex,
    },
    /// Make and start a run.
    Start {
        /// The container.
        container: ContainerIndex,
        /// The number of the run: 0 for the first.
        attempt: u32,
    },
    /// Let a container wait: a fact to note, nothing to carry out.
    BackOff {
        /// The container.
        container: ContainerIndex,
        /// For what.
        cause: BackOffCause,
        /// The delay that its back-off has come to.
        delay: Duration,
        /// The moment it counts to.
        until: Instant,
    },
    /// Begin to start all containers again, from the first init container on: a fact to note.
    RestartAll {
        /// The container whose rule asks for it.
        container: ContainerIndex,
    },
    /// All containers have ended for that: take them as if none had run. A fact to note.
    Reset,
    /// Call a container's postStart hook.
    PostStart {
        /// The container.
        container: ContainerIndex,
    },
    /// Ask one of a container's probes.
    Probe {
        /// The container.
        container: ContainerIndex,
        /// Which one.
        kind: ProbeKind,
    },
    /// Begin a run's end with its preStop hook.
    PreStop {
        /// The container.
        container: ContainerIndex,
        /// Why it ends.
        why: StopReason,
        /// The end of its grace period, which the hook is a part of.
        deadline: Instant,
    },
    /// Tell a guest that it should end. A hook that is still being called is called off.
    Stop {
        /// The container.
        container: ContainerIndex,
        /// Why it ends.
        why: StopReason,
        /// The end of its grace period.
        deadline: Instant,
        /// When it is killed if it has not ended.
        kill_at: Instant,
    },
    /// End a guest.
    Kill {
        /// The container.
        container: ContainerIndex,
    },
    /// Call off the step that is under way for a container.
    Cancel {
        /// The container.
        container: ContainerIndex,
    },
    /// Call off making the sandbox.
    CancelSandbox,
    /// Begin the end of a Pod whose work is done while sidecars still run: a fact to note.
    End,
    /// Begin the end of a Pod that has failed as a whole: a fact to note.
    Fail(PodFailure),
    /// Give back all that the sandbox holds, and ask for no place any more. Nothing follows.
    Teardown,
    /// Plan again at this moment, if nothing happens before. Always the last one.
    WakeAt(Instant),
}

/// What a container is held back for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackOffCause {
    /// It ended and ought to start again: CrashLoopBackOff.
    Crash,
    /// Its image could not be got: ImagePullBackOff.
    Image,
}
