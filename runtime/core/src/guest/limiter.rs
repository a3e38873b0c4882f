//! A container's memory limit inside its Store.
//!
//! Counts all linear memories and tables of the run together: wasmtime's own limits are per memory,
//! so that a guest with two memories would get twice its limit. Not counted: compiled code, stacks
//! and the host's buffers; for those there is the Pod's cgroup. Shared memories would bypass it and
//! are refused by the engine.

use rustix::process::{Resource, getrlimit};
use wasmtime::{ResourceLimiter, format_err};

/// A table element is a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// More core instances, tables or memories than any real program has.
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

/// The growth that ended a run under [`Exceeded::Kill`].
#[derive(Debug, thiserror::Error)]
#[error("memory limit of {limit} bytes exceeded: {used} bytes in use, {more} more asked for")]
pub(crate) struct OutOfMemory {
    limit: usize,
    used: usize,
    more: usize,
}

/// The limiter of one Store.
#[derive(Debug)]
pub struct MemoryLimiter {
    limit: usize,
    exceeded: Exceeded,
    used: usize,
    peak: usize,
    /// What the last permitted growth added, in case it fails after all.
    last: usize,
    denied: Option<OutOfMemory>,
}

impl MemoryLimiter {
    /// A limiter of so many bytes; without one, the host's memory is the limit.
    pub fn new(limit: Option<u64>, exceeded: Exceeded) -> Self {
        let limit = limit.unwrap_or_else(host_memory);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { limit, exceeded, used: 0, peak: 0, last: 0, denied: None }
    }

    /// Bytes of memories and tables now.
    pub fn used(&self) -> usize {
        self.used
    }

    /// The most there ever was in this run.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// The limit in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The last growth that was denied, for the message of a run that fails soon after.
    pub(crate) fn denied(&self) -> Option<&OutOfMemory> {
        self.denied.as_ref()
    }

    fn grow(&mut self, more: usize) -> wasmtime::Result<bool> {
        self.last = 0;
        match self.used.checked_add(more).filter(|used| *used <= self.limit) {
            Some(used) => {
                self.used = used;
                self.peak = self.peak.max(used);
                self.last = more;
                Ok(true)
            }
            None => {
                let denied = OutOfMemory { limit: self.limit, used: self.used, more };
                match self.exceeded {
                    Exceeded::Deny => {
                        self.denied = Some(denied);
                        Ok(false)
                    }
                    Exceeded::Kill => Err(denied.into()),
                }
            }
        }
    }

    fn give_back(&mut self) {
        self.used -= self.last;
        self.last = 0;
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Beyond the memory's own maximum it fails whatever we say: nothing to count.
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.last = 0;
            return Ok(false);
        }
        self.grow(desired.saturating_sub(current))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
        tracing::debug!(error = format!("{error:#}"), "a guest's memory could not grow");
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.last = 0;
            return Ok(false);
        }
        let elements = desired.saturating_sub(current);
        match elements.checked_mul(TABLE_ELEMENT_BYTES) {
            Some(bytes) => self.grow(bytes),
            None => Err(format_err!("a table of {desired} elements")),
        }
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
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

/// All of the host's memory: a guest without a limit must fail before the host does.
fn host_memory() -> u64 {
    let system = rustix::system::sysinfo();
    // The unit is 1 on every 64-bit system.
    u64::try_from(system.totalram)
        .unwrap_or(u64::MAX)
        .saturating_mul(u64::from(system.mem_unit.max(1)))
}

/// How many handles (files, sockets, streams, pollables) one run may hold.
///
/// A file or a real socket is a descriptor of the Pod's process: one guest must not use them all up.
/// In-memory sockets cost none, hence never fewer than 1024.
pub(crate) fn most_handles() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(descriptors / 2).unwrap_or(usize::MAX).clamp(1024, 65_536)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut limiter = MemoryLimiter::new(Some(4 * PAGE as u64), Exceeded::Deny);
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        assert!(!limiter.memory_growing(2 * PAGE, 4 * PAGE, None).unwrap());
        assert!(limiter.table_growing(0, PAGE / TABLE_ELEMENT_BYTES, None).unwrap());
        assert!(!limiter.table_growing(0, 1, None).unwrap());
        assert_eq!(limiter.used(), 4 * PAGE);
        assert!(limiter.denied().is_some());
    }

    #[test]
    fn growth_that_fails_later_is_given_back() {
        let mut limiter = MemoryLimiter::new(Some(PAGE as u64), Exceeded::Deny);
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        limiter.memory_grow_failed(format_err!("no memory")).unwrap();
        assert_eq!((limiter.used(), limiter.peak()), (0, PAGE));
        // Beyond its own maximum: refused without being counted, and nothing to give back.
        assert!(!limiter.memory_growing(0, PAGE, Some(1)).unwrap());
        limiter.memory_grow_failed(format_err!("maximum")).unwrap();
        assert_eq!(limiter.used(), 0);
    }

    #[test]
    fn a_killing_limit_is_an_error() {
        let mut limiter = MemoryLimiter::new(Some(1), Exceeded::Kill);
        let error = limiter.memory_growing(0, PAGE, None).unwrap_err();
        assert!(error.is::<OutOfMemory>(), "{error}");
    }
}
