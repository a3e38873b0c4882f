//! What a Store may have, asked of the memory of its container.
//!
//! All linear memories, tables and GC heaps of a container count together
//! ([`ContainerMemory`]): wasmtime's own limits are per memory, so that a guest with two memories would
//! get twice its limit, and an HTTP handler has many Stores at once. wasmtime asks for a GC heap as for
//! a memory. Shared memories would bypass it and are refused by the engine.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, format_err};

use crate::resources::memory::{ContainerMemory, Exceeded, OutOfMemory};

/// A table element is a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// More core instances, tables or memories than any real program has in one Store.
const MOST_INSTANCES: usize = 10_000;

/// The limiter of one Store. Dropping it gives back what the Store had.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    container: Arc<ContainerMemory>,
    taken: usize,
    /// What the last permitted growth added, in case it fails after all.
    last: usize,
    denied: Option<OutOfMemory>,
}

impl MemoryLimiter {
    pub(crate) fn new(container: Arc<ContainerMemory>) -> Self {
        Self { container, taken: 0, last: 0, denied: None }
    }

    /// The last growth that was denied, for the message of a run that fails soon after.
    pub(crate) fn denied(&self) -> Option<&OutOfMemory> {
        self.denied.as_ref()
    }

    /// Bytes that the Store has now.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    fn grow(&mut self, more: usize, maximum_reached: bool) -> wasmtime::Result<bool> {
        self.last = 0;
        // Beyond its own maximum it fails whatever we say: nothing to count.
        if maximum_reached {
            return Ok(false);
        }
        match self.container.grow(more) {
            Ok(()) => {
                self.taken += more;
                self.last = more;
                Ok(true)
            }
            Err(out_of_memory) => match self.container.exceeded() {
                Exceeded::Deny => {
                    self.denied = Some(out_of_memory);
                    Ok(false)
                }
                Exceeded::Kill => Err(out_of_memory.into()),
            },
        }
    }

    fn give_back_last(&mut self) {
        self.taken -= self.last;
        self.container.shrink(self.last);
        self.last = 0;
    }
}

impl Drop for MemoryLimiter {
    fn drop(&mut self) {
        self.container.shrink(self.taken);
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let maximum_reached = maximum.is_some_and(|maximum| desired > maximum);
        self.grow(desired.saturating_sub(current), maximum_reached)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back_last();
        tracing::debug!(error = format!("{error:#}"), "a guest's memory could not grow");
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let maximum_reached = maximum.is_some_and(|maximum| desired > maximum);
        let elements = desired.saturating_sub(current);
        match elements.checked_mul(TABLE_ELEMENT_BYTES) {
            Some(bytes) => self.grow(bytes, maximum_reached),
            None => Err(format_err!("a table of {desired} elements")),
        }
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back_last();
        Ok(())
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
    }

    fn tables(&self) -> usize {
        MOST_INSTANCES
    }

    fn memories(&self) -> usize {
        MOST_INSTANCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::memory::PodMemory;

    const PAGE: usize = 64 << 10;

    fn memory(limit: u64, exceeded: Exceeded) -> Arc<ContainerMemory> {
        PodMemory::new(0).container("web", Some(limit), exceeded)
    }

    #[test]
    fn memories_and_tables_of_all_stores_share_one_limit() {
        let memory = memory(4 * PAGE as u64, Exceeded::Deny);
        let mut limiter = MemoryLimiter::new(memory.clone());
        let mut other = MemoryLimiter::new(memory.clone());
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        assert!(other.memory_growing(0, PAGE, None).unwrap());
        assert!(!limiter.memory_growing(2 * PAGE, 4 * PAGE, None).unwrap());
        assert!(limiter.table_growing(0, PAGE / TABLE_ELEMENT_BYTES, None).unwrap());
        assert!(!other.table_growing(0, 1, None).unwrap());
        assert_eq!(memory.used(), 4 * PAGE);
        assert!(limiter.denied().is_some());
        drop(limiter);
        assert_eq!((memory.used(), memory.peak()), (PAGE, 4 * PAGE));
        drop(other);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn growth_that_fails_later_is_given_back_once() {
        let memory = memory(PAGE as u64, Exceeded::Deny);
        let mut limiter = MemoryLimiter::new(memory.clone());
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        limiter.memory_grow_failed(format_err!("no memory")).unwrap();
        assert_eq!((memory.used(), memory.peak()), (0, PAGE));
        assert!(!limiter.memory_growing(0, PAGE, Some(1)).unwrap());
        limiter.memory_grow_failed(format_err!("maximum")).unwrap();
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn a_killing_limit_is_an_error() {
        let mut limiter = MemoryLimiter::new(memory(1, Exceeded::Kill));
        let error = limiter.memory_growing(0, PAGE, None).unwrap_err();
        assert!(error.is::<OutOfMemory>(), "{error}");
    }
}
