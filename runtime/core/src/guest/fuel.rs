//! A budget of instructions for each run of a container.
//!
//! | annotation | value |
//! |---|---|
//! | `wasmpod.dev/fuel` | units of fuel, 1 or more: of each container of the Pod |
//! | `wasmpod.dev/fuel.<container>` | the same, of one |
//!
//! The engine counts what a guest executes: a unit is about an instruction of WebAssembly, the same in
//! each run. When the budget is used up the run ends. The instances of an HTTP handler and the commands
//! beside a run draw on one tank. Each that runs sees what others have drawn when it enters or
//! returns to its code, so that many at once may together go over by what each executes in between; one
//! alone ends at the same instruction each time.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use k8s_openapi::api::core::v1::Container;
use wasmtime::{CallHook, Result, Store};

use super::annotation::{Annotation, AnnotationError};
use super::state::GuestState;
use crate::manifest::annotation::{FUEL, fuel};

/// A guest on real time gives way after so much, which is less than a millisecond.
const SLICE: NonZeroU64 = NonZeroU64::new(1_000_000).expect("above zero");

/// What a container may execute in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuelBudget(NonZeroU64);

impl FuelBudget {
    /// The budget of `container` in a Pod with these annotations, if it has one.
    ///
    /// # Errors
    /// [`AnnotationError`] for what is no number above zero.
    pub fn of(
        annotations: Option<&BTreeMap<String, String>>,
        container: &Container,
    ) -> Result<Option<Self>, AnnotationError> {
        let annotation = Annotation { grammar: FUEL, annotations, container: &container.name };
        annotation.read(|text| fuel(text).map(|units| Some(Self(units))), None)
    }

    /// The budget of one run.
    pub fn tank(self) -> Arc<FuelTank> {
        Arc::new(FuelTank { budget: self.0, left: AtomicU64::new(self.0.get()) })
    }
}

/// What is left of a run's budget.
#[derive(Debug)]
pub struct FuelTank {
    budget: NonZeroU64,
    left: AtomicU64,
}

impl FuelTank {
    /// What there was at the beginning.
    pub(super) fn budget(&self) -> NonZeroU64 {
        self.budget
    }

    fn left(&self) -> u64 {
        self.left.load(Relaxed)
    }

    fn draw(&self, executed: u64) {
        self.left.update(Relaxed, Relaxed, |left| left.saturating_sub(executed));
    }
}

/// How a guest has left its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// For a call of the host, or to give way.
    Calls,
    /// It is done.
    Returns,
}

/// Has a Store, which must be of an engine that counts, give way after each `slice`, and tells `charge`
/// what was executed whenever its guest leaves its code. Without a tank there is no end to it.
///
/// # Errors
/// The engine does not count.
pub(super) fn count(
    store: &mut Store<GuestState>,
    slice: NonZeroU64,
    tank: Option<Arc<FuelTank>>,
    mut charge: impl FnMut(u64, Leaving) + Send + Sync + 'static,
) -> Result<()> {
    let mut left = tank.as_ref().map_or(u64::MAX, |tank| tank.left());
    store.set_fuel(left)?;
    store.fuel_async_yield_interval(Some(slice.get()))?;
    store.call_hook(move |mut store, hook| {
        let leaving = match hook {
            CallHook::CallingHost => Leaving::Calls,
            CallHook::ReturningFromWasm => Leaving::Returns,
            CallHook::ReturningFromHost | CallHook::CallingWasm => {
                let others = tank.as_ref().map(|tank| tank.left()).filter(|now| *now < left);
                if let Some(now) = others {
                    left = now;
                    store.set_fuel(left)?;
                }
                return Ok(());
            }
        };
        let now = store.get_fuel()?;
        let executed = left.saturating_sub(now);
        left = now;
        if let Some(tank) = &tank {
            tank.draw(executed);
        }
        charge(executed, leaving);
        Ok(())
    });
    Ok(())
}

/// As [`count`], for a guest on real time, whose executor charges what it has run by the clock.
///
/// # Errors
/// As of [`count`].
pub(super) fn limit(store: &mut Store<GuestState>, tank: Arc<FuelTank>) -> Result<()> {
    count(store, SLICE, Some(tank), |_, _| {})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(annotations: &[(&str, &str)]) -> Result<Option<u64>, String> {
        let annotations = annotations.iter();
        let annotations =
            annotations.map(|(name, value)| (format!("wasmpod.dev/{name}"), (*value).to_owned()));
        let container = Container { name: "web".to_owned(), ..Container::default() };
        let budget = FuelBudget::of(Some(&annotations.collect()), &container);
        budget.map(|budget| budget.map(|budget| budget.0.get())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_containers_own_budget_comes_before_the_pods() {
        assert_eq!(budget(&[]), Ok(None));
        assert_eq!(budget(&[("fuel", "1000")]), Ok(Some(1000)));
        assert_eq!(budget(&[("fuel", "1000"), ("fuel.web", " 7 ")]), Ok(Some(7)));
        assert_eq!(budget(&[("fuel.other", "7")]), Ok(None));
        for nonsense in ["0", "-1", "+1", "", "1e9", "much", "18446744073709551616"] {
            let error = budget(&[("fuel.web", nonsense)]).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "annotation `wasmpod.dev/fuel.web`: {nonsense:?} is not a number of units of fuel, 1 or more"
                )
            );
        }
    }

    #[test]
    fn a_tank_has_no_more_than_its_budget() {
        let tank = FuelBudget(NonZeroU64::new(10).unwrap()).tank();
        tank.draw(4);
        assert_eq!(tank.left(), 6);
        tank.draw(7);
        assert_eq!((tank.left(), tank.budget().get()), (0, 10));
    }
}
