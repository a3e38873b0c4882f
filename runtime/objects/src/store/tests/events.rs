use std::time::Duration;

use k8s_openapi::api::core::v1::EventSource;
use serde_json::Value;

use super::world::*;
use crate::resource::EVENTS;
use crate::selector::{FieldSelector, Selection};
use crate::store::{Create, Involved, Namespaces, NewEvent};

fn back_off() -> NewEvent {
    NewEvent {
        involved: Involved {
            kind: Some("Pod".into()),
            namespace: Some("default".into()),
            name: Some("web".into()),
            uid: Some("1-2".into()),
            ..Involved::default()
        },
        event_type: "Warning".into(),
        reason: "BackOff".into(),
        message: "Back-off restarting failed container".into(),
        source: EventSource { component: Some("wasmpod".into()), host: Some("n1".into()) },
    }
}

fn events(world: &World) -> Vec<Value> {
    world.store.list(EVENTS, Namespaces::All, &Selection::default()).unwrap().items
}

#[test]
fn the_same_event_is_counted() {
    let world = World::new();
    let first = world.store.record(&back_off()).unwrap();
    assert!(first["metadata"]["name"].as_str().unwrap().starts_with("web."));
    world.pass(Duration::from_secs(10));
    let mut later = back_off();
    later.involved.resource_version = Some("7".into());
    let second = world.other().record(&later).unwrap();
    assert_eq!(second["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(second["count"], 2);
    assert_eq!(second["firstTimestamp"], "2026-11-30T20:00:00Z");
    assert_eq!(second["lastTimestamp"], "2026-11-30T20:00:10Z");

    let other = NewEvent { message: "another".into(), ..back_off() };
    world.store.record(&other).unwrap();
    assert_eq!(events(&world).len(), 2);
    let fields =
        FieldSelector::parse(EVENTS, "involvedObject.uid=1-2,reason=BackOff,type=Warning").unwrap();
    let selection = Selection { fields, ..Selection::default() };
    let found = world.store.list(EVENTS, Namespaces::One("default"), &selection).unwrap();
    assert_eq!(found.items.len(), 2);
}

#[test]
fn an_event_lives_for_an_hour_after_it_was_last_told() {
    let world = World::new();
    world.store.record(&back_off()).unwrap();
    world.pass(Duration::from_secs(1800));
    world.store.record(&back_off()).unwrap();
    world.pass(Duration::from_secs(3599));
    assert_eq!(events(&world).len(), 1);
    world.pass(Duration::from_secs(2));
    assert_eq!(events(&world).len(), 0, "though nobody has written since");
    let new = world.store.record(&back_off()).unwrap();
    assert_eq!(new["count"], 1);
    assert_eq!(events(&world), [new]);
}

#[test]
fn old_events_are_told_to_be_gone() {
    let world = World::new();
    world.store.record(&back_off()).unwrap();
    world.pass(Duration::from_secs(3601));
    let since = world.store.revision().unwrap();
    world.store.keep_house().unwrap();
    let changes =
        world.store.changes_since(since, EVENTS, Namespaces::All, &Selection::default()).unwrap();
    assert_eq!(changes.changes.len(), 1);
    assert_eq!(changes.changes[0].kind.as_str(), "DELETED");
}

#[test]
fn a_clients_event_is_counted_with_the_rest() {
    let world = World::new();
    let mut event = world.store.record(&back_off()).unwrap();
    let metadata = serde_json::json!({ "name": "mine", "namespace": "default" });
    event["metadata"] = metadata;
    event["message"] = "mine".into();
    world.store.create(EVENTS, "default", event, &Create::default()).unwrap();
    let again = NewEvent { message: "mine".into(), ..back_off() };
    assert_eq!(world.store.record(&again).unwrap()["metadata"]["name"], "mine");
}

#[test]
fn an_old_event_does_not_keep_its_name() {
    let world = World::new();
    let manifest = serde_json::json!({ "metadata": { "name": "mine", "namespace": "default" },
        "involvedObject": { "namespace": "default" } });
    let create = || world.store.create(EVENTS, "default", manifest.clone(), &Create::default());
    let first = create().unwrap();
    world.pass(Duration::from_secs(3601));
    let since = world.store.revision().unwrap();
    let second = create().unwrap();
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    let told =
        world.store.changes_since(since, EVENTS, Namespaces::All, &Selection::default()).unwrap();
    let kinds: Vec<&str> = told.changes.iter().map(|change| change.kind.as_str()).collect();
    assert_eq!(kinds, ["DELETED", "ADDED"]);
}
