//! `wasmpod image`: what has no short verb.

use std::path::Path;
use std::process::ExitCode;

use super::{pack, prune};
use crate::args::{ImageGroup, ImageTask};
use crate::failure::Failure;

/// # Errors
/// As of the task.
pub(crate) fn image(verb: &ImageGroup, root: Option<&Path>) -> Result<ExitCode, Failure> {
    match &verb.task {
        ImageTask::Pack(task) => pack::pack(task, root),
        ImageTask::Prune(task) => prune::prune(task, root),
    }
}
