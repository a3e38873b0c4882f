//! How much all pipes of a Pod may hold together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What a lane or mailbox may hold in any case. Only what goes beyond it counts against the Pod's budget: a
/// question and its answer must not meet a counter that all the Pod's threads write to.
pub(crate) const FREE_CAPACITY: usize = 16 * 1024;

/// How many bytes wait in all pipes of a Pod, and from where on all must be frugal.
///
/// A guest can open many connections and never read; its own memory limit does not see what the
/// host keeps for it. Linux does the same with `net.ipv4.tcp_mem`.
pub(crate) struct BufferBudget {
    used: AtomicUsize,
    tight_from: usize,
}

impl BufferBudget {
    pub(crate) fn new(tight_from: usize) -> Self {
        Self { used: AtomicUsize::new(0), tight_from }
    }

    pub(crate) fn is_tight(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.tight_from
    }

    /// A lane or mailbox held `before` bytes and holds `after`.
    pub(crate) fn account(&self, before: usize, after: usize) {
        let before = before.saturating_sub(FREE_CAPACITY);
        let after = after.saturating_sub(FREE_CAPACITY);
        match after.cmp(&before) {
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => {
                self.used.fetch_add(after - before, Ordering::Relaxed);
            }
            std::cmp::Ordering::Less => {
                self.used.fetch_sub(before - after, Ordering::Relaxed);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}
