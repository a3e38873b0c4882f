//! A listener and a connection as WASI 0.1 uses them: blocking or not, and with peeking.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::sandbox::network::{Accepted, Connected, Listener, MeteredStream, NetworkError};

/// What a question for readiness reads ahead, to tell bytes from the end.
const READ_AHEAD: usize = 4096;

/// A pre-opened listener.
pub(super) struct Listening {
    pub(super) listener: Listener,
    pub(super) nonblocking: AtomicBool,
}

impl Listening {
    pub(super) fn new(listener: Listener) -> Self {
        Self { listener, nonblocking: AtomicBool::new(false) }
    }
}

/// A connection that the guest has accepted.
pub(super) struct Connection {
    pub(super) stream: MeteredStream,
    pub(super) nonblocking: AtomicBool,
    ahead: Mutex<Ahead>,
    _membership: Connected,
}

/// What was read but not yet received.
#[derive(Default)]
struct Ahead {
    bytes: Bytes,
    outcome: Option<Outcome>,
}

/// What comes after the bytes ahead.
#[derive(Clone, Copy)]
enum Outcome {
    End,
    Failed(NetworkError),
}

/// What a reader would find.
pub(super) enum Readable {
    Bytes(usize),
    /// The end, or an error that the next read reports.
    HangUp,
}

impl Connection {
    pub(super) fn new(accepted: Accepted, nonblocking: bool) -> Self {
        Self {
            stream: accepted.stream,
            nonblocking: AtomicBool::new(nonblocking),
            ahead: Mutex::default(),
            _membership: accepted.membership,
        }
    }

    pub(super) fn is_nonblocking(&self) -> bool {
        self.nonblocking.load(Relaxed)
    }

    /// The next bytes, at most `max`; `None` when there are none yet, empty at the end.
    pub(super) fn try_read(&self, max: usize) -> Result<Option<Bytes>, NetworkError> {
        let mut ahead = self.ahead();
        if !ahead.bytes.is_empty() {
            let count = max.min(ahead.bytes.len());
            return Ok(Some(ahead.bytes.split_to(count)));
        }
        match ahead.outcome {
            Some(Outcome::End) => Ok(Some(Bytes::new())),
            Some(Outcome::Failed(error)) => {
                // An error is reported once, as by a kernel; then comes the end.
                ahead.outcome = Some(Outcome::End);
                Err(error)
            }
            None => self.stream.try_read(max),
        }
    }

    /// Keeps an error for the next reader: the bytes before it have just been given out.
    pub(super) fn put_back(&self, error: NetworkError) {
        self.ahead().outcome = Some(Outcome::Failed(error));
    }

    /// As [`Connection::try_read`], but what it gives stays.
    pub(super) fn try_peek(&self, max: usize) -> Result<Option<Bytes>, NetworkError> {
        let mut ahead = self.ahead();
        if ahead.bytes.is_empty() && ahead.outcome.is_none() {
            match self.stream.try_read(max) {
                Ok(None) => return Ok(None),
                Ok(Some(bytes)) if bytes.is_empty() => ahead.outcome = Some(Outcome::End),
                Ok(Some(bytes)) => ahead.bytes = bytes,
                Err(error) => ahead.outcome = Some(Outcome::Failed(error)),
            }
        }
        match ahead.outcome {
            Some(Outcome::Failed(error)) if ahead.bytes.is_empty() => Err(error),
            _ => Ok(Some(ahead.bytes.slice(..max.min(ahead.bytes.len())))),
        }
    }

    /// Ready when [`Connection::try_read`] may have something.
    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        {
            let ahead = self.ahead();
            if !ahead.bytes.is_empty() || ahead.outcome.is_some() {
                return Poll::Ready(());
            }
        }
        self.stream.poll_readable(context)
    }

    /// Ready with what a reader would find.
    pub(super) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<Readable> {
        loop {
            match self.try_peek(READ_AHEAD) {
                Ok(Some(bytes)) if bytes.is_empty() => return Poll::Ready(Readable::HangUp),
                Ok(Some(bytes)) => return Poll::Ready(Readable::Bytes(bytes.len())),
                Err(_) => return Poll::Ready(Readable::HangUp),
                Ok(None) => ready!(self.poll_read_ready(context)),
            }
        }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
