//! When an account with a CPU limit may go on. Pure: clock and usage come in.
//!
//! A bucket of tokens: time earns at the rate of the limit, CPU spends, and who is in debt waits
//! until the debt is earned. It may save a little ([`BURST`]).
//!
//! Rule: `resources.limits.cpu`. A kernel's quota gives the share of each 100 ms at once and
//! then stops the container; this one stops it for fractions of that, to the same sum.

use super::clock::{MILLISECOND, Nanos};
use super::share::MilliCpu;

/// With nothing to save, 500m became 256m: late wake-ups lose their tokens.
const BURST: Nanos = 15 * MILLISECOND;

#[derive(Debug)]
pub(super) struct Throttle {
    limit: MilliCpu,
    balance: Balance,
    at: Nanos,
}

/// CPU time that is saved or owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Balance {
    Saved(Nanos),
    Owed(Nanos),
}

impl Throttle {
    /// Starts with nothing saved and nothing owed.
    pub(super) fn new(limit: MilliCpu, now: Nanos) -> Self {
        Self { limit, balance: Balance::Saved(0), at: now }
    }

    /// Takes a new limit; what is owed is earned at the new rate from `now` on.
    pub(super) fn set_limit(&mut self, limit: MilliCpu, now: Nanos) {
        self.earn(now);
        self.limit = limit;
    }

    /// Spends `cpu`, used up to `now`.
    pub(super) fn charge(&mut self, cpu: Nanos, now: Nanos) {
        self.earn(now);
        self.balance = match self.balance {
            Balance::Saved(saved) if saved >= cpu => Balance::Saved(saved - cpu),
            Balance::Saved(saved) => Balance::Owed(cpu - saved),
            Balance::Owed(owed) => Balance::Owed(owed.saturating_add(cpu)),
        };
    }

    /// When the debt will be earned; `None` when there is none.
    pub(super) fn held_until(&self) -> Option<Nanos> {
        match self.balance {
            Balance::Saved(_) => None,
            Balance::Owed(owed) => {
                let wait = (u128::from(owed) * 1000).div_ceil(u128::from(self.limit.get()));
                Some(self.at.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX)))
            }
        }
    }

    fn earn(&mut self, now: Nanos) {
        let elapsed = now.saturating_sub(self.at);
        // Two workers may report out of order: what an earlier report earned stays earned.
        self.at = self.at.max(now);
        let earned = u128::from(elapsed) * u128::from(self.limit.get()) / 1000;
        let earned = u64::try_from(earned).unwrap_or(u64::MAX);
        self.balance = match self.balance {
            Balance::Saved(saved) => Balance::Saved(saved.saturating_add(earned).min(BURST)),
            Balance::Owed(owed) if owed > earned => Balance::Owed(owed - earned),
            Balance::Owed(owed) => Balance::Saved((earned - owed).min(BURST)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(thousandths: u32) -> MilliCpu {
        MilliCpu::new(thousandths).unwrap()
    }

    /// CPU used in `span` by an account that runs whenever it may, a millisecond at a time, and
    /// comes `late` after each hold.
    fn spin(thousandths: u32, span: Nanos, late: Nanos) -> Nanos {
        let mut throttle = Throttle::new(limit(thousandths), 0);
        let (mut now, mut used) = (0, 0);
        while now < span {
            now += MILLISECOND;
            used += MILLISECOND;
            throttle.charge(MILLISECOND, now);
            if let Some(until) = throttle.held_until() {
                now = now.max(until) + late;
            }
        }
        used
    }

    #[test]
    fn a_spinner_gets_its_limit_also_when_woken_late() {
        let second = 1000 * MILLISECOND;
        for thousandths in [100, 500, 900] {
            for late in [0, MILLISECOND / 2, MILLISECOND] {
                let used = spin(thousandths, 10 * second, late);
                let wanted = 10 * second / 1000 * u64::from(thousandths);
                assert!(
                    used.abs_diff(wanted) <= BURST + MILLISECOND,
                    "{thousandths}m late {late}: {used}"
                );
            }
        }
    }

    #[test]
    fn debt_is_earned_at_the_rate_of_the_limit() {
        let mut throttle = Throttle::new(limit(250), 0);
        throttle.charge(3 * MILLISECOND, 0);
        assert_eq!(throttle.held_until(), Some(12 * MILLISECOND));
        throttle.set_limit(limit(1000), 4 * MILLISECOND);
        assert_eq!(throttle.held_until(), Some(6 * MILLISECOND));
    }

    #[test]
    fn savings_end_at_the_burst() {
        let mut throttle = Throttle::new(limit(1000), 0);
        throttle.charge(BURST, 1_000_000 * MILLISECOND);
        assert_eq!(throttle.held_until(), None);
        throttle.charge(1, 1_000_000 * MILLISECOND);
        assert!(throttle.held_until().is_some());
    }

    proptest! {
        #[test]
        fn never_more_than_limit_and_burst(steps in prop::collection::vec((0u64..5_000_000, 0u64..3_000_000), 1..200), thousandths in 1u32..4000) {
            let mut throttle = Throttle::new(limit(thousandths), 0);
            let (mut now, mut used) = (0u64, 0u64);
            for (pause, cpu) in steps {
                now += pause;
                if throttle.held_until().is_none_or(|until| until <= now) {
                    used += cpu;
                    throttle.charge(cpu, now);
                    let earned = u128::from(now) * u128::from(thousandths) / 1000;
                    // The last charge may be in debt: it was allowed because nothing was owed.
                    prop_assert!(u128::from(used) <= earned + u128::from(BURST) + u128::from(cpu));
                }
            }
        }
    }
}
