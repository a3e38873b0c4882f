//! A bounded queue of lines between guests and a printer that may be slower than they are.
//!
//! Guests add lines from their own threads, one printer takes them. When more than the agreed
//! number of bytes wait, [`LogSink::poll_ready`] is pending and the guests' next writes wait with
//! it: a reader that stops (`| less`) stops the guests' output, not their memory limit.
//!
//! The bound is soft by one write of each stream: a line that has been formed is always taken.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::line::{LogStream, Piece};
use super::sink::{LogLine, LogSink};

/// What each line costs on top of its text, so that empty lines cannot fill the memory.
const LINE_OVERHEAD: usize = 64;

/// Makes a queue that holds about `capacity` bytes.
///
/// With `raw`, the queue carries the guests' bytes as they come, whole lines or not; without, it
/// carries lines.
#[must_use]
pub fn log_queue(capacity: usize, raw: bool) -> (LogQueue, LogLines) {
    let state = State {
        lines: VecDeque::new(),
        waiting: 0,
        capacity: capacity.max(1),
        printer: None,
        guests: Vec::new(),
        senders: 1,
        closed: false,
        printer_gone: false,
    };
    let shared = Arc::new(Shared { state: Mutex::new(state) });
    (LogQueue { shared: Arc::clone(&shared), raw }, LogLines { shared })
}

/// The guests' end of a queue; a [`LogSink`]. Cloning adds a sender.
#[derive(Debug)]
pub struct LogQueue {
    shared: Arc<Shared>,
    raw: bool,
}

/// The printer's end of a queue. Dropping it lets guests write on, to nobody.
#[derive(Debug)]
pub struct LogLines {
    shared: Arc<Shared>,
}

/// A [`LogLine`] that owns its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedLogLine {
    /// The container that wrote it.
    pub container: Arc<str>,
    /// To which output.
    pub stream: LogStream,
    /// Whether the line ends here; in a raw queue always [`Piece::Partial`].
    pub piece: Piece,
    /// The text without its line end; in a raw queue the bytes as they came.
    pub bytes: Vec<u8>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lines: VecDeque<OwnedLogLine>,
    /// Bytes in `lines`, overhead included.
    waiting: usize,
    capacity: usize,
    printer: Option<Waker>,
    guests: Vec<Waker>,
    senders: usize,
    closed: bool,
    printer_gone: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change below is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogQueue {
    /// Takes no more lines: what is still held by a sender that does not go, a guest in a host call,
    /// keeps the printer no longer.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let printer = state.printer.take();
        drop(state);
        if let Some(printer) = printer {
            printer.wake();
        }
    }

    fn push(&self, container: &str, stream: LogStream, piece: Piece, bytes: &[u8]) {
        let mut state = self.shared.lock();
        if state.printer_gone || state.closed {
            return;
        }
        // Lines mostly come in runs from one container: its name is shared among them.
        let container = match state.lines.back() {
            Some(last) if *last.container == *container => Arc::clone(&last.container),
            _ => Arc::from(container),
        };
        state.waiting += bytes.len() + LINE_OVERHEAD;
        state.lines.push_back(OwnedLogLine { container, stream, piece, bytes: bytes.to_vec() });
        if let Some(printer) = state.printer.take() {
            drop(state);
            printer.wake();
        }
    }
}

impl LogSink for LogQueue {
    fn line(&self, line: &LogLine<'_>) {
        if !self.raw {
            self.push(line.container, line.stream, line.piece, line.bytes);
        }
    }

    fn raw(&self, container: &str, stream: LogStream, bytes: &[u8]) {
        if self.raw && !bytes.is_empty() {
            self.push(container, stream, Piece::Partial, bytes);
        }
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.shared.lock();
        if state.printer_gone || state.closed || state.waiting < state.capacity {
            return Poll::Ready(());
        }
        if !state.guests.iter().any(|waker| waker.will_wake(context.waker())) {
            state.guests.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Clone for LogQueue {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        LogQueue { shared: Arc::clone(&self.shared), raw: self.raw }
    }
}

impl Drop for LogQueue {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.senders -= 1;
        let printer = if state.senders == 0 { state.printer.take() } else { None };
        drop(state);
        if let Some(printer) = printer {
            printer.wake();
        }
    }
}

impl LogLines {
    /// Waits for lines and appends all that wait to `lines`; answers `false` once every sender is
    /// gone and nothing is left.
    ///
    /// # Cancel safety
    /// Safe: lines leave the queue only in the poll that completes.
    pub async fn next_batch(&mut self, lines: &mut Vec<OwnedLogLine>) -> bool {
        poll_fn(|context| self.poll_batch(context, lines)).await
    }

