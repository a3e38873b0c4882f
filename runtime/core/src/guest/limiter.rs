//! A container's memory limit inside its Stores.
//!
//! Counts all linear memories and tables of the container together: wasmtime's own limits are per
//! memory, so that a guest with two memories would get twice its limit, and an HTTP handler has
//! many Stores at once. Containers without a limit share what the machine can give ([`PodMemory`]):
//! without that one guest could make the kernel kill the whole Pod, or worse. Not counted: compiled
//! code, stacks and the host's buffers; for those there is the Pod's cgroup. Shared memories would
//! bypass it and are refused by the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustix::process::{Resource, getrlimit};
use wasmtime::{ResourceLimiter, format_err};

use crate::resources::allocatable_memory;

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

/// The memory of the containers of one Pod that have no limit of their own.
#[derive(Debug)]
pub struct PodMemory {
    shared: Arc<Bounded>,
}

impl PodMemory {
    /// So many bytes for all of them together.
    pub fn new(bytes: u64) -> Self {
        Self { shared: Arc::new(Bounded::new(Limit::bytes(bytes))) }
    }

    /// What this machine can give, for all of them together.
    pub fn of_machine() -> Self {
        Self { shared: Arc::new(Bounded::new(Limit::Found(allocatable_memory))) }
    }

    /// The memory of a container: of `limit` bytes, or without one a share of what is here.
    pub fn container(&self, limit: Option<u64>, exceeded: Exceeded) -> Arc<ContainerMemory> {
        let bound = match limit {
            Some(limit) => Arc::new(Bounded::new(Limit::bytes(limit))),
            None => Arc::clone(&self.shared),
        };
        let (used, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(ContainerMemory { bound, exceeded, used, peak })
    }
}

/// Bytes that are handed out up to a limit.
#[derive(Debug)]
struct Bounded {
    limit: Limit,
    used: AtomicUsize,
}

impl Bounded {
    fn new(limit: Limit) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    fn take(&self, more: usize) -> Result<(), OutOfMemory> {
        let within = |used: usize| used.checked_add(more).filter(|used| self.limit.allows(*used));
        match self.used.try_update(Relaxed, Relaxed, within) {
            Ok(_) => Ok(()),
            Err(used) => Err(OutOfMemory { limit: self.limit.get(), used, more }),
        }
    }
}

/// Bytes that may be used.
#[derive(Clone, Copy, Debug)]
enum Limit {
    Bytes(usize),
    /// Found out when it matters: the machine is not asked on a small guest's way to its start.
    Found(fn() -> u64),
}

/// What any machine can give that can run this process at all.
const UNASKED: usize = 4 << 20;

impl Limit {
    fn bytes(bytes: u64) -> Self {
        Self::Bytes(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn allows(self, used: usize) -> bool {
        match self {
            Self::Found(_) if used <= UNASKED => true,
            Self::Bytes(_) | Self::Found(_) => used <= self.get(),
        }
    }

    fn get(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Found(find) => usize::try_from(find()).unwrap_or(usize::MAX),
        }
    }
}

/// The memory of one container, over all its Stores.
#[derive(Debug)]
pub struct ContainerMemory {
    /// The container's alone, or that of its Pod.
    bound: Arc<Bounded>,
    exceeded: Exceeded,
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl ContainerMemory {
    /// The limit in bytes: its own, or what it shares with others.
    pub fn limit(&self) -> usize {
        self.bound.limit.get()
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
        self.bound.take(more)?;
        let before = self.used.fetch_add(more, Relaxed);
        self.peak.fetch_max(before + more, Relaxed);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
        self.bound.used.fetch_sub(bytes, Relaxed);
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

/// How many handles (files, sockets, streams, pollables) one Store may hold, in a Pod of so many
/// containers.
///
/// A file or a real socket is a descriptor of the Pod's process: all guests together must not use
/// them up, the host needs its own half.
pub(crate) fn most_handles(containers: usize) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    share_of_descriptors(descriptors, containers)
}

fn share_of_descriptors(descriptors: u64, containers: usize) -> usize {
    let half = usize::try_from(descriptors / 2).unwrap_or(usize::MAX);
    // With fewer no program gets as far as its first error message.
    (half / containers.max(1)).clamp(32, 65_536)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    fn memory(limit: u64, exceeded: Exceeded) -> Arc<ContainerMemory> {
        PodMemory::new(0).container(Some(limit), exceeded)
    }

    #[test]
    fn containers_without_a_limit_share_the_pods() {
        let pod = PodMemory::new(3 * PAGE as u64);
        let (first, second) =
            (pod.container(None, Exceeded::Deny), pod.container(None, Exceeded::Deny));
        let limited = pod.container(Some(PAGE as u64), Exceeded::Deny);
        let mut one = MemoryLimiter::new(first.clone());
        let mut two = MemoryLimiter::new(second.clone());
        assert!(one.memory_growing(0, 2 * PAGE, None).unwrap());
        assert!(!two.memory_growing(0, 2 * PAGE, None).unwrap());
        assert!(two.memory_growing(0, PAGE, None).unwrap());
        assert!(MemoryLimiter::new(limited).memory_growing(0, PAGE, None).unwrap());
        assert_eq!((first.used(), second.used(), first.limit()), (2 * PAGE, PAGE, 3 * PAGE));
        drop(one);
        assert!(two.memory_growing(PAGE, 3 * PAGE, None).unwrap());
    }

    #[test]
    fn the_machine_is_asked_for_its_limit_when_it_matters() {
        let found = Bounded::new(Limit::Found(|| 5 << 20));
        let unasked = Bounded::new(Limit::Found(|| panic!("asked")));
        for bounded in [&found, &unasked] {
            bounded.take(UNASKED).unwrap();
        }
        found.take(1 << 20).unwrap();
        let error = found.take(1).unwrap_err();
        assert_eq!((error.limit, error.used), (5 << 20, 5 << 20));
    }

    #[test]
    fn handles_of_all_containers_leave_the_host_half_of_its_descriptors() {
        assert_eq!(share_of_descriptors(1024, 1), 512);
        assert_eq!(share_of_descriptors(4096, 4), 512);
        assert_eq!(share_of_descriptors(u64::MAX, 3), 65_536);
        assert_eq!(share_of_descriptors(20, 0), 32);
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
