//! A guest's standard streams.
//!
//! Output goes to an [`Output`] without a task in between: a guest that writes faster than the
//! output takes waits, and nothing is buffered here, however long a line is. Input comes from a
//! bounded [`InputPipe`]; it ends when its writer is dropped or when the container is asked to
//! stop, whichever is first.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// What one write of a guest may hold; wasmtime-wasi's own measure for a stream.
const PERMIT: usize = 64 << 10;

/// What a terminal or an attached client may have typed ahead.
pub(super) const INPUT_CAPACITY: usize = 64 << 10;

/// Where a guest's output goes.
pub trait Output: Send + Sync + 'static {
    /// Takes what the guest wrote, at most 64 KiB, after [`Output::poll_ready`] was ready. Must not
    /// wait for a slow reader.
    ///
    /// # Errors
    /// `BrokenPipe` closes the stream for the guest; anything else is an I/O error to it.
    fn write(&self, bytes: &[u8]) -> io::Result<()>;

    /// Ready while there is room. Must remember every task that was told to wait, not only the
    /// last: a guest may hold several streams to one output.
    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let _ = context;
        Poll::Ready(())
    }
}

/// An output that keeps what was written, up to a limit; for hooks, probes and tests.
#[derive(Clone, Debug, Default)]
pub struct OutputBuffer {
    kept: Arc<Mutex<Vec<u8>>>,
    most: usize,
}

impl OutputBuffer {
    /// A buffer that keeps the first `most` bytes and drops the rest.
    pub fn new(most: usize) -> Self {
        Self { kept: Arc::default(), most }
    }

    /// What was written so far.
    pub fn contents(&self) -> Vec<u8> {
        lock(&self.kept).clone()
    }
}

impl Output for OutputBuffer {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut kept = lock(&self.kept);
        let room = self.most.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }
}

/// What a guest reads.
#[derive(Clone, Debug, Default)]
pub enum Stdin {
    /// At its end from the beginning: `stdin: false`.
    #[default]
    Closed,
    /// What somebody writes into the pipe: a terminal, a file, a client.
    Pipe(InputPipe),
}

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
    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
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
    pub(super) fn take(&self, most: usize) -> Option<Bytes> {
        let mut input = lock(&self.shared);
        if input.bytes.is_empty() && input.ended {
            return None;
        }
        let length = input.bytes.len().min(most);
        let bytes = input.bytes.split_to(length).freeze();
        let writers = match bytes.is_empty() {
            true => Vec::new(),
            false => std::mem::take(&mut input.writers),
        };
        drop(input);
        writers.into_iter().for_each(Waker::wake);
        Some(bytes)
    }
}

impl InputWriter {
    /// Writes all of `bytes`; waits while the guest does not read.
    ///
    /// # Cancel safety
    /// Not safe: what was written by then is not told.
    pub async fn write_all(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = std::future::poll_fn(|context| self.poll_write(context, bytes)).await;
            bytes = &bytes[written..];
        }
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<usize> {
        let length = bytes.len().min(ready!(self.poll_room(context)));
        self.push(&bytes[..length]);
        Poll::Ready(length)
    }

    /// Ready once there is room, with how much of it.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<usize> {
        let mut input = lock(&self.shared);
        let room = INPUT_CAPACITY - input.bytes.len().min(INPUT_CAPACITY);
        if room > 0 {
            return Poll::Ready(room);
        }
        if !input.writers.iter().any(|waker| waker.will_wake(context.waker())) {
            input.writers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Appends all of `bytes`, even beyond the capacity.
    pub(super) fn push(&self, bytes: &[u8]) {
        let mut input = lock(&self.shared);
        input.bytes.extend_from_slice(bytes);
        let readers = std::mem::take(&mut input.readers);
        drop(input);
        readers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for InputWriter {
    fn drop(&mut self) {
        let mut input = lock(&self.shared);
        input.ended = true;
        let readers = std::mem::take(&mut input.readers);
        drop(input);
        readers.into_iter().for_each(Waker::wake);
    }
}

/// An [`Output`] as wasmtime-wasi wants it.
pub(crate) struct GuestOutput {
    pub(crate) output: Arc<dyn Output>,
    pub(crate) terminal: bool,
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        self.terminal
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(OutputHandle(self.output.clone()))
    }

    // The default would put a task and a copy of the bytes between the guest and the output.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(OutputHandle(self.output.clone()))
    }
}

struct OutputHandle(Arc<dyn Output>);

impl OutputHandle {
    fn write_some(&self, bytes: &[u8]) -> Result<(), StreamError> {
        self.0.write(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => StreamError::Closed,
            _ => StreamError::LastOperationFailed(error.into()),
        })
    }
}

#[async_trait::async_trait]
impl OutputStream for OutputHandle {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_some(&bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let mut nobody = Context::from_waker(Waker::noop());
        Ok(match self.0.poll_ready(&mut nobody) {
            Poll::Ready(()) => PERMIT,
            Poll::Pending => 0,
        })
    }
}

#[async_trait::async_trait]
impl Pollable for OutputHandle {
    async fn ready(&mut self) {
        std::future::poll_fn(|context| self.0.poll_ready(context)).await;
    }
}

