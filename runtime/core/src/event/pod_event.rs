//! One Event: its type, its reason, its sentence, and what part of the Pod it is about.

use std::fmt;

/// Something worth telling about a Pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodEvent {
    /// `type`.
    pub severity: Severity,
    /// `reason`.
    pub reason: Reason,
    /// `message`.
    pub message: String,
    /// `involvedObject.fieldPath`.
    pub involved: Involved,
}

/// The type of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Things go their way.
    Normal,
    /// Somebody should look.
    Warning,
}

/// The reason of an Event; `Display` gives the text of the kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The Pod has its place.
    Scheduled,
    /// There is no room for the Pod.
    FailedScheduling,
    /// An image is fetched.
    Pulling,
    /// An image is there.
    Pulled,
    /// A container was made.
    Created,
    /// A container runs.
    Started,
    /// A container is told to end.
    Killing,
    /// A probe says that all is not well, or could not be made.
    Unhealthy,
    /// A probe has succeeded in a way that somebody should know of.
    ProbeWarning,
    /// A container's hook for its start has failed.
    FailedPostStartHook,
    /// A container's hook for its end has failed.
    FailedPreStopHook,
    /// A container or its image is held back after failures.
    BackOff,
    /// A container could not be made or started, or its image could not be fetched.
    Failed,
    /// An image cannot be read.
    InspectFailed,
    /// An image is absent and may not be fetched.
    ErrImageNeverPull,
    /// A volume could not be set up.
    FailedMount,
    /// The Pod's network, folders or identity could not be made.
    FailedCreatePodSandBox,
    /// `activeDeadlineSeconds` are over.
    DeadlineExceeded,
    /// The machine ran short of something.
    Evicted,
    /// The Pod cannot run where it was put.
    UnexpectedAdmissionError,
    /// Other resources were allocated to the Pod.
    ResizeStarted,
    /// It has the resources that were allocated to it.
    ResizeCompleted,
    /// They could not be made true yet.
    ResizeError,
    /// There is no room now for the resources that are wanted.
    ResizeDeferred,
    /// There never will be.
    ResizeInfeasible,
}

/// The part of a Pod that an Event is about; `Display` gives the field path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Involved {
    /// All of it.
    Pod,
    /// An app container, by name.
    Container(String),
    /// An init container or sidecar, by name.
    InitContainer(String),
}

impl PodEvent {
    /// An Event of type Normal.
    pub fn normal(reason: Reason, involved: Involved, message: impl Into<String>) -> Self {
        Self { severity: Severity::Normal, reason, message: message.into(), involved }
    }

    /// An Event of type Warning.
    pub fn warning(reason: Reason, involved: Involved, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, reason, message: message.into(), involved }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Involved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod => Ok(()),
            Self::Container(name) => write!(f, "spec.containers{{{name}}}"),
            Self::InitContainer(name) => write!(f, "spec.initContainers{{{name}}}"),
        }
    }
}

impl Involved {
    /// The container it is about, if it is about one.
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::Pod => None,
            Self::Container(name) | Self::InitContainer(name) => Some(name),
        }
    }
}
