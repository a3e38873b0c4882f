use std::time::Duration;

use serde_json::{Value, json};

use super::world::*;
use crate::Key;
use crate::resource::CONFIG_MAPS;
use crate::status::Reason;
use crate::store::{Create, Delete, Deleted, Persist, Preconditions, Update};

fn within(seconds: i64) -> Delete {
    Delete { grace_period_seconds: Some(seconds), ..Delete::default() }
}

#[track_caller]
fn marked(deleted: Deleted) -> (Value, Value) {
    let Deleted::Marked(pod) = deleted else { panic!("{deleted:?}") };
    let metadata = &pod["metadata"];
    (metadata["deletionTimestamp"].clone(), metadata["deletionGracePeriodSeconds"].clone())
}

#[test]
fn a_pod_has_time_to_end_and_a_second_deletion_may_only_shorten_it() {
    let world = World::new();
    world.create(pod("web"));
    let delete = |options: &Delete| world.store.delete(&web(), options).unwrap();
    assert_eq!(marked(delete(&Delete::default())), (json!("2026-11-30T20:00:30Z"), json!(30)));
    assert_eq!(world.store.get(&web()).unwrap()["metadata"]["generation"], 2);
    world.pass(Duration::from_secs(5));
    let before = world.store.revision().unwrap();
    assert_eq!(marked(delete(&within(60))), (json!("2026-11-30T20:00:30Z"), json!(30)));
    assert_eq!(marked(delete(&Delete::default())).1, json!(30));
    assert_eq!(world.store.revision().unwrap(), before, "nothing has changed");
    // Counted from the first one.
    assert_eq!(marked(delete(&within(10))), (json!("2026-11-30T20:00:10Z"), json!(10)));
    assert_eq!(marked(delete(&within(-3))), (json!("2026-11-30T20:00:01Z"), json!(1)));
    assert!(matches!(delete(&within(0)), Deleted::Removed(_)));
    assert_eq!(refused(world.store.get(&web())).0, Reason::NotFound);
    assert_eq!(refused(world.store.delete(&web(), &within(0))).0, Reason::NotFound);
}

#[test]
fn what_has_ended_goes_at_once() {
    let world = World::new();
    world.create(pod("web"));
    world.set("/status", json!({ "phase": "Succeeded" }));
    let deleted = world.store.delete(&web(), &Delete::default()).unwrap();
    let Deleted::Removed(last) = deleted else { panic!("{deleted:?}") };
    assert_eq!(last["status"]["phase"], "Succeeded");

    world.create(pod("web"));
    assert!(matches!(world.store.delete(&web(), &within(0)).unwrap(), Deleted::Removed(_)));
}

#[test]
fn finalizers_hold_what_is_over() {
    let world = World::new();
    let mut sent = pod("web");
    sent["metadata"]["finalizers"] = json!(["a.b/c", "a.b/d"]);
    world.create(sent);
    assert_eq!(marked(world.store.delete(&web(), &within(0)).unwrap()).1, json!(0));
    let again = world.store.delete(&web(), &Delete::default()).unwrap();
    assert_eq!(marked(again).1, json!(0));
    let held = world.set("/metadata/finalizers", json!(["a.b/d"]));
    assert_eq!(world.store.get(&web()).unwrap(), held);
    world.set("/metadata/finalizers", json!([]));
    assert_eq!(refused(world.store.get(&web())).0, Reason::NotFound);
}

#[test]
fn finalizers_that_are_done_leave_a_pod_its_time() {
    let world = World::new();
    let mut sent = pod("web");
    sent["metadata"]["finalizers"] = json!(["a.b/c"]);
    world.create(sent);
    world.store.delete(&web(), &Delete::default()).unwrap();
    world.set("/metadata/finalizers", json!([]));
    assert!(world.store.get(&web()).is_ok());
    world.store.remove(&web(), &Preconditions::default()).unwrap();
    assert_eq!(refused(world.store.get(&web())).0, Reason::NotFound);
}

#[test]
fn other_kinds_have_no_time_to_end() {
    let world = World::new();
    let key = Key::new(CONFIG_MAPS, "default", "a");
    let mut map = json!({ "metadata": { "name": "a" } });
    let create = |map: &Value| {
        world.store.create(CONFIG_MAPS, "default", map.clone(), &Create::default()).unwrap()
    };
    create(&map);
    let deleted = world.store.delete(&key, &Delete::default()).unwrap();
    assert!(matches!(deleted, Deleted::Removed(_)));
    map["metadata"]["finalizers"] = json!(["a.b/c"]);
    create(&map);
    assert_eq!(marked(world.store.delete(&key, &Delete::default()).unwrap()).1, json!(0));
    let released = world.store.update(&key, json!({ "metadata": {} }), Update::default());
    assert!(released.is_ok());
    assert_eq!(refused(world.store.get(&key)).0, Reason::NotFound);
}

#[test]
fn a_precondition_must_hold() {
    let world = World::new();
    let created = world.create(pod("web"));
    let uid = created["metadata"]["uid"].as_str().unwrap();
    let version = created["metadata"]["resourceVersion"].as_str().unwrap();
    let delete = |uid: Option<&str>, version: Option<&str>| {
        let preconditions = Preconditions {
            uid: uid.map(str::to_owned),
            resource_version: version.map(str::to_owned),
        };
        let options = Delete { preconditions, ..within(0) };
        world.store.delete(&web(), &options)
    };
    assert_eq!(
        refused(delete(Some("x"), None)),
        (
            Reason::Conflict,
            format!(
                "Operation cannot be fulfilled on Pod \"web\": the UID in the precondition (x) does \
             not match the UID in record ({uid}). The object might have been deleted and then \
             recreated"
            )
        )
    );
    assert_eq!(
        refused(delete(None, Some("1"))).1,
        format!(
            "Operation cannot be fulfilled on Pod \"web\": the ResourceVersion in the \
             precondition (1) does not match the ResourceVersion in record ({version}). The \
             object might have been modified"
        )
    );
    assert!(matches!(delete(Some(uid), Some(version)).unwrap(), Deleted::Removed(_)));
}

#[test]
fn a_dry_deletion_deletes_nothing() {
    let world = World::new();
    let created = world.create(pod("web"));
    let options = Delete { persist: Persist::DryRun, ..within(0) };
    assert!(matches!(world.store.delete(&web(), &options).unwrap(), Deleted::Removed(_)));
    assert_eq!(world.store.get(&web()).unwrap(), created);
}
