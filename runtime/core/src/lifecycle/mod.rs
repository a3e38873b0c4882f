//! What should happen to a Pod next, and what its status says: decisions only.
//!
//! Pure: no clock, no I/O, no tokio, no wasmtime. Time comes in as a value, and what happens in
//! the world as an [`Event`]; out come an [`Action`] for whatever should be done, the
//! [`PodStatus`](k8s_openapi::api::core::v1::PodStatus), and the Kubernetes Events that tell of it.
//! The [`worker`](crate::worker) carries out. The rules are those of the kubelet; each file names
//! where its own come from.

mod action;
mod backoff;
mod change;
mod conditions;
mod container;
mod duration;
mod event;
mod exit;
mod narrate;
mod observed;
mod outcome;
mod phase;
mod pod;
mod probe;
mod resize;
mod restart;
mod resume;
mod running;
mod spec;
mod status;
#[cfg(test)]
mod tests;
mod waiting;

pub use action::{Action, BackOffCause};
pub use backoff::{Backoff, MaxDelay};
pub use change::SpecChange;
pub use container::{Container, Ended, RunIdentity, RunState, Step, Waiting};
pub use duration::GoDuration;
pub use event::{
    Event, Hook, ImageError, ImageErrorKind, ImageInfo, ImageOrigin, Now, Placement, PodFailure,
    PodFailureReason, Sandbox, SandboxError, StartError, Stop,
};
pub use exit::{Exit, ExitReason};
pub use narrate::{image_pulls, narrate_action, narrate_event};
pub use observed::{Deletion, EndCause, Ending, Observed, SandboxState, Scheduling};
pub use outcome::{Outcome, outcome};
pub use phase::{Phase, phase};
pub use pod::plan;
pub use probe::{ProbeAnswer, ProbeKind, ProbeSpec, Prober};
pub use resize::{Allocation, Held, ResizeAnswer, ResizeStep, Resizing, ShownResources};
pub use restart::{restarts, restarts_all};
pub use running::{HookState, Running, StopReason, StopStage, Stopping};
pub use spec::{
    Admission, ContainerIndex, ContainerSpec, ExitCodeOperator, Identity, RestartAction,
    RestartPolicy, RestartRule, Role, Spec, SpecError,
};
pub use status::status;
pub use waiting::WaitingReason;
