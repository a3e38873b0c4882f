//! `wasmpod push`: to a registry.

use std::path::Path;
use std::process::ExitCode;

use super::{open, refused, registries};
use crate::args::Push;
use crate::failure::Failure;
use crate::print::out;
use crate::print::progress::Transfer;
use crate::verbs::run::runtime;

/// # Errors
/// It is not there in the end.
pub(crate) fn push(verb: &Push, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let (images, registries) = (open(root)?, registries()?);
    let target = verb.reference.as_ref().unwrap_or(&verb.name);
    let mut transfer = Transfer::new(verb.quiet);
    let pushing = images.push(&registries, &verb.name, target, |progress| transfer.tell(&progress));
    let known = runtime()?.block_on(pushing).map_err(|error| refused(&error))?;
    out::line(&known.to_string());
    Ok(ExitCode::SUCCESS)
}
