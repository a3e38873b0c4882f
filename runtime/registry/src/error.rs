//! Why an image did not come or go.
//!
//! The texts are one line each, in containerd's words: they stand in a Pod's status and events as
//! they are, where people know them, and tools look for parts of them.

use std::fmt;

use wasmpod_images::artifact::ArtifactError;
use wasmpod_images::digest::{Digest, InvalidDigest};
use wasmpod_images::layout::LayoutError;

use crate::credentials::CredentialError;

/// What went wrong, by what it means for the one who waits.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The registry has no such image. It may get one.
    #[error("{0}: not found")]
    NotFound(String),
    /// The registry wants to know who we are, or does not let us.
    #[error("{0}")]
    Unauthorized(String),
    /// The registry cannot be reached, breaks off, is too slow or has troubles of its own:
    /// `RegistryUnavailable`.
    #[error("{0}")]
    Unavailable(String),
    /// The registry has had enough of us for now.
    #[error("{0}")]
    TooManyRequests(String),
    /// What the registry sends is not what it should be.
    #[error("{0}")]
    Invalid(String),
    /// The registry does not do what was asked for, and will not at another time.
    #[error("{0}")]
    Unexpected(String),
    /// The image is larger than the limits or the disk let it be.
    #[error("{0}")]
    TooLarge(String),
    /// It is no image for WebAssembly, or not one that is known here.
    #[error("{0}")]
    Refused(#[from] ArtifactError),
    /// The image policy does not let it come.
    #[error("{0}")]
    Rejected(String),
    /// The layout on this machine.
    #[error("{}", chain(.0))]
    Store(#[source] LayoutError),
    /// What should say who we are.
    #[error("{0}")]
    Credentials(#[from] CredentialError),
    /// Our own settings: a CA that cannot be read, an endpoint that is no URL.
    #[error("{0}")]
    Config(String),
}

impl Failure {
    /// Whether it may go well when it is tried again as it is, soon.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::TooManyRequests(_) => true,
            Self::NotFound(_)
            | Self::Unauthorized(_)
            | Self::Invalid(_)
            | Self::Unexpected(_)
            | Self::TooLarge(_)
            | Self::Refused(_)
            | Self::Rejected(_)
            | Self::Store(_)
            | Self::Credentials(_)
            | Self::Config(_) => false,
        }
    }

    /// Whether it is this machine's, so that no other registry would help.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Store(_))
    }

    /// The registry promised content of this digest and sent other.
    pub(crate) fn wrong_digest(expected: &Digest, actual: &Digest) -> Self {
        Self::Invalid(format!(
            "unexpected commit digest {actual}, expected {expected}: failed precondition"
        ))
    }

    /// The registry promised so many bytes and sent others.
    pub(crate) fn wrong_size(expected: u64, actual: u64) -> Self {
        Self::Invalid(format!(
            "unexpected commit size {actual}, expected {expected}: failed precondition"
        ))
    }

    /// The registry promised so many bytes and does not stop.
    pub(crate) fn too_long(expected: u64) -> Self {
        Self::Invalid(format!("unexpected commit size, more than {expected}: failed precondition"))
    }
}

impl From<LayoutError> for Failure {
    fn from(error: LayoutError) -> Self {
        match error {
            LayoutError::DigestMismatch { expected, actual } => {
                Self::wrong_digest(&expected, &actual)
            }
            LayoutError::SizeMismatch { expected, actual, .. } => {
                Self::wrong_size(expected, actual)
            }
            error if error.is_of_content() => Self::Invalid(error.to_string()),
            error => Self::Store(error),
        }
    }
}

impl From<InvalidDigest> for Failure {
    fn from(error: InvalidDigest) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// Which part of a pull failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// From the name to a digest.
    Resolve,
    /// The content of this kind (`manifest`, `layer`…) and digest.
    Fetch(&'static str, Digest),
    /// Before or after all that.
    Store,
}

/// An image did not come. `Display` is the whole line.
#[derive(Debug)]
pub struct PullError {
    pub(crate) image: String,
    pub(crate) step: Step,
    /// What it means.
    pub failure: Failure,
}

impl PullError {
    /// See [`Failure::is_transient`].
    pub fn is_transient(&self) -> bool {
        self.failure.is_transient()
    }

    /// Whether Kubernetes calls it `RegistryUnavailable`, and not `ErrImagePull`.
    pub fn is_registry_unavailable(&self) -> bool {
        matches!(self.failure, Failure::Unavailable(_))
    }
}

impl fmt::Display for PullError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, step, failure } = self;
        write!(formatter, "failed to pull and unpack image {image:?}: ")?;
        match step {
            Step::Resolve => write!(formatter, "failed to resolve reference {image:?}: {failure}"),
            Step::Fetch(kind, digest) => match failure {
                Failure::Invalid(_) => {
                    write!(formatter, "failed commit on ref \"{kind}-{digest}\": {failure}")
                }
                _ => write!(formatter, "failed to copy {kind} {digest}: {failure}"),
            },
            Step::Store => write!(formatter, "{failure}"),
        }
    }
}

impl std::error::Error for PullError {}

/// An image did not go. `Display` is the whole line.
#[derive(Debug, thiserror::Error)]
#[error("failed to push image {image:?}: {failure}")]
pub struct PushError {
    pub(crate) image: String,
    /// What it means.
    pub failure: Failure,
}

impl PushError {
    /// See [`Failure::is_transient`].
    pub fn is_transient(&self) -> bool {
        self.failure.is_transient()
    }
}

/// An error with its causes, on a line: the layout's tell only of their own level.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        // Some repeat their cause.
        if !text.ends_with(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    text
}
