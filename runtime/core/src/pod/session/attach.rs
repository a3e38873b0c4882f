//! Clients at the streams of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::audience::Audience;
use super::ends::{Input, Session, SessionEnd, SessionInput, SessionOutput, Source};
use super::error::SessionError;
use crate::guest::InputWriter;
use crate::pod::view::PodView;
use crate::sandbox::terminal::{Terminal, TerminalSize};

/// What clients of a run share.
pub(in crate::pod) struct Attachment {
    pub(super) audience: Arc<Audience>,
    pub(super) input: Option<RunInput>,
    pub(super) terminal: Option<Terminal>,
    /// `stdinOnce`
    pub(super) only_once: bool,
    /// A client had the input.
    pub(super) was_used: AtomicBool,
    pub(super) ended: CancellationToken,
}

/// Where a run's input comes from.
pub(super) enum RunInput {
    Pipe(InputWriter),
    Terminal(Terminal),
}

/// A client's end of the input of a run.
pub(super) struct AttachedInput {
    attachment: Arc<Attachment>,
    /// Whether it is for this client to write.
    has_input: bool,
}

impl PodView {
    /// Attaches a client to the run of `container` that is in progress: it reads what is written from now
    /// on, and with `stdin` writes what a container with `stdin: true` reads. With `stdinOnce` only the
    /// first such client does, and its end is the input's.
    ///
    /// A client that reads too slowly is cut off ([`SessionOutput::lost`]); the run never waits for one.
    /// Signals of a terminal end the run, unless its guest catches them.
    ///
    /// # Errors
    /// [`SessionError`]: it does not run.
    pub fn attach(&self, container: &str, stdin: bool) -> Result<Session, SessionError> {
        let attachment = Arc::clone(&self.live(container, "attach")?.attachment);
        let output = attachment.audience.join();
        let ended = attachment.ended.clone();
        let has_input = stdin
            && attachment.input.is_some()
            && !(attachment.was_used.swap(true, Relaxed) && attachment.only_once);
        Ok(Session {
            input: SessionInput(Input::Attached(AttachedInput { attachment, has_input })),
            output: SessionOutput(Source::Queue(output)),
            end: async move {
                ended.cancelled().await;
                SessionEnd::RunEnded
            }
            .boxed(),
        })
    }
}

impl AttachedInput {
    pub(super) async fn write_all(&self, bytes: &[u8]) {
        let input = self.attachment.input.as_ref().filter(|_| self.has_input);
        match input {
            Some(RunInput::Pipe(pipe)) => pipe.write_all(bytes).await,
            Some(RunInput::Terminal(terminal)) => terminal.type_in(bytes).await,
            None => {}
        }
    }

    pub(super) fn resize(&self, size: TerminalSize) {
        if let Some(terminal) = &self.attachment.terminal {
            terminal.resize(size);
        }
    }

    pub(super) fn end(&self) {
        if !self.has_input || !self.attachment.only_once {
            return;
        }
        match &self.attachment.input {
            Some(RunInput::Pipe(pipe)) => pipe.end(),
            Some(RunInput::Terminal(terminal)) => terminal.end_input(),
            None => {}
        }
    }
}
