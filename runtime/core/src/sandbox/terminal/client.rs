//! A terminal, and the side of who types and watches.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use rustix::termios::{Action, Termios, tcflow, tcgetattr};
use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;

use super::keys::{Keys, Signal, Typing};
use super::lock;
use super::pty::{self, Pty, TerminalSize};
use super::signals::{Caught, Signals};
use super::wakers::Wakers;

/// What is read of the screen at once.
const SCREEN: usize = 16 << 10;

/// A terminal. Clones are the same one, which is gone with the last of them.
///
/// One task at a time reads the [screen](Self::read_screen) and with that keeps the output moving.
#[derive(Clone, Debug)]
pub struct Terminal {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    master: AsyncFd<OwnedFd>,
    pub(super) slave: AsyncFd<OwnedFd>,
    cooked: Settings,
    signals: Arc<Signals>,
    pub(super) input: Mutex<Input>,
    pub(super) output: Mutex<Output>,
    typing: Mutex<Typing>,
    /// Guests that wait for input, however many.
    pub(super) readers: Arc<Wakers>,
    /// Guests that wait until their output has room.
    pub(super) writers: Wakers,
    finished: CancellationToken,
}

/// What a guest will read.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// Has left the kernel, and nobody has taken it yet.
    pub(super) line: Bytes,
    /// The next read is at its end: Ctrl-D.
    pub(super) at_end: bool,
    /// And so is every one after it.
    pub(super) ended: bool,
}

/// What guests have written.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// What the kernel had no room for.
    pub(super) unsent: VecDeque<u8>,
    /// No more will come.
    ended: bool,
    /// Whoever reads the screen.
    pub(super) screen: Option<Waker>,
}

struct Settings(Termios);

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Settings")
    }
}

