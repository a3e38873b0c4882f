//! A process that is no part of the toolbox: what the container itself has.

use std::io;
use std::sync::Arc;

use wasmtime_wasi::p1::types::Errno;

use super::end::End;
use super::pipe::PipeOutput;
use super::session::{Session, title};
use super::table::Pid;
use crate::guest::exec::{Found, resolve};
use crate::guest::run::RunSpec;
use crate::guest::stdio::{Output, Stdin};
use crate::lifecycle::Exit;

/// What a process ends with that writes to nobody, in a shell's words: 128 and SIGPIPE.
const BROKEN_PIPE: u8 = 141;

/// A command line, and where it is to run.
pub(super) struct Command {
    pub(super) words: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) cwd: String,
}

/// Runs `command` as a child of `parent` over these standard streams, by the rules of an exec without its toolbox.
///
/// # Errors
/// `noent` when the container has nothing of that name, `again` when there are too many processes.
pub(super) async fn spawn(
    session: &Arc<Session>,
    parent: Pid,
    command: Command,
    standard: [End; 3],
    background: bool,
) -> Result<Pid, Errno> {
    let (spec, found) = find(session, &command).await?;
    let words = command.words;
    let name = title(&words);
    let make = async |pid: Pid| {
        session.table().set_title(pid, name);
        // Its pipe has a reader as long as it runs.
        let (reads, stderr) = (standard[0].clone(), standard[2].clone());
        let tty = session.spec.tty && standard.iter().all(End::is_terminal);
        let [stdin, stdout, stderr_end] = standard;
        let spec = RunSpec {
            run: format!("{}/{pid}", session.spec.run),
            stdin: input(stdin),
            stdout: output(session, pid, stdout),
            stderr: output(session, pid, stderr_end),
            tty,
            terminal: session.spec.terminal.clone().filter(|_| tty),
            ..spec
        };
        let session = Arc::clone(session);
        Ok(async move {
            let exit = match found {
                Ok(found) => {
                    let host = session.host_of_program();
                    let (program, loader) = (session.program.clone(), session.loader.clone());
                    found.run(program, &loader, host, spec, words).await
                }
                Err(problem) => Exit::with_code(126).with_message(Some(problem)),
            };
            drop(reads);
            session.explain(&exit, &stderr).await;
            exit.code
        })
    };
    session.begin(parent, background, make).await
}

/// Whether the container itself has something of that name.
///
/// # Errors
/// `noent` when it does not.
pub(super) async fn look(session: &Session, command: &Command) -> Result<(), Errno> {
    find(session, command).await.map(drop)
}

/// What it has, or why that cannot be run; and what of the container holds for it.
async fn find(
    session: &Session,
    command: &Command,
) -> Result<(RunSpec, Result<Found, String>), Errno> {
    let word = command.words.first().ok_or(Errno::Inval)?;
    let spec = RunSpec {
        argv: session.own.clone(),
        env: command.env.clone(),
        cwd: Some(command.cwd.clone()),
        ports: Vec::new(),
        ..session.spec.clone()
    };
    match resolve(&session.program, &session.loader, &spec, word).await {
        Ok(None) => Err(Errno::Noent),
        Ok(Some(found)) => Ok((spec, Ok(found))),
        Err(problem) => Ok((spec, Err(problem))),
    }
}

/// An end as a guest's standard input: only what is a pipe can be one.
fn input(end: End) -> Stdin {
    match end {
        End::Stdin { stdin, .. } => stdin,
        End::Read(end) => Stdin::Pipe(end.pipe),
        End::Output { .. } | End::Write(_) | End::Connection(_) => Stdin::Closed,
    }
}

fn output(session: &Arc<Session>, pid: Pid, end: End) -> Arc<dyn Output> {
    match end {
        End::Output { output, .. } => output,
        End::Write(pipe) => {
            let session = Arc::downgrade(session);
            let end = move || {
                if let Some(session) = session.upgrade() {
                    session.end(pid, BROKEN_PIPE);
                }
            };
            Arc::new(PipeOutput { pipe, end })
        }
        End::Stdin { .. } | End::Read(_) | End::Connection(_) => Arc::new(Unwritable),
    }
}

/// What is no output.
struct Unwritable;

impl Output for Unwritable {
    fn write(&self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(rustix::io::Errno::BADF.raw_os_error()))
    }
}
