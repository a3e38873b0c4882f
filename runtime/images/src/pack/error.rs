//! Why files do not become an image.

use std::io;
use std::path::PathBuf;

/// An image that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A local file or folder.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not a program.
    #[error("{} is not WebAssembly: it does not start with `\\0asm`", path.display())]
    NotWasm {
        /// The file.
        path: PathBuf,
    },
    /// Neither file, folder nor link.
    #[error("{} is neither a file, a folder nor a link", path.display())]
    Kind {
        /// What it is.
        path: PathBuf,
    },
    /// A place in the image that is none.
    #[error("{path:?} is no path within an image")]
    Place {
        /// As it was given.
        path: PathBuf,
    },
    /// Two files for one place.
    #[error("two files are to be {} of the image", path.display())]
    Twice {
        /// The place.
        path: PathBuf,
    },
    /// An artifact is one program and nothing else.
    #[error("an artifact has no {what}: make a container image")]
    Artifact {
        /// `files`, `arguments`, `variables`, …
        what: &'static str,
    },
    /// A port that is 0, a name with `=` in it.
    #[error("{text:?} is no {what}")]
    Invalid {
        /// What it should be.
        what: &'static str,
        /// As it was given.
        text: String,
    },
    /// The blobs cannot be stored.
    #[error("cannot store the image")]
    Store(#[source] io::Error),
}