impl AsyncWrite for OutputHandle {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.0.poll_ready(context));
        let length = bytes.len().min(PERMIT);
        Poll::Ready(self.0.write(&bytes[..length]).map(|()| length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A [`Stdin`] as wasmtime-wasi wants it; at its end once `stop` is cancelled.
pub(crate) struct GuestInput {
    pub(crate) stdin: Stdin,
    pub(crate) terminal: bool,
    pub(crate) stop: CancellationToken,
}

impl GuestInput {
    fn handle(&self) -> InputHandle {
        let pipe = match &self.stdin {
            Stdin::Closed => None,
            Stdin::Pipe(pipe) => Some(pipe.clone()),
        };
        InputHandle {
            pipe,
            stopped: Box::pin(self.stop.clone().cancelled_owned()),
            stop: self.stop.clone(),
        }
    }
}

impl IsTerminal for GuestInput {
    fn is_terminal(&self) -> bool {
        self.terminal && matches!(self.stdin, Stdin::Pipe(_))
    }
}

impl StdinStream for GuestInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.handle())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.handle())
    }
}

struct InputHandle {
    pipe: Option<InputPipe>,
    stop: CancellationToken,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl InputHandle {
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(pipe) = &self.pipe else { return Poll::Ready(()) };
        if pipe.poll_ready(context).is_ready() {
            return Poll::Ready(());
        }
        // A finished future must not be polled again.
        if self.stop.is_cancelled() {
            return Poll::Ready(());
        }
        self.stopped.as_mut().poll(context)
    }

    /// None at the end of the input.
    fn take(&self, most: usize) -> Option<Bytes> {
        match self.pipe.as_ref()?.take(most) {
            Some(bytes) if bytes.is_empty() && self.stop.is_cancelled() => None,
            other => other,
        }
    }
}

#[async_trait::async_trait]
impl InputStream for InputHandle {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.take(size.min(PERMIT)).ok_or(StreamError::Closed)
    }
}

#[async_trait::async_trait]
impl Pollable for InputHandle {
    async fn ready(&mut self) {
        std::future::poll_fn(|context| self.poll_readable(context)).await;
    }
}

impl AsyncRead for InputHandle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_readable(context));
        match self.take(buffer.remaining()) {
            // Another handle to the same input was faster.
            Some(bytes) if bytes.is_empty() && buffer.remaining() > 0 => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(bytes) => {
                buffer.put_slice(&bytes);
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn input(stdin: Stdin, stop: &CancellationToken) -> GuestInput {
        GuestInput { stdin, terminal: false, stop: stop.clone() }
    }

    #[tokio::test]
    async fn a_closed_input_is_at_its_end() {
        let mut stream = input(Stdin::Closed, &CancellationToken::new()).p2_stream();
        stream.ready().await;
        assert!(matches!(stream.read(10), Err(StreamError::Closed)));
    }

    #[tokio::test]
    async fn what_is_written_arrives_in_order_and_then_the_end() {
        let (mut writer, pipe) = input_pipe();
        let stop = CancellationToken::new();
        let mut stream = Box::into_pin(input(Stdin::Pipe(pipe), &stop).async_stream());
        let text = "0123456789".repeat(50_000);
        let (_, read) = tokio::join!(
            async {
                writer.write_all(text.as_bytes()).await;
                drop(writer);
            },
            async {
                let mut read = String::new();
                stream.read_to_string(&mut read).await.unwrap();
                read
            }
        );
        assert!(read == text, "{} bytes", read.len());
    }

    #[tokio::test]
    async fn a_stop_is_the_end_of_an_open_input() {
        let (mut writer, pipe) = input_pipe();
        let stop = CancellationToken::new();
        let mut stream = input(Stdin::Pipe(pipe), &stop).p2_stream();
        writer.write_all(b"last words").await;
        tokio::join!(async { stop.cancel() }, stream.ready());
        assert_eq!(stream.read(100).unwrap(), "last words");
        stream.ready().await;
        assert!(matches!(stream.read(100), Err(StreamError::Closed)));
    }

    struct Narrow {
        open: Mutex<(bool, Vec<Waker>)>,
        written: OutputBuffer,
    }

    impl Output for Narrow {
        fn write(&self, bytes: &[u8]) -> io::Result<()> {
            lock(&self.open).0 = false;
            self.written.write(bytes)
        }

        fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
            let mut open = lock(&self.open);
            if open.0 {
                return Poll::Ready(());
            }
            open.1.push(context.waker().clone());
            Poll::Pending
        }
    }

    impl Narrow {
        fn reopen(&self) {
            let mut open = lock(&self.open);
            open.0 = true;
            open.1.drain(..).for_each(Waker::wake);
        }
    }

    #[tokio::test]
    async fn a_guest_waits_for_a_slow_output() {
        let narrow = Arc::new(Narrow {
            open: Mutex::new((true, Vec::new())),
            written: OutputBuffer::new(100),
        });
        let output = GuestOutput { output: narrow.clone(), terminal: false };
        let mut stream = output.p2_stream();
        assert_eq!(stream.check_write().unwrap(), PERMIT);
        stream.write(Bytes::from_static(b"one ")).unwrap();
        assert_eq!(stream.check_write().unwrap(), 0);
        tokio::join!(stream.ready(), async { narrow.reopen() });
        stream.write(Bytes::from_static(b"two")).unwrap();
        assert_eq!(narrow.written.contents(), b"one two");
    }
}
