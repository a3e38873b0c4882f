//! What `poll_oneoff` waits for of a file of ours.

use wasmtime_wasi::p1::types::Errno;

use super::table::OpenFile;
use crate::sandbox::ipc::RunIpc;
use crate::sandbox::wasi::ipc::errno;

/// An open file of ours, for the time of one wait.
pub(in crate::sandbox::wasi::p1) struct PolledFile {
    pub(super) run: RunIpc,
    pub(super) open: OpenFile,
}

impl PolledFile {
    /// Waits until a read would have something; answers how many bytes, or 1 where that is not known.
    ///
    /// # Errors
    /// `intr` when the container is to stop.
    ///
    /// # Cancel safety
    /// Safe.
    pub(in crate::sandbox::wasi::p1) async fn readable(&self) -> Result<u64, Errno> {
        let file = &self.open.file;
        file.readable(&self.run).await.map_err(errno)?;
        Ok(if file.is_stream() { 1 } else { file.stat().size.saturating_sub(self.open.offset) })
    }

    /// Waits until there is room for a write; answers 1, as for files.
    ///
    /// # Errors
    /// `intr` when the container is to stop.
    ///
    /// # Cancel safety
    /// Safe.
    pub(in crate::sandbox::wasi::p1) async fn writable(&self) -> Result<u64, Errno> {
        self.open.file.writable(&self.run).await.map_err(errno)?;
        Ok(1)
    }
}
