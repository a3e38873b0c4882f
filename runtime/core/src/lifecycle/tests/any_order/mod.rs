//! The plan in a world where anything may happen in any order.
//!
//! Two worlds. In the first, what was begun comes to an end some day, well or badly, in any order,
//! while somebody may stop the Pod: there the [promises] of the life cycle must hold, and a second
//! [model], which knows nothing but the whole history, must come to the same after every step. In the
//! second, events come that belong to nothing: there the plan must neither panic nor run in circles,
//! and what is terminal must stay so.

mod happenings;
mod model;
mod pods;
mod promises;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use super::super::{Action, Now, Observed, Spec, plan, status};
use happenings::{Happening, event, life};
use pods::{AnyPod, pod};
use world::{Watch, World, beginning};

/// `PROPTEST_CASES` asks for more: so many Pods as CI has time for.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.max(2_000), ..asked }
}

fn live(pod: AnyPod, happenings: Vec<Happening>, watch: Watch) {
    let mut world = World::new(pod, watch);
    for happening in happenings {
        if world.torn_down {
            return;
        }
        world.happens(happening);
    }
    if !world.torn_down {
        world.finish();
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_promises_hold_in_any_order(pod in pod(), happenings in life()) {
        live(pod, happenings, Watch::Promises);
    }

    #[test]
    fn a_second_model_agrees_in_any_order(pod in pod(), happenings in life()) {
        live(pod, happenings, Watch::Model);
    }

    #[test]
    fn events_that_belong_to_nothing_do_no_harm(
        pod in pod(),
        events in prop::collection::vec((event(), 0..20_000_u64), 0..80),
    ) {
        let spec = pod.spec;
        let mut now = beginning();
        let mut observed = Observed::new(&spec, now);
        let mut shown = status(&spec, &observed, None, now.wall);
        for (event, millis) in events {
            let passed = Duration::from_millis(millis);
            now = Now { instant: now.instant + passed, wall: now.wall + passed };
            let was_gone = observed.is_gone();
            observed.apply(&spec, event, now);
            settle(&spec, &mut observed, now, was_gone)?;
            let new = status(&spec, &observed, Some(&shown), now.wall);
            if matches!(shown.phase.as_deref(), Some("Succeeded" | "Failed")) {
                prop_assert_eq!(&new.phase, &shown.phase);
            }
            shown = new;
        }
    }
}

/// Begins what the plan says, and never ends it.
fn settle(
    spec: &Spec,
    observed: &mut Observed,
    now: Now,
    was_gone: bool,
) -> Result<(), TestCaseError> {
    for round in 0.. {
        prop_assert!(round < 100, "the plan goes in circles: {observed:#?}");
        let mut actions = plan(spec, observed, now.instant);
        prop_assert!(!was_gone || actions.is_empty(), "{actions:?} for a Pod that is gone");
        actions.retain(|action| !matches!(action, Action::WakeAt(_)));
        if actions.is_empty() {
            break;
        }
        for action in actions {
            observed.begin(spec, &action, now);
        }
    }
    Ok(())
}
