//! The two streams of a connection, as `wasi:io` sees them.
//!
//! A closed connection reads as `closed`, a broken one as `last-operation-failed` with the
//! [`NetworkError`] inside, which `network-error-code` finds again.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

use crate::sandbox::network::{NetworkError, TcpConnection};

/// What arrives.
pub(super) struct TcpInput {
    connection: Arc<TcpConnection>,
    /// Once the guest has seen the end, it stays at the end, even for reads of no bytes.
    ended: bool,
}

impl TcpInput {
    pub(super) fn new(connection: Arc<TcpConnection>) -> Self {
        Self { connection, ended: false }
    }
}

#[async_trait::async_trait]
impl Pollable for TcpInput {
    async fn ready(&mut self) {
        if !self.ended {
            poll_fn(|cx| self.connection.stream().poll_readable(cx)).await;
        }
    }
}

impl InputStream for TcpInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.ended {
            return Err(StreamError::Closed);
        }
        if size == 0 {
            return Ok(Bytes::new());
        }
        match self.connection.stream().try_read(size) {
            Ok(None) => Ok(Bytes::new()),
            Ok(Some(bytes)) if bytes.is_empty() => {
                self.ended = true;
                Err(StreamError::Closed)
            }
            Ok(Some(bytes)) => Ok(bytes),
            Err(error) => {
                self.ended = true;
                Err(StreamError::LastOperationFailed(error.into()))
            }
        }
    }
}

/// What is sent.
pub(super) struct TcpOutput {
    connection: Arc<TcpConnection>,
    permit: usize,
}

impl TcpOutput {
    pub(super) fn new(connection: Arc<TcpConnection>) -> Self {
        Self { connection, permit: 0 }
    }
}

#[async_trait::async_trait]
impl Pollable for TcpOutput {
    async fn ready(&mut self) {
        poll_fn(|cx| self.connection.stream().poll_writable(cx)).await;
    }
}

impl OutputStream for TcpOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let stream = self.connection.stream();
        if bytes.len() > self.permit {
            // A closed stream is closed first, and a broken promise second.
            stream.write_permit().map_err(failure)?;
            let length = bytes.len();
            return Err(StreamError::Trap(wasmtime::format_err!(
                "not permitted to write {length} bytes: check-write allowed {}",
                self.permit
            )));
        }
        if !bytes.is_empty() {
            self.permit = 0;
        }
        stream.write(bytes).map_err(failure)
    }

    /// Bytes are on their way as soon as they are written; only errors are left to report.
    fn flush(&mut self) -> StreamResult<()> {
        self.connection.stream().write_permit().map(|_permit| ()).map_err(failure)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.permit = self.connection.stream().write_permit().map_err(failure)?;
        Ok(self.permit)
    }
}

fn failure(error: NetworkError) -> StreamError {
    match error {
        NetworkError::BrokenPipe => StreamError::Closed,
        other => StreamError::LastOperationFailed(other.into()),
    }
}
