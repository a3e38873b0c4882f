//! Accounts that want more than there is, on pretended workers and a clock of their own.

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
        let Throttling { nr_periods, nr_throttled, throttled_time } = queue.throttling(key, now);
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
