//! What computing costs on virtual time: time.
//!
//! Pure: clock and usage come in. A container has a core of its own: what a task of it has used
//! passes before the task goes on, after what others of the container have used before, and more
//! than that where its limit is below a core. Requests have no meaning, as nobody competes.

use std::time::Duration;

use tokio::time::Instant;

use super::clock::{MILLISECOND, Nanos};
use super::share::MilliCpu;
use super::throttle::Throttle;
use super::throttling::{Meter, Throttling, Want};

/// What an account has used and not yet waited for.
#[derive(Debug, Default)]
pub(super) struct Bill {
    unpaid: Nanos,
    /// Until when the core is taken, from the first payment on.
    busy_until: Option<Instant>,
    /// For accounts with a limit, from the first payment on.
    limit: Option<MilliCpu>,
    throttle: Option<(Instant, Throttle)>,
    meter: Option<(Instant, Meter)>,
}

impl Bill {
    pub(super) fn new(limit: Option<MilliCpu>) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(super) fn charge(&mut self, cpu: Nanos) {
        self.unpaid = self.unpaid.saturating_add(cpu);
    }

    /// Whether it is time to pay. Timers count in milliseconds: what is less waits for more.
    pub(super) fn is_due(&self) -> bool {
        self.unpaid >= MILLISECOND
    }

    /// Pays what is due; until when the payer has to wait for that.
    pub(super) fn pay(&mut self, now: Instant) -> Option<Instant> {
        let cpu = self.unpaid - self.unpaid % MILLISECOND;
        if cpu == 0 {
            return None;
        }
        self.unpaid -= cpu;
        let free = self.busy_until.map_or(now, |until| until.max(now));
        let computed = free + Duration::from_nanos(cpu);
        self.busy_until = Some(computed);
        let Some(limit) = self.limit else { return Some(computed) };
        let (since, throttle) = self.throttle.get_or_insert_with(|| (now, Throttle::new(limit, 0)));
        throttle.charge(cpu, nanos(computed - *since));
        let held = throttle.held_until().map(|until| *since + Duration::from_nanos(until));
        let paid = held.map_or(computed, |held| held.max(computed));
        self.count([now, free, computed, paid]);
        Some(paid)
    }

    /// Of four moments in a row the first is now; then come a wait for the core, computing, a hold.
    fn count(&mut self, moments: [Instant; 4]) {
        let (since, meter) = self.meter.get_or_insert_with(|| (moments[0], Meter::new(0)));
        let [now, free, computed, paid] = moments.map(|moment| nanos(moment - *since));
        // The wait is that of a task which is counted already.
        meter.pass(Want::Nothing, now);
        meter.pass(Want::Run, free);
        meter.pass(Want::Run, computed);
        meter.pass(Want::Held(paid), paid);
    }

    pub(super) fn throttling(&self) -> Throttling {
        self.meter.as_ref().map(|(_, meter)| meter.throttling()).unwrap_or_default()
    }

    pub(super) fn set_limit(&mut self, limit: Option<MilliCpu>, now: Instant) {
        self.limit = limit;
        match (limit, &mut self.throttle) {
            (Some(limit), Some((since, throttle))) => {
                throttle.set_limit(limit, nanos(now - *since))
            }
            (_, throttle) => *throttle = None,
        }
    }
}

fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a spinner takes for so many milliseconds of computing, one at a time.
    fn takes(limit: Option<u32>, milliseconds: u64) -> Duration {
        let mut bill = Bill::new(limit.and_then(MilliCpu::new));
        let start = Instant::now();
        let mut now = start;
        for _ in 0..milliseconds {
            bill.charge(MILLISECOND);
            assert!(bill.is_due());
            now = bill.pay(now).unwrap();
        }
        now - start
    }

    #[test]
    fn computing_takes_its_time_and_more_under_a_limit() {
        assert_eq!(takes(None, 1000), Duration::from_secs(1));
        assert_eq!(takes(Some(2000), 1000), Duration::from_secs(1));
        assert_eq!(takes(Some(500), 1000), Duration::from_secs(2));
        assert_eq!(takes(Some(100), 1000), Duration::from_secs(10));
    }

    #[test]
    fn two_tasks_share_the_core_of_their_account() {
        for (limit, wanted) in [(None, 1), (Some(2000), 1), (Some(500), 2)] {
            let mut bill = Bill::new(limit.and_then(MilliCpu::new));
            let start = Instant::now();
            let mut tasks = [start; 2];
            for _ in 0..500 {
                for task in &mut tasks {
                    bill.charge(MILLISECOND);
                    *task = bill.pay(*task).unwrap();
                }
            }
            assert_eq!(tasks[1] - start, Duration::from_secs(wanted));
            assert!(tasks[0] < tasks[1] && tasks[1] - tasks[0] <= Duration::from_millis(2));
        }
    }

    #[test]
    fn holds_are_counted_in_periods_and_time() {
        let mut bill = Bill::new(MilliCpu::new(250));
        let mut now = Instant::now();
        for _ in 0..250 {
            bill.charge(MILLISECOND);
            now = bill.pay(now).unwrap();
        }
        let Throttling { nr_periods, nr_throttled, throttled_time } = bill.throttling();
        assert_eq!((nr_periods, nr_throttled), (10, 10));
        assert_eq!(throttled_time, Duration::from_millis(750));
        // A second without work.
        bill.charge(MILLISECOND);
        bill.pay(now + Duration::from_secs(1));
        assert_eq!((bill.throttling().nr_periods, bill.throttling().nr_throttled), (11, 10));
        bill.set_limit(None, now + Duration::from_secs(2));
        bill.charge(MILLISECOND);
        bill.pay(now + Duration::from_secs(2));
        assert_eq!(bill.throttling().nr_periods, 11);
    }

    #[test]
    fn an_idle_core_is_free_at_once() {
        let (mut bill, now) = (Bill::new(None), Instant::now());
        let later = now + Duration::from_secs(1);
        for start in [now, later] {
            bill.charge(MILLISECOND);
            assert_eq!(bill.pay(start), Some(start + Duration::from_millis(1)));
        }
    }

    #[test]
    fn less_than_a_millisecond_waits_for_more() {
        let (mut bill, now) = (Bill::new(None), Instant::now());
        bill.charge(MILLISECOND - 1);
        assert_eq!((bill.is_due(), bill.pay(now)), (false, None));
        bill.charge(2);
        assert_eq!(bill.pay(now), Some(now + Duration::from_millis(1)));
        bill.charge(MILLISECOND - 2);
        assert_eq!(bill.pay(now), None);
        bill.charge(1);
        assert!(bill.is_due());
    }
}
