//! Pods on a pretended machine whose kernel shares out evenly among threads.

use proptest::prelude::*;

use super::fair_share::*;
use crate::executor::clock::{MILLISECOND, Nanos};
use crate::executor::queue::Totals;

const STEP: Nanos = MILLISECOND;

struct Pod {
    fair: FairShare,
    id: u64,
    /// Threads that want to run.
    threads: u32,
    verdict: Verdict,
    totals: Totals,
    standing: Option<Standing>,
    /// When it next looks, a bit apart from the others.
    look: Nanos,
    /// CPU time that it may use under its hold.
    allowance: i64,
}

/// A machine that also runs other programs.
struct Machine {
    cores: u32,
    others: u32,
    pods: Vec<Pod>,
    now: Nanos,
    idle: Nanos,
}

impl Machine {
    fn new(cores: u32) -> Self {
        Self { cores, others: 0, pods: Vec::new(), now: 1_000 * MILLISECOND, idle: 0 }
    }

    fn pod(&mut self, weight: u32, threads: u32) -> usize {
        let number = self.pods.len();
        self.pods.push(Pod {
            fair: FairShare::new(weight, if self.cores == 1 { || 1 } else { || 2 }),
            id: number as u64 + 1,
            threads,
            verdict: Verdict::Quiet,
            totals: Totals::default(),
            standing: None,
            look: self.now + 7 * STEP * number as u64,
            allowance: 0,
        });
        number
    }

    /// Runs, and tells what each has used in thousandths of a core.
    fn run(&mut self, time: Nanos) -> Vec<u64> {
        let before: Vec<_> = self.pods.iter().map(|pod| pod.totals.cpu).collect();
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
        let used = self.pods.iter().zip(before).map(|(pod, before)| pod.totals.cpu - before);
        used.map(|used| used * 1000 / time).collect()
    }

    fn step(&mut self) {
        self.now += STEP;
        let mut wants: Vec<u32> = Vec::new();
        for pod in &mut self.pods {
            let mut threads = pod.threads.min(self.cores);
            let is_held = match pod.verdict {
                Verdict::Held(rate) => {
                    pod.allowance += i64::from(rate.get()) * STEP.cast_signed() / 1000;
                    pod.allowance = pod.allowance.min(15 * STEP.cast_signed());
                    threads = threads.min(rate.get().div_ceil(1000));
                    pod.allowance <= 0
                }
                Verdict::Quiet | Verdict::Free => {
                    pod.allowance = 0;
                    false
                }
            };
            if is_held && threads > 0 {
                pod.totals.held += STEP;
            }
            wants.push(if is_held { 0 } else { threads });
        }
        let all = wants.iter().sum::<u32>() + self.others;
        for (pod, threads) in self.pods.iter_mut().zip(wants) {
            let wanted = Nanos::from(threads) * STEP;
            let cpu = wanted.min(wanted * Nanos::from(self.cores) / Nanos::from(all.max(1)));
            pod.totals.cpu += cpu;
            pod.totals.lost += wanted - cpu;
            if matches!(pod.verdict, Verdict::Held(_)) {
                pod.allowance -= cpu.cast_signed();
            }
        }
        self.idle += Nanos::from(self.cores.saturating_sub(all)) * STEP;
        for number in 0..self.pods.len() {
            if self.now >= self.pods[number].look {
                self.look(number);
            }
        }
    }

    fn look(&mut self, number: usize) {
        let others: Vec<_> = (self.pods.iter().enumerate())
            .filter(|(other, _)| *other != number)
            .filter_map(|(_, pod)| pod.standing)
            .collect();
        let (now, idle) = (self.now, self.idle);
        let pod = &mut self.pods[number];
        pod.verdict = pod.fair.round(View { now, own: pod.totals, others: &others, idle });
        pod.standing = (pod.verdict != Verdict::Quiet).then(|| pod.fair.standing(pod.id));
        // Not all at the same moment.
        pod.look = now + ROUND + STEP * (number as u64 % 3);
    }
}

#[track_caller]
fn assert_near(used: &[u64], wanted: &[u64]) {
    let near = |(used, wanted): (&u64, &u64)| used.abs_diff(*wanted) * 1000 <= wanted * 25;
    assert!(used.iter().zip(wanted).all(near), "{used:?} instead of {wanted:?}");
}

const SECOND: Nanos = 1_000 * MILLISECOND;

#[test]
fn unequal_pods_share_a_core_by_weight() {
    for (weights, wanted) in [
        (vec![256, 768], vec![250, 750]),
        (vec![512, 512], vec![500, 500]),
        (vec![2, 1024], vec![2, 998]),
        (vec![256, 256, 512], vec![250, 250, 500]),
    ] {
        let mut machine = Machine::new(1);
        for weight in weights {
            machine.pod(weight, 1);
        }
        machine.run(SECOND);
        let used = machine.run(10 * SECOND);
        if wanted[0] > 10 {
            assert_near(&used, &wanted);
        } else {
            assert!(used[0] < 15, "{used:?}");
        }
        let sum: u64 = used.iter().sum();
        assert!(sum >= 970, "nothing is wasted: {used:?}");
    }
}

#[test]
fn one_to_four_pods_share_two_cores() {
    for pods in 1..=4 {
        let mut machine = Machine::new(2);
        for _ in 0..pods {
            machine.pod(512, 2);
        }
        machine.run(SECOND);
        let wanted = vec![2000 / pods as u64; pods];
        assert_near(&machine.run(10 * SECOND), &wanted);
    }
}

