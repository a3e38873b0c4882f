//! Counts that have a bound: bytes of `/dev/shm`, queues that are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::IpcError;

/// So much of something, and no more.
#[derive(Debug)]
pub(super) struct Quota {
    most: usize,
    used: AtomicUsize,
}

/// A part of it, given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    quota: Arc<Quota>,
    amount: usize,
}

impl Quota {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, used: AtomicUsize::new(0) })
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// # Errors
    /// [`IpcError::NoSpace`]
    pub(super) fn take(self: &Arc<Self>, amount: usize) -> Result<Share, IpcError> {
        let mut share = Share { quota: Arc::clone(self), amount: 0 };
        share.set(amount).map(|()| share)
    }
}

impl Share {
    /// Has `amount` from now on; less is always there.
    ///
    /// # Errors
    /// [`IpcError::NoSpace`]; it has what it had.
    pub(super) fn set(&mut self, amount: usize) -> Result<(), IpcError> {
        let Quota { most, used } = &*self.quota;
        if amount <= self.amount {
            used.fetch_sub(self.amount - amount, Relaxed);
        } else {
            let more = amount - self.amount;
            let fits = |used: usize| used.checked_add(more).filter(|used| used <= most);
            used.try_update(Relaxed, Relaxed, fits).map_err(|_| IpcError::NoSpace)?;
        }
        self.amount = amount;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.used.fetch_sub(self.amount, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_to_no_more_than_the_whole() {
        let quota = Quota::new(10);
        let mut first = quota.take(6).unwrap();
        assert_eq!(quota.take(5).unwrap_err(), IpcError::NoSpace);
        assert_eq!(first.set(11), Err(IpcError::NoSpace));
        assert_eq!(first.set(usize::MAX), Err(IpcError::NoSpace));
        first.set(10).unwrap();
        first.set(1).unwrap();
        let second = quota.take(9).unwrap();
        assert_eq!((quota.used(), quota.most()), (10, 10));
        drop((first, second));
        assert_eq!(quota.used(), 0);
    }
}
