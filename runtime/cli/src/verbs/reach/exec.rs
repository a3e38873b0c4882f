//! `wasmpod exec`: a command in a container.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use wasmpod::pod::ExecRequest;
use wasmpod::sandbox::terminal::TerminalSize;
use wasmpod_node::podprocess::PodClient;

use super::session::{Streams, carry};
use super::target::{Target, refused};
use super::terminal;
use crate::args::Exec;
use crate::failure::Failure;
use crate::print::problem;

/// Of a terminal that does not say how large it is.
const USUAL: TerminalSize = TerminalSize { rows: 24, columns: 80 };

/// The exit code is the command's.
///
/// # Errors
/// There is no such Pod or container, or it does not run.
pub(crate) fn exec(verb: &Exec, root: Option<&Path>) -> Result<ExitCode, Failure> {
    if verb.command.is_empty() {
        return Err(Failure::kubectl("you must specify at least one command for the container"));
    }
    let (target, container) = Target::of_session(root, &verb.session)?;
    let wanted = Wanted { stdin: verb.session.stdin, tty: verb.tty };
    let runtime = crate::verbs::run::runtime()?;
    let code = runtime.block_on(run(&target.client, &container, verb.command.clone(), wanted));
    // A thread that reads a terminal never ends.
    std::mem::forget(runtime);
    code
}

/// What a command is to be given of this process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) stdin: bool,
    pub(super) tty: bool,
}

/// Runs a command in a container, with the streams of this process; gives its exit code.
///
/// # Errors
/// The Pod's process does not take it.
pub(super) async fn run(
    client: &PodClient,
    container: &str,
    command: Vec<String>,
    Wanted { stdin, mut tty }: Wanted,
) -> Result<ExitCode, Failure> {
    if tty && !io::stdin().is_terminal() {
        problem::plain("Unable to use a TTY - input is not a terminal or the right kind of file");
        tty = false;
    }
    let terminal = tty.then(|| terminal::size().unwrap_or(USUAL));
    let request = ExecRequest { command, stdin, stdout: true, stderr: true, terminal };
    let (writer, reader) = client.exec(container, &request).await.map_err(refused)?;
    carry(Streams { stdin, tty }, writer, reader).await
}
