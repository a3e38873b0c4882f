//! The side of the guests: what they read and write.

use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use rustix::io::Errno;

use super::client::Terminal;
use super::lock;

/// The kernel gives a line of a terminal at a time, or what was typed of it: never more than this.
const LINE: usize = 4 << 10;

impl Terminal {
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
