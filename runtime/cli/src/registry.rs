//! Where images of registries are fetched: never in the process of a Pod, as with compiling.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use wasmpod::image::{ChildProgram, Fetcher};

/// How the command line calls the fetching child.
#[cfg(feature = "registry")]
pub(crate) const VERB: &str = "fetch-image";

/// `wasmpod-registry`, built before this program.
#[cfg(not(feature = "registry"))]
static PROGRAM: &[u8] = include_bytes!(env!(
    "WASMPOD_REGISTRY",
    "without the feature `registry`, WASMPOD_REGISTRY names a built wasmpod-registry; \
     `cargo xtask build` sets it"
));

/// What the command line says of registries and of signatures.
static FILES: OnceLock<Files> = OnceLock::new();

/// Files that say how images are to be had.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// `--registry-config`
    pub(crate) registries: Option<PathBuf>,
    /// `--image-policy`
    pub(crate) policy: Option<PathBuf>,
}

/// Keeps what the command line says, for all that this process does.
///
/// # Errors
/// There is no working folder for a relative path to begin in.
pub(crate) fn keep(files: Files) -> io::Result<()> {
    let absolute = |path: Option<PathBuf>| path.map(std::path::absolute).transpose();
    let files = Files { registries: absolute(files.registries)?, policy: absolute(files.policy)? };
    // It is read once.
    let _ = FILES.set(files);
    Ok(())
}

pub(crate) fn files() -> Files {
    FILES.get().cloned().unwrap_or_default()
}

/// The same for another process of this program.
pub(crate) fn arguments() -> Vec<OsString> {
    let Files { registries, policy } = files();
    let mut arguments = Vec::new();
    for (option, path) in [("--registry-config", registries), ("--image-policy", policy)] {
        if let Some(path) = path {
            arguments.extend([option.into(), path.into()]);
        }
    }
    arguments
}

/// # Errors
/// This program cannot tell where it is.
#[cfg(feature = "registry")]
pub(crate) fn fetcher() -> io::Result<Fetcher> {
    let program = std::env::current_exe()?;
    Ok(Fetcher::Child(ChildProgram::File { program, arguments: vec![VERB.into()] }))
}

/// # Errors
/// None: where this program cannot fetch, it carries one that can.
#[cfg(not(feature = "registry"))]
pub(crate) fn fetcher() -> io::Result<Fetcher> {
    Ok(Fetcher::Child(ChildProgram::Embedded(PROGRAM)))
}
