//! `wasmpod system reset`: stops every Pod and removes all that belongs to them.

use std::path::Path;
use std::process::ExitCode;

use wasmpod::pod::Folders;
use wasmpod_node::system;

use super::ask;
use crate::args::SystemReset;
use crate::failure::Failure;
use crate::print::{out, problem, units};

/// # Errors
/// Something stays.
pub(super) fn reset(verb: &SystemReset, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::because("cannot reset", error);
    let folders = Folders::find(root).map_err(|error| failed(&error))?;
    let place = folders.root().display();
    if !verb.force
        && !ask::is_sure(&[
            "all Pods, and whatever else there is as an object".to_owned(),
            "their logs and the data of all volumes".to_owned(),
            format!("so all that wasmpod has in {place}"),
        ])
    {
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = crate::verbs::run::runtime()?;
    let done = runtime.block_on(system::reset(&folders));
    let done = done.map_err(|error| failed(&error))?;
    for path in &done.foreign {
        problem::note(&format!("{} is none of wasmpod's, and stays", path.display()));
    }
    match done.ended {
        0 => {}
        1 => out::line("1 Pod ended"),
        several => out::line(&format!("{several} Pods ended")),
    }
    out::line(&format!("Total reclaimed space: {}", units::bytes(done.bytes)));
    Ok(ExitCode::SUCCESS)
}
