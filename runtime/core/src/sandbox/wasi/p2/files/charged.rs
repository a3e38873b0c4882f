//! Streams of files whose container pays for what is under way.
//!
//! A stock stream reads up to 64 KiB ahead and has as much on its way to the disk, beside the guest: one
//! that has thousands of streams has all of that held by the host. Here it counts; a container that
//! cannot pay gets along with a little at a time.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::ipc::PodFilesView;
use super::shadow::{FileTrafficView, Wrap, shadow};
use crate::resources::memory::{ContainerMemory, Held};
use crate::sandbox::wasi::NetworkView;

/// What a stock stream reads at most.
const READ: usize = 64 << 10;

/// What a stream may have under way in any case.
const LITTLE: usize = 512;

/// Shadows the functions that make streams of files, in a linker that has the others already.
///
/// # Errors
/// The linker's; it has all it needs.
pub(crate) fn charged_file_streams<T>(linker: &mut Linker<T>) -> Result<()>
where
    T: PodFilesView + NetworkView + FileTrafficView + 'static,
{
    shadow(linker, |state: &mut T| Charged(Arc::clone(state.network().endpoint.memory())))
}

struct Charged(Arc<ContainerMemory>);

impl Wrap for Charged {
    fn input(self, stock: DynInputStream) -> DynInputStream {
        Box::new(Input { stock, held: Held::nothing(&self.0) })
    }

    fn output(self, stock: DynOutputStream) -> DynOutputStream {
        Box::new(Output { stock, held: Held::nothing(&self.0) })
    }
}

struct Input {
    stock: DynInputStream,
    /// For what is being read, or is read and not taken.
    held: Held,
}

#[async_trait::async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let can_pay = self.held.memory().can_hold(READ);
        let size = size.min(if can_pay { READ } else { LITTLE });
        let read = self.stock.read(size);
        let under_way = match &read {
            Err(_) => 0,
            Ok(bytes) if bytes.is_empty() => size,
            Ok(bytes) => self.held.bytes().saturating_sub(bytes.len()),
        };
        // What it could pay a moment ago; otherwise it is a little.
        let _ = self.held.set(under_way);
        read
    }

    // At once, and nothing of it is left behind.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.stock.blocking_read(size).await
    }

    async fn cancel(&mut self) {
        self.stock.cancel().await;
    }
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.stock.ready().await;
    }
}

struct Output {
    stock: DynOutputStream,
    /// For what is being written.
    held: Held,
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > LITTLE && self.held.set(bytes.len()).is_err() {
            let error = io::Error::from(io::ErrorKind::OutOfMemory);
            return Err(StreamError::LastOperationFailed(error.into()));
        }
        self.stock.write(bytes)
    }

    // At once, and nothing of it is left behind.
    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.stock.blocking_write_and_flush(bytes).await
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stock.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let permit = self.stock.check_write()?;
        if permit == 0 {
            return Ok(0);
        }
        // Nothing is under way.
        let _ = self.held.set(0);
        let can_pay = self.held.memory().can_hold(permit);
        Ok(if can_pay { permit } else { permit.min(LITTLE) })
    }

    async fn cancel(&mut self) {
        self.stock.cancel().await;
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        self.stock.ready().await;
    }
}
