//! A command in a container that runs, for a client.
//!
//! Its output goes to the client and not to the container's log. It ends with the container's run, as
//! the processes of a container do.

use std::sync::Arc;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Container;

use super::ends::{Input, Session, SessionEnd, SessionInput, SessionOutput, Source};
use super::error::SessionError;
use super::queue::queue;
use crate::guest::{Output, OutputBuffer, Stdin, TerminalOutput, input_pipe};
use crate::logs::LogStream;
use crate::pod::container::ended;
use crate::pod::exec::{Execution, Streams};
use crate::pod::view::PodView;
use crate::sandbox::terminal::{Terminal, TerminalSize};

/// What a command may have written that its client has not read yet, in bytes.
const WAITING: usize = 128 << 10;

/// A command, and the streams that its client wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecRequest {
    /// Its words.
    pub command: Vec<String>,
    /// Whether it has an input; without one it is at its end from the beginning.
    pub stdin: bool,
    /// Whether its output is wanted.
    pub stdout: bool,
    /// Whether its errors are. With a terminal they are output.
    pub stderr: bool,
    /// A terminal of this size for its streams.
    pub terminal: Option<TerminalSize>,
}

impl PodView {
    /// Runs a command in `container`, which may be an app container, a sidecar or an init container.
    ///
    /// The command that cannot be found ends with 127 and says why, as in a shell; one that cannot be
    /// run with 126. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`SessionError`]: it does not run, or there is no terminal.
    pub fn exec(&self, container: &str, request: ExecRequest) -> Result<Session, SessionError> {
        let execution = self.live(container, "exec into")?;
        let not_running = || SessionError::NotRunning { container: container.to_owned() };
        let store = self.runtime.current_store().ok_or_else(not_running)?;
        let Some(described) = self.runtime.containers().find(|each| each.name == container) else {
            return Err(not_running());
        };
        let ends = match request.terminal {
            Some(size) => Ends::terminal(&self.terminal(described, size)?, request.stdin),
            None => Ends::pipes(&request),
        };
        let Ends { streams, input, output, end_output } = ends;
        let loader = self.runtime.command_loader(&store, described);
        let run_ended = execution.run_ended.clone();
        let task = execution.spawn(&store, loader, request.command, streams);
        let abort = task.abort_handle();
        let end = async move {
            let mut exit = Box::pin(ended(task, "command"));
            let exit = tokio::select! {
                biased;
                exit = &mut exit => exit,
                () = run_ended.cancelled() => {
                    abort.abort();
                    exit.await
                }
            };
            end_output();
            SessionEnd::Exit(exit)
        };
        Ok(Session { input, output, end: end.boxed() })
    }

    /// The run of `container` that is in progress.
    pub(super) fn live(
        &self,
        container: &str,
        verb: &'static str,
    ) -> Result<Arc<Execution>, SessionError> {
        if !self.runtime.containers().any(|each| each.name == container) {
            let pod = self.identity().name.clone();
            return Err(SessionError::NoContainer { container: container.to_owned(), pod });
        }
        let phase = self.handle.status().borrow().phase.clone().unwrap_or_default();
        if matches!(phase.as_str(), "Succeeded" | "Failed") {
            return Err(SessionError::Completed { verb, phase });
        }
        let execution = self.runtime.runs.execution(container);
        execution.ok_or_else(|| SessionError::NotRunning { container: container.to_owned() })
    }

    fn terminal(
        &self,
        container: &Container,
        size: TerminalSize,
    ) -> Result<Terminal, SessionError> {
        let opened = match self.runtime.virtual_life {
            // The kernel's has no virtual time.
            Some(_) => Err(std::io::ErrorKind::Unsupported.into()),
            None => Terminal::open(size),
        };
        opened
            .map_err(|source| SessionError::Terminal { container: container.name.clone(), source })
    }
}

/// Both ends of a command's streams.
struct Ends {
    streams: Streams,
    input: SessionInput,
    output: SessionOutput,
    /// Called when the command has ended.
    end_output: Box<dyn FnOnce() + Send>,
}

impl Ends {
    fn terminal(terminal: &Terminal, has_input: bool) -> Self {
        let screen: Arc<dyn Output> = Arc::new(TerminalOutput(terminal.clone()));
        let (shown, ended) = (terminal.clone(), terminal.clone());
        if !has_input {
            terminal.end_input();
        }
        Self {
            streams: Streams {
                stdin: Stdin::Terminal(terminal.clone()),
                stdout: Arc::clone(&screen),
                stderr: screen,
                terminal: Some(terminal.clone()),
            },
            input: SessionInput(Input::Terminal(terminal.clone())),
            output: SessionOutput(Source::Screen(shown)),
            end_output: Box::new(move || ended.finish()),
        }
    }

    fn pipes(request: &ExecRequest) -> Self {
        let (writer, reader) = queue(WAITING);
        let output = |is_wanted, stream| match is_wanted {
            true => writer.output(stream),
            false => Arc::new(OutputBuffer::new(0)),
        };
        let (input, stdin) = match request.stdin {
            true => {
                let (writer, pipe) = input_pipe();
                (Input::Pipe(writer), Stdin::Pipe(pipe))
            }
            false => (Input::Nobody, Stdin::Closed),
        };
        Self {
            streams: Streams {
                stdin,
                stdout: output(request.stdout, LogStream::Stdout),
                stderr: output(request.stderr, LogStream::Stderr),
                terminal: None,
            },
            input: SessionInput(input),
            output: SessionOutput(Source::Queue(reader)),
            end_output: Box::new(move || writer.end()),
        }
    }
}
