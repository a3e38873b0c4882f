//! How computing passes the time of a Pod on virtual time.
//!
//! The engine counts what a guest executes (its fuel). Whenever the guest leaves its code, for a
//! call of the host or because it has executed a virtual millisecond's worth of it, what it has
//! executed since is charged to its container's account. The guest's task waits for that long when
//! it next gives way: in a call that waits, or after that millisecond's worth. Calls do not count
//! towards it, so a loop of calls that do not wait gives way late, and until then the clock stands
//! still.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Result, Store};

use super::fuel::{self, FuelTank, Leaving};
use super::state::GuestState;
use crate::executor::Account;

/// What a call of the host counts as, in instructions. It is not free, and a guest that does
/// nothing but ask whether it is later yet must get there.
const HOST_CALL: u64 = 1000;

const NANOS_PER_MILLISECOND: u128 = 1_000_000;

/// How fast guests compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    instructions_per_millisecond: NonZeroU64,
}

impl Pace {
    /// So many instructions of WebAssembly in a virtual millisecond.
    pub fn new(instructions_per_millisecond: NonZeroU64) -> Self {
        Self { instructions_per_millisecond }
    }

    /// Has a Store, which must be of an engine for virtual time, compute at this pace, as long as
    /// there is fuel.
    ///
    /// # Errors
    /// The engine does not count.
    pub(crate) fn set(
        self,
        store: &mut Store<GuestState>,
        account: Account,
        tank: Option<Arc<FuelTank>>,
    ) -> Result<()> {
        let mut meter = Meter::new(self);
        let charge = move |executed, leaving| account.charge(meter.leave(executed, leaving));
        fuel::count(store, self.instructions_per_millisecond, tank, charge)
    }
}

/// Instructions made nanoseconds, to the last one in the sum.
struct Meter {
    pace: Pace,
    /// In nanoseconds times instructions a millisecond.
    rest: u128,
    /// Instructions since the guest last gave way for having executed enough of them.
    since_yield: u64,
}

impl Meter {
    fn new(pace: Pace) -> Self {
        Self { pace, rest: 0, since_yield: 0 }
    }

    /// The time of what was executed until the guest left its code, for a call or because it is
    /// done. Giving way looks like a call as well, and is free.
    fn leave(&mut self, executed: u64, leaving: Leaving) -> Duration {
        self.since_yield = self.since_yield.saturating_add(executed);
        let mut counted = executed;
        let calls = leaving == Leaving::Calls;
        if calls && self.since_yield >= self.pace.instructions_per_millisecond.get() {
            self.since_yield = 0;
        } else if calls {
            counted = executed.saturating_add(HOST_CALL);
        }
        self.time_of(counted)
    }

    fn time_of(&mut self, instructions: u64) -> Duration {
        let per_millisecond = u128::from(self.pace.instructions_per_millisecond.get());
        let sum = u128::from(instructions) * NANOS_PER_MILLISECOND + self.rest;
        self.rest = sum % per_millisecond;
        Duration::from_nanos(u64::try_from(sum / per_millisecond).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_instruction_is_lost() {
        for per_millisecond in [1, 7, 1000, 3_000_000, u64::MAX] {
            let pace = Pace::new(NonZeroU64::new(per_millisecond).unwrap());
            let mut meter = Meter::new(pace);
            let piecewise: Duration = (0..1000).map(|_| meter.time_of(3001)).sum();
            let at_once = Meter::new(pace).time_of(3_001_000);
            assert_eq!(piecewise, at_once, "{per_millisecond}");
        }
    }

    #[test]
    fn calls_cost_and_giving_way_does_not() {
        use Leaving::{Calls, Returns};
        let mut meter = Meter::new(Pace::new(NonZeroU64::new(10_000).unwrap()));
        let left = [(4000, Calls), (2000, Returns), (4000, Calls), (10_001, Calls), (0, Calls)];
        let micros = left.map(|(executed, leaving)| meter.leave(executed, leaving).as_micros());
        assert_eq!(micros, [500, 200, 400, 1000, 100]);
    }
}
