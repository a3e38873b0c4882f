use std::time::Duration;

use serde_json::{Value, json};

use super::world::*;
use crate::resource::{CONFIG_MAPS, PODS};
use crate::selector::Selection;
use crate::status::Reason;
use crate::store::{Create, Delete, KEPT_REVISIONS, Namespaces, Revision, Store};

/// A client that watches from a revision on.
struct Watch {
    store: Store,
    at: Revision,
    namespaces: Namespaces<'static>,
    selection: Selection,
}

impl Watch {
    fn new(world: &World, selection: Selection) -> Self {
        let at = world.store.revision().unwrap();
        Self { store: world.other(), at, namespaces: Namespaces::All, selection }
    }

    /// What is new, as `ADDED web`.
    fn read(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let part =
                self.store.changes_since(self.at, PODS, self.namespaces, &self.selection).unwrap();
            let is_last = part.revision == self.at;
            self.at = part.revision;
            for change in part.changes {
                let name = change.object["metadata"]["name"].as_str().unwrap();
                told.push(format!("{} {name}", change.kind.as_str()));
            }
            if is_last {
                return told;
            }
        }
    }
}

fn end(world: &World) -> Value {
    let options = Delete { grace_period_seconds: Some(0), ..Delete::default() };
    world.store.delete(&web(), &options).unwrap().object().clone()
}

#[test]
fn a_watch_tells_what_happens_to_an_object() {
    let world = World::new();
    let mut watch = Watch::new(&world, Selection::default());
    world.create(pod("web"));
    world.set("/metadata/labels", json!({}));
    world.store.delete(&web(), &Delete::default()).unwrap();
    let maps = json!({ "metadata": { "name": "other" } });
    world.store.create(CONFIG_MAPS, "default", maps, &Create::default()).unwrap();
    assert_eq!(watch.read(), ["ADDED web", "MODIFIED web", "MODIFIED web"]);
    end(&world);
    world.create(pod("web"));
    assert_eq!(watch.read(), ["DELETED web", "ADDED web"]);
    assert_eq!(watch.read(), [""; 0]);

    watch.namespaces = Namespaces::One("other");
    world.set("/metadata/labels", json!({}));
    assert_eq!(watch.read(), [""; 0]);
}

#[test]
fn a_selection_adds_and_deletes() {
    let world = World::new();
    world.create(pod("web"));
    let mut ready = Watch::new(&world, labels("ready"));
    let mut running = Watch::new(&world, fields("status.phase=Running"));
    world.set("/metadata/labels", json!({ "ready": "yes", "a": "1" }));
    world.set("/metadata/labels", json!({ "ready": "yes", "a": "2" }));
    world.set("/metadata/labels", json!({ "a": "3" }));
    world.set("/metadata/labels", json!({ "a": "4" }));
    assert_eq!(ready.read(), ["ADDED web", "MODIFIED web", "DELETED web"]);
    assert_eq!(running.read(), [""; 0]);
    world.set("/status", json!({ "phase": "Running" }));
    end(&world);
    assert_eq!(running.read(), ["ADDED web", "DELETED web"]);
}

#[test]
fn what_is_deselected_is_told_in_its_last_selected_state() {
    let world = World::new();
    world.create(pod("web"));
    let since = world.store.revision().unwrap();
    let changed = world.set("/metadata/labels", json!({ "app": "other" }));
    let read = |since| {
        world.store.changes_since(since, PODS, Namespaces::All, &labels("app=web")).unwrap()
    };
    let told = &read(since).changes[0].object;
    assert_eq!(told["metadata"]["labels"], json!({ "app": "web" }));
    assert_eq!(told["metadata"]["resourceVersion"], changed["metadata"]["resourceVersion"]);
}

#[test]
fn the_end_of_an_object_has_a_revision_of_its_own() {
    let world = World::new();
    world.create(pod("web"));
    let before = world.store.revision().unwrap();
    let last = end(&world);
    let revision = world.store.revision().unwrap();
    assert!(revision > before);
    assert_eq!(last["metadata"]["resourceVersion"], revision.to_string());
}

#[test]
fn the_log_is_kept_for_an_hour() {
    let world = World::new();
    let first = world.store.revision().unwrap();
    world.create(pod("web"));
    world.create(pod("idle"));
    let mut watch = Watch::new(&world, labels("app=web"));
    world.pass(Duration::from_secs(3599));
    // Now and then one has to write: it is the writer who keeps house.
    world.set("/metadata/labels", json!({ "app": "web", "a": "1" }));
    assert!(world.store.changes_since(first, PODS, Namespaces::All, &Selection::default()).is_ok());
    world.pass(Duration::from_secs(120));
    world.set("/metadata/labels", json!({ "app": "other" }));
    let expired = world.store.changes_since(first, PODS, Namespaces::All, &Selection::default());
    let (reason, text) = refused(expired);
    assert_eq!(reason, Reason::Expired);
    let compacted = Revision(first.0 + 2);
    assert_eq!(text, format!("too old resource version: {first} ({compacted})"));
    // Who stands right there sees all, and knows the state before.
    assert_eq!(watch.at, compacted);
    assert_eq!(watch.read(), ["MODIFIED web", "DELETED web"]);
    // What exists is not touched by it.
    assert!(world.store.get(&crate::Key::new(PODS, "default", "idle")).is_ok());
}

#[test]
fn the_log_has_an_end_of_many_writes_too() {
    let world = World::new();
    let first = world.store.revision().unwrap();
    world.create(pod("web"));
    for round in 0..KEPT_REVISIONS + 1_500 {
        world.set("/metadata/labels", json!({ "app": round.to_string() }));
    }
    let newest = world.store.revision().unwrap();
    let read =
        |since| world.store.changes_since(since, PODS, Namespaces::All, &Selection::default());
    assert_eq!(refused(read(first)).0, Reason::Expired);
    assert_eq!(read(Revision(newest.0 - KEPT_REVISIONS)).unwrap().changes.len(), 1_000);
    world.store.verify().unwrap();
}

#[test]
fn a_revision_of_another_store_is_refused() {
    let world = World::new();
    let ahead = Revision(world.store.revision().unwrap().0 + 1);
    let read = world.store.changes_since(ahead, PODS, Namespaces::All, &Selection::default());
    assert_eq!(refused(read).0, Reason::Expired);
    assert!("x".parse::<Revision>().is_err());
    assert!("-1".parse::<Revision>().is_err());
    assert!("99999999999999999999".parse::<Revision>().is_err());
    assert_eq!("17".parse::<Revision>().unwrap(), Revision(17));
}

#[test]
fn whoever_waits_is_woken() {
    let world = World::new();
    let seen = world.store.revision().unwrap();
    let mut watcher = world.other().watcher();
    assert_eq!(watcher.wait(seen, Duration::ZERO).unwrap(), seen);
    let waiting = std::thread::spawn(move || watcher.wait(seen, Duration::from_secs(60)).unwrap());
    world.create(pod("web"));
    assert_eq!(waiting.join().unwrap(), world.store.revision().unwrap());
}

#[test]
fn a_notification_can_be_polled() {
    let world = World::new();
    let watcher = world.other().watcher();
    let notifications = watcher.notifications().expect("inotify is there");
    let mut polled = [rustix::event::PollFd::new(&notifications, rustix::event::PollFlags::IN)];
    let nothing = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut polled, Some(&nothing)).unwrap(), 0);
    world.create(pod("web"));
    let long = rustix::event::Timespec { tv_sec: 60, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut polled, Some(&long)).unwrap(), 1);
}
