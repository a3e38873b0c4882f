//! Both sides of a terminal: who types and watches, and the guests.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use rustix::termios::{Action, Termios, tcflow, tcgetattr};
use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;

use super::keys::{Keys, Signal, Typing};
use super::pty::{self, Pty, TerminalSize};
use super::signals::{Caught, Signals};

/// The kernel gives a line of a terminal at a time, or what was typed of it: never more than this.
const LINE: usize = 4 << 10;

/// What is read of the screen at once.
const SCREEN: usize = 16 << 10;

/// A terminal. Clones are the same one, which is gone with the last of them.
///
/// One task at a time reads the [screen](Self::read_screen) and with that keeps the output moving.
#[derive(Clone, Debug)]
pub struct Terminal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    master: AsyncFd<OwnedFd>,
    slave: AsyncFd<OwnedFd>,
    cooked: Settings,
    signals: Arc<Signals>,
    input: Mutex<Input>,
    output: Mutex<Output>,
    typing: Mutex<Typing>,
    /// Guests that wait for input, however many.
    readers: Arc<Wakers>,
    /// Guests that wait until their output has room.
    writers: Wakers,
    finished: CancellationToken,
}

/// What a guest will read.
#[derive(Debug, Default)]
struct Input {
    /// Has left the kernel, and nobody has taken it yet.
    line: Bytes,
    /// The next read is at its end: Ctrl-D.
    at_end: bool,
    /// And so is every one after it.
    ended: bool,
}

/// What guests have written.
#[derive(Debug, Default)]
struct Output {
    /// What the kernel had no room for.
    unsent: VecDeque<u8>,
    /// No more will come.
    ended: bool,
    /// Whoever reads the screen.
    screen: Option<Waker>,
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

    /// A guest's output, all of it; after [`poll_room`](Self::poll_room) was ready.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let screen = {
            let mut output = lock(&self.shared.output);
            let mut rest = bytes;
            // In order: what waits goes first.
            if output.unsent.is_empty()
                && let Ok(written) = rustix::io::write(&self.shared.slave, rest)
            {
                rest = &rest[written..];
            }
            output.unsent.extend(rest);
            if rest.is_empty() { None } else { output.screen.take() }
        };
        // It waits for the kernel only, which knows nothing of the rest.
        if let Some(screen) = screen {
            screen.wake();
        }
    }

    /// Ready while a guest may write.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let has_room = || lock(&self.shared.output).unsent.is_empty();
        if has_room() {
            return Poll::Ready(());
        }
        self.shared.writers.add(context.waker());
        // It may have come in between.
        if has_room() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ready once a guest has something to read, or the end.
    pub(crate) fn poll_input(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.fetch_line() {
            return Poll::Ready(());
        }
        self.shared.readers.add(context.waker());
        let all = Waker::from(Arc::clone(&self.shared.readers));
        loop {
            if self.fetch_line() {
                return Poll::Ready(());
            }
            match ready!(self.shared.slave.poll_read_ready(&mut Context::from_waker(&all))) {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => {
                    self.end_input();
                    return Poll::Ready(());
                }
            }
        }
    }

    /// What was typed, up to `most` bytes; none at the end. Empty: nothing yet.
    pub(crate) fn take_input(&self, most: usize) -> Option<Bytes> {
        self.fetch_line();
        let mut input = lock(&self.shared.input);
        if input.line.is_empty() && (std::mem::take(&mut input.at_end) || input.ended) {
            return None;
        }
        let length = input.line.len().min(most);
        Some(input.line.split_to(length))
    }

    /// Takes the next line from the kernel unless there is one; answers whether there is something.
    fn fetch_line(&self) -> bool {
        let mut input = lock(&self.shared.input);
        if !input.line.is_empty() || input.at_end {
            return true;
        }
        let mut buffer = [0; LINE];
        loop {
            match rustix::io::read(&self.shared.slave, &mut buffer) {
                Ok(0) => input.at_end = true,
                Ok(length) => input.line = Bytes::copy_from_slice(&buffer[..length]),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return input.ended,
                Err(_) => input.ended = true,
            }
            return true;
        }
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

/// Everybody who waits for the same.
#[derive(Debug, Default)]
struct Wakers(Mutex<Vec<Waker>>);

impl Wakers {
    fn add(&self, waker: &Waker) {
        let mut wakers = lock(&self.0);
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    fn wake_all(&self) {
        let wakers = std::mem::take(&mut *lock(&self.0));
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
