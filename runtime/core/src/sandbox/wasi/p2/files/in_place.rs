//! Streams of files whose reads and writes are done in place, for virtual time.
//!
//! wasmtime-wasi does every other file call in place when it may. What a stream reads ahead or
//! writes behind still goes to a thread, and when that is done is chance. Here a read or a write is
//! done when it returns.

use bytes::Bytes;
use futures::FutureExt as _;
use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::ipc::PodFilesView;
use super::shadow::{FileTrafficView, Wrap, shadow};

/// Shadows the functions that make streams of files, in a linker that has the others already.
///
/// # Errors
/// The linker's; it has all it needs.
pub(crate) fn file_streams_in_place<T>(linker: &mut Linker<T>) -> Result<()>
where
    T: PodFilesView + FileTrafficView + 'static,
{
    shadow(linker, |_state| InPlace)
}

struct InPlace;

impl Wrap for InPlace {
    fn input(self, stock: DynInputStream) -> DynInputStream {
        Box::new(Input(stock))
    }

    fn output(self, stock: DynOutputStream) -> DynOutputStream {
        Box::new(Output(stock))
    }
}

struct Input(DynInputStream);

#[async_trait::async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        at_once(self.0.blocking_read(size))
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.read(size)
    }
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {}
}

struct Output(DynOutputStream);

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        at_once(self.0.blocking_write_and_flush(bytes))
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.0.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.0.check_write()
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

/// What the stock stream answers: the context allows it to do its work in place.
fn at_once<Output>(work: impl Future<Output = StreamResult<Output>>) -> StreamResult<Output> {
    let waits = || Err(StreamError::trap("a file call that is done in place had to wait"));
    work.now_or_never().unwrap_or_else(waits)
}
