//! From the paths of a command line to checked manifests.

use std::path::PathBuf;

use wasmpod::manifest::{self, Manifest};

use crate::failure::Failure;

/// Reads and checks all of `paths`; `-` is standard input.
///
/// # Errors
/// Every problem of every file.
pub(crate) fn load(paths: &[PathBuf]) -> Result<Manifest, Failure> {
    let sources = manifest::source::read(paths, &mut std::io::stdin().lock())?;
    Ok(manifest::load(&sources)?)
}
