//! Why a container's configuration cannot be put together.

use super::FileError;
use crate::downward::DownwardError;

/// What keeps a container in `Waiting: CreateContainerConfigError`.
///
/// The texts are the kubelet's. The state may pass: the object can be created later, so the
/// caller tries again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A ConfigMap that is not optional does not exist.
    #[error("configmap \"{name}\" not found")]
    ConfigMapNotFound {
        /// The ConfigMap's name.
        name: String,
    },
    /// A Secret that is not optional does not exist.
    #[error("secret \"{name}\" not found")]
    SecretNotFound {
        /// The Secret's name.
        name: String,
    },
    /// A key that is not optional does not exist.
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    KeyNotFound {
        /// The key.
        key: String,
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// The object's namespace.
        namespace: String,
        /// The object's name.
        name: String,
    },
    /// A Secret's value is not UTF-8: a guest's environment is text.
    #[error("value of key {key} in Secret {namespace}/{name} is not valid UTF-8")]
    NotText {
        /// The key.
        key: String,
        /// The Secret's namespace.
        namespace: String,
        /// The Secret's name.
        name: String,
    },
    /// Variables and arguments are larger than a program can be given.
    #[error("environment and arguments of container {container:?} are larger than 2 MiB")]
    TooLarge {
        /// The container's name.
        container: String,
    },
    /// A reference to the Pod itself has no value.
    #[error(transparent)]
    Downward(#[from] DownwardError),
    /// A `fileKeyRef` cannot be read.
    #[error("environment variable {variable}: file {path:?} of volume {volume:?}: {source}")]
    File {
        /// The variable that wants it.
        variable: String,
        /// The volume's name.
        volume: String,
        /// The path inside the volume.
        path: String,
        /// Why not.
        source: FileError,
    },
    /// The file of a `fileKeyRef` does not define its key.
    #[error("environment variable key {key:?} not found in file {path:?}")]
    FileKeyNotFound {
        /// The key.
        key: String,
        /// The path inside the volume.
        path: String,
    },
}
