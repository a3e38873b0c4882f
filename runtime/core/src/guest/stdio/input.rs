//! Where a guest reads.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

use super::{InputPipe, PERMIT};
use crate::sandbox::terminal::Terminal;

/// What a guest reads.
#[derive(Clone, Debug, Default)]
pub enum Stdin {
    /// At its end from the beginning: `stdin: false`.
    #[default]
    Closed,
    /// What somebody writes into the pipe: a terminal, a file, a client.
    Pipe(InputPipe),
    /// What somebody types.
    Terminal(Terminal),
}

impl Stdin {
    /// Ready once there is something to read or nothing more will come.
    pub(in crate::guest) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Closed => Poll::Ready(()),
            Self::Pipe(pipe) => pipe.poll_ready(context),
            Self::Terminal(terminal) => terminal.poll_input(context),
        }
    }

    /// What is there, up to `most` bytes; none at the end.
    pub(in crate::guest) fn take(&self, most: usize) -> Option<Bytes> {
        match self {
            Self::Closed => None,
            Self::Pipe(pipe) => pipe.take(most),
            Self::Terminal(terminal) => terminal.take_input(most),
        }
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
        InputHandle {
            stdin: self.stdin.clone(),
            stopped: Box::pin(self.stop.clone().cancelled_owned()),
            stop: self.stop.clone(),
        }
    }
}

impl IsTerminal for GuestInput {
    fn is_terminal(&self) -> bool {
        self.terminal && !matches!(self.stdin, Stdin::Closed)
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
    stdin: Stdin,
    stop: CancellationToken,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl InputHandle {
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.stdin.poll_ready(context).is_ready() {
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
        match self.stdin.take(most) {
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

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        loop {
            self.ready().await;
            let bytes = self.read(size)?;
            // Where several read one input, another may have been faster; nothing means the end to
            // WASI 0.1.
            if !bytes.is_empty() || size == 0 {
                return Ok(bytes);
            }
        }
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
