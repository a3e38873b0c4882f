//! Who runs next. Pure: tasks, CPU time and the clock come in.
//!
//! Each account has a *virtual CPU time*: what its tasks have used, divided by its weight. The
//! account that has used least goes first; within an account the task that waits longest. So two
//! accounts that always want to run get CPU in the ratio of their weights, and one that mostly
//! sleeps runs as soon as it wakes, because it has used little.
//!
//! A sleeper does not save up: when an account becomes active again it starts no further back
//! than [`CREDIT`] behind those that ran meanwhile. An account in debt to its limit is *held*:
//! its tasks stay here and nobody gets them before the debt is earned.
//!
//! Rule: weighted fair queueing, as the kernel's CPU weights (`cpu.weight`, `cpu.shares`).

use std::collections::VecDeque;

use super::clock::{MILLISECOND, Nanos};
use super::share::{MilliCpu, Weight};
use super::throttle::Throttle;

/// Virtual CPU time by which an account that slept may be behind.
const CREDIT: VirtualTime = 3 * MILLISECOND as VirtualTime;

/// Nanoseconds of CPU time of an account of weight 1000. Wide: an account of weight 2 fills 64
/// bits in a year.
type VirtualTime = u128;

/// Names an account in its queue until it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AccountKey(usize);

/// The ready tasks of all accounts.
#[derive(Debug)]
pub(super) struct Queue<T> {
    accounts: Vec<Option<Entry<T>>>,
    /// The least virtual time of those that want to run; never goes back.
    floor: VirtualTime,
    len: usize,
}

