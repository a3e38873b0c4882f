//! Any order of requests, against a map in memory that knows the same rules in their plainest form.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::*;
use crate::Key;
use crate::resource::PODS;
use crate::selector::Selection;
use crate::store::{Create, Delete, Namespaces, Revision};

#[derive(Clone, Debug)]
enum Request {
    Create(u8),
    /// Sets a label; based on the newest state, or on none.
    Label(u8, u8),
    /// The same, based on a state that is too old.
    StaleLabel(u8),
    Status(u8, u8),
    Mark(u8, i64),
    Remove(u8),
    Read(u8),
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let name = 0..3_u8;
    let one = prop_oneof![
        name.clone().prop_map(Request::Create),
        (name.clone(), 0..3_u8).prop_map(|(name, value)| Request::Label(name, value)),
        name.clone().prop_map(Request::StaleLabel),
        (name.clone(), 1..3_u8).prop_map(|(name, value)| Request::Status(name, value)),
        (name.clone(), 1..50_i64).prop_map(|(name, grace)| Request::Mark(name, grace)),
        name.clone().prop_map(Request::Remove),
        name.prop_map(Request::Read),
    ];
    prop::collection::vec(one, 0..40)
}

/// An object as the model knows it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    label: Option<u8>,
    phase: u8,
    grace: Option<i64>,
}

fn seen(object: &Value) -> Known {
    let number = |pointer: &str| object.pointer(pointer)?.as_str()?.parse().ok();
    Known {
        label: number("/metadata/labels/value"),
        phase: number("/status/message").unwrap_or_default(),
        grace: object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn the_store_does_what_the_model_does(requests in requests()) {
        let world = World::new();
        let mut model: BTreeMap<String, Known> = BTreeMap::new();
        let mut mirror: BTreeMap<String, Value> = BTreeMap::new();
        let mut at = world.store.revision().unwrap();
        for request in requests {
            let before = world.store.revision().unwrap();
            let changed = carry_out(&world, &mut model, &request);
            let after = world.store.revision().unwrap();
            prop_assert_eq!(after.0, before.0 + i64::from(changed), "{:?}", request);

            let items = world.store.list(PODS, Namespaces::All, &Selection::default()).unwrap().items;
            let stored: BTreeMap<String, Known> =
                names(&items).into_iter().zip(items.iter().map(seen)).collect();
            prop_assert_eq!(&stored, &model, "{:?}", request);
            at = follow(&world, at, &mut mirror);
            let listed: BTreeMap<String, Value> = names(&items).into_iter().zip(items).collect();
            prop_assert_eq!(&mirror, &listed, "who watches knows what who lists knows");
        }
        world.store.verify().unwrap();
    }
}

/// What a watch makes of what it is told.
fn follow(world: &World, since: Revision, mirror: &mut BTreeMap<String, Value>) -> Revision {
    let changes =
        world.store.changes_since(since, PODS, Namespaces::All, &Selection::default()).unwrap();
    for change in changes.changes {
        let name = names(std::slice::from_ref(&change.object)).remove(0);
        match change.kind.as_str() {
            "ADDED" => assert!(mirror.insert(name, change.object).is_none()),
            "MODIFIED" => assert!(mirror.insert(name, change.object).is_some()),
            _ => assert!(mirror.remove(&name).is_some()),
        }
    }
    changes.revision
}

/// Returns whether it makes a revision.
fn carry_out(world: &World, model: &mut BTreeMap<String, Known>, request: &Request) -> bool {
    let (Request::Create(name)
    | Request::Label(name, _)
    | Request::StaleLabel(name)
    | Request::Status(name, _)
    | Request::Mark(name, _)
    | Request::Remove(name)
    | Request::Read(name)) = request;
    let name = format!("pod-{name}");
    let key = Key::new(PODS, "default", &name);
    let known = model.get(&name).cloned();
    let store = &world.store;
    match request {
        Request::Create(_) => {
            let made = store.create(PODS, "default", pod(&name), &Create::default());
            assert_eq!(made.is_ok(), known.is_none());
            model.entry(name).or_default();
            known.is_none()
        }
        Request::Label(_, value) => {
            let written = store.modify(&key, BY_NODE, |mut pod| {
                pod["metadata"]["labels"] = json!({ "value": value.to_string() });
                Ok(pod)
            });
            assert_eq!(written.is_ok(), known.is_some());
            let Some(known) = known else { return false };
            model.insert(name, Known { label: Some(*value), ..known.clone() });
            known.label != Some(*value)
        }
        Request::StaleLabel(_) => {
            let stale = json!({ "metadata": { "resourceVersion": "1", "labels": {} } });
            assert!(store.update(&key, stale, BY_NODE).is_err());
            false
        }
        Request::Status(_, value) => {
            let status = json!({ "status": { "phase": "Running", "message": value.to_string() } });
            let written = store.update_status(&key, status, BY_NODE);
            assert_eq!(written.is_ok(), known.is_some());
            let Some(known) = known else { return false };
            model.insert(name, Known { phase: *value, ..known.clone() });
            known.phase != *value
        }
        Request::Mark(_, grace) => {
            let options = Delete { grace_period_seconds: Some(*grace), ..Delete::default() };
            let deleted = store.delete(&key, &options);
            assert_eq!(deleted.is_ok(), known.is_some());
            let Some(known) = known else { return false };
            let shorter = known.grace.is_none_or(|given| *grace < given);
            if shorter {
                model.insert(name, Known { grace: Some(*grace), ..known });
            }
            shorter
        }
        Request::Remove(_) => {
            let options = Delete { grace_period_seconds: Some(0), ..Delete::default() };
            assert_eq!(store.delete(&key, &options).is_ok(), known.is_some());
            model.remove(&name);
            known.is_some()
        }
        Request::Read(_) => {
            assert_eq!(store.get(&key).is_ok(), known.is_some());
            false
        }
    }
}
