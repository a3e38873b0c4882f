//! How often and for how long a limit has held something. Pure: the clock comes in.
//!
//! Rule: `nr_periods`, `nr_throttled` and `throttled_time` of the kernel's `cpu.stat`. Ours holds for
//! fractions of a period and not for what is left of one, so more of them are touched by a hold, and
//! each is shorter.

use std::time::Duration;

use super::clock::{MILLISECOND, Nanos};

/// `cpu.cfs_period_us`, as a kubelet leaves it.
const PERIOD: Nanos = 100 * MILLISECOND;

/// What a CPU limit has done so far. Without a limit nothing is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttling {
    /// Periods of 100 ms in which there was something to run.
    pub nr_periods: u64,
    /// How many of them it was held in.
    pub nr_throttled: u64,
    /// How long something to run was held.
    pub throttled_time: Duration,
}

/// Whether there is something to run, and whether it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Nothing,
    /// It runs, or may at any moment.
    Run,
    /// It is held until then.
    Held(Nanos),
}

/// Counts [`Throttling`] from one change to the next.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    /// Until when everything is counted.
    at: Nanos,
    wanted: Periods,
    throttled: Periods,
    throttled_time: Nanos,
}

/// Periods that were touched, each counted once.
#[derive(Clone, Debug, Default)]
struct Periods {
    count: u64,
    /// The first that is not counted yet.
    next: u64,
}

impl Meter {
    pub(super) fn new(now: Nanos) -> Self {
        Self {
            at: now,
            wanted: Periods::default(),
            throttled: Periods::default(),
            throttled_time: 0,
        }
    }

    /// It has been `want` since the last call, or since there is a limit, and until `now`.
    pub(super) fn pass(&mut self, want: Want, now: Nanos) {
        match want {
            Want::Nothing => {}
            Want::Run => self.wanted.touch(self.at, now),
            Want::Held(until) => {
                self.wanted.touch(self.at, now);
                let until = until.min(now);
                self.throttled.touch(self.at, until);
                self.throttled_time += until.saturating_sub(self.at);
            }
        }
        self.skip(now);
    }

    /// Nothing counts until `now`.
    pub(super) fn skip(&mut self, now: Nanos) {
        // Workers may report out of order.
        self.at = self.at.max(now);
    }

    pub(super) fn throttling(&self) -> Throttling {
        Throttling {
            nr_periods: self.wanted.count,
            nr_throttled: self.throttled.count,
            throttled_time: Duration::from_nanos(self.throttled_time),
        }
    }
}

impl Periods {
    fn touch(&mut self, from: Nanos, to: Nanos) {
        if from >= to {
            return;
        }
        let first = (from / PERIOD).max(self.next);
        let end = to.div_ceil(PERIOD);
        self.count += end.saturating_sub(first);
        self.next = self.next.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(meter: &Meter) -> (u64, u64, u128) {
        let Throttling { nr_periods, nr_throttled, throttled_time } = meter.throttling();
        (nr_periods, nr_throttled, throttled_time.as_millis())
    }

    #[test]
    fn periods_without_work_do_not_count() {
        let mut meter = Meter::new(0);
        meter.pass(Want::Nothing, 10 * PERIOD);
        assert_eq!(counted(&meter), (0, 0, 0));
        meter.pass(Want::Run, 10 * PERIOD + 1);
        meter.pass(Want::Nothing, 11 * PERIOD - 1);
        meter.pass(Want::Run, 11 * PERIOD);
        assert_eq!(counted(&meter), (1, 0, 0), "one period, touched twice");
        meter.pass(Want::Run, 13 * PERIOD + 1);
        assert_eq!(counted(&meter), (4, 0, 0));
    }

    #[test]
    fn a_hold_counts_as_long_as_it_lasts_and_there_is_work() {
        let mut meter = Meter::new(0);
        meter.pass(Want::Run, 10 * MILLISECOND);
        meter.pass(Want::Held(30 * MILLISECOND), 20 * MILLISECOND);
        assert_eq!(counted(&meter), (1, 1, 10));
        // Whoever was to look again came late.
        meter.pass(Want::Held(30 * MILLISECOND), 50 * MILLISECOND);
        assert_eq!(counted(&meter), (1, 1, 20));
        meter.pass(Want::Held(40 * MILLISECOND), 60 * MILLISECOND);
        assert_eq!(counted(&meter), (1, 1, 20), "it is over");
        meter.pass(Want::Held(PERIOD * 7), PERIOD * 3);
        assert_eq!(counted(&meter), (3, 3, 260));
    }

    #[test]
    fn reports_out_of_order_count_nothing_twice() {
        let mut meter = Meter::new(0);
        meter.pass(Want::Held(PERIOD), 50 * MILLISECOND);
        meter.pass(Want::Held(PERIOD), 20 * MILLISECOND);
        meter.pass(Want::Held(PERIOD), 50 * MILLISECOND);
        assert_eq!(counted(&meter), (1, 1, 50));
    }
}
