//! What the host holds for a container.

use std::fmt;
use std::sync::Arc;

use super::bound::OutOfMemory;
use super::container::ContainerMemory;

/// Bytes that the host holds for a container: a buffer, a socket. Dropping it gives them back.
pub struct Held {
    memory: Arc<ContainerMemory>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn nothing(memory: &Arc<ContainerMemory>) -> Self {
        Self { memory: Arc::clone(memory), bytes: 0 }
    }

    /// Whose it is.
    pub(crate) fn memory(&self) -> &Arc<ContainerMemory> {
        &self.memory
    }

    /// How much it is.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds `more` than before, or what it held.
    ///
    /// # Errors
    /// [`OutOfMemory`]
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), OutOfMemory> {
        if more > 0 {
            self.memory.hold_more(more)?;
            self.bytes += more;
        }
        Ok(())
    }

    /// Holds `bytes` from now on, be there room for them or not: they are there.
    pub(crate) fn set_anyway(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.memory.hold_anyway(bytes - self.bytes);
        } else {
            self.memory.release(self.bytes - bytes);
        }
        self.bytes = bytes;
    }

    /// Holds `bytes` from now on; it fails only where that is more than before.
    ///
    /// # Errors
    /// [`OutOfMemory`]; it holds what it held.
    pub(crate) fn set(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        if bytes < self.bytes {
            self.memory.release(self.bytes - bytes);
            self.bytes = bytes;
            return Ok(());
        }
        self.grow(bytes - self.bytes)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.memory.release(self.bytes);
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.bytes)
    }
}
