//! `wasmpod attach`: to what runs in a container.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use super::session::{Streams, carry};
use super::target::{Target, refused};
use super::terminal;
use crate::args::Attach;
use crate::failure::Failure;
use crate::print::problem;

/// # Errors
/// There is no such Pod or container, or it does not run.
pub(crate) fn attach(verb: &Attach, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let (target, container) = Target::of_session(root, &verb.session)?;
    let spec = target.pod.spec.as_ref();
    let own = spec.and_then(|spec| spec.containers.iter().find(|own| own.name == container));
    let has_tty = own.is_some_and(|own| own.tty == Some(true));
    if verb.tty && !has_tty {
        problem::plain(&format!(
            "error: Unable to use a TTY - container {container} did not allocate one"
        ));
    }
    let tty = verb.tty && has_tty && io::stdin().is_terminal();
    if !verb.session.quiet && verb.session.stdin {
        problem::plain("If you don't see a command prompt, try pressing enter.");
    }
    let runtime = crate::verbs::run::runtime()?;
    let code = runtime.block_on(async {
        let attached = target.client.attach(&container, verb.session.stdin).await;
        let (mut writer, reader) = attached.map_err(refused)?;
        if let Some(size) = terminal::size().filter(|_| tty) {
            // One that has ended meanwhile says so to the reader.
            drop(writer.resize(size).await);
        }
        carry(Streams { stdin: verb.session.stdin, tty }, writer, reader).await
    });
    // A thread that reads a terminal never ends.
    std::mem::forget(runtime);
    code
}
