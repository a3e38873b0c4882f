//! Locks held for a glance.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock; a panic elsewhere does not spread through it.
///
/// Every critical section here leaves its value whole at each step, so a poisoned lock guards
/// nothing worse than a connection that a dying thread left half used.
pub(crate) fn lock<Value>(mutex: &Mutex<Value>) -> MutexGuard<'_, Value> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
