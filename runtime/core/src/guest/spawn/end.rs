//! What a process reads or writes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use wasmtime_wasi::p1::types::Errno;

use super::pipe::{Broken, ReadEnd, WriteEnd};
use crate::guest::stdio::{Output, Stdin};
use crate::sandbox::network::OutgoingStream;

/// What one call moves at most; an [`Output`]'s own measure.
pub(super) const MOST: usize = 64 << 10;

/// One end of something. Clones are the same end.
#[derive(Clone)]
pub(super) enum End {
    /// The standard input of the exec.
    Stdin {
        stdin: Stdin,
        terminal: bool,
    },
    /// A standard output of the exec.
    Output {
        output: Arc<dyn Output>,
        terminal: bool,
    },
    /// Of a pipe.
    Read(ReadEnd),
    Write(WriteEnd),
    /// A TCP connection.
    Connection(Arc<Mutex<OutgoingStream>>),
}

impl End {
    /// Whether somebody sits there.
    pub(super) fn is_terminal(&self) -> bool {
        match self {
            Self::Stdin { stdin: Stdin::Closed, .. } => false,
            Self::Stdin { terminal, .. } | Self::Output { terminal, .. } => *terminal,
            Self::Read(_) | Self::Write(_) | Self::Connection(_) => false,
        }
    }

    /// The next bytes, at most `most`; none at the end.
    ///
    /// # Errors
    /// `badf` for what is only written, and those of a connection.
    pub(super) async fn read(&self, most: usize) -> Result<Bytes, Errno> {
        let most = most.min(MOST);
        if most == 0 {
            return Ok(Bytes::new());
        }
        let of_pipe;
        let source = match self {
            Self::Stdin { stdin, .. } => stdin,
            Self::Read(end) => {
                of_pipe = Stdin::Pipe(end.pipe.clone());
                &of_pipe
            }
            Self::Connection(stream) => {
                return poll_fn(|context| receive(stream, context, most)).await;
            }
            Self::Output { .. } | Self::Write(_) => return Err(Errno::Badf),
        };
        loop {
            poll_fn(|context| source.poll_ready(context)).await;
            match source.take(most) {
                // Another reader was faster.
                Some(bytes) if bytes.is_empty() => {}
                Some(bytes) => return Ok(bytes),
                None => return Ok(Bytes::new()),
            }
        }
    }

    /// Writes some of `bytes` and tells how many.
    ///
    /// # Errors
    /// `pipe` when nobody reads, `badf` for what is only read, and those of a connection.
    pub(super) async fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        let bytes = &bytes[..bytes.len().min(MOST)];
        match self {
            Self::Output { output, .. } => {
                poll_fn(|context| output.poll_ready(context)).await;
                output.write(bytes).map(|()| bytes.len()).map_err(|error| of_io(&error))
            }
            Self::Write(end) => poll_fn(|context| end.poll_write(context, bytes))
                .await
                .map_err(|Broken| Errno::Pipe),
            Self::Connection(stream) => poll_fn(|context| {
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                Pin::new(&mut *stream).poll_write(context, bytes)
            })
            .await
            .map_err(|error| of_io(&error)),
            Self::Stdin { .. } | Self::Read(_) => Err(Errno::Badf),
        }
    }

    /// Says the last word on a connection.
    ///
    /// # Errors
    /// `notsock` for what is none.
    pub(super) fn shutdown(&self) -> Result<(), Errno> {
        let Self::Connection(stream) = self else { return Err(Errno::Notsock) };
        let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
        let mut nobody = Context::from_waker(std::task::Waker::noop());
        // It does not wait.
        let _ = Pin::new(&mut *stream).poll_shutdown(&mut nobody);
        Ok(())
    }
}

fn receive(
    stream: &Mutex<OutgoingStream>,
    context: &mut Context<'_>,
    most: usize,
) -> Poll<Result<Bytes, Errno>> {
    let mut bytes = vec![0; most];
    let mut buffer = ReadBuf::new(&mut bytes);
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
    let length = buffer.filled().len();
    bytes.truncate(length);
    Poll::Ready(read.map(|()| bytes.into()).map_err(|error| of_io(&error)))
}

fn of_io(error: &io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Errno::Pipe,
        io::ErrorKind::ConnectionReset => Errno::Connreset,
        io::ErrorKind::ConnectionAborted => Errno::Connaborted,
        io::ErrorKind::TimedOut => Errno::Timedout,
        _ => Errno::Io,
    }
}
