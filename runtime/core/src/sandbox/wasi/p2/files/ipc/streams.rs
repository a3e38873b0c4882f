//! Reads and writes of queues and segments, as streams.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use wasmtime::Error;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::resources::memory::Held;
use crate::sandbox::ipc::{IpcError, IpcFile, Patience, RunIpc};

/// What one call moves at most of a segment.
const MOST: usize = 64 << 10;

/// What is read from a file of ours.
pub(super) struct Input {
    pub(super) file: Arc<IpcFile>,
    pub(super) run: RunIpc,
    pub(super) offset: u64,
    /// What ended a wait, and is told at the next read.
    pub(super) failed: Option<IpcError>,
}

impl Input {
    async fn take(&mut self, size: usize, patience: Patience) -> Result<Bytes, IpcError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let bytes = self.file.read(&self.run, self.offset, size.min(MOST), patience).await?;
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        Ok(bytes)
    }

    /// An end where bytes have one.
    fn told(&self, size: usize, taken: Result<Bytes, IpcError>) -> StreamResult<Bytes> {
        match taken {
            Ok(bytes) if bytes.is_empty() && size > 0 && !self.file.is_stream() => {
                Err(StreamError::Closed)
            }
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(failure(error)),
        }
    }
}

#[async_trait::async_trait]
impl InputStream for Input {
    // A message of no bytes looks like none here, and is gone.
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let taken = match self.take(size, Patience::None).now_or_never() {
            Some(Err(IpcError::WouldBlock)) | None => return Ok(Bytes::new()),
            Some(taken) => taken,
        };
        self.told(size, taken)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let taken = self.take(size, Patience::Endless).await;
        self.told(size, taken)
    }
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        if self.failed.is_none() {
            self.failed = self.file.readable(&self.run).await.err();
        }
    }
}

/// What is written to a file of ours.
pub(super) struct Output {
    pub(super) file: Arc<IpcFile>,
    pub(super) run: RunIpc,
    /// Where; none is the end.
    pub(super) offset: Option<u64>,
    /// A message for which another took the room in between.
    pub(super) waiting: Option<(Bytes, Held)>,
    /// What ended a wait, and is told at the next call.
    pub(super) failed: Option<IpcError>,
}

impl Output {
    async fn put(&mut self, bytes: &[u8], patience: Patience) -> Result<(), IpcError> {
        self.file.write(&self.run, self.offset, bytes, patience).await?;
        self.offset = self.offset.map(|offset| offset.saturating_add(bytes.len() as u64));
        Ok(())
    }

    fn check(&mut self) -> StreamResult<()> {
        self.failed.take().map_or(Ok(()), |error| Err(failure(error)))
    }

    async fn send_waiting(&mut self) {
        if let Some((bytes, _held)) = &self.waiting {
            let bytes = bytes.clone();
            self.failed = self.put(&bytes, Patience::Endless).await.err();
            self.waiting = None;
        }
    }
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if self.waiting.is_some() {
            return Err(StreamError::trap("a write without room for it"));
        }
        match self.put(&bytes, Patience::None).now_or_never() {
            Some(Ok(())) => Ok(()),
            Some(Err(IpcError::WouldBlock)) | None => {
                let held = self.run.charge(bytes.len()).map_err(failure)?;
                self.waiting = Some((bytes, held));
                Ok(())
            }
            Some(Err(error)) => Err(failure(error)),
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        if self.waiting.is_some() || !self.file.has_room() {
            return Ok(0);
        }
        Ok(self.file.most_at_once().unwrap_or(MOST))
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.send_waiting().await;
        self.check()?;
        self.put(&bytes, Patience::Endless).await.map_err(failure)
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        self.send_waiting().await;
        if self.failed.is_none() {
            self.failed = self.file.writable(&self.run).await.err();
        }
    }
}

/// An error as [`filesystem_error_code`] knows it.
///
/// [`filesystem_error_code`]: wasmtime_wasi::p2::bindings::filesystem::types::Host::filesystem_error_code
fn failure(error: IpcError) -> StreamError {
    StreamError::LastOperationFailed(Error::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::ipc::{Creation, IpcFolder, Opened, Opening};

    #[test]
    fn a_queue_has_no_offsets_that_end() {
        let run = RunIpc::apart();
        let opening = Opening {
            creation: Creation::IfMissing,
            folder: false,
            truncate: false,
            read: true,
            write: true,
        };
        let opened = run.open(&IpcFolder::Queues, "q", opening);
        let Ok(Opened::File(file)) = opened else { panic!("{opened:?}") };
        let file = Arc::new(file);
        let offset = Some(u64::MAX);
        let mut output = Output {
            file: Arc::clone(&file),
            run: run.clone(),
            offset,
            waiting: None,
            failed: None,
        };
        output.write(Bytes::from_static(b"one")).unwrap();
        output.write(Bytes::from_static(b"two")).unwrap();
        let mut input = Input { file, run, offset: u64::MAX, failed: None };
        assert_eq!(input.read(9).unwrap(), "one");
        assert_eq!(input.read(9).unwrap(), "two");
    }
}
