//! How long the cores that this process may use were idle.

use std::fs::File;
use std::io::Read as _;

use rustix::param::clock_ticks_per_second;
use rustix::thread::{CpuSet, sched_getaffinity};

use crate::executor::clock::Nanos;

/// What of `/proc/stat` is looked at: that of all cores of a large machine comes first.
const MOST: u64 = 256 << 10;

/// Reads the idle time of some cores.
#[derive(Debug)]
pub(super) struct IdleTime {
    cores: Option<CpuSet>,
    nanos_a_tick: Nanos,
}

impl IdleTime {
    pub(super) fn of_this_process() -> Self {
        Self {
            cores: sched_getaffinity(None).ok(),
            nanos_a_tick: 1_000_000_000 / clock_ticks_per_second().max(1),
        }
    }

    /// Since the start of the machine; zero if it cannot be known.
    pub(super) fn read(&self) -> Nanos {
        let mut text = String::new();
        let file = File::open("/proc/stat");
        if file.and_then(|file| file.take(MOST).read_to_string(&mut text)).is_err() {
            return 0;
        }
        let may_use = |core| self.cores.as_ref().is_none_or(|cores| is_among(core, cores));
        idle_ticks(&text, may_use).saturating_mul(self.nanos_a_tick)
    }
}

fn is_among(core: usize, cores: &CpuSet) -> bool {
    core < CpuSet::MAX_CPU && cores.is_set(core)
}

/// Ticks that the chosen cores had nothing to do, waiting for a disk included.
fn idle_ticks(stat: &str, may_use: impl Fn(usize) -> bool) -> u64 {
    let cores = stat.lines().skip(1).map_while(|line| line.strip_prefix("cpu"));
    let idle = cores.filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let core = fields.next()?.parse().ok()?;
        let mut fields = fields.skip(3).map(|field| field.parse::<u64>().unwrap_or(0));
        let (idle, waiting) = (fields.next()?, fields.next().unwrap_or(0));
        may_use(core).then_some(idle.saturating_add(waiting))
    });
    idle.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_time_of_the_chosen_cores_counts() {
        let stat = "cpu  10 0 20 300 4 0 0 0 0 0\n\
                    cpu0 5 0 10 100 1 0 0 0 0 0\n\
                    cpu1 5 0 10 200 3 0 0 0 0 0\n\
                    intr 1 2 3\nctxt 99\n";
        assert_eq!(idle_ticks(stat, |_| true), 304);
        assert_eq!(idle_ticks(stat, |core| core == 1), 203);
        assert_eq!(idle_ticks("", |_| true), 0);
        assert_eq!(idle_ticks("nonsense\ncpu\ncpux 1\ncpu0 1 2\n", |_| true), 0);
    }

    #[test]
    fn this_machine_can_be_read() {
        let idle = IdleTime::of_this_process();
        let (first, second) = (idle.read(), idle.read());
        assert!(first <= second);
    }
}
