//! Bytes that a container or a Pod has, up to a limit that may change while they are in use.
//!
//! What guests have never exceeds the limit by a byte. Of what the host holds for them the first
//! [`ALLOWANCE`] is free: a guest whose memory is as large as its limit could not send another byte
//! otherwise, nor be told why. The two are counted apart, so that a guest which grows and a host
//! which holds at the same instant may come to a few bytes more than the limit together.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What the host holds for a container, or for a Pod, without it being charged.
pub(super) const ALLOWANCE: usize = 2 << 20;

/// Stands for no limit.
const NONE: usize = usize::MAX;

/// Whose limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The container's own.
    Container,
    /// That of the Pod, over all its containers.
    Pod,
    /// What the machine can give to containers without a limit.
    Machine,
}

/// Memory that was refused.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} of {limit} bytes exceeded: {used} bytes in use, {more} more asked for", whose.words())]
pub struct OutOfMemory {
    /// Whose limit it is.
    pub whose: Whose,
    /// The limit.
    pub limit: usize,
    /// What is in use of it.
    pub used: usize,
    /// What was asked for.
    pub more: usize,
}

impl Whose {
    fn words(self) -> &'static str {
        match self {
            Self::Container => "memory limit",
            Self::Pod => "memory limit of the Pod",
            Self::Machine => "memory that this machine has for the Pod",
        }
    }
}

/// Bytes that are handed out up to a limit.
#[derive(Debug)]
pub(super) struct Bound {
    limit: AtomicUsize,
    /// What guests have.
    guests: AtomicUsize,
    /// What the host holds for them.
    host: AtomicUsize,
}

impl Bound {
    pub(super) fn new(limit: Option<u64>) -> Self {
        let limit = AtomicUsize::new(bytes(limit));
        Self { limit, guests: AtomicUsize::new(0), host: AtomicUsize::new(0) }
    }

    pub(super) fn limit(&self) -> Option<usize> {
        Some(self.limit.load(Relaxed)).filter(|limit| *limit != NONE)
    }

    pub(super) fn set_limit(&self, limit: Option<u64>) {
        self.limit.store(bytes(limit), Relaxed);
    }

    /// What counts towards the limit.
    pub(super) fn used(&self) -> usize {
        self.guests.load(Relaxed).saturating_add(charged(self.host.load(Relaxed)))
    }

    /// What guests have.
    pub(super) fn of_guests(&self) -> usize {
        self.guests.load(Relaxed)
    }

    /// What the host holds, charged or not.
    pub(super) fn of_host(&self) -> usize {
        self.host.load(Relaxed)
    }

    /// Gives guests `more`, if `allows` lets that much be in use and the limit does.
    ///
    /// # Errors
    /// What is in use.
    pub(super) fn grow(&self, more: usize, allows: impl Fn(usize) -> bool) -> Result<(), usize> {
        let host = charged(self.host.load(Relaxed));
        let grown = self.guests.try_update(Relaxed, Relaxed, |guests| {
            let guests = guests.checked_add(more)?;
            self.admits(guests.checked_add(host)?, &allows).then_some(guests)
        });
        grown.map(|_before| ()).map_err(|guests| guests.saturating_add(host))
    }

    pub(super) fn shrink(&self, less: usize) {
        self.guests.fetch_sub(less, Relaxed);
    }

    /// Has the host hold `more`, on the same terms, or free of charge.
    ///
    /// # Errors
    /// What is in use.
    pub(super) fn hold(&self, more: usize, allows: impl Fn(usize) -> bool) -> Result<(), usize> {
        let guests = self.guests.load(Relaxed);
        let held = self.host.try_update(Relaxed, Relaxed, |host| {
            let host = host.checked_add(more)?;
            let total = guests.checked_add(charged(host))?;
            (host <= ALLOWANCE || self.admits(total, &allows)).then_some(host)
        });
        held.map(|_before| ()).map_err(|host| guests.saturating_add(charged(host)))
    }

    /// Has the host hold `more` that it could not refuse.
    pub(super) fn hold_anyway(&self, more: usize) {
        self.host.fetch_add(more, Relaxed);
    }

    /// Whether the host could hold `more` now.
    pub(super) fn can_hold(&self, more: usize, allows: impl Fn(usize) -> bool) -> bool {
        let Some(host) = self.host.load(Relaxed).checked_add(more) else { return false };
        let total = self.guests.load(Relaxed).checked_add(charged(host));
        host <= ALLOWANCE || total.is_some_and(|total| self.admits(total, &allows))
    }

    pub(super) fn release(&self, less: usize) {
        self.host.fetch_sub(less, Relaxed);
    }

    fn admits(&self, total: usize, allows: &impl Fn(usize) -> bool) -> bool {
        total <= self.limit.load(Relaxed) && allows(total)
    }
}

fn charged(host: usize) -> usize {
    host.saturating_sub(ALLOWANCE)
}

fn bytes(limit: Option<u64>) -> usize {
    limit.map_or(NONE, |limit| usize::try_from(limit).unwrap_or(NONE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn any(_total: usize) -> bool {
        true
    }

    #[test]
    fn guests_get_the_limit_to_the_byte_and_no_more() {
        let bound = Bound::new(Some(100));
        assert_eq!(bound.grow(60, any), Ok(()));
        assert_eq!(bound.grow(41, any), Err(60));
        assert_eq!(bound.grow(40, any), Ok(()));
        assert_eq!(bound.grow(usize::MAX, any), Err(100));
        bound.shrink(1);
        assert_eq!((bound.grow(1, any), bound.used()), (Ok(()), 100));
    }

    #[test]
    fn a_lower_limit_denies_growth_until_there_is_room_again() {
        let bound = Bound::new(None);
        assert_eq!((bound.limit(), bound.grow(100, any)), (None, Ok(())));
        bound.set_limit(Some(50));
        assert_eq!((bound.limit(), bound.grow(1, any)), (Some(50), Err(100)));
        bound.shrink(60);
        assert_eq!(bound.grow(10, any), Ok(()));
        assert_eq!(bound.grow(1, any), Err(50));
        bound.set_limit(Some(51));
        assert_eq!(bound.grow(1, any), Ok(()));
    }

    #[test]
    fn a_little_of_what_the_host_holds_is_free() {
        let bound = Bound::new(Some(4 << 20));
        bound.grow(4 * MIB, any).unwrap();
        assert_eq!((bound.hold(ALLOWANCE, any), bound.used()), (Ok(()), 4 * MIB));
        assert!(!bound.can_hold(1, any));
        assert_eq!(bound.hold(1, any), Err(4 * MIB));
        bound.shrink(MIB);
        assert!(bound.can_hold(MIB, any) && !bound.can_hold(MIB + 1, any));
        bound.hold(MIB, any).unwrap();
        assert_eq!(bound.grow(1, any), Err(4 * MIB), "what the host holds is gone for the guest");
        bound.release(MIB);
        assert_eq!(bound.grow(MIB, any), Ok(()));
        bound.release(ALLOWANCE);
        assert_eq!((bound.of_guests(), bound.of_host()), (4 * MIB, 0));
    }

    #[test]
    fn somebody_else_may_allow_less() {
        let bound = Bound::new(Some(100));
        assert_eq!(bound.grow(51, |total| total <= 50), Err(0));
        assert_eq!(bound.grow(50, |total| total <= 50), Ok(()));
    }
}
