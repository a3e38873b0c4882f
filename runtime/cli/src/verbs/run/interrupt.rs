//! Ctrl-C and SIGTERM.

use std::process::ExitCode;

use tokio::signal::unix::{self, Signal, SignalKind};

use crate::failure::Failure;

/// What asked for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    CtrlC,
    Terminate,
}

impl Interrupt {
    /// As a shell shows the signal: 128 and its number.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::CtrlC => 130,
            Self::Terminate => 143,
        }
        .into()
    }
}

/// The signals that ask for the end.
#[derive(Debug)]
pub(crate) struct Interrupts {
    ctrl_c: Signal,
    terminate: Signal,
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
        })
    }

    /// # Cancel safety
    /// Safe: a signal that came stays.
    pub(crate) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            Some(()) = self.ctrl_c.recv() => Interrupt::CtrlC,
            Some(()) = self.terminate.recv() => Interrupt::Terminate,
        }
    }
}
