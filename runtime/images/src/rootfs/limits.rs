//! How much an image may unpack to.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Up to here nothing is said about the ratio: a small file of zeros is no bomb.
const HARMLESS_BYTES: u64 = 64 << 20;

/// The bounds of a root; the default suits any image that somebody would want to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all layers together, unpacked. A hard link has none of its own.
    pub bytes: u64,
    /// Files, folders, links and marks of all layers together.
    pub entries: u64,
    /// Folders within folders.
    pub depth: usize,
    /// How many times its own size a layer may have when unpacked, beyond the first 64 MiB.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // A walk holds up to three descriptors for each level.
        Self { bytes: 8 << 30, entries: 1 << 18, depth: 64, ratio: 250 }
    }
}

/// An image that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// Too many bytes.
    #[error("the image unpacks to more than {most} bytes")]
    Bytes {
        /// The limit.
        most: u64,
    },
    /// Too many names.
    #[error("the image has more than {most} files, folders and links")]
    Entries {
        /// The limit.
        most: u64,
    },
    /// A bomb.
    #[error("it unpacks to more than {ratio} times its size")]
    Ratio {
        /// The limit.
        ratio: u64,
    },
    /// Whiteouts that look through the same folders again and again.
    #[error("its whiteouts look at more than {most} files")]
    Whiteouts {
        /// The limit.
        most: u64,
    },
}

/// What is left of the bytes and the entries, for all layers.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    bytes: u64,
    entries: u64,
    looks: u64,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, bytes: 0, entries: 0, looks: 0 }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn spend_entry(&mut self) -> Result<(), Excess> {
        self.entries += 1;
        let most = self.limits.entries;
        if self.entries > most { Err(Excess::Entries { most }) } else { Ok(()) }
    }

    pub(super) fn spend_bytes(&mut self, bytes: u64) -> Result<(), Excess> {
        self.bytes = self.bytes.saturating_add(bytes);
        let most = self.limits.bytes;
        if self.bytes > most { Err(Excess::Bytes { most }) } else { Ok(()) }
    }

    /// A whiteout looks at a file that may stay, so entries alone do not bound the work.
    pub(super) fn spend_look(&mut self) -> Result<(), Excess> {
        self.looks += 1;
        let most = self.limits.entries.saturating_mul(16);
        if self.looks > most { Err(Excess::Whiteouts { most }) } else { Ok(()) }
    }
}

/// Counts what is read.
pub(super) struct Counted<Input> {
    pub(super) input: Input,
    pub(super) count: Rc<Cell<u64>>,
}

impl<Input: Read> Read for Counted<Input> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Whether `unpacked` bytes may come of `packed` ones.
pub(super) fn check_ratio(packed: u64, unpacked: u64, ratio: u64) -> Result<(), Excess> {
    let most = packed.saturating_mul(ratio).max(HARMLESS_BYTES);
    if unpacked > most { Err(Excess::Ratio { ratio }) } else { Ok(()) }
}
