//! All that can happen to a Pod, and the facts that come with it.
//!
//! The worker turns the end of each of its tasks, and each wish from outside, into one [`Event`].
//! Kubernetes Events, the ones that people read, are another thing: [`crate::event`].

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::change::SpecChange;
use super::exit::Exit;
use super::probe::{ProbeAnswer, ProbeKind};
use super::resize::ShownResources;
use super::spec::ContainerIndex;
use super::waiting::WaitingReason;

/// A moment: the instant that decisions use and the time that the status shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic: every delay and deadline is reckoned with it.
    pub instant: Instant,
    /// What a clock on the wall shows.
    pub wall: Timestamp,
}

/// Something that happened to a Pod.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The Pod has its place on the machine.
    Scheduled {
        /// The name of the node.
        node: String,
    },
    /// There is no room for it, or no longer for the same reason; it goes on waiting.
    Unschedulable {
        /// Why, in the words of the scheduler.
        message: String,
    },
    /// The Pod's network, volumes and identity are there.
    SandboxReady(Sandbox),
    /// They could not be made.
    SandboxFailed(SandboxError),
    /// The sandbox's task was called off and has ended.
    SandboxCancelled,
    /// A container's image is ready to run.
    ImageReady {
        /// The container.
        container: ContainerIndex,
        /// The image.
        image: ImageInfo,
    },
    /// A container's image could not be made ready.
    ImageFailed {
        /// The container.
        container: ContainerIndex,
        /// Why.
        error: ImageError,
    },
    /// A run has begun.
    Started {
        /// The container.
        container: ContainerIndex,
        /// What follows `wasmpod://` in its `containerID`.
        id: String,
    },
    /// A run could not begin.
    StartFailed {
        /// The container.
        container: ContainerIndex,
        /// Why.
        error: StartError,
    },
    /// A container's step was called off, and its task has ended.
    Cancelled {
        /// The container.
        container: ContainerIndex,
    },
    /// A probe has come to an answer. Not told of a run that has ended meanwhile.
    Probed {
        /// The container.
        container: ContainerIndex,
        /// Which probe.
        kind: ProbeKind,
        /// What it has come to.
        answer: ProbeAnswer,
    },
    /// A hook has ended. Not told of a run that has ended meanwhile, or of a hook that was called
    /// off.
    HookEnded {
        /// The container.
        container: ContainerIndex,
        /// Which hook.
        hook: Hook,
        /// What went wrong, if something did.
        outcome: Result<(), String>,
    },
    /// A run has ended.
    Exited {
        /// The container.
        container: ContainerIndex,
        /// How.
        exit: Exit,
    },
    /// The machine is short of memory, and this container has to give back what it holds.
    OutOfMemory {
        /// The container.
        container: ContainerIndex,
        /// How short, and why this one.
        message: String,
    },
    /// Somebody wants the Pod to end.
    StopRequested(Stop),
    /// The Pod must end and has failed, for a reason from outside of its containers.
    Failed(PodFailure),
    /// The resources of containers are others, or on their way to be.
    ResourcesChanged(ShownResources),
    /// A container has to start again to have the resources that were allocated to it.
    RestartToResize {
        /// The container.
        container: ContainerIndex,
    },
    /// What the Pod wants was changed while it runs.
    SpecChanged(SpecChange),
    /// Everything that the sandbox held is given back.
    TornDown,
}

/// A hook of a container's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hook {
    /// Called when the container has started.
    PostStart,
    /// Called before the container is told to end.
    PreStop,
}

/// How somebody wants the Pod to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As deleting it would: each guest is told and has a grace period, by default the Pod's own.
    /// Another such wish may only shorten what is left.
    Graceful {
        /// In place of `spec.terminationGracePeriodSeconds`.
        grace: Option<Duration>,
    },
    /// What Ctrl-C means: the first is a graceful stop, any one after a stop kills.
    Interrupt,
    /// At once.
    Kill,
}

/// What became of the question for a place on the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// It has one.
    Scheduled {
        /// The name of the node.
        node: String,
    },
    /// There is none, for another reason than was known.
    Unschedulable {
        /// Why, in the words of the scheduler.
        message: String,
    },
}

/// The Pod's own place, ready for containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// `status.podIPs`, the main one first.
    pub pod_ips: Vec<IpAddr>,
    /// `status.hostIPs`, the main one first.
    pub host_ips: Vec<IpAddr>,
}

