//! `wasmpod pull`: from registries.

use std::path::Path;
use std::process::ExitCode;

use super::{open, refused, registries};
use crate::args::Pull;
use crate::failure::Failure;
use crate::print::progress::Transfer;
use crate::print::{out, problem};
use crate::verbs::run::runtime;

/// # Errors
/// The last image that did not come.
pub(crate) fn pull(verb: &Pull, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let (images, registries, runtime) = (open(root)?, registries()?, runtime()?);
    let mut failures = Vec::new();
    for reference in &verb.references {
        if !verb.quiet {
            let whole = reference.clone().with_default_tag();
            problem::plain(&format!("Trying to pull {whole}..."));
        }
        let mut transfer = Transfer::new(verb.quiet);
        let pulling = images.pull(&registries, reference, |progress| transfer.tell(&progress));
        match runtime.block_on(pulling) {
            Ok(known) => out::line(&known.to_string()),
            Err(error) => failures.push(refused(&error)),
        }
    }
    Failure::last_of(failures)
}
