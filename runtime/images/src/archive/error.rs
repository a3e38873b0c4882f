//! Why an archive is not written or read.

use std::io;

use crate::artifact::ArtifactError;
use crate::digest::Digest;
use crate::layout::LayoutError;
use crate::reference::Reference;

/// What went wrong with an archive of images.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such image to be written.
    #[error("image {0}: not found")]
    NotFound(Reference),
    /// It is not one image but an index of them, of which not all are here.
    #[error("image {0} is an index: save one of its images")]
    Index(Reference),
    /// It cannot be written to its end.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    /// It cannot be read to its end.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// It is a tar of something else.
    #[error(
        "it is no archive of images: it has neither an index.json (`podman save --format \
         oci-archive`) nor a manifest.json (`docker save`)"
    )]
    NotImages,
    /// A file of it is not what it should be.
    #[error("{file} of the archive {problem}")]
    Invalid {
        /// Its name.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// It is larger than anybody's has to be.
    #[error("the archive has more than {most} {what}")]
    TooLarge {
        /// `bytes`, `files` or `images`.
        what: &'static str,
        /// The limit.
        most: u64,
    },
    /// It is not whole.
    #[error("the archive lacks {0}")]
    Missing(Digest),
    /// An image in it is none for WebAssembly.
    #[error("the image {name} cannot run here")]
    Refused {
        /// Its name, or its digest.
        name: String,
        /// Why.
        #[source]
        source: ArtifactError,
    },
    /// The layout cannot give or take what it should.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}
