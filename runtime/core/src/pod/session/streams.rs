//! The streams that a run of a container begins with: its log, its terminal, its input.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Container;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::attach::{Attachment, RunInput};
use super::audience::Audience;
use crate::guest::{Output, Stdin, TerminalOutput, input_pipe};
use crate::logs::{LogStream, LogWriter};
use crate::pod::output::ContainerOutput;
use crate::sandbox::terminal::{Terminal, TerminalSize};

/// The guest's ends, and what carries them.
pub(in crate::pod) struct RunStreams {
    pub(in crate::pod) stdin: Stdin,
    pub(in crate::pod) stdout: Arc<dyn Output>,
    pub(in crate::pod) stderr: Arc<dyn Output>,
    pub(in crate::pod) terminal: Option<Terminal>,
    pub(in crate::pod) attachment: Arc<Attachment>,
    pub(in crate::pod) carriers: Carriers,
}

/// What carries a run's output while it lasts.
pub(in crate::pod) struct Carriers {
    audience: Arc<Audience>,
    terminal: Option<Terminal>,
    /// From the terminal to the log.
    screen: JoinSet<()>,
    /// Whoever deals with the run is told of its end, also when it is dropped.
    _ended: DropGuard,
}

impl RunStreams {
    /// Those of `container`. What somebody `gives` it to read comes with a terminal of its own, if it does
    /// with any; otherwise a container with `tty` has one here, unless its time is `virtual`.
    ///
    /// # Errors
    /// There is no terminal to be had.
    pub(in crate::pod) fn open(
        container: &Container,
        log: &LogWriter,
        given: Option<Stdin>,
        is_virtual: bool,
    ) -> io::Result<Self> {
        let audience = Arc::<Audience>::default();
        let output =
            |stream| ContainerOutput { log: log.clone(), stream, audience: Arc::clone(&audience) };
        let wants_input = container.stdin == Some(true);
        let has_terminal = container.tty == Some(true) && given.is_none() && !is_virtual;
        let terminal = has_terminal.then(|| Terminal::open(TerminalSize::default())).transpose()?;
        let (input, stdin) = match (given, &terminal) {
            (Some(given), _) => (None, given),
            (None, Some(terminal)) => {
                if !wants_input {
                    terminal.end_input();
                }
                let input = wants_input.then(|| RunInput::Terminal(terminal.clone()));
                (input, Stdin::Terminal(terminal.clone()))
            }
            // On virtual time a guest would wait for a client that may never come, and time with it.
            (None, None) if wants_input && !is_virtual => {
                let (writer, pipe) = input_pipe();
                (Some(RunInput::Pipe(writer)), Stdin::Pipe(pipe))
            }
            (None, None) => (None, Stdin::Closed),
        };
        let mut screen = JoinSet::new();
        let (stdout, stderr): (Arc<dyn Output>, Arc<dyn Output>) = match &terminal {
            Some(terminal) => {
                screen.spawn(carry(terminal.clone(), output(LogStream::Stdout)));
                let shown = || Arc::new(TerminalOutput(terminal.clone()));
                (shown(), shown())
            }
            None => (Arc::new(output(LogStream::Stdout)), Arc::new(output(LogStream::Stderr))),
        };
        let ended = CancellationToken::new();
        let attachment = Attachment {
            audience: Arc::clone(&audience),
            input,
            terminal: terminal.clone(),
            only_once: container.stdin_once == Some(true),
            was_used: false.into(),
            ended: ended.clone(),
        };
        Ok(Self {
            stdin,
            stdout,
            stderr,
            terminal: terminal.clone(),
            attachment: Arc::new(attachment),
            carriers: Carriers { audience, terminal, screen, _ended: ended.drop_guard() },
        })
    }
}

impl Carriers {
    /// The guest is gone: waits until all that it wrote has arrived.
    pub(in crate::pod) async fn finish(mut self) {
        if let Some(terminal) = &self.terminal {
            terminal.finish();
        }
        while self.screen.join_next().await.is_some() {}
    }
}

impl Drop for Carriers {
    fn drop(&mut self) {
        self.audience.end();
    }
}

/// From a terminal to the log, as one stream: that is all a terminal has.
async fn carry(terminal: Terminal, output: ContainerOutput) {
    while let Some(shown) = terminal.read_screen().await {
        // A reader that stands still holds the guest back, but not the end of the run.
        tokio::select! {
            biased;
            () = poll_fn(|context| output.poll_ready(context)) => {}
            () = terminal.finished() => {}
        }
        // The log tells of its own failures.
        let _ = output.write(&shown);
    }
}
