//! Streams of files that count what passes.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamResult,
};

use crate::sandbox::filesystem::FileTraffic;

/// What is read from a file.
pub(super) struct CountedInput {
    pub(super) stream: DynInputStream,
    pub(super) files: Arc<FileTraffic>,
}

impl CountedInput {
    fn count(&self, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        if let Ok(bytes) = &read {
            self.files.read(length(bytes.len()));
        }
        read
    }
}

#[async_trait::async_trait]
impl InputStream for CountedInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.stream.read(size);
        self.count(read)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.stream.blocking_read(size).await;
        self.count(read)
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

#[async_trait::async_trait]
impl Pollable for CountedInput {
    async fn ready(&mut self) {
        self.stream.ready().await;
    }
}

/// What is written to a file. Counted when the stream takes it.
pub(super) struct CountedOutput {
    pub(super) stream: DynOutputStream,
    pub(super) files: Arc<FileTraffic>,
}

impl CountedOutput {
    fn count(&self, bytes: usize, written: StreamResult<()>) -> StreamResult<()> {
        if written.is_ok() {
            self.files.wrote(length(bytes));
        }
        written
    }
}

#[async_trait::async_trait]
impl OutputStream for CountedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let count = bytes.len();
        let written = self.stream.write(bytes);
        self.count(count, written)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.stream.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        let count = bytes.len();
        let written = self.stream.blocking_write_and_flush(bytes).await;
        self.count(count, written)
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

#[async_trait::async_trait]
impl Pollable for CountedOutput {
    async fn ready(&mut self) {
        self.stream.ready().await;
    }
}

pub(super) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
