//! Where a worker reads the time: the only place.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::lifecycle::Now;

/// The clocks of one Pod.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// tokio's clock for decisions, the machine's for what the status shows.
    System,
    /// tokio's clock for both: on a paused runtime every run shows the same times.
    Virtual {
        /// The wall time at `started`.
        origin: Timestamp,
        /// The moment that `origin` belongs to.
        started: Instant,
    },
}

impl Clock {
    /// A wall clock that shows `origin` now and goes with tokio's clock.
    pub fn starting_at(origin: Timestamp) -> Self {
        Self::Virtual { origin, started: Instant::now() }
    }

    /// The present moment.
    pub fn now(&self) -> Now {
        Now { instant: Instant::now().into_std(), wall: self.wall() }
    }

    /// The present date and time alone.
    pub fn wall(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Virtual { origin, started } => {
                origin.checked_add(started.elapsed()).unwrap_or(Timestamp::MAX)
            }
        }
    }
}
