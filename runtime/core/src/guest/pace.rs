//! How computing passes the time of a Pod on virtual time.
//!
//! The engine counts what a guest executes (its fuel). Whenever the guest leaves its code, for a
//! call of the host or because it has computed for a virtual millisecond, what it has executed since
//! is charged to its container's account, whose tasks then wait for that long.

use std::num::NonZeroU64;
use std::time::Duration;

use wasmtime::{CallHook, Result, Store};

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

    /// Has a Store, which must be of an engine for virtual time, compute at this pace.
    ///
    /// # Errors
    /// The engine does not count.
    pub(crate) fn set(self, store: &mut Store<GuestState>, account: Account) -> Result<()> {
        let mut left = u64::MAX;
        store.set_fuel(left)?;
        store.fuel_async_yield_interval(Some(self.instructions_per_millisecond.get()))?;
        let mut meter = Meter { pace: self, rest: 0 };
        store.call_hook(move |store, hook| {
            match hook {
                CallHook::CallingHost | CallHook::ReturningFromWasm => {
                    let now = store.get_fuel()?;
                    let executed = left.saturating_sub(now);
                    left = now;
                    account.charge(meter.time_of(executed.saturating_add(HOST_CALL)));
                }
                CallHook::ReturningFromHost | CallHook::CallingWasm => {}
            }
            Ok(())
        });
        Ok(())
    }
}

/// Instructions made nanoseconds, to the last one in the sum.
struct Meter {
    pace: Pace,
    /// In nanoseconds times instructions a millisecond.
    rest: u128,
}

impl Meter {
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
            let mut meter = Meter { pace, rest: 0 };
            let piecewise: Duration = (0..1000).map(|_| meter.time_of(3001)).sum();
            let at_once = Meter { pace, rest: 0 }.time_of(3_001_000);
            assert_eq!(piecewise, at_once, "{per_millisecond}");
        }
    }
}
