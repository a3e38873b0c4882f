//! Why something cannot be done with an image.

use std::io;
use std::path::PathBuf;

use wasmpod::image::{DescribeError, ImageError};
use wasmpod_images::archive::ArchiveError;
use wasmpod_images::digest::InvalidDigest;
use wasmpod_images::layout::LayoutError;
use wasmpod_images::pack::PackError;
use wasmpod_images::rootfs::RootfsError;

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Neither a name nor an ID of an image that is here.
    #[error("image {0}: not found")]
    NotFound(String),
    /// The beginning of more than one ID.
    #[error("image {text}: {count} images have an ID that begins so")]
    Ambiguous {
        /// As it was typed.
        text: String,
        /// How many.
        count: usize,
    },
    /// It would be gone for whoever uses it.
    #[error("image {0} is in use by a Pod")]
    InUse(String),
    /// It was named by its ID, and it is not clear which of the names should go.
    #[error("image {text} has several names: {}", names.join(", "))]
    SeveralNames {
        /// As it was typed.
        text: String,
        /// Those of the image.
        names: Vec<String>,
    },
    /// The store of images.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The unpacked roots.
    #[error(transparent)]
    Rootfs(#[from] RootfsError),
    /// What is in the image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// What is in a file.
    #[error("{}: {source}", path.display())]
    Describe {
        /// Which.
        path: PathBuf,
        /// Why.
        source: DescribeError,
    },
    /// Files that do not become an image.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// An archive that is not written or read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A digest of an algorithm that nobody knows.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// A file of the user.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}
