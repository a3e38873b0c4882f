//! What was used between two readings of the same Pod. Pure.

use super::values::{CpuStats, PodStats, Throttling};

impl PodStats {
    /// These figures with `usageNanoCores`: what was used since `before`, an earlier reading. A
    /// container that was not there then began with nothing.
    ///
    /// Without any time between the two it stays open.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut stats = self.clone();
        let elapsed = self.time.0.duration_since(before.time.0).as_nanos();
        let Some(elapsed) = u128::try_from(elapsed).ok().filter(|elapsed| *elapsed > 0) else {
            return stats;
        };
        stats.cpu.usage_nano_cores = Some(rate(&self.cpu, &before.cpu, elapsed));
        for container in &mut stats.containers {
            let earlier = before.containers.iter().find(|earlier| earlier.name == container.name);
            let earlier = earlier.map(|earlier| earlier.cpu).unwrap_or_default();
            container.cpu.usage_nano_cores = Some(rate(&container.cpu, &earlier, elapsed));
        }
        stats
    }
}

/// Another process under the same name may have used less than the one before it.
fn rate(now: &CpuStats, before: &CpuStats, elapsed: u128) -> u64 {
    let used = now.usage_core_nano_seconds.saturating_sub(before.usage_core_nano_seconds);
    u64::try_from(u128::from(used) * 1_000_000_000 / elapsed).unwrap_or(u64::MAX)
}

impl Throttling {
    /// The part of the periods since `before` in which it was held back, in percent; none when it
    /// had nothing to do in any.
    pub fn percent_since(&self, before: &Self) -> Option<u64> {
        let periods = self.periods.saturating_sub(before.periods);
        let held = self.throttled_periods.saturating_sub(before.throttled_periods);
        (held.saturating_mul(100) + periods / 2).checked_div(periods)
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::example;
    use super::*;

    #[test]
    fn the_rate_is_what_was_used_in_the_time_between() {
        let (mut before, now) = (example(), example());
        before.time.0 = now.time.0 - jiff::SignedDuration::from_secs(2);
        before.containers.truncate(1);
        before.containers[0].cpu.usage_core_nano_seconds = 1_000_000_000;
        before.cpu.usage_core_nano_seconds = 1_000_000_000;
        let rates: Vec<_> = now
            .since(&before)
            .containers
            .iter()
            .map(|container| container.cpu.usage_nano_cores.unwrap())
            .collect();
        assert_eq!(rates, [250_000_000, 7_500_000_000]);
        assert_eq!(now.since(&before).cpu.usage_nano_cores, Some(7_750_000_000));
    }

    #[test]
    fn without_time_or_use_there_is_no_rate() {
        let now = example();
        assert_eq!(now.since(&now).cpu.usage_nano_cores, None);
        let mut later = now.clone();
        later.time.0 += jiff::SignedDuration::from_secs(1);
        later.cpu.usage_core_nano_seconds = 0;
        assert_eq!(later.since(&now).cpu.usage_nano_cores, Some(0));
        assert_eq!(now.since(&later).cpu.usage_nano_cores, None, "the clock went back");
    }

    #[test]
    fn throttling_is_a_part_of_the_periods_between() {
        let at = |periods, throttled_periods| Throttling {
            periods,
            throttled_periods,
            ..Throttling::default()
        };
        assert_eq!(at(30, 12).percent_since(&at(10, 5)), Some(35));
        assert_eq!(at(10, 5).percent_since(&at(10, 5)), None);
        assert_eq!(at(3, 2).percent_since(&at(0, 0)), Some(67));
    }
}
