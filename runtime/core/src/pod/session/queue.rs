//! Output on its way to a client: both streams in the order in which they were written.
//!
//! Bounded. Whoever writes waits for room (a command's guest), or ends the queue when there is none (a
//! run that others listen to).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::guest::Output;
use crate::logs::LogStream;

/// Writes that follow each other are joined up to this.
const JOINED: usize = 32 << 10;

/// What each piece costs beside its bytes.
const PIECE: usize = 128;

/// The writing end. Clones write to the same queue.
#[derive(Clone)]
pub(super) struct QueueWriter {
    shared: Arc<Shared>,
}

/// The reading end. Dropping it is a broken pipe to whoever writes.
pub(super) struct QueueReader {
    shared: Arc<Shared>,
}

struct Shared {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<(LogStream, BytesMut)>,
    bytes: usize,
    /// No more will come.
    ended: bool,
    /// Bytes that came when there was no room.
    lost: u64,
    /// Nobody reads any more.
    is_broken: bool,
    writers: Vec<Waker>,
    reader: Option<Waker>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Taken,
    /// There was no room, or nobody reads: no more is taken.
    Ended,
}

/// A queue that holds about `most` bytes.
pub(super) fn queue(most: usize) -> (QueueWriter, QueueReader) {
    let shared = Arc::new(Shared { most, state: Mutex::default() });
    (QueueWriter { shared: Arc::clone(&shared) }, QueueReader { shared })
}

impl QueueWriter {
    /// Takes `bytes`, or is at its end.
    pub(super) fn push_or_end(&self, stream: LogStream, bytes: &[u8]) -> Pushed {
        let mut state = self.shared.lock();
        if state.is_broken || state.ended {
            return Pushed::Ended;
        }
        let reader = if state.bytes + bytes.len() > self.shared.most {
            state.lost = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            state.ended = true;
            state.reader.take()
        } else {
            state.push(stream, bytes)
        };
        let pushed = if state.ended { Pushed::Ended } else { Pushed::Taken };
        drop(state);
        wake(reader);
        pushed
    }

    /// Takes `bytes`, after there was [room](Self::poll_room); they may be more than that.
    fn push(&self, stream: LogStream, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.shared.lock();
        if state.is_broken || state.ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let reader = state.push(stream, bytes);
        drop(state);
        wake(reader);
        Ok(())
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.shared.lock();
        if state.bytes < self.shared.most || state.is_broken || state.ended {
            return Poll::Ready(());
        }
        if !state.writers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.writers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// No more will come; what is there can still be read.
    pub(super) fn end(&self) {
        let mut state = self.shared.lock();
        state.ended = true;
        let (reader, writers) = (state.reader.take(), std::mem::take(&mut state.writers));
        drop(state);
        wake(writers.into_iter().chain(reader));
    }

    /// The guest's side of one stream, which waits for room.
    pub(super) fn output(&self, stream: LogStream) -> Arc<dyn Output> {
        Arc::new(QueueOutput { queue: self.clone(), stream })
    }
}

impl QueueReader {
    /// The next piece; none at the end.
    ///
    /// # Cancel safety
    /// Safe.
    pub(super) async fn next(&mut self) -> Option<(LogStream, Bytes)> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<(LogStream, Bytes)>> {
        let mut state = self.shared.lock();
        let Some((stream, bytes)) = state.pieces.pop_front() else {
            if state.ended {
                return Poll::Ready(None);
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        state.bytes -= bytes.len() + PIECE;
        let writers = std::mem::take(&mut state.writers);
        drop(state);
        wake(writers);
        Poll::Ready(Some((stream, bytes.freeze())))
    }

    /// Bytes that did not find room; then it has ended for that.
    pub(super) fn lost(&self) -> u64 {
        self.shared.lock().lost
    }
}

impl Drop for QueueReader {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_broken = true;
        state.pieces = VecDeque::new();
        state.bytes = 0;
        let writers = std::mem::take(&mut state.writers);
        drop(state);
        wake(writers);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives whom to wake.
    fn push(&mut self, stream: LogStream, bytes: &[u8]) -> Option<Waker> {
        if bytes.is_empty() {
            return None;
        }
        match self.pieces.back_mut() {
            Some((last, piece)) if *last == stream && piece.len() + bytes.len() <= JOINED => {
                piece.extend_from_slice(bytes);
            }
            Some(_) | None => {
                self.pieces.push_back((stream, bytes.into()));
                self.bytes += PIECE;
            }
        }
        self.bytes += bytes.len();
        self.reader.take()
    }
}

struct QueueOutput {
    queue: QueueWriter,
    stream: LogStream,
}

impl Output for QueueOutput {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.queue.push(self.stream, bytes)
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        self.queue.poll_room(context)
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn texts(reader: &mut QueueReader) -> Vec<(LogStream, String)> {
        std::iter::from_fn(|| reader.next().now_or_never().flatten())
            .map(|(stream, bytes)| (stream, String::from_utf8_lossy(&bytes).into_owned()))
            .collect()
    }

    #[test]
    fn the_order_of_both_streams_is_kept() {
        use LogStream::{Stderr, Stdout};
        let (writer, mut reader) = queue(1 << 20);
        for (stream, text) in [(Stdout, "a"), (Stdout, "b"), (Stderr, "c"), (Stdout, "d")] {
            writer.output(stream).write(text.as_bytes()).unwrap();
        }
        writer.end();
        let expected =
            [(Stdout, "ab"), (Stderr, "c"), (Stdout, "d")].map(|(s, t)| (s, t.to_owned()));
        assert_eq!(texts(&mut reader), expected);
        assert_eq!(reader.next().now_or_never(), Some(None));
        assert_eq!(reader.lost(), 0);
    }

    #[test]
    fn who_waits_for_room_gets_it_and_who_does_not_is_cut_off() {
        let (writer, mut reader) = queue(1000);
        let output = writer.output(LogStream::Stdout);
        let mut nobody = Context::from_waker(Waker::noop());
        output.write(&[b'x'; 2000]).unwrap();
        assert!(output.poll_ready(&mut nobody).is_pending());
        texts(&mut reader);
        assert!(output.poll_ready(&mut nobody).is_ready());

        assert_eq!(writer.push_or_end(LogStream::Stdout, b"fits"), Pushed::Taken);
        assert_eq!(writer.push_or_end(LogStream::Stdout, &[b'x'; 2000]), Pushed::Ended);
        assert_eq!(texts(&mut reader), [(LogStream::Stdout, "fits".to_owned())]);
        assert_eq!((reader.next().now_or_never(), reader.lost()), (Some(None), 2000));
    }

    #[test]
    fn without_a_reader_it_is_broken() {
        let (writer, reader) = queue(1000);
        drop(reader);
        let error = writer.output(LogStream::Stderr).write(b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
