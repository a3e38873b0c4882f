//! Who runs next. Pure: tasks, CPU time and the clock come in.
//!
//! Each account has a *virtual CPU time*: what its tasks have used, divided by its weight. The
//! account that has used least goes first; within an account the task that waits longest. So two
//! accounts that always want to run get CPU in the ratio of their weights, and one that mostly
//! sleeps runs as soon as it wakes, because it has used little.
//!
//! A sleeper does not save up: when an account becomes active again it starts no further back
//! than [`CREDIT`] behind those that ran meanwhile. An account in debt to its limit is *held*:
//! its tasks stay here and nobody gets them before the debt is earned. The same holds for all
//! accounts together, which have a limit, the Pod's, and perhaps a share of the machine.
//!
//! Rule: weighted fair queueing, as the kernel's CPU weights (`cpu.weight`, `cpu.shares`).

use std::collections::VecDeque;

use super::bandwidth::{Bandwidth, Work};
use super::clock::{MILLISECOND, Nanos};
use super::share::{MilliCpu, Weight};
use super::throttling::Throttling;

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
    together: Together,
}

/// All accounts as one.
#[derive(Debug)]
struct Together {
    limit: Bandwidth,
    share: Bandwidth,
    polled: usize,
    cpu: Nanos,
    lost: Nanos,
}

/// What all accounts have used together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// CPU time.
    pub(super) cpu: Nanos,
    /// Real time of polls in which others had the core.
    pub(super) lost: Nanos,
    /// How long there was something to run and the share held it.
    pub(super) held: Nanos,
    /// Whether something runs or is ready to.
    pub(super) has_work: bool,
}

