//! The time that guests see.
//!
//! Both WASI clocks follow tokio's clock, so that a Pod on virtual time lives in it as a whole:
//! sleeps are tokio's timers in wasmtime-wasi, and a guest that slept an hour sees an hour passed.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// A Pod's clock; copies show the same time.
#[derive(Clone, Copy, Debug)]
pub struct PodClock {
    start: Instant,
    wall: Wall,
}

#[derive(Clone, Copy, Debug)]
enum Wall {
    /// The host's, with its corrections.
    Host,
    /// A date at the start, and from there on tokio's time.
    From(Duration),
}

impl PodClock {
    /// The host's time; the monotonic clock starts now.
    pub fn real() -> Self {
        Self { start: Instant::now(), wall: Wall::Host }
    }

    /// Whether the wall clock is the host's own.
    pub(crate) fn is_real(&self) -> bool {
        matches!(self.wall, Wall::Host)
    }

    /// Virtual time: the wall clock shows `epoch` now and moves with tokio's clock.
    pub fn from_epoch(epoch: SystemTime) -> Self {
        let since = epoch.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), wall: Wall::From(since) }
    }
}

impl HostMonotonicClock for PodClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl HostWallClock for PodClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        match self.wall {
            Wall::Host => {
                SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
            }
            Wall::From(epoch) => epoch + self.start.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_clocks_follow_virtual_time() {
        let clock = PodClock::from_epoch(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(HostMonotonicClock::now(&clock), 3_600_000_000_000);
        assert_eq!(HostWallClock::now(&clock), Duration::from_secs(4_600));
    }
}
