//! The process of Services that are kept as objects.

use std::path::Path;
use std::process::ExitCode;

use wasmpod::pod::Folders;
use wasmpod_node::background::services::{Handed, run};
use wasmpod_node::handover::Handover;

use crate::args::ServiceProcess;
use crate::failure::Failure;

/// # Errors
/// It was not started as wasmpod starts it.
pub(crate) fn service_process(
    verb: &ServiceProcess,
    root: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::because("cannot start", error);
    let handed: Box<Handed> = Handover::take(&verb.handed)
        .map_err(|error| Failure::because(verb.handed.display(), &error))?;
    let folders = Folders::find(root).map_err(|error| failed(&error))?;
    super::run::runtime()?.block_on(run(*handed, &folders)).map_err(|error| failed(&error))?;
    Ok(ExitCode::SUCCESS)
}