#[derive(Debug)]
struct Entry<T> {
    weight: Weight,
    used: VirtualTime,
    bandwidth: Bandwidth,
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
        let together = Together {
            limit: Bandwidth::new(None, 0),
            share: Bandwidth::new(None, 0),
            polled: 0,
            cpu: 0,
            lost: 0,
        };
        Self { accounts: Vec::new(), floor: 0, len: 0, together }
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
            bandwidth: Bandwidth::new(limit, now),
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
        self.together.polled -= entry.as_ref().map_or(0, |entry| entry.polled);
        let left: Vec<T> =
            entry.into_iter().flat_map(|entry| entry.ready).map(|waiting| waiting.task).collect();
        self.len -= left.len();
        left
    }

    pub(super) fn set_weight(&mut self, key: AccountKey, weight: Weight) {
        self.entry(key).weight = weight;
    }

    pub(super) fn set_limit(&mut self, key: AccountKey, limit: Option<MilliCpu>, now: Nanos) {
        let entry = self.entry(key);
        entry.pass(now);
        entry.bandwidth.set_limit(limit, now);
    }

    /// Limits all accounts together.
    pub(super) fn set_limit_together(&mut self, limit: Option<MilliCpu>, now: Nanos) {
        self.pass(now);
        self.together.limit.set_limit(limit, now);
    }

    /// Gives all accounts together a share of the machine; `None` is all that there is.
    pub(super) fn set_share(&mut self, share: Option<MilliCpu>, now: Nanos) {
        self.pass(now);
        self.together.share.set_limit(share, now);
    }

    /// What the limit of `key` has done so far.
    pub(super) fn throttling(&mut self, key: AccountKey, now: Nanos) -> Throttling {
        let entry = self.entry(key);
        entry.pass(now);
        entry.bandwidth.throttling()
    }

    /// What the limit of all together has done so far.
    pub(super) fn throttling_together(&mut self, now: Nanos) -> Throttling {
        self.pass(now);
        self.together.limit.throttling()
    }

    pub(super) fn totals(&mut self, now: Nanos) -> Totals {
        self.pass(now);
        let Together { share, cpu, lost, .. } = &self.together;
        let held = share.throttling().throttled_time.as_nanos();
        Totals {
            cpu: *cpu,
            lost: *lost,
            held: Nanos::try_from(held).unwrap_or(Nanos::MAX),
            has_work: self.work() != Work::None,
        }
    }

    /// Queues a task of `key` behind its siblings. `tick` is now, for [`Queue::waited_through`]; the
    /// clock is asked where a limit needs it.
    pub(super) fn push(
        &mut self,
        key: AccountKey,
        task: T,
        tick: u32,
        clock: impl FnOnce() -> Nanos,
    ) {
        let floor = self.floor;
        if self.together.is_limited() || self.entry(key).bandwidth.is_limited() {
            let now = clock();
            self.pass(now);
            self.entry(key).pass(now);
        }
        let entry = self.entry(key);
        if entry.ready.is_empty() && entry.polled == 0 {
            entry.catch_up(floor);
        }
        entry.ready.push_back(Waiting { task, since: tick });
        self.len += 1;
    }

    /// Takes the task to poll next. The account counts as running until [`Queue::polled`].
    pub(super) fn pop(&mut self, now: Nanos) -> Option<T> {
        if self.is_held(now) {
            return None;
        }
        self.pass(now);
        self.together.limit.end_hold(now);
        self.together.share.end_hold(now);
        let floor = self.floor;
        let mut next: Option<usize> = None;
        let mut least = VirtualTime::MAX;
        for (index, entry) in self.accounts.iter_mut().enumerate() {
            let Some(entry) = entry else { continue };
            if entry.release(now, floor) && (next.is_none() || entry.used < least) {
                next = Some(index);
                least = entry.used;
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
        entry.pass(now);
        let waiting = entry.ready.pop_front().expect("only an account with ready tasks is chosen");
        entry.polled += 1;
        self.together.polled += 1;
        self.len -= 1;
        Some(waiting.task)
    }

    /// A poll of `key` is over and took `took` of real time, charged at once so that the next
    /// choice knows of it.
    pub(super) fn polled(&mut self, key: AccountKey, took: Nanos, now: Nanos) {
        self.pass(now);
        self.together.polled = self.together.polled.saturating_sub(1);
        let entry = self.entry(key);
        entry.pass(now);
        entry.polled = entry.polled.saturating_sub(1);
        self.charge(key, took);
    }

    /// Corrects what was charged: for `took` real time it was `cpu` of CPU time. Limits are charged
    /// here.
    pub(super) fn settle(&mut self, key: AccountKey, took: Nanos, cpu: Nanos, now: Nanos) {
        self.pass(now);
        self.together.charge(cpu, took.saturating_sub(cpu), now);
        let entry = self.entry(key);
        entry.pass(now);
        let (charged, real) = (entry.virtual_time(took), entry.virtual_time(cpu));
        entry.used = entry.used.saturating_add(real).saturating_sub(charged);
        entry.bandwidth.charge(cpu, now);
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
        self.eligible(now).filter_map(|entry| entry.ready.front()).any(|waiting| {
            // Ticks wrap round in 49 days: half the range behind counts as earlier.
            tick.wrapping_sub(waiting.since) < u32::MAX / 2
        })
    }

    /// When the next of the held accounts with tasks may run again. A hold that is over by `now`
    /// is no reason to look again: whoever waits for it would spin.
    pub(super) fn next_release(&self, now: Nanos) -> Option<Nanos> {
        let together = self.together.held_until();
        self.accounts
            .iter()
            .flatten()
            .filter(|entry| !entry.ready.is_empty())
            .filter_map(|entry| entry.bandwidth.held_until().max(together))
            .filter(|until| *until > now)
            .min()
    }

    fn eligible(&self, now: Nanos) -> impl Iterator<Item = &Entry<T>> {
        let accounts = if self.is_held(now) { &[] } else { &*self.accounts };
        accounts
            .iter()
            .flatten()
            .filter(move |entry| !entry.ready.is_empty() && !entry.bandwidth.is_held(now))
    }

    fn is_held(&self, now: Nanos) -> bool {
        self.together.held_until().is_some_and(|until| until > now)
    }

    /// Counts the time until `now` for the limits of all together; before each change.
    fn pass(&mut self, now: Nanos) {
        if self.together.is_limited() {
            let work = self.work();
            self.together.limit.pass(work, now);
            self.together.share.pass(work, now);
        }
    }

    fn work(&self) -> Work {
        Work::of(self.len, self.together.polled)
    }

    fn entry(&mut self, key: AccountKey) -> &mut Entry<T> {
        self.accounts[key.0]
            .as_mut()
            .expect("an account closes after its last task and handle are gone")
    }
}

impl Together {
    fn is_limited(&self) -> bool {
        self.limit.is_limited() || self.share.is_limited()
    }

    fn held_until(&self) -> Option<Nanos> {
        self.limit.held_until().max(self.share.held_until())
    }

    fn charge(&mut self, cpu: Nanos, lost: Nanos, now: Nanos) {
        self.cpu = self.cpu.saturating_add(cpu);
        self.lost = self.lost.saturating_add(lost);
        self.limit.charge(cpu, now);
        self.share.charge(cpu, now);
    }
}

impl<T> Entry<T> {
    /// Counts the time until `now` for the limit; before each change.
    fn pass(&mut self, now: Nanos) {
        self.bandwidth.pass(Work::of(self.ready.len(), self.polled), now);
    }

    fn virtual_time(&self, cpu: Nanos) -> VirtualTime {
        VirtualTime::from(cpu) * 1000 / VirtualTime::from(self.weight.get())
    }

    /// A sleeper, or one that was held, keeps no more than the credit.
    fn catch_up(&mut self, floor: VirtualTime) {
        self.used = self.used.max(floor.saturating_sub(CREDIT));
    }

    /// Whether a task of this account may run now; ends a hold that is over.
    fn release(&mut self, now: Nanos, floor: VirtualTime) -> bool {
        if self.ready.is_empty() || self.bandwidth.is_held(now) {
            return false;
        }
        self.pass(now);
        if self.bandwidth.end_hold(now) {
            self.catch_up(floor);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weight(number: u32) -> Weight {
        Weight::of_request(MilliCpu::new(number))
    }

    fn milli(number: u32) -> Option<MilliCpu> {
        MilliCpu::new(number)
    }

    /// Workers that poll for a millisecond each, side by side, on a clock of their own.
    struct Simulation {
        queue: Queue<AccountKey>,
        workers: usize,
        now: Nanos,
        used: std::collections::HashMap<usize, Nanos>,
    }

    impl Simulation {
        fn new(workers: usize) -> Self {
            Self { queue: Queue::new(), workers, now: 0, used: std::collections::HashMap::new() }
        }

        /// An account with so many tasks that always want to run.
        fn spinner(&mut self, weight: Weight, limit: Option<MilliCpu>, tasks: usize) -> AccountKey {
            let key = self.queue.open(weight, limit, self.now);
            for _ in 0..tasks {
                self.queue.push(key, key, 0, || 0);
            }
            key
        }

        fn run(&mut self, milliseconds: u64) {
            for _ in 0..milliseconds {
                let polled: Vec<_> =
                    (0..self.workers).filter_map(|_| self.queue.pop(self.now)).collect();
                self.now += MILLISECOND;
                for key in polled {
                    self.queue.polled(key, MILLISECOND, self.now);
                    self.queue.settle(key, MILLISECOND, MILLISECOND, self.now);
                    self.queue.push(key, key, 0, || 0);
                    *self.used.entry(key.0).or_default() += MILLISECOND;
                }
            }
        }

        /// In thousandths of one core.
        #[track_caller]
        fn assert_share(&self, key: AccountKey, wanted: u64) {
            let used = self.used.get(&key.0).copied().unwrap_or(0);
            let share = used * 1000 / self.now;
            assert!(share.abs_diff(wanted) <= 5, "{share} instead of {wanted}");
        }
    }

    #[test]
    fn spinners_share_a_worker_by_weight() {
        let mut simulation = Simulation::new(1);
        let small = simulation.spinner(weight(250), None, 1);
        let large = simulation.spinner(weight(750), None, 1);
        simulation.run(10_000);
        simulation.assert_share(small, 250);
        simulation.assert_share(large, 750);
    }

    #[test]
    fn two_workers_give_the_heavy_one_a_whole_core() {
        let mut simulation = Simulation::new(2);
        let heavy = simulation.spinner(weight(1000), None, 1);
        let light = simulation.spinner(weight(500), None, 1);
        let other = simulation.spinner(weight(500), None, 1);
        simulation.run(10_000);
        simulation.assert_share(heavy, 1000);
        simulation.assert_share(light, 500);
        simulation.assert_share(other, 500);
    }

    #[test]
    fn many_tasks_weigh_no_more_than_one() {
        let mut simulation = Simulation::new(1);
        let one = simulation.spinner(weight(500), None, 1);
        let many = simulation.spinner(weight(500), None, 50);
        simulation.run(10_000);
        simulation.assert_share(one, 500);
        simulation.assert_share(many, 500);
    }

    #[test]
    fn a_limit_holds_for_the_sum_and_leaves_the_rest_to_others() {
        let mut simulation = Simulation::new(2);
        let limited = simulation.spinner(weight(1000), milli(500), 4);
        let free = simulation.spinner(weight(10), None, 4);
        simulation.run(10_000);
        simulation.assert_share(limited, 500);
        simulation.assert_share(free, 1500);
    }

    #[test]
    fn a_limit_of_all_together_is_shared_by_weight_and_holds_beside_their_own() {
        let mut simulation = Simulation::new(2);
        simulation.queue.set_limit_together(milli(1500), 0);
        let small = simulation.spinner(weight(250), None, 2);
        let large = simulation.spinner(weight(750), None, 2);
        simulation.run(10_000);
        simulation.assert_share(small, 375);
        simulation.assert_share(large, 1125);

        let mut simulation = Simulation::new(2);
        simulation.queue.set_limit_together(milli(1500), 0);
        let limited = simulation.spinner(weight(750), milli(500), 2);
        let free = simulation.spinner(weight(250), None, 2);
        simulation.run(10_000);
        simulation.assert_share(limited, 500);
        simulation.assert_share(free, 1000);
    }

    #[test]
    fn a_share_of_the_machine_may_come_and_go() {
        let mut simulation = Simulation::new(2);
        let key = simulation.spinner(weight(1000), None, 2);
        simulation.queue.set_share(milli(250), 0);
        simulation.run(10_000);
        simulation.assert_share(key, 250);
        let totals = simulation.queue.totals(simulation.now);
        assert_eq!((totals.cpu, totals.lost), (simulation.used[&key.0], 0));
        // All but the quarter of a second in which two workers used half a second.
        assert!(totals.held.abs_diff(8_750 * MILLISECOND) < 50 * MILLISECOND, "{totals:?}");
        assert_eq!(simulation.queue.throttling_together(simulation.now), Throttling::default());
        simulation.queue.set_share(None, simulation.now);
        (simulation.now, simulation.used) = (0, std::collections::HashMap::new());
        simulation.run(10_000);
        simulation.assert_share(key, 2000);
    }

    #[test]
    fn a_limit_counts_its_periods_and_its_holds() {
        let counted = |queue: &mut Queue<AccountKey>, key, now| {
            let Throttling { nr_periods, nr_throttled, throttled_time } =
                queue.throttling(key, now);
            (nr_periods, nr_throttled, throttled_time.as_millis() / 100)
        };
        let mut simulation = Simulation::new(1);
        let limited = simulation.spinner(weight(1000), milli(250), 1);
        let wide = simulation.spinner(weight(1000), milli(900), 1);
        let free = simulation.spinner(weight(1), None, 1);
        simulation.run(10_000);
        let now = simulation.now;
        // What it has saved lasts for the first periods, if at all.
        let (periods, throttled, tenths) = counted(&mut simulation.queue, limited, now);
        assert!(periods == 100 && throttled >= 98 && (60..=75).contains(&tenths), "{tenths}");
        assert_eq!(counted(&mut simulation.queue, wide, now), (100, 0, 0), "it never got so far");
        assert_eq!(counted(&mut simulation.queue, free, now), (0, 0, 0));
        // The limit goes, the counts stay.
        simulation.queue.set_limit(limited, None, now);
        simulation.run(1000);
        let now = simulation.now;
        assert_eq!(counted(&mut simulation.queue, limited, now), (100, throttled, tenths));
    }

    #[test]
    fn a_changed_weight_counts_from_then_on() {
        let mut simulation = Simulation::new(1);
        let first = simulation.spinner(weight(100), None, 1);
        let second = simulation.spinner(weight(100), None, 1);
        simulation.run(10_000);
        simulation.queue.set_weight(second, weight(900));
        simulation.used.clear();
        simulation.now = 0;
        simulation.run(10_000);
        simulation.assert_share(first, 100);
        simulation.assert_share(second, 900);
    }

    #[test]
    fn a_lifted_limit_frees_what_it_held() {
        let mut queue = Queue::new();
        let key = queue.open(weight(1), milli(1), 0);
        queue.push(key, "task", 0, || 0);
        queue.charge(key, MILLISECOND);
        queue.settle(key, MILLISECOND, MILLISECOND, 0);
        assert_eq!(queue.pop(0), None);
        assert_eq!(queue.next_release(0), Some(1000 * MILLISECOND));
        assert_eq!(queue.next_release(1000 * MILLISECOND), None, "nobody waits for the past");
        queue.set_limit(key, None, 0);
        assert_eq!(queue.next_release(0), None);
        assert_eq!(queue.pop(0), Some("task"));
    }

    #[test]
    fn a_sleeper_runs_at_once_but_saves_up_no_more_than_the_credit() {
        let mut queue = Queue::new();
        let sleeper = queue.open(weight(1000), None, 0);
        let spinner = queue.open(weight(1000), None, 0);
        for _ in 0..1000 {
            queue.push(spinner, "spinner", 0, || 0);
            assert_eq!(queue.pop(0), Some("spinner"));
            queue.polled(spinner, MILLISECOND, 0);
        }
        queue.push(spinner, "spinner", 0, || 0);
        let mut turns = String::new();
        queue.push(sleeper, "sleeper", 0, || 0);
        for _ in 0..10 {
            let task = queue.pop(0).unwrap();
            turns.push_str(&task[..2]);
            let key = if task == "sleeper" { sleeper } else { spinner };
            queue.polled(key, MILLISECOND, 0);
            queue.push(key, task, 0, || 0);
        }
        // It slept for a second: five turns ahead (the spinner's last poll, the credit, a tie), then
        // in turn.
        insta::assert_snapshot!(turns, @"slslslslslspslspslsp");
    }

    #[test]
    fn ping_pong_never_waits_a_tick_and_a_held_task_does_not_count() {
        let mut queue = Queue::new();
        let key = queue.open(weight(1000), milli(100), 0);
        queue.push(key, (), 7, || 0);
        assert!(!queue.waited_through(6, 0), "queued in the present tick");
        assert!(queue.waited_through(7, 0));
        queue.charge(key, MILLISECOND);
        queue.settle(key, MILLISECOND, MILLISECOND, 0);
        assert!(!queue.waited_through(9, 0));
        assert!(queue.waited_through(9, 10 * MILLISECOND));
    }

    #[test]
    fn a_key_is_used_again_and_what_was_queued_comes_back() {
        let mut queue = Queue::new();
        let first = queue.open(weight(1), None, 0);
        queue.push(first, "a", 0, || 0);
        queue.push(first, "b", 0, || 0);
        assert_eq!(queue.close(first), ["a", "b"]);
        assert_eq!(queue.len(), 0);
        assert_eq!(queue.open(weight(1), None, 0), first);
        assert_eq!(queue.pop(0), None);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(usize),
        Pop,
        Finish { took: u64, cpu: u64, again: bool },
        Pass(u64),
        Limit(usize, u32),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0usize..3).prop_map(Step::Push),
            4 => Just(Step::Pop),
            4 => (0u64..5_000_000, 0u64..5_000_000, any::<bool>())
                .prop_map(|(took, cpu, again)| Step::Finish { took, cpu, again }),
            2 => (0u64..50_000_000).prop_map(Step::Pass),
            1 => (0usize..3, 0u32..2000).prop_map(|(account, limit)| Step::Limit(account, limit)),
            1 => Just(Step::Clear),
        ]
    }

    proptest! {
        /// Whatever happens, no task is lost or doubled, and only a hold keeps tasks back.
        #[test]
        fn every_task_comes_out_once(steps in prop::collection::vec(step(), 1..300)) {
            let mut queue = Queue::new();
            let keys: Vec<_> = [2, 100, 1000].map(|number| queue.open(weight(number), None, 0)).into();
            let (mut now, mut queued, mut polled, mut number) = (0, std::collections::HashMap::new(), Vec::new(), 0u32);
            for step in steps {
                match step {
                    Step::Push(account) => {
                        number += 1;
                        queue.push(keys[account], number, 0, || 0);
                        queued.insert(number, keys[account]);
                    }
                    Step::Pop => match queue.pop(now) {
                        Some(task) => polled.push((queued.remove(&task).expect("queued once"), task)),
                        None => prop_assert!(queued.is_empty() || queue.next_release(now).is_some()),
                    },
                    Step::Finish { took, cpu, again } => if let Some((key, task)) = polled.pop() {
                        queue.polled(key, took, now);
                        queue.settle(key, took, cpu.min(took), now);
                        if again {
                            queue.push(key, task, 0, || 0);
                            queued.insert(task, key);
                        }
                    },
                    Step::Pass(time) => now += time,
                    Step::Limit(account, limit) => queue.set_limit(keys[account], milli(limit), now),
                    Step::Clear => {
                        prop_assert_eq!(queue.clear().len(), queued.len());
                        queued.clear();
                    }
                }
                prop_assert_eq!(queue.len(), queued.len());
                prop_assert_eq!(queue.has_eligible(now), queue.waited_through(0, now));
            }
            loop {
                while let Some(task) = queue.pop(now) {
                    queued.remove(&task).expect("queued once");
                }
                match queue.next_release(now) {
                    Some(until) => now = until,
                    None => break,
                }
            }
            prop_assert!(queued.is_empty());
        }
    }
}