#[test]
fn more_threads_are_no_greater_share() {
    let mut machine = Machine::new(2);
    machine.pod(512, 1);
    machine.pod(512, 8);
    machine.pod(512, 2);
    machine.run(SECOND);
    assert_near(&machine.run(10 * SECOND), &[667, 667, 667]);
}

#[test]
fn what_one_does_not_want_goes_to_the_others() {
    let mut machine = Machine::new(2);
    machine.pod(3072, 1);
    machine.pod(512, 2);
    machine.pod(512, 2);
    machine.run(SECOND);
    // It has one thread, which others push off its core now and then.
    let used = machine.run(10 * SECOND);
    assert!(used[0] > 900 && used[1] > 420 && used[2] > 420, "{used:?}");
}

#[test]
fn alone_a_pod_has_all_and_gets_it_back_at_once() {
    let mut machine = Machine::new(2);
    let first = machine.pod(256, 2);
    let second = machine.pod(768, 2);
    machine.run(SECOND);
    assert_near(&machine.run(10 * SECOND), &[500, 1500]);
    machine.pods[second].threads = 0;
    machine.pods[second].standing = None;
    machine.run(2 * ROUND + 10 * MILLISECOND);
    assert_near(&machine.run(SECOND)[..1], &[2000]);
    assert_eq!(machine.pods[first].verdict, Verdict::Free);
    machine.pods[second].threads = 2;
    machine.run(SECOND);
    assert_near(&machine.run(10 * SECOND), &[500, 1500]);
}

#[test]
fn other_programs_neither_starve_pods_nor_have_them_waste() {
    let mut machine = Machine::new(2);
    machine.pod(256, 2);
    machine.pod(768, 2);
    machine.others = 2;
    machine.run(SECOND);
    let used = machine.run(10 * SECOND);
    assert!((used[1] * 1000 / used[0]).abs_diff(3000) < 150, "{used:?}");
    assert!(used[0] + used[1] > 1000, "{used:?}");
    // The other program ends.
    machine.others = 0;
    machine.run(SECOND / 2);
    assert_near(&machine.run(10 * SECOND), &[500, 1500]);
}

#[test]
fn a_pod_that_cannot_use_its_share_holds_nobody_up() {
    let mut machine = Machine::new(2);
    machine.pod(256, 2);
    // In a cgroup of its own, say: it wants two cores, and never gets more than it has.
    let stuck = Standing { id: 99, weight: 7680, demand: 2000, cpu: 0, ahead: Some(-MOST) };
    machine.pods.push(Pod {
        fair: FairShare::new(7680, || 2),
        id: 99,
        threads: 0,
        verdict: Verdict::Free,
        totals: Totals::default(),
        standing: Some(stuck),
        look: Nanos::MAX,
        allowance: 0,
    });
    machine.run(SECOND);
    let used = machine.run(10 * SECOND);
    assert!(used[0] > 1850, "{used:?}");
}

#[test]
fn idle_pods_are_quiet() {
    let mut fair = FairShare::new(512, || 2);
    let other = Standing { id: 2, weight: 512, demand: 2000, cpu: 0, ahead: None };
    for round in 1..100 {
        let own = Totals { cpu: round * MILLISECOND, ..Totals::default() };
        let view = View { now: round * ROUND, own, others: &[other], idle: 0 };
        assert_eq!(fair.round(view), Verdict::Quiet);
    }
}

#[test]
fn shares_go_by_weight_and_never_beyond_the_demand() {
    let share = |total, claims: &[(u32, Nanos)]| {
        let claims: Vec<_> =
            claims.iter().map(|&(weight, demand)| Claim { weight, demand }).collect();
        share_of_first(total, &claims)
    };
    assert_eq!(share(1000, &[(1, 5000), (3, 5000)]), 250);
    assert_eq!(share(1000, &[(3, 100), (1, 5000)]), 100);
    assert_eq!(share(1000, &[(1, 5000), (3, 100)]), 900);
    assert_eq!(share(1000, &[(1, 5000), (8, 500), (1, 5000)]), 250);
    assert_eq!(share(1000, &[(1, 300), (1, 300)]), 300);
    assert_eq!(share(0, &[(1, 300)]), 0);
}

proptest! {
    /// Whatever the figures, nobody is granted more than there is, and nothing panics.
    #[test]
    fn shares_add_up(total in 0u64..1 << 40, claims in prop::collection::vec((1u32..1 << 18, 0u64..1 << 40), 1..9)) {
        let claims: Vec<_> = claims.iter().map(|&(weight, demand)| Claim { weight, demand }).collect();
        let mut sum = 0;
        for first in 0..claims.len() {
            let mut turned = claims.clone();
            turned.rotate_left(first);
            let share = share_of_first(total, &turned);
            prop_assert!(share <= claims[first].demand);
            sum += share;
        }
        let wanted: u64 = claims.iter().map(|claim| claim.demand).sum();
        prop_assert!(sum <= total.min(wanted) && sum + claims.len() as u64 >= total.min(wanted));
    }

    #[test]
    fn any_figures_give_a_verdict(rounds in prop::collection::vec(any::<(u32, u64, u64, u64, u32, u64, u64)>(), 1..50)) {
        let mut fair = FairShare::new(512, || 2);
        let mut now = 0;
        for (pause, cpu, lost, held, demand, other, idle) in rounds {
            now += u64::from(pause) % (3 * ROUND);
            let own = Totals { cpu: cpu >> 16, lost: lost >> 16, held: held >> 16, has_work: true };
            let ahead = Some((other << 20).cast_signed());
            let others = [Standing { id: 2, weight: demand, demand, cpu: other >> 16, ahead }];
            fair.round(View { now, own, others: &others, idle: idle >> 16 });
        }
    }
}
