//! Why an image does not become a running container, in Kubernetes' terms.

use std::path::PathBuf;

use wasmpod_images::fetch::{FetchError, FetchErrorKind};
use wasmpod_images::layout::LayoutError;
use wasmpod_images::reference::InvalidReference;

use super::cache::CacheError;

/// The reason that a waiting container's status shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageErrorReason {
    /// `InvalidImageName`: no reference and no path.
    InvalidImageName,
    /// `ErrImageNeverPull`: not here, and `imagePullPolicy: Never` forbids fetching it.
    ErrImageNeverPull,
    /// `ErrImagePull`: not here and not to be had, or not usable.
    ErrImagePull,
    /// `ImageInspectError`: here, and not to be read.
    ImageInspectError,
    /// `RegistryUnavailable`: nobody answers who would know.
    RegistryUnavailable,
}

impl ImageErrorReason {
    /// The word in the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidImageName => "InvalidImageName",
            Self::ErrImageNeverPull => "ErrImageNeverPull",
            Self::ErrImagePull => "ErrImagePull",
            Self::ImageInspectError => "ImageInspectError",
            Self::RegistryUnavailable => "RegistryUnavailable",
        }
    }
}

/// An image that cannot be run. [`ImageError::reason`] is for the status, the text for its message.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Neither a path nor an image reference.
    #[error("couldn't parse image name {image:?}: {problem}")]
    InvalidName {
        /// As written in the manifest.
        image: String,
        /// What is wrong with it.
        problem: InvalidReference,
    },
    /// Not here, and `imagePullPolicy` is `Never`.
    #[error("Container image {image:?} is not present with pull policy of Never")]
    NeverPull {
        /// Its name.
        image: String,
    },
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(FetchError),
    /// It was fetched, and removed or replaced before it could be used.
    #[error("image {image:?} was removed or replaced while it was fetched")]
    Removed {
        /// Its name.
        image: String,
    },
    /// It is here and cannot be read.
    #[error("Failed to inspect image {image:?}: {message}")]
    Inspect {
        /// Its name.
        image: String,
        /// What is wrong with it.
        message: String,
    },
    /// The store of images cannot be used.
    #[error("Failed to inspect image {image:?}: {}", crate::error::chain(problem))]
    Store {
        /// Its name.
        image: String,
        /// Why.
        problem: LayoutError,
    },
    /// The file is missing or cannot be read.
    #[error("cannot read image file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("image file {} is not a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Larger than any real guest.
    #[error("image file {} has {bytes} bytes; the most is {most}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// Not something to run.
    #[error("image file {} cannot be run: {message}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        message: String,
    },
    /// The compiler refused it.
    #[error("image file {} does not compile: {message}", path.display())]
    Compile {
        /// The file.
        path: PathBuf,
        /// The compiler's reason.
        message: String,
    },
    /// The cache of machine code cannot be used.
    #[error("cannot compile image file {}: {source}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CacheError,
    },
}

impl ImageError {
    /// The reason for the waiting container's status.
    pub fn reason(&self) -> ImageErrorReason {
        match self {
            Self::InvalidName { .. } => ImageErrorReason::InvalidImageName,
            Self::NeverPull { .. } => ImageErrorReason::ErrImageNeverPull,
            Self::Fetch(error) if error.kind == FetchErrorKind::Unavailable => {
                ImageErrorReason::RegistryUnavailable
            }
            Self::Inspect { .. } | Self::Store { .. } => ImageErrorReason::ImageInspectError,
            Self::Fetch(_)
            | Self::Removed { .. }
            | Self::Read { .. }
            | Self::NotAFile { .. }
            | Self::TooLarge { .. }
            | Self::Unusable { .. }
            | Self::Compile { .. }
            | Self::Cache { .. } => ImageErrorReason::ErrImagePull,
        }
    }
}
