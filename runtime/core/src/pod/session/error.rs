//! Why there is no session with a container.

use std::io;

/// Why a client cannot have a container's streams.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The Pod has no such container. The words are those of the API server.
    #[error("container {container} is not valid for pod {pod}")]
    NoContainer {
        /// The name that was asked for.
        container: String,
        /// The Pod.
        pod: String,
    },
    /// It does not run. The words are those of the kubelet.
    #[error("container not found ({container:?})")]
    NotRunning {
        /// The container.
        container: String,
    },
    /// The Pod has ended. The words are those of kubectl.
    #[error("cannot {verb} a container in a completed pod; current phase is {phase}")]
    Completed {
        /// `exec into` or `attach`.
        verb: &'static str,
        /// `status.phase`
        phase: String,
    },
    /// There is no terminal to be had.
    #[error("cannot make a terminal for container {container:?}")]
    Terminal {
        /// The container.
        container: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}
