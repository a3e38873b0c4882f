//! What asks a foreground Pod to end: Ctrl-C, SIGTERM, a reader of its output that goes away.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{self, Signal, SignalKind};

use crate::failure::Failure;

/// What asked for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    CtrlC,
    Terminate,
    /// Standard output is a pipe, and nobody reads it any more: `wasmpod run pod.yaml | head`.
    ReaderGone,
}

impl Interrupt {
    /// As a shell shows the signal: 128 and its number; that of a reader that goes is SIGPIPE.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::CtrlC => 130,
            Self::Terminate => 143,
            Self::ReaderGone => 141,
        }
        .into()
    }
}

/// All that can ask for the end.
#[derive(Debug)]
pub(crate) struct Interrupts {
    ctrl_c: Signal,
    terminate: Signal,
    /// Until its reader has gone; none where it cannot go, as that of a file.
    stdout: Option<AsyncFd<OwnedFd>>,
}

impl Interrupts {
    /// From now on these signals no longer end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            unix::signal(kind)
                .map_err(|error| Failure::because("cannot listen for signals", &error))
        };
        Ok(Self {
            ctrl_c: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            stdout: watch_stdout(),
        })
    }

    /// # Cancel safety
    /// Safe: a signal that came stays.
    pub(crate) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            Some(()) = self.ctrl_c.recv() => Interrupt::CtrlC,
            Some(()) = self.terminate.recv() => Interrupt::Terminate,
            () = reader_gone(self.stdout.as_ref()) => {
                // Told once: it does not come back.
                self.stdout = None;
                Interrupt::ReaderGone
            }
        }
    }
}

/// None for what the kernel does not watch: a file, a closed descriptor.
fn watch_stdout() -> Option<AsyncFd<OwnedFd>> {
    let stdout = io::stdout().as_fd().try_clone_to_owned().ok()?;
    #[expect(unsafe_code, reason = "tokio leaves the descriptor's validity to its caller")]
    // SAFETY: an `OwnedFd` is one open descriptor for all its life, and nobody else owns this one.
    let watched = unsafe { AsyncFd::register_with_interest(stdout, Interest::ERROR) };
    watched.ok()
}

/// The kernel reports the error of a pipe without readers unasked, so that a Pod that says nothing
/// more ends as well as one that talks.
async fn reader_gone(stdout: Option<&AsyncFd<OwnedFd>>) {
    if let Some(stdout) = stdout
        && stdout.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
