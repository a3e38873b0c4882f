//! Why an image does not become a root.

use std::io;
use std::path::PathBuf;

use super::limits::Excess;
use crate::digest::Digest;
use crate::shown::shown;

/// A root that could not be made; nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum RootfsError {
    /// The host's file system refused.
    #[error("cannot {deed} {}", path.display())]
    Host {
        /// `create`, `lock`, …
        deed: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A layer is broken, hostile or too large, or was not to be had.
    #[error("layer {number} of the image")]
    Layer {
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: LayerError,
    },
}

/// What is wrong with a layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The blob was not to be had.
    #[error("its content is not to be had")]
    Missing(#[source] io::Error),
    /// Its bytes are no archive, or one that is packed in another way than it says.
    #[error("its content is broken")]
    Broken(#[source] io::Error),
    /// The content is not that which the image was built with.
    #[error("its content has the digest {found}, and the config of the image says {expected}")]
    DiffId {
        /// By the config.
        expected: Digest,
        /// Of what came.
        found: Digest,
    },
    /// The config has a digest of an algorithm that is not known here.
    #[error("the config of the image has {digest} for its digest, which is not known here")]
    UnknownDigest {
        /// As it is written, or the beginning of it.
        digest: String,
    },
    /// It, or the image with it, is larger than anything that is run.
    #[error(transparent)]
    Excess(#[from] Excess),
    /// One of its entries cannot be in a root.
    #[error("entry {path}")]
    Entry {
        /// Its name, quoted.
        path: String,
        /// Why.
        #[source]
        source: EntryError,
    },
}

/// What is wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// `..`, where it could lead out.
    #[error("its name has `..` in it")]
    Climbs,
    /// No file system can have it.
    #[error("its name has a NUL in it")]
    Nul,
    /// A name that is needed and not there.
    #[error("it has no name")]
    Nameless,
    /// Deeper than any real one.
    #[error("it lies deeper than {most} folders")]
    Deep {
        /// The limit.
        most: usize,
    },
    /// Its folder is a file.
    #[error("its folder is a file")]
    NotAFolder,
    /// Its folder is a link that leads out of the root, or to nothing.
    #[error("its folder is a link that leads to no folder of the image")]
    Outside,
    /// A hard link to a folder, or to nothing.
    #[error("it is a hard link to {target}, which is no file of the image")]
    HardLink {
        /// As it is written, quoted.
        target: String,
    },
    /// The host's file system refused.
    #[error("it cannot be written")]
    Host(#[source] io::Error),
}

impl LayerError {
    /// What a reader of the layer has failed with.
    pub(super) fn reading(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Excess>()) {
            Some(excess) => Self::Excess(*excess),
            None => Self::Broken(error),
        }
    }
}

/// Why an entry was not added: it, or all that is left to be spent.
pub(super) enum Failure {
    Entry(EntryError),
    Excess(Excess),
    Content(io::Error),
}

impl From<EntryError> for Failure {
    fn from(error: EntryError) -> Self {
        Self::Entry(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Entry(EntryError::Host(error))
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(errno: rustix::io::Errno) -> Self {
        io::Error::from(errno).into()
    }
}

impl From<Excess> for Failure {
    fn from(excess: Excess) -> Self {
        Self::Excess(excess)
    }
}

impl Failure {
    /// Of the entry with that name.
    pub(super) fn at(self, path: &[u8]) -> LayerError {
        match self {
            Self::Entry(source) => LayerError::Entry { path: shown(path), source },
            Self::Excess(excess) => excess.into(),
            Self::Content(error) => LayerError::reading(error),
        }
    }
}
