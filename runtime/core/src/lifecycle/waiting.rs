//! Why a container is waiting, in the words of `state.waiting.reason`.

use std::fmt;

/// A reason of `state.waiting`; `Display` gives the text of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitingReason {
    /// The Pod has init containers, and this container was not tried yet.
    PodInitializing,
    /// This container was not tried yet, or is being made.
    ContainerCreating,
    /// It makes way for a restart of all containers of the Pod.
    RestartingAllContainers,
    /// It ended and will start again when its back-off is over.
    CrashLoopBackOff,
    /// The last try to get the image failed.
    ErrImagePull,
    /// A failed image will be tried again when its back-off is over.
    ImagePullBackOff,
    /// The image is absent and the pull policy says Never.
    ErrImageNeverPull,
    /// The reference of the image cannot be read.
    InvalidImageName,
    /// The image is there but cannot be read.
    ImageInspectError,
    /// The registry does not answer.
    RegistryUnavailable,
    /// The environment or the settings of the container cannot be made.
    CreateContainerConfigError,
    /// The container cannot be made.
    CreateContainerError,
    /// The container was made but did not start.
    RunContainerError,
}

impl fmt::Display for WaitingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_in_the_api() {
        assert_eq!(WaitingReason::CrashLoopBackOff.to_string(), "CrashLoopBackOff");
        assert_eq!(WaitingReason::ErrImageNeverPull.to_string(), "ErrImageNeverPull");
        assert_eq!(
            WaitingReason::CreateContainerConfigError.to_string(),
            "CreateContainerConfigError"
        );
    }
}