    fn poll_batch(
        &mut self,
        context: &mut Context<'_>,
        lines: &mut Vec<OwnedLogLine>,
    ) -> Poll<bool> {
        let mut state = self.shared.lock();
        if state.lines.is_empty() {
            if state.senders == 0 || state.closed {
                return Poll::Ready(false);
            }
            state.printer = Some(context.waker().clone());
            return Poll::Pending;
        }
        lines.extend(state.lines.drain(..));
        state.waiting = 0;
        let guests = std::mem::take(&mut state.guests);
        drop(state);
        guests.into_iter().for_each(Waker::wake);
        Poll::Ready(true)
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.printer_gone = true;
        state.lines.clear();
        state.waiting = 0;
        let guests = std::mem::take(&mut state.guests);
        drop(state);
        guests.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::task::noop_waker;

    use super::*;

    fn full_line(text: &'static str) -> LogLine<'static> {
        LogLine {
            container: "web",
            stream: LogStream::Stdout,
            piece: Piece::Full,
            bytes: text.as_bytes(),
        }
    }

    fn is_ready(queue: &LogQueue) -> bool {
        queue.poll_ready(&mut Context::from_waker(&noop_waker())).is_ready()
    }

    #[test]
    fn a_full_queue_makes_guests_wait_until_it_is_read() {
        let (queue, mut lines) = log_queue(2 * LINE_OVERHEAD, false);
        queue.line(&full_line("one"));
        assert!(is_ready(&queue));
        queue.line(&full_line("two"));
        assert!(!is_ready(&queue));

        let mut batch = Vec::new();
        assert_eq!(lines.next_batch(&mut batch).now_or_never(), Some(true));
        let texts: Vec<_> = batch.iter().map(|line| line.bytes.as_slice()).collect();
        assert_eq!(texts, [b"one", b"two"]);
        assert!(is_ready(&queue));
    }

    #[test]
    fn ends_when_the_last_sender_goes() {
        let (queue, mut lines) = log_queue(1000, false);
        let second = queue.clone();
        drop(queue);
        second.line(&full_line("last"));
        let mut batch = Vec::new();
        assert_eq!(lines.next_batch(&mut batch).now_or_never(), Some(true));
        assert_eq!(lines.next_batch(&mut batch).now_or_never(), None);
        drop(second);
        assert_eq!(lines.next_batch(&mut batch).now_or_never(), Some(false));
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_takes_nothing_more() {
        let (queue, mut lines) = log_queue(1, false);
        queue.line(&full_line("one"));
        queue.close();
        queue.line(&full_line("two"));
        assert!(is_ready(&queue));
        let mut batch = Vec::new();
        assert_eq!(lines.next_batch(&mut batch).now_or_never(), Some(true));
        assert_eq!(batch.len(), 1);
        assert_eq!(lines.next_batch(&mut batch).now_or_never(), Some(false));
    }

    #[test]
    fn a_printer_that_left_holds_nobody_up() {
        let (queue, lines) = log_queue(1, false);
        queue.line(&full_line("one"));
        assert!(!is_ready(&queue));
        drop(lines);
        assert!(is_ready(&queue));
        queue.line(&full_line("two"));
        assert!(is_ready(&queue));
    }

    #[test]
    fn raw_queues_carry_bytes_and_line_queues_lines() {
        for raw in [false, true] {
            let (queue, mut lines) = log_queue(1000, raw);
            queue.raw("web", LogStream::Stderr, b"li\nne");
            queue.line(&full_line("li"));
            let mut batch = Vec::new();
            assert_eq!(lines.next_batch(&mut batch).now_or_never(), Some(true));
            assert_eq!(batch.len(), 1);
            assert_eq!(batch[0].bytes, if raw { &b"li\nne"[..] } else { b"li" });
        }
    }
}