#[derive(Debug)]
struct Entry<T> {
    weight: Weight,
    used: VirtualTime,
    throttle: Option<Throttle>,
    held_until: Option<Nanos>,
    ready: VecDeque<Waiting<T>>,
    polled: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    task: T,
    since: u32,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            accounts: Vec::new(),
            floor: 0,
            len: 0,
        }
    }

    /// Opens an account, with nothing used.
    pub(super) fn open(
        &mut self,
        weight: Weight,
        limit: Option<MilliCpu>,
        now: Nanos,
    ) -> AccountKey {
        let entry = Entry {
            weight,
            used: self.floor,
            throttle: limit.map(|limit| Throttle::new(limit, now)),
            held_until: None,
            ready: VecDeque::new(),
            polled: 0,
        };
        match self.accounts.iter().position(Option::is_none) {
            Some(free) => {
                self.accounts[free] = Some(entry);
                AccountKey(free)
            }
            None => {
                self.accounts.push(Some(entry));
                AccountKey(self.accounts.len() - 1)
            }
        }
    }

    /// Closes an account; returns what was still queued. Its key is void from here on.
    pub(super) fn close(&mut self, key: AccountKey) -> Vec<T> {
        let entry = self.accounts.get_mut(key.0).and_then(Option::take);
        let left: Vec<T> = entry
            .into_iter()
            .flat_map(|entry| entry.ready)
            .map(|waiting| waiting.task)
            .collect();
        self.len -= left.len();
        left
    }

    pub(super) fn set_weight(&mut self, key: AccountKey, weight: Weight) {
        self.entry(key).weight = weight;
    }

    pub(super) fn set_limit(&mut self, key: AccountKey, limit: Option<MilliCpu>, now: Nanos) {
        let entry = self.entry(key);
        match (&mut entry.throttle, limit) {
            (Some(throttle), Some(limit)) => throttle.set_limit(limit, now),
            (throttle, limit) => *throttle = limit.map(|limit| Throttle::new(limit, now)),
        }
        entry.held_until = entry.throttle.as_ref().and_then(Throttle::held_until);
    }

    /// Queues a task of `key` behind its siblings. `tick` is now, for [`Queue::waited_through`].
    pub(super) fn push(&mut self, key: AccountKey, task: T, tick: u32) {
        let floor = self.floor;
        let entry = self.entry(key);
        if entry.ready.is_empty() && entry.polled == 0 {
            entry.catch_up(floor);
        }
        entry.ready.push_back(Waiting { task, since: tick });
        self.len += 1;
    }

    /// Takes the task to poll next. The account counts as running until [`Queue::polled`].
    pub(super) fn pop(&mut self, now: Nanos) -> Option<T> {
        let floor = self.floor;
        let mut next: Option<usize> = None;
        let mut least = VirtualTime::MAX;
        for (index, entry) in self.accounts.iter_mut().enumerate() {
            let Some(entry) = entry else { continue };
            if entry.release(now, floor) {
                if next.is_none() || entry.used < least {
                    next = Some(index);
                    least = entry.used;
                }
            }
        }
        let running = self
            .accounts
            .iter()
            .flatten()
            .filter(|entry| entry.polled > 0)
            .map(|entry| entry.used)
            .min();
        let next = next?;
        self.floor = floor.max(running.map_or(least, |running| running.min(least)));
        let entry = self.accounts[next].as_mut().expect("chosen above");
        let waiting = entry
            .ready
            .pop_front()
            .expect("only an account with ready tasks is chosen");
        entry.polled += 1;
        self.len -= 1;
        Some(waiting.task)
    }

    /// A poll of `key` is over and took `took` of real time, charged at once so that the next
    /// choice knows of it.
    pub(super) fn polled(&mut self, key: AccountKey, took: Nanos) {
        let entry = self.entry(key);
        entry.polled = entry.polled.saturating_sub(1);
        self.charge(key, took);
    }

    /// Corrects what was charged: of `took` real time only `cpu` was CPU time of
    /// ours. The limit is charged here.
    pub(super) fn settle(&mut self, key: AccountKey, took: Nanos, cpu: Nanos, now: Nanos) {
        let entry = self.entry(key);
        entry.used = entry
            .used
            .saturating_sub(entry.virtual_time(took.saturating_sub(cpu)));
        if let Some(throttle) = &mut entry.throttle {
            throttle.charge(cpu, now);
            entry.held_until = throttle.held_until();
        }
    }

    /// Charges CPU time, to be settled later.
    pub(super) fn charge(&mut self, key: AccountKey, took: Nanos) {
        let entry = self.entry(key);
        entry.used = entry.used.saturating_add(entry.virtual_time(took));
    }

    /// Takes out all tasks.
    pub(super) fn clear(&mut self) -> Vec<T> {
        self.len = 0;
        self.accounts
            .iter_mut()
            .flatten()
            .flat_map(|entry| entry.ready.drain(..))
            .map(|waiting| waiting.task)
            .collect()
    }

    /// Tasks queued, held ones included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether [`Queue::pop`] would give a task.
    pub(super) fn has_eligible(&self, now: Nanos) -> bool {
        self.eligible(now).next().is_some()
    }

    /// Whether an eligible task is queued since `tick` or earlier.
    pub(super) fn waited_through(&self, tick: u32, now: Nanos) -> bool {
        self.eligible(now)
            .filter_map(|entry| entry.ready.front())
            .any(|waiting| {
                // Ticks wrap round in 49 days: half the range behind counts as earlier.
                tick.wrapping_sub(waiting.since) < u32::MAX / 2
            })
    }

    /// When the first of the held accounts with tasks may run again.
    pub(super) fn next_release(&self) -> Option<Nanos> {
        self.accounts
            .iter()
            .flatten()
            .filter(|entry| !entry.ready.is_empty())
            .filter_map(|entry| entry.held_until)
            .min()
    }

    fn eligible(&self, now: Nanos) -> impl Iterator<Item = &Entry<T>> {
        self.accounts.iter().flatten().filter(move |entry| {
            !entry.ready.is_empty() && entry.held_until.is_none_or(|until| until <= now)
        })
    }

    fn entry(&mut self, key: AccountKey) -> &mut Entry<T> {
        self.accounts[key.0]
            .as_mut()
            .expect("an account closes after its last task and handle are gone")
    }
}

impl<T> Entry<T> {
    fn virtual_time(&self, cpu: Nanos) -> VirtualTime {
        VirtualTime::from(cpu) * 1000 / VirtualTime::from(self.weight.get())
    }

    /// A sleeper, or one that was held, keeps no more than the credit.
    fn catch_up(&mut self, floor: VirtualTime) {
        self.used = self.used.max(floor.saturating_sub(CREDIT));
    }

    /// Whether a task of this account may run now; ends a hold that is over.
    fn release(&mut self, now: Nanos, floor: VirtualTime) -> bool {
        if self.ready.is_empty() || self.held_until.is_some_and(|until| until > now) {
            return false;
        }
        if self.held_until.take().is_some() {
            self.catch_up(floor);
        }
        true
    }
}