/// Why the sandbox could not be made; it is tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// A volume is missing or unfit; `Display` is the message of the FailedMount event.
    #[error("MountVolume.SetUp failed for volume {volume:?} : {message}")]
    Mount {
        /// `spec.volumes[].name`.
        volume: String,
        /// What is wrong with its source.
        message: String,
    },
    /// Anything else: an address, a host port, a folder of the Pod.
    #[error("Failed to create pod sandbox: {0}")]
    Create(String),
}

/// An image that is ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// `status.containerStatuses[].imageID`.
    pub id: String,
    /// Where it came from.
    pub origin: ImageOrigin,
}

/// Where an image came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageOrigin {
    /// It was on this machine.
    Present,
    /// It was fetched.
    Pulled {
        /// How long that took.
        took: Duration,
        /// Its size in bytes.
        size: u64,
    },
}

/// Why an image is not ready; it is tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}", kind = self.kind.waiting_reason())]
pub struct ImageError {
    /// What went wrong.
    pub kind: ImageErrorKind,
    /// The whole message: which image, and what is wrong with it.
    pub message: String,
}

/// The kinds of failure that Kubernetes tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageErrorKind {
    /// It could not be fetched, or what came is no program for this runtime: ErrImagePull.
    Pull,
    /// It is absent and the policy says Never: ErrImageNeverPull.
    NeverPull,
    /// Its reference cannot be read: InvalidImageName.
    InvalidName,
    /// It is there and cannot be read: ImageInspectError.
    Inspect,
    /// RegistryUnavailable.
    RegistryUnavailable,
}

impl ImageErrorKind {
    /// The reason that a container waiting for the image shows.
    pub fn waiting_reason(self) -> WaitingReason {
        match self {
            Self::Pull => WaitingReason::ErrImagePull,
            Self::NeverPull => WaitingReason::ErrImageNeverPull,
            Self::InvalidName => WaitingReason::InvalidImageName,
            Self::Inspect => WaitingReason::ImageInspectError,
            Self::RegistryUnavailable => WaitingReason::RegistryUnavailable,
        }
    }
}

/// Why a run did not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Its environment or settings cannot be made, as when a ConfigMap is missing; shown as
    /// CreateContainerConfigError and tried again every ten seconds.
    #[error("{0}")]
    Config(String),
    /// It cannot be made; shown as CreateContainerError and tried again every ten seconds.
    #[error("{0}")]
    Create(String),
    /// A volume cannot be mounted into it; told by a FailedMount event and tried again.
    #[error("MountVolume.SetUp failed for volume {volume:?} : {message}")]
    Mount {
        /// `volumeMounts[].name`.
        volume: String,
        /// What is wrong with its source.
        message: String,
    },
    /// It was made and could not be entered. That is a run which has ended: restart policy and
    /// back-off apply.
    #[error("{}", .0.message.as_deref().unwrap_or("the container did not start"))]
    Run(Exit),
}

/// Why a Pod has failed whatever its containers say: `status.reason` and `status.message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodFailure {
    /// `status.reason`.
    pub reason: PodFailureReason,
    /// The sentence beside it.
    pub message: String,
}

/// A reason of a Pod that failed as a whole; `Display` gives the text of `status.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodFailureReason {
    /// `spec.activeDeadlineSeconds` are over.
    DeadlineExceeded,
    /// The machine ran short of something, or a volume grew over its limit.
    Evicted,
    /// It cannot run where it was put.
    UnexpectedAdmissionError,
}

impl fmt::Display for PodFailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The kubelet's grace for a Pod that it evicts at a hard threshold, or for what its files take.
const EVICTION_GRACE: Duration = Duration::from_secs(1);

impl PodFailure {
    /// How long its containers have, where the Pod's own grace period is `own`.
    pub(crate) fn grace(&self, own: Duration) -> Duration {
        match self.reason {
            PodFailureReason::Evicted => own.min(EVICTION_GRACE),
            PodFailureReason::DeadlineExceeded | PodFailureReason::UnexpectedAdmissionError => own,
        }
    }

    /// The machine ran short of something.
    pub fn evicted(message: impl Into<String>) -> Self {
        Self { reason: PodFailureReason::Evicted, message: message.into() }
    }

    /// It cannot run here, for a reason that is none of its own.
    pub fn rejected(why: &dyn fmt::Display) -> Self {
        Self {
            reason: PodFailureReason::UnexpectedAdmissionError,
            message: format!("Pod was rejected: {why}"),
        }
    }

    /// `spec.activeDeadlineSeconds` are over.
    pub fn deadline_exceeded() -> Self {
        Self {
            reason: PodFailureReason::DeadlineExceeded,
            message: "Pod was active on the node longer than the specified deadline".to_owned(),
        }
    }
}
