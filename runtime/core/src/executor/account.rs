//! What a container's CPU time is charged to.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::bill::Bill;
use super::clock::Nanos;
use super::inline::Inline;
use super::pool::Pool;
use super::queue::AccountKey;
use super::share::{MilliCpu, Weight};
use super::task::{Task, TaskCore, lock};
use super::throttling::Throttling;

/// A container's account on a [`PodExecutor`](super::PodExecutor): its tasks run by the
/// account's weight and within its limit, both meant for their sum. A handle; clones are the same
/// account, which is closed when the last handle and the last task are gone.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) state: Arc<AccountState>,
}

pub(super) struct AccountState {
    pub(super) name: String,
    cpu: AtomicU64,
    pub(super) place: Place,
}

/// Where the account's tasks are polled.
pub(super) enum Place {
    Pool { pool: Arc<Pool>, key: AccountKey },
    Inline { inline: Arc<Inline>, bill: Mutex<Bill> },
}

impl Account {
    pub(super) fn new(name: String, place: Place) -> Self {
        Self { state: Arc::new(AccountState { name, cpu: AtomicU64::new(0), place }) }
    }

    /// The name given at its opening.
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// Starts a task on this account. On an executor that was shut down it ends at once as
    /// aborted.
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        match &self.state.place {
            Place::Pool { pool, .. } => pool.spawn(&self.state, future),
            Place::Inline { inline, .. } => inline.spawn(&self.state, future),
        }
    }

    /// CPU time used so far, in arrears by at most a millisecond for each worker and the polls
    /// under way. Without threads it is what was charged by [`Account::charge`]: real time has no
    /// place in a repeatable run.
    pub fn cpu_time(&self) -> Duration {
        Duration::from_nanos(self.state.cpu.load(Relaxed))
    }

    /// Adds CPU time that was spent for this container elsewhere; it counts towards its share
    /// and its limit. Without threads its tasks wait for as long: see [`PodExecutor::inline`].
    ///
    /// [`PodExecutor::inline`]: super::PodExecutor::inline
    pub fn charge(&self, cpu: Duration) {
        let cpu = Nanos::try_from(cpu.as_nanos()).unwrap_or(Nanos::MAX);
        match &self.state.place {
            Place::Pool { pool, key } => pool.charge(*key, cpu),
            Place::Inline { bill, .. } => lock(bill).charge(cpu),
        }
        self.state.used(cpu);
    }

    /// What the limit has done so far: nothing is counted while there is none. Without threads what
    /// is ahead of a task that waits already counts.
    pub fn throttling(&self) -> Throttling {
        match &self.state.place {
            Place::Pool { pool, key } => pool.throttling(*key),
            Place::Inline { bill, .. } => lock(bill).throttling(),
        }
    }

    /// Changes the weight, for what is used from now on.
    pub fn set_weight(&self, weight: Weight) {
        if let Place::Pool { pool, key } = &self.state.place {
            pool.set_weight(*key, weight);
        }
    }

    /// Changes the limit; what was used over the old one is still earned, at the new rate.
    pub fn set_limit(&self, limit: Option<MilliCpu>) {
        match &self.state.place {
            Place::Pool { pool, key } => pool.set_limit(*key, limit),
            Place::Inline { bill, .. } => lock(bill).set_limit(limit, Instant::now()),
        }
    }
}

impl AccountState {
    /// Queues a task of this account: it is ready to be polled.
    pub(super) fn ready(&self, task: Arc<TaskCore>) {
        match &self.place {
            Place::Pool { pool, key } => pool.ready(*key, task),
            Place::Inline { inline, .. } => inline.ready(task),
        }
    }

    /// Has the future of an aborted task dropped.
    pub(super) fn doom(&self, task: Arc<TaskCore>) {
        match &self.place {
            Place::Pool { pool, .. } => pool.doom(task),
            Place::Inline { inline, .. } => inline.doom(task),
        }
    }

    /// The account's name in its pool's queue.
    pub(super) fn key(&self) -> Option<AccountKey> {
        match &self.place {
            Place::Pool { key, .. } => Some(*key),
            Place::Inline { .. } => None,
        }
    }

    /// Whether its tasks have used time that has not passed yet.
    pub(super) fn owes(&self) -> bool {
        matches!(&self.place, Place::Inline { bill, .. } if lock(bill).is_due())
    }

    /// Settles that; until when a task has to wait.
    pub(super) fn pay(&self) -> Option<Instant> {
        match &self.place {
            Place::Inline { bill, .. } => lock(bill).pay(Instant::now()),
            Place::Pool { .. } => None,
        }
    }

    pub(super) fn used(&self, cpu: Nanos) {
        self.cpu.fetch_add(cpu, Relaxed);
    }
}

impl PartialEq for AccountState {
    /// An account is equal to itself only.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl fmt::Debug for AccountState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccountState").field("name", &self.name).finish_non_exhaustive()
    }
}
