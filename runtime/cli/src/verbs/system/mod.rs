//! `wasmpod system`: what is on the disk of this machine, and removing it. Words and flags are podman's.

mod ask;
mod df;
mod prune;
mod reset;

use std::path::Path;
use std::process::ExitCode;

use crate::args::{System, SystemTask};
use crate::failure::Failure;

/// # Errors
/// The store cannot be read, or something cannot be removed.
pub(crate) fn system(verb: &System, root: Option<&Path>) -> Result<ExitCode, Failure> {
    match &verb.task {
        SystemTask::Df(task) => df::df(task, root),
        SystemTask::Prune(task) => prune::prune(task, root),
        SystemTask::Reset(task) => reset::reset(task, root),
    }
}
