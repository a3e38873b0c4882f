//! Why a volume or a container's file system could not be set up, in the kubelet's words.
//!
//! The texts are those of the kubelet's events and waiting messages, so `Display` gives the whole
//! sentence, cause included.

use std::io;
use std::path::{Path, PathBuf};

/// A volume or a mount of a Pod cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// A volume: event `FailedMount`, and the Pod's containers wait.
    #[error("MountVolume.SetUp failed for volume {volume:?} : {cause}")]
    SetUp {
        /// The volume.
        volume: String,
        /// What is wrong with it.
        cause: VolumeError,
    },
    /// A mount that does not fit: the container waits with `CreateContainerConfigError`.
    #[error("{0}")]
    Config(String),
    /// The container's root or a mount could not be made: `CreateContainerError`.
    #[error("failed to create the file system of container {container:?}: {cause}")]
    Create {
        /// The container.
        container: String,
        /// What is wrong.
        cause: String,
    },
}

/// What is wrong with a volume.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// `configmap "x" not found`
    #[error("{kind} {name:?} not found")]
    NotFound {
        /// `configmap`, `secret` or `persistentvolumeclaim`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// An item names a key that its ConfigMap or Secret does not have.
    #[error("{owner}references non-existent {kind} key: {key}")]
    MissingKey {
        /// `configmap ` or nothing, as the kubelet has it.
        owner: &'static str,
        /// `config` or `secret`.
        kind: &'static str,
        /// The key.
        key: String,
    },
    /// A rule was broken; the text says which.
    #[error("{0}")]
    Invalid(String),
    /// A source that has no meaning here.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// The field.
        what: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// The host's file system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Several sources of one projected volume failed.
    #[error("[{}]", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Several(Vec<VolumeError>),
}

impl VolumeError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| VolumeError::Io { path: path.to_owned(), source }
    }
}

impl MountError {
    /// The reason that Kubernetes gives: of the event for a volume, of the waiting state for a
    /// container.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            MountError::SetUp { .. } => "FailedMount",
            MountError::Config(_) => "CreateContainerConfigError",
            MountError::Create { .. } => "CreateContainerError",
        }
    }

    pub(crate) fn create(container: &str, cause: impl ToString) -> Self {
        MountError::Create { container: container.to_owned(), cause: cause.to_string() }
    }
}
