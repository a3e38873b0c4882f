//! A Pod on virtual time: an hour passes in a moment, and each run is the same.
//!
//! The Pod lives on tokio's paused clock. When nobody has anything left to do, the clock jumps to the
//! next timer; a guest that computes uses up time by what it executes. All chance comes from a seed.
//! What the outside world does at a time of its own is not there: other Pods, sockets of the host.

use std::num::NonZeroU64;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use tokio::runtime::{self, Handle, RuntimeFlavor};

use crate::guest::{Pace, PodClock};
use crate::worker::Clock;

/// 2026-01-01T00:00:00Z, as seconds since 1970.
const EPOCH: u64 = 1_767_225_600;

/// A processor of one gigahertz that executes one instruction at each tick.
const INSTRUCTIONS_PER_MILLISECOND: NonZeroU64 = NonZeroU64::new(1_000_000).expect("above zero");

/// How a Pod lives on virtual time; see [`PodBuilder::virtual_time`](super::PodBuilder::virtual_time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualTime {
    pub(super) seed: u64,
    epoch: SystemTime,
    instructions_per_millisecond: NonZeroU64,
}

/// A Pod cannot live on virtual time as it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VirtualTimeError {
    /// Another clock, or another runtime than the one that the Pod was built in.
    #[error(
        "virtual time needs tokio's clock to be paused ({why}): build and run the Pod in a \
         current-thread runtime with `start_paused(true)`, such as `#[tokio::test(start_paused = \
         true)]` makes (tokio's feature `test-util`)"
    )]
    Clock {
        /// What is wrong with the present one.
        why: &'static str,
    },
    /// Something that has a time of its own.
    #[error("{what} cannot be on virtual time: the outside world does not wait for its clock")]
    Outside {
        /// What was asked for.
        what: &'static str,
    },
}

impl VirtualTime {
    /// Virtual time with all chance drawn from `seed`: the Pod's uid, address and ports, the
    /// random numbers of its guests. It begins at 2026-01-01T00:00:00Z, and guests execute a
    /// million instructions in a millisecond.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            epoch: SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH),
            instructions_per_millisecond: INSTRUCTIONS_PER_MILLISECOND,
        }
    }

    /// What the clocks show when the Pod is built.
    #[must_use]
    pub fn starting_at(mut self, epoch: SystemTime) -> Self {
        self.epoch = epoch;
        self
    }

    /// How much of a guest's code a virtual millisecond is. With less, guests are slower by their
    /// clocks, and a test of one that computes for long is faster by ours. Ten thousand is a
    /// sensible minimum: a call of the host, which counts as a thousand, is a tenth of a
    /// millisecond then, and with less the calls soon are all that takes time.
    #[must_use]
    pub fn instructions_per_millisecond(mut self, instructions: NonZeroU64) -> Self {
        self.instructions_per_millisecond = instructions;
        self
    }

    /// Takes this moment of tokio's clock for the beginning.
    ///
    /// # Errors
    /// [`VirtualTimeError::Clock`]
    pub(super) fn begin(self) -> Result<VirtualLife, VirtualTimeError> {
        Ok(VirtualLife {
            time: self,
            runtime: paused_runtime()?,
            worker: Clock::starting_at(Timestamp::try_from(self.epoch).unwrap_or(Timestamp::MAX)),
            guests: PodClock::from_epoch(self.epoch),
        })
    }
}

/// Virtual time that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct VirtualLife {
    time: VirtualTime,
    runtime: runtime::Id,
    /// The worker's clock, and that of the logs.
    pub(super) worker: Clock,
    pub(super) guests: PodClock,
}

impl VirtualLife {
    pub(super) fn seed(&self) -> u64 {
        self.time.seed
    }

    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.time.instructions_per_millisecond)
    }

    /// Whether time still is what it was at the beginning.
    ///
    /// # Errors
    /// [`VirtualTimeError::Clock`]
    pub(super) fn check(&self) -> Result<(), VirtualTimeError> {
        if paused_runtime()? == self.runtime {
            Ok(())
        } else {
            Err(VirtualTimeError::Clock { why: "the Pod was built in another runtime" })
        }
    }
}

/// The runtime that we are in, if its clock stands still while we are polled.
fn paused_runtime() -> Result<runtime::Id, VirtualTimeError> {
    let clock = |why| VirtualTimeError::Clock { why };
    let handle = Handle::try_current().map_err(|_| clock("there is no runtime here"))?;
    if handle.runtime_flavor() != RuntimeFlavor::CurrentThread {
        return Err(clock("the runtime here has several threads"));
    }
    if !is_paused() {
        return Err(clock("the clock here runs"));
    }
    Ok(handle.id())
}

/// tokio does not tell. A clock that runs has moved on once the machine's has, whose readings lie in
/// between.
fn is_paused() -> bool {
    let before = tokio::time::Instant::now();
    #[expect(clippy::disallowed_methods, reason = "the machine's own clock is what this needs")]
    let machine = Instant::now;
    let since = machine();
    while machine() == since {}
    tokio::time::Instant::now() == before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> String {
        VirtualTime::new(1).begin().map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn without_a_runtime_there_is_no_virtual_time() {
        assert!(refusal().contains("(there is no runtime here)"), "{}", refusal());
    }

    #[tokio::test]
    async fn a_clock_that_runs_is_refused() {
        assert!(refusal().contains("(the clock here runs)"), "{}", refusal());
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_known() {
        VirtualTime::new(1).begin().unwrap().check().unwrap();
        tokio::time::resume();
        assert!(VirtualTime::new(1).begin().is_err());
    }

    #[test]
    fn the_runtime_must_stay_the_same() {
        let paused = || {
            let mut builder = runtime::Builder::new_current_thread();
            builder.enable_time().start_paused(true).build().unwrap()
        };
        let life = paused().block_on(async { VirtualTime::new(1).begin().unwrap() });
        let error = paused().block_on(async move { life.check().unwrap_err() });
        assert!(error.to_string().contains("another runtime"), "{error}");
    }
}
