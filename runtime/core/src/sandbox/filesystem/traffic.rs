//! What one container reads from its files and writes to them, counted where its calls come in.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counters of a container, over all of its runs.
#[derive(Debug, Default)]
pub struct FileTraffic {
    read: AtomicU64,
    written: AtomicU64,
}

impl FileTraffic {
    /// Bytes that it has read.
    pub fn read_bytes(&self) -> u64 {
        self.read.load(Relaxed)
    }

    /// Bytes that it has written.
    pub fn written_bytes(&self) -> u64 {
        self.written.load(Relaxed)
    }

    pub(crate) fn read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes, Relaxed);
    }
}
