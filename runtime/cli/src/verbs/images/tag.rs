//! `wasmpod tag`: another name.

use std::path::Path;
use std::process::ExitCode;

use super::open;
use crate::args::Tag;
use crate::failure::Failure;

/// # Errors
/// There is no such image.
pub(crate) fn tag(verb: &Tag, root: Option<&Path>) -> Result<ExitCode, Failure> {
    open(root)?.tag(&verb.source, &verb.target)?;
    Ok(ExitCode::SUCCESS)
}
