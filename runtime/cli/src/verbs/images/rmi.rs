//! `wasmpod rmi`: takes names away, and images with their last one.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_node::images::{Force, Problem, Removed};

use super::open;
use crate::args::Rmi;
use crate::failure::Failure;
use crate::print::out;

/// # Errors
/// The last image that stays.
pub(crate) fn rmi(verb: &Rmi, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let images = open(root)?;
    let force = if verb.force { Force::Yes } else { Force::No };
    let mut failures = Vec::new();
    for image in &verb.images {
        match images.remove(image, force) {
            Ok(removed) => removed.iter().for_each(print),
            Err(problem) => failures.push(told(problem)),
        }
    }
    Failure::last_of(failures)
}

fn print(removed: &Removed) {
    match removed {
        Removed::Untagged(name) => out::line(&format!("Untagged: {name}")),
        Removed::Deleted(digest) => out::line(&format!("Deleted: {digest}")),
    }
}

fn told(problem: Problem) -> Failure {
    let way_out = match &problem {
        Problem::InUse(_) => ": delete the Pod, or take the name away with --force",
        Problem::SeveralNames { .. } => ": name one of them, or use --force",
        _ => "",
    };
    Failure::podman(format!("{}{way_out}", wasmpod::error::chain(&problem)))
}
