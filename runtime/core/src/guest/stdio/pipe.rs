//! A bounded pipe: somebody outside writes, a guest reads.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};

use super::lock;

/// What a terminal or an attached client may have typed ahead.
pub(in crate::guest) const INPUT_CAPACITY: usize = 64 << 10;

/// The guest's end of an input; clones read on where the others have stopped.
#[derive(Clone, Debug)]
pub struct InputPipe {
    shared: Arc<Mutex<Input>>,
}

/// The host's end of an input. Dropping it is the end of the input.
#[derive(Debug)]
pub struct InputWriter {
    shared: Arc<Mutex<Input>>,
}

#[derive(Debug, Default)]
struct Input {
    bytes: BytesMut,
    ended: bool,
    readers: Vec<Waker>,
    writers: Vec<Waker>,
}

/// A bounded pipe for a container's standard input.
pub fn input_pipe() -> (InputWriter, InputPipe) {
    let shared = Arc::new(Mutex::new(Input::default()));
    (InputWriter { shared: shared.clone() }, InputPipe { shared })
}

impl InputPipe {
    /// Ready once there is something to read or nothing more will come.
    pub(in crate::guest) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut input = lock(&self.shared);
        if !input.bytes.is_empty() || input.ended {
            return Poll::Ready(());
        }
        if !input.readers.iter().any(|waker| waker.will_wake(context.waker())) {
            input.readers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// What is there, up to `most` bytes; none at the end.
    pub(in crate::guest) fn take(&self, most: usize) -> Option<Bytes> {
        let mut input = lock(&self.shared);
        if input.bytes.is_empty() && input.ended {
            return None;
        }
        let length = input.bytes.len().min(most);
        let bytes = input.bytes.split_to(length).freeze();
        let writers =
            if bytes.is_empty() { Vec::new() } else { std::mem::take(&mut input.writers) };
        drop(input);
        writers.into_iter().for_each(Waker::wake);
        Some(bytes)
    }
}

impl InputWriter {
    /// Writes all of `bytes`; waits while the guest does not read. What comes after the
    /// [end](Self::end) is dropped.
    ///
    /// # Cancel safety
    /// Not safe: what was written by then is not told.
    pub async fn write_all(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = std::future::poll_fn(|context| self.poll_write(context, bytes)).await;
            bytes = &bytes[written..];
        }
    }

    /// The end of the input, for all that hold this writer.
    pub fn end(&self) {
        let mut input = lock(&self.shared);
        input.ended = true;
        let readers = std::mem::take(&mut input.readers);
        let writers = std::mem::take(&mut input.writers);
        drop(input);
        readers.into_iter().chain(writers).for_each(Waker::wake);
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<usize> {
        if lock(&self.shared).ended {
            return Poll::Ready(bytes.len());
        }
        let length = bytes.len().min(ready!(self.poll_room(context)));
        self.push(&bytes[..length]);
        Poll::Ready(length)
    }

    /// Ready once there is room, with how much of it.
    pub(in crate::guest) fn poll_room(&self, context: &mut Context<'_>) -> Poll<usize> {
        let mut input = lock(&self.shared);
        let room = INPUT_CAPACITY - input.bytes.len().min(INPUT_CAPACITY);
        if room > 0 || input.ended {
            return Poll::Ready(room.max(1));
        }
        if !input.writers.iter().any(|waker| waker.will_wake(context.waker())) {
            input.writers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Appends all of `bytes`, even beyond the capacity.
    pub(in crate::guest) fn push(&self, bytes: &[u8]) {
        let mut input = lock(&self.shared);
        if input.ended {
            return;
        }
        input.bytes.extend_from_slice(bytes);
        let readers = std::mem::take(&mut input.readers);
        drop(input);
        readers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for InputWriter {
    fn drop(&mut self) {
        self.end();
    }
}
