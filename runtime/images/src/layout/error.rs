//! Why a layout cannot give or take what it should.

use std::io;
use std::path::PathBuf;

use super::limits::{MOST_LAYERS, MOST_MANIFEST_BYTES};
use crate::digest::{Digest, InvalidDigest};

/// What went wrong in a layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// Not made, not read, not written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody else could change images there.
    #[error("the image store {} {problem}; remove it or choose another folder", path.display())]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// Whose it is, or who may write.
        problem: String,
    },
    /// `index.json` or `oci-layout` is not what the specification says.
    #[error("{} is damaged: {problem}; remove it and pull the images again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The content has another digest than its name.
    #[error("unexpected digest {actual}, expected {expected}")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// The content has another size than its descriptor says; what is too large was not read to its
    /// end.
    #[error("unexpected size {actual}, expected {expected}, of {digest}")]
    SizeMismatch {
        /// Whose size.
        digest: Digest,
        /// Bytes, as the descriptor says.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },
    /// The blob is not in the layout.
    #[error("content {0} is not in the image store")]
    Missing(Digest),
    /// The manifest is larger than anyone's has to be.
    #[error("manifest {digest} has {size} bytes, more than {MOST_MANIFEST_BYTES}")]
    ManifestTooLarge {
        /// Which.
        digest: Digest,
        /// Bytes.
        size: u64,
    },
    /// The manifest has more layers than anyone could run.
    #[error("manifest {digest} has {layers} layers, more than {MOST_LAYERS}")]
    TooManyLayers {
        /// Which.
        digest: Digest,
        /// How many.
        layers: usize,
    },
    /// The manifest cannot be read.
    #[error("manifest {digest} cannot be read: {problem}")]
    InvalidManifest {
        /// Which.
        digest: Digest,
        /// What is wrong with it.
        problem: String,
    },
    /// A descriptor has no usable digest.
    #[error(transparent)]
    InvalidDigest(#[from] InvalidDigest),
}

impl LayoutError {
    /// Whether what came from outside is at fault, and not this machine's disk.
    pub fn is_of_content(&self) -> bool {
        match self {
            Self::Io { .. } | Self::Unsafe { .. } | Self::Damaged { .. } | Self::Missing(_) => {
                false
            }
            Self::DigestMismatch { .. }
            | Self::SizeMismatch { .. }
            | Self::ManifestTooLarge { .. }
            | Self::TooManyLayers { .. }
            | Self::InvalidManifest { .. }
            | Self::InvalidDigest(_) => true,
        }
    }
}
