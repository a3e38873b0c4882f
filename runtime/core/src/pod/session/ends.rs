//! What a client writes, reads and waits for.

use bytes::Bytes;
use futures::future::BoxFuture;

use super::attach::AttachedInput;
use super::queue::QueueReader;
use crate::guest::InputWriter;
use crate::lifecycle::Exit;
use crate::logs::LogStream;
use crate::sandbox::terminal::{Terminal, TerminalSize};

/// A client's ends of the streams. All of them may be used at the same time.
pub struct Session {
    /// What it types.
    pub input: SessionInput,
    /// What is written. For a terminal all of it is standard output.
    pub output: SessionOutput,
    /// How it ends. To be polled while the others are used: it is what carries the session on.
    /// Dropping it ends the command; a run that a client was attached to goes on.
    pub end: BoxFuture<'static, SessionEnd>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The command has.
    Exit(Exit),
    /// The run that the client was attached to has.
    RunEnded,
}

/// A client's end of standard input. Dropping it is the end of the input of a command, and of a run
/// with `stdinOnce`.
pub struct SessionInput(pub(super) Input);

pub(super) enum Input {
    /// Nobody reads it.
    Nobody,
    Pipe(InputWriter),
    Terminal(Terminal),
    Attached(AttachedInput),
}

impl SessionInput {
    /// Writes all of `bytes`; waits while the guest does not read. Dropped when nobody will.
    ///
    /// # Cancel safety
    /// Not safe: what was written by then is not told.
    pub async fn write_all(&self, bytes: &[u8]) {
        match &self.0 {
            Input::Nobody => {}
            Input::Pipe(pipe) => pipe.write_all(bytes).await,
            Input::Terminal(terminal) => terminal.type_in(bytes).await,
            Input::Attached(input) => input.write_all(bytes).await,
        }
    }

    /// Gives the terminal another size, if there is one.
    pub fn resize(&self, size: TerminalSize) {
        match &self.0 {
            Input::Terminal(terminal) => terminal.resize(size),
            Input::Attached(input) => input.resize(size),
            Input::Nobody | Input::Pipe(_) => {}
        }
    }

    /// The end of the input. Dropped, it comes as well; a terminal can still be given another size after
    /// this.
    pub fn end(&self) {
        match &self.0 {
            Input::Nobody => {}
            Input::Pipe(pipe) => pipe.end(),
            Input::Terminal(terminal) => terminal.end_input(),
            Input::Attached(input) => input.end(),
        }
    }
}

impl Drop for SessionInput {
    fn drop(&mut self) {
        self.end();
    }
}

/// A client's end of the output.
pub struct SessionOutput(pub(super) Source);

pub(super) enum Source {
    Queue(QueueReader),
    /// Of a command's terminal.
    Screen(Terminal),
}

impl SessionOutput {
    /// What was written next; none at the end.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Option<(LogStream, Bytes)> {
        match &mut self.0 {
            Source::Queue(queue) => queue.next().await,
            Source::Screen(screen) => Some((LogStream::Stdout, screen.read_screen().await?)),
        }
    }

    /// Bytes that were written when too much was waiting to be read; then it has ended for that.
    pub fn lost(&self) -> u64 {
        match &self.0 {
            Source::Queue(queue) => queue.lost(),
            Source::Screen(_) => 0,
        }
    }
}
