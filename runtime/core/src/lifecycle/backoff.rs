//! How long a failed thing waits before its next try.
//!
//! Pure: time comes in as a value. Two uses, one curve: a container that has ended
//! (CrashLoopBackOff) and an image that could not be got (ImagePullBackOff).
//!
//! The rule is that of client-go's `flowcontrol.Backoff` as the kubelet uses it: the first retry
//! is free, the ones after it wait 10, 20, 40, 80, 160 and then 300 seconds, counted from the
//! failure; a failure that comes more than twice the maximum after the last retry is a first one
//! again, so a run of over ten minutes forgets earlier crashes.

use std::time::{Duration, Instant};

/// The first delay of the curve; the maximum caps it too.
const INITIAL: Duration = Duration::from_secs(10);

/// When something that is not under a back-off is tried again: the kubelet's `backOffPeriod`.
pub(crate) const RETRY: Duration = Duration::from_secs(10);

/// The longest delay of a back-off: one second to five minutes, five minutes by default.
///
/// It is the kubelet's `crashLoopBackOff.maxContainerRestartPeriod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxDelay(Duration);

impl MaxDelay {
    /// `None` unless `delay` is between one second and five minutes.
    pub fn new(delay: Duration) -> Option<Self> {
        (Duration::from_secs(1)..=Duration::from_secs(300)).contains(&delay).then_some(Self(delay))
    }
}

impl Default for MaxDelay {
    fn default() -> Self {
        Self(Duration::from_secs(300))
    }
}

/// How long a Pod waits before it tries its volumes again after so many failures in a row.
///
/// The curve is that of the kubelet's volume manager: half a second, doubling to about two minutes.
pub(crate) fn volume_delay(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(500);
    const MAX: Duration = Duration::from_secs(122);
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST * 2_u32.pow(doublings)).min(MAX)
}

/// The memory of one thing that fails: one container's restarts, or its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    max: Duration,
    entry: Option<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    delay: Duration,
    /// When the delay was last raised, that is at the last retry.
    updated: Instant,
}

impl Backoff {
    /// A thing that has not failed yet.
    pub fn new(max: MaxDelay) -> Self {
        Self { max: max.0, entry: None }
    }

    /// The delay that a failure at `failed` has to wait, counted from that failure.
    ///
    /// `None` for a first failure, and for one after a long time without.
    pub fn delay(&self, failed: Instant) -> Option<Duration> {
        self.entry.filter(|entry| !self.has_expired(entry, failed)).map(|entry| entry.delay)
    }

    /// Records that the thing that failed at `failed` is being tried again at `now`.
    pub fn retry(&mut self, failed: Instant, now: Instant) {
        let delay = match self.delay(failed) {
            None => INITIAL.min(self.max),
            Some(delay) => (delay * 2).min(self.max),
        };
        self.entry = Some(Entry { delay, updated: now });
    }

    /// The present delay and when it ends, counted from the last retry: the form in which images
    /// wait.
    pub fn wait(&self) -> Option<(Duration, Instant)> {
        self.entry.map(|entry| (entry.delay, entry.updated + entry.delay))
    }

    fn has_expired(&self, entry: &Entry, failed: Instant) -> bool {
        failed.saturating_duration_since(entry.updated) > self.max * 2
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant serves as the origin of a table")]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The delays of `count` restarts of a container whose every run lasts `run`.
    fn delays(max: MaxDelay, run: Duration, count: usize) -> Vec<u64> {
        let mut backoff = Backoff::new(max);
        let mut now = Instant::now();
        (0..count)
            .map(|_| {
                let failed = now + run;
                let delay = backoff.delay(failed).unwrap_or_default();
                now = failed + delay;
                backoff.retry(failed, now);
                delay.as_secs()
            })
            .collect()
    }

    #[test]
    fn delays_double_up_to_five_minutes() {
        let five_minutes = MaxDelay::default();
        assert_eq!(delays(five_minutes, seconds(0), 8), [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(delays(five_minutes, seconds(600), 4), [0, 10, 20, 40]);
    }

    #[test]
    fn a_run_of_over_ten_minutes_forgets_earlier_crashes() {
        let mut backoff = Backoff::new(MaxDelay::default());
        let start = Instant::now();
        backoff.retry(start, start);
        backoff.retry(start, start + seconds(10));
        assert_eq!(backoff.delay(start + seconds(610)), Some(seconds(20)));
        assert_eq!(backoff.delay(start + seconds(611)), None);
        backoff.retry(start + seconds(611), start + seconds(611));
        assert_eq!(backoff.delay(start + seconds(612)), Some(seconds(10)));
    }

    #[test]
    fn the_maximum_also_caps_the_first_delay_and_the_memory() {
        let one_second = MaxDelay::new(seconds(1)).unwrap();
        assert_eq!(delays(one_second, seconds(0), 4), [0, 1, 1, 1]);
        assert_eq!(delays(one_second, seconds(3), 4), [0, 0, 0, 0]);
        let twenty_five = MaxDelay::new(seconds(25)).unwrap();
        assert_eq!(delays(twenty_five, seconds(0), 5), [0, 10, 20, 25, 25]);
    }

    #[test]
    fn volumes_are_tried_again_after_half_a_second_doubling_to_two_minutes() {
        let delays: Vec<u128> =
            [1, 2, 3, 8, 9, u32::MAX].map(|failures| volume_delay(failures).as_millis()).to_vec();
        assert_eq!(delays, [500, 1_000, 2_000, 64_000, 122_000, 122_000]);
    }

    #[test]
    fn the_maximum_is_one_second_to_five_minutes() {
        assert_eq!(MaxDelay::new(seconds(0)), None);
        assert_eq!(MaxDelay::new(seconds(301)), None);
        assert_eq!(MaxDelay::new(seconds(300)), Some(MaxDelay::default()));
    }

    #[test]
    fn a_failure_before_the_last_retry_is_no_panic() {
        let mut backoff = Backoff::new(MaxDelay::default());
        let start = Instant::now();
        backoff.retry(start, start + seconds(5));
        assert_eq!(backoff.delay(start), Some(seconds(10)));
    }
}
