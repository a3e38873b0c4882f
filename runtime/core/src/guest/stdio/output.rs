//! Where a guest writes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::{PERMIT, lock};
use crate::sandbox::terminal::Terminal;

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

/// The screen of a terminal.
pub(crate) struct TerminalOutput(pub(crate) Terminal);

impl Output for TerminalOutput {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(bytes);
        Ok(())
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_room(context)
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