impl Terminal {
    /// A new one.
    ///
    /// Must be called within a tokio runtime that watches descriptors.
    ///
    /// # Errors
    /// The system's; it may have no `/dev/ptmx`, or no more terminals.
    pub fn open(size: TerminalSize) -> io::Result<Self> {
        let Pty { master, slave } = Pty::open(size)?;
        let cooked = Settings(tcgetattr(&slave)?);
        let shared = Shared {
            master: watched(master)?,
            slave: watched(slave)?,
            cooked,
            signals: Arc::default(),
            input: Mutex::default(),
            output: Mutex::default(),
            typing: Mutex::default(),
            readers: Arc::default(),
            writers: Wakers::default(),
            finished: CancellationToken::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What somebody types, keys that are signals with it. Waits while the guest has not read enough.
    ///
    /// # Cancel safety
    /// Not safe: what was typed by then is not told.
    pub async fn type_in(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let keys = self.keys();
            let signal = lock(&self.shared.typing).next_signal(keys, bytes);
            let (length, signal) = match signal {
                Some((length, signal)) => (length, Some(signal)),
                None => (bytes.len(), None),
            };
            // The kernel shows the key as well, and forgets what was typed before it.
            if self.type_plainly(&bytes[..length]).await.is_err() {
                return;
            }
            if let Some(signal) = signal {
                self.raise(signal);
            }
            bytes = &bytes[length..];
        }
    }

    async fn type_plainly(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.shared.master.writable().await?;
            match ready.try_io(|master| Ok(rustix::io::write(master, bytes)?)) {
                Ok(Ok(written)) => bytes = &bytes[written..],
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
        Ok(())
    }

    fn keys(&self) -> Keys {
        tcgetattr(&self.shared.slave)
            .map_or_else(|_| Keys::of(&self.shared.cooked.0), |now| Keys::of(&now))
    }

    fn raise(&self, signal: Signal) {
        // As the kernel has it: neither what was typed before nor what was not shown yet counts.
        lock(&self.shared.input).line = Bytes::new();
        lock(&self.shared.output).unsent.clear();
        self.shared.writers.wake_all();
        self.shared.signals.raise(signal);
    }

    /// No more will be typed: guests find the end behind what was.
    pub fn end_input(&self) {
        lock(&self.shared.input).ended = true;
        self.shared.readers.wake_all();
    }

    /// What is to be shown next; none once the [end](Self::finish) has come and all was shown.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read_screen(&self) -> Option<Bytes> {
        std::future::poll_fn(|context| self.poll_screen(context)).await
    }

    fn poll_screen(&self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // Before anything is looked at: who ends it wakes whom it finds here.
        lock(&self.shared.output).screen = Some(context.waker().clone());
        loop {
            let is_sent = self.poll_send(context).is_ready();
            let mut buffer = BytesMut::zeroed(SCREEN);
            // Not what the reactor says: only a read has the kernel bring what is under way.
            match rustix::io::read(&self.shared.master, &mut *buffer) {
                Ok(0) => return Poll::Ready(None),
                Ok(length) => {
                    buffer.truncate(length);
                    let _ = self.poll_send(context);
                    return Poll::Ready(Some(buffer.freeze()));
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {}
                Err(_) => return Poll::Ready(None),
            }
            if is_sent && lock(&self.shared.output).ended {
                return Poll::Ready(None);
            }
            match ready!(self.shared.master.poll_read_ready(context)) {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return Poll::Ready(None),
            }
        }
    }

    /// Ready once the kernel has all that guests have written.
    fn poll_send(&self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut output = lock(&self.shared.output);
            let (first, _) = output.unsent.as_slices();
            if first.is_empty() {
                drop(output);
                self.shared.writers.wake_all();
                return Poll::Ready(());
            }
            match rustix::io::write(&self.shared.slave, first) {
                Ok(written) => {
                    output.unsent.drain(..written);
                    continue;
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {}
                // There is nobody to show it to.
                Err(_) => {
                    output.unsent.clear();
                    continue;
                }
            }
            if output.ended {
                // Stopped by Ctrl-S: nobody will let it go on.
                let _ = tcflow(&self.shared.slave, Action::OOn);
            }
            drop(output);
            match ready!(self.shared.slave.poll_write_ready(context)) {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => lock(&self.shared.output).unsent.clear(),
            }
        }
    }

    /// Nothing more will be written. The screen ends behind what was.
    pub fn finish(&self) {
        let screen = {
            let mut output = lock(&self.shared.output);
            output.ended = true;
            output.screen.take()
        };
        self.end_input();
        self.shared.finished.cancel();
        if let Some(screen) = screen {
            screen.wake();
        }
    }

    /// Waits until [`finish`](Self::finish) was called.
    pub(crate) async fn finished(&self) {
        self.shared.finished.cancelled().await;
    }

    /// Gives it another size.
    pub fn resize(&self, size: TerminalSize) {
        if let Err(error) = pty::resize(&self.shared.master, size) {
            tracing::debug!("a terminal keeps its size: {error}");
        }
    }

    /// How large it is.
    pub fn size(&self) -> TerminalSize {
        pty::size(&self.shared.slave)
    }

    /// Has guests get bytes as they are typed, without echo, lines and signals; or as at first.
    ///
    /// Rule: `cfmakeraw`.
    pub fn set_raw(&self, raw: bool) {
        if let Err(error) = pty::set_raw(&self.shared.slave, &self.shared.cooked.0, raw) {
            tracing::debug!("a terminal keeps its settings: {error}");
        }
    }

    /// Has signals told to whoever holds what this gives, in place of ending the command.
    pub fn catch_signals(&self) -> Caught {
        Signals::catch(&self.shared.signals)
    }

    /// Waits for a signal that nobody catches.
    pub(crate) async fn uncaught_signal(&self) -> Signal {
        self.shared.signals.uncaught().await
    }
}

fn watched(end: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(
        unsafe_code,
        reason = "the safe function of that name is deprecated for its general type"
    )]
    // SAFETY: an `OwnedFd` owns its descriptor, which is not replaced or closed before it is dropped.
    let watched = unsafe { AsyncFd::register(end) };
    Ok(watched?)
}
