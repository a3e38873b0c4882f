//! What is asked of a compiler, and its answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[cfg(feature = "compiler")]
use crate::image::kind::KindError;

/// More than any real guest has; a larger file is a mistake (a disk image, `/dev/zero`).
pub(crate) const MOST_IMAGE_BYTES: u64 = 1 << 30;

/// CPU time in seconds: for a program that is made to be slow to compile. What a guest may have made it
/// makes again and again; an image, which may be ten times as large as any that is known, comes once.
const MOST_CPU_SECONDS_OF_GUEST: u64 = 300;
const MOST_CPU_SECONDS_OF_IMAGE: u64 = 3600;

/// The owner of a host may allow images more or less.
const SECONDS: &str = "WASMPOD_COMPILE_SECONDS";

/// CPU time in seconds to read the outline of a file.
const MOST_CPU_SECONDS_TO_DESCRIBE: u64 = 60;

/// What a compiling child is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Write machine code.
    Compile(Request),
    /// Tell what a file is, by its outline.
    Describe { image: PathBuf },
    /// Make better code than there is, however long whoever asked lives.
    Improve(Improvement),
}

/// What to compile, and for which engine. What is not said is no.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) image: PathBuf,
    /// A file that does not exist yet.
    pub(crate) output: PathBuf,
    #[serde(default)]
    pub(crate) small_reservation: bool,
    /// For an engine that counts what its guests execute.
    #[serde(default)]
    pub(crate) fuel: bool,
    /// A guest may have made the image, at any time.
    #[serde(default)]
    pub(crate) of_guest: bool,
    /// Behind everything else on the machine, by one thread.
    #[serde(default)]
    pub(crate) behind: bool,
    /// A large image may have code that is made quickly and runs slower.
    #[serde(default)]
    pub(crate) may_be_quick: bool,
}

/// Code that was made quickly, and what is to take its place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Improvement {
    pub(crate) request: Request,
    /// Of the image.
    pub(crate) digest: String,
    /// The code that there is.
    pub(crate) code: PathBuf,
    /// A file that is there as long as it was made quickly.
    pub(crate) mark: PathBuf,
    /// Held by whoever makes it.
    pub(crate) lock: PathBuf,
    /// Held by whoever makes any: one after the other.
    pub(crate) turn: PathBuf,
}

impl Task {
    /// CPU time that it may take, in seconds.
    pub(super) fn most_cpu_seconds(&self) -> u64 {
        match self {
            Self::Compile(request) => request.most_cpu_seconds(),
            Self::Describe { .. } => MOST_CPU_SECONDS_TO_DESCRIBE,
            Self::Improve(improvement) => improvement.request.most_cpu_seconds(),
        }
    }
}

impl Request {
    /// CPU time that it may take, in seconds.
    fn most_cpu_seconds(&self) -> u64 {
        if self.of_guest {
            return MOST_CPU_SECONDS_OF_GUEST;
        }
        let set = std::env::var(SECONDS).ok().and_then(|seconds| seconds.parse().ok());
        set.unwrap_or(MOST_CPU_SECONDS_OF_IMAGE)
    }
}

/// What was compiled: read from the same bytes, whatever has become of the file since.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Compiled {
    pub(crate) digest: String,
    pub(crate) tag: String,
    /// It runs slower than it could.
    pub(crate) is_quick: bool,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum CompileError {
    /// Not a guest.
    #[error("{0}")]
    Kind(String),
    /// A guest that the compiler refuses.
    #[error("{0}")]
    Invalid(String),
    /// The machine's fault.
    #[error("{0}")]
    Host(String),
    /// Nobody waits for it any more.
    #[error("given up")]
    Cancelled,
}

#[cfg(feature = "compiler")]
impl From<KindError> for CompileError {
    fn from(error: KindError) -> Self {
        Self::Kind(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo xtask order` writes it, which knows nothing of these types.
    #[test]
    fn a_request_is_its_image_and_where_its_code_goes() {
        let task = serde_json::from_str(r#"{"Compile":{"image":"/a.wasm","output":"/code"}}"#);
        let Ok(Task::Compile(request)) = task else { panic!("{task:?}") };
        assert_eq!((request.image, request.output), ("/a.wasm".into(), "/code".into()));
        assert!(!request.fuel && !request.of_guest && !request.behind && !request.may_be_quick);
    }
}
