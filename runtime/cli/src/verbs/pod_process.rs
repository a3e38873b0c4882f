//! The process of one Pod among several: what it must know comes in a bundle.

use std::process::ExitCode;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::run::{Bundle, Signals, run_pod, runtime};
use crate::args::PodProcess;
use crate::failure::Failure;

/// # Errors
/// A bundle that cannot be read, or what keeps its Pod from being started.
pub(crate) fn pod_process(
    verb: &PodProcess,
    root: Option<&std::path::Path>,
) -> Result<ExitCode, Failure> {
    // Whoever started this Pod shows its logs and would stop it: without them it must not go on.
    set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(|error| Failure::because("cannot start", &std::io::Error::from(error)))?;
    if getppid().is_none_or(|parent| parent.is_init()) {
        return Err(Failure::new("the process that started this Pod is gone"));
    }
    let text = std::fs::read(&verb.bundle)
        .map_err(|error| Failure::because(verb.bundle.display(), &error))?;
    let bundle: Bundle = serde_json::from_slice(&text)
        .map_err(|error| Failure::because(verb.bundle.display(), &error))?;
    runtime()?.block_on(run_pod(bundle, root, Signals::Terminate))
}
