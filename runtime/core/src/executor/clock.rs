//! The two real clocks that CPU time is measured with.
//!
//! Not tokio's clock: what is measured is work done by this machine, also where a Pod's own time
//! is virtual. Readings are nanoseconds and only their differences mean anything.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds, of a clock or of CPU time.
pub(super) type Nanos = u64;

pub(super) const MILLISECOND: Nanos = 1_000_000;

/// Real time; some 30 ns to read.
pub(super) fn monotonic() -> Nanos {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// CPU time of the calling thread; a system call, 0.65 µs where it was measured.
pub(super) fn thread_cpu() -> Nanos {
    nanos(clock_gettime(ClockId::ThreadCPUTime))
}

fn nanos(time: Timespec) -> Nanos {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}
