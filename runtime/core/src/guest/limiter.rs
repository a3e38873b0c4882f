//! A container's memory limit inside its Stores.
//!
//! Counts all linear memories and tables of the container together: wasmtime's own limits are per
//! memory, so that a guest with two memories would get twice its limit, and an HTTP handler has
//! many Stores at once. Not counted: compiled code, stacks and the host's buffers; for those there
//! is the Pod's cgroup. Shared memories would bypass it and are refused by the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustix::process::{Resource, getrlimit};
use wasmtime::{ResourceLimiter, format_err};

/// A table element is a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// More core instances, tables or memories than any real program has in one Store.
const MOST_INSTANCES: usize = 10_000;

/// What happens at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exceeded {
    /// `memory.grow` gives -1, `malloc` fails, the guest decides.
    #[default]
    Deny,
    /// The run ends with 137, `OOMKilled`, as a kernel would have it.
    Kill,
}

/// A growth that was denied, or ended the run under [`Exceeded::Kill`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("memory limit of {limit} bytes exceeded: {used} bytes in use, {more} more asked for")]
pub(crate) struct OutOfMemory {
    limit: usize,
    used: usize,
    more: usize,
}

/// The memory of one container, over all its Stores.
#[derive(Debug)]
pub struct ContainerMemory {
    limit: usize,
    exceeded: Exceeded,
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl ContainerMemory {
    /// Memory of so many bytes; without a limit, all that the host has: a guest must fail before
    /// its host does.
    pub fn new(limit: Option<u64>, exceeded: Exceeded) -> Arc<Self> {
        let limit = limit.unwrap_or_else(host_memory);
        Arc::new(Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            exceeded,
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        })
    }

    /// The limit in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes of memories and tables now.
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// The most there ever was.
    pub fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    fn take(&self, more: usize) -> Result<(), OutOfMemory> {
        let within = |used: usize| used.checked_add(more).filter(|used| *used <= self.limit);
        match self.used.try_update(Relaxed, Relaxed, within) {
            Ok(before) => {
                self.peak.fetch_max(before + more, Relaxed);
                Ok(())
            }
            Err(used) => Err(OutOfMemory { limit: self.limit, used, more }),
        }
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
    }
}

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
        match self.container.take(more) {
            Ok(()) => {
                self.taken += more;
                self.last = more;
                Ok(true)
            }
            Err(out_of_memory) => match self.container.exceeded {
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
        self.container.give_back(self.last);
        self.last = 0;
    }
}

impl Drop for MemoryLimiter {
    fn drop(&mut self) {
        self.container.give_back(self.taken);
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

fn host_memory() -> u64 {
    let system = rustix::system::sysinfo();
    // The unit is 1 on every 64-bit system.
    let unit = u64::from(system.mem_unit.max(1));
    system.totalram.saturating_mul(unit)
}

/// How many handles (files, sockets, streams, pollables) one Store may hold.
///
/// A file or a real socket is a descriptor of the Pod's process: one guest must not use them all
/// up. In-memory sockets cost none, hence never fewer than 1024.
pub(crate) fn most_handles() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(descriptors / 2).unwrap_or(usize::MAX).clamp(1024, 65_536)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    #[test]
    fn memories_and_tables_of_all_stores_share_one_limit() {
        let memory = ContainerMemory::new(Some(4 * PAGE as u64), Exceeded::Deny);
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
        let memory = ContainerMemory::new(Some(PAGE as u64), Exceeded::Deny);
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
        let mut limiter = MemoryLimiter::new(ContainerMemory::new(Some(1), Exceeded::Kill));
        let error = limiter.memory_growing(0, PAGE, None).unwrap_err();
        assert!(error.is::<OutOfMemory>(), "{error}");
    }
}
