//! The memory of one container: of all its runs, all their Stores, and what the host holds for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::bound::{Bound, OutOfMemory, Whose};
use super::held::Held;
use super::pod::{Limits, PodMemory, Whole};

/// What happens at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exceeded {
    /// `memory.grow` gives -1, `malloc` fails, the guest decides.
    #[default]
    Deny,
    /// The run ends with 137, `OOMKilled`, as a kernel would have it.
    Kill,
}

/// The memory of one container, over all its Stores.
#[derive(Debug)]
pub struct ContainerMemory {
    own: Bound,
    pod: Arc<Whole>,
    exceeded: Exceeded,
    peak: AtomicUsize,
}

impl ContainerMemory {
    pub(super) fn new(pod: &Arc<Whole>, limit: Option<u64>, exceeded: Exceeded) -> Self {
        let pod = Arc::clone(pod);
        Self { own: Bound::new(limit), pod, exceeded, peak: AtomicUsize::new(0) }
    }

    /// Of somebody who is in no Pod's count: the host itself, or a test.
    pub fn apart(limit: u64) -> Arc<Self> {
        PodMemory::new(u64::MAX).container("", Some(limit), Exceeded::Deny)
    }

    /// The limit in bytes: its own, or what it shares with others, whichever is less.
    pub fn limit(&self) -> usize {
        let own = self.own.limit();
        self.pod.limit(self.limits()).min(own.unwrap_or(usize::MAX))
    }

    /// Changes its own limit. One that is below what is in use takes nothing away: it denies more
    /// until there is room again.
    pub fn set_limit(&self, limit: Option<u64>) {
        self.own.set_limit(limit);
    }

    /// Bytes in use now that count towards the limit.
    pub fn used(&self) -> usize {
        self.own.used()
    }

    /// Bytes that its guests have: memories, tables, GC heaps.
    pub fn of_guests(&self) -> usize {
        self.own.of_guests()
    }

    /// Bytes that the host holds for them, charged or not.
    pub fn of_host(&self) -> usize {
        self.own.of_host()
    }

    /// The most that was in use in the present run.
    pub fn peak(&self) -> usize {
        self.peak.load(Relaxed).max(self.used())
    }

    /// What happens at the limit.
    pub(crate) fn exceeded(&self) -> Exceeded {
        self.exceeded
    }

    pub(super) fn begin_run(&self) {
        self.peak.store(self.used(), Relaxed);
    }

    /// Gives its guests `more`.
    ///
    /// # Errors
    /// [`OutOfMemory`] beyond one of the limits.
    pub(crate) fn grow(&self, more: usize) -> Result<(), OutOfMemory> {
        if more == 0 {
            return Ok(());
        }
        self.own.grow(more, |_total| true).map_err(|used| self.own_limit(used, more))?;
        if let Err(refused) = self.pod.grow(more, self.limits()) {
            self.own.shrink(more);
            return Err(refused);
        }
        self.peak.fetch_max(self.own.used(), Relaxed);
        Ok(())
    }

    /// Takes back what its guests had.
    pub(crate) fn shrink(&self, less: usize) {
        self.own.shrink(less);
        self.pod.shrink(less);
    }

    /// Has the host hold `bytes` for it until the answer is dropped.
    ///
    /// # Errors
    /// [`OutOfMemory`] beyond one of the limits.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Result<Held, OutOfMemory> {
        let mut held = Held::nothing(self);
        held.grow(bytes).map(|()| held)
    }

    /// Whether the host could hold so many bytes more for it at this moment.
    pub(crate) fn can_hold(&self, more: usize) -> bool {
        self.own.can_hold(more, |_total| true) && self.pod.can_hold(more, self.limits())
    }

    pub(super) fn hold_more(&self, more: usize) -> Result<(), OutOfMemory> {
        self.own.hold(more, |_total| true).map_err(|used| self.own_limit(used, more))?;
        if let Err(refused) = self.pod.hold(more, self.limits()) {
            self.own.release(more);
            return Err(refused);
        }
        self.peak.fetch_max(self.own.used(), Relaxed);
        Ok(())
    }

    pub(super) fn hold_anyway(&self, more: usize) {
        self.own.hold_anyway(more);
        self.pod.hold_anyway(more);
        self.peak.fetch_max(self.own.used(), Relaxed);
    }

    pub(super) fn release(&self, less: usize) {
        self.own.release(less);
        self.pod.release(less);
    }

    fn limits(&self) -> Limits {
        match self.own.limit() {
            Some(_) => Limits::Own,
            None => Limits::Shared,
        }
    }

    fn own_limit(&self, used: usize, more: usize) -> OutOfMemory {
        let limit = self.own.limit().unwrap_or(usize::MAX);
        OutOfMemory { whose: Whose::Container, limit, used, more }
    }
}
