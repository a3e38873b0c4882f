//! The process of one Pod among several: what it must know comes in a bundle.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

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
    let bundle =
        read(&verb.bundle).map_err(|error| Failure::because(verb.bundle.display(), &error))?;
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != bundle.parent {
        return Err(Failure::new("the process that started this Pod is gone"));
    }
    run_here(bundle, root, Signals::Terminate, None)
}

/// Reads a bundle and empties it: the Secrets in it must not stay in memory that a compiling child
/// inherits.
fn read(path: &Path) -> io::Result<Box<Bundle>> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    file.set_len(0)?;
    Ok(serde_json::from_slice(&text)?)
}
