//! The process of one Pod among several: what it must know comes in a bundle.

use std::path::Path;
use std::process::ExitCode;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use wasmpod_node::handover::Handover;

use super::run::{Bundle, Signals, run_here};
use crate::args::PodProcess;
use crate::failure::Failure;

/// # Errors
/// A bundle that cannot be read, or what keeps its Pod from being started.
pub(crate) fn pod_process(verb: &PodProcess, root: Option<&Path>) -> Result<ExitCode, Failure> {
    // Whoever started this Pod shows its logs and would stop it: without them it must not go on,
    // nor hold host ports against the next one. What it leaves is swept.
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| Failure::because("cannot start", &std::io::Error::from(error)))?;
    let bundle: Box<Bundle> = Handover::take(&verb.bundle)
        .map_err(|error| Failure::because(verb.bundle.display(), &error))?;
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != bundle.parent {
        return Err(Failure::new("the process that started this Pod is gone"));
    }
    run_here(bundle, root, Signals::Terminate, None)
}
