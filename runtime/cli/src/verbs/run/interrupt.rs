//! What asks a foreground Pod to end: Ctrl-C, SIGTERM, a terminal or a reader of its output that
//! goes away.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{self, Signal, SignalKind};

use crate::failure::Failure;

/// Which signals mean something to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signals {
    /// It is the one that the user started.
    All,
    /// Another process of ours started it, gets those of the terminal too, and passes them on as
    /// SIGTERM.
    Terminate,
}

/// What asked for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    CtrlC,
    Terminate,
    /// The terminal is gone.
    Hangup,
    /// Standard output is a pipe, and nobody reads it any more: `wasmpod run pod.yaml | head`.
    ReaderGone,
}

impl Interrupt {
    /// As a shell shows the signal: 128 and its number; that of a reader that goes is SIGPIPE.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::CtrlC => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
            Self::ReaderGone => 141,
        }
        .into()
    }
}

/// All that can ask for the end.
#[derive(Debug)]
pub(crate) struct Interrupts {
    meaningful: Signals,
    ctrl_c: Signal,
    terminate: Signal,
    /// None where whoever started this process wants it to outlive the terminal (`nohup`).
    hangup: Option<Signal>,
    /// Until its reader has gone; none where it cannot go, as that of a file.
    stdout: Option<AsyncFd<OwnedFd>>,
}

impl Interrupts {
    /// From now on these signals no longer end the process by themselves.
    pub(crate) fn listen(meaningful: Signals) -> Result<Self, Failure> {
        let listen = |kind| {
            unix::signal(kind)
                .map_err(|error| Failure::because("cannot listen for signals", &error))
        };
        let hangup = SignalKind::hangup();
        Ok(Self {
            meaningful,
            ctrl_c: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: if is_ignored(hangup) { None } else { Some(listen(hangup)?) },
            stdout: watch_stdout(),
        })
    }

    /// # Cancel safety
    /// Safe: a signal that came stays.
    pub(crate) async fn next(&mut self) -> Interrupt {
        loop {
            let interrupt = self.any().await;
            match (self.meaningful, interrupt) {
                (Signals::Terminate, Interrupt::CtrlC | Interrupt::Hangup) => {}
                (Signals::All, _) | (_, Interrupt::Terminate | Interrupt::ReaderGone) => {
                    return interrupt;
                }
            }
        }
    }

    async fn any(&mut self) -> Interrupt {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => None,
            }
        };
        tokio::select! {
            Some(()) = self.ctrl_c.recv() => Interrupt::CtrlC,
            Some(()) = self.terminate.recv() => Interrupt::Terminate,
            Some(()) = hangup => Interrupt::Hangup,
            () = reader_gone(self.stdout.as_ref()) => {
                // Told once: it does not come back.
                self.stdout = None;
                Interrupt::ReaderGone
            }
        }
    }
}

/// Whether this process was started with the signal ignored; to listen would undo that.
fn is_ignored(signal: SignalKind) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    #[expect(unsafe_code, reason = "what a signal does has no safe interface")]
    // SAFETY: without a new action the call changes nothing; it fills in the old one, which all
    // zeroes are a valid value of too.
    let action = unsafe {
        libc::sigaction(signal.as_raw_value(), std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
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
