//! Reading without leaving a trace, for who only wants to know a name.

use std::fs;

use serde_json::json;

use super::world::*;
use crate::resource::{CONFIG_MAPS, PODS};
use crate::store::{Create, Namespaces, Store, StoreError};

#[test]
fn a_look_sees_what_others_write_and_cannot_write() {
    let world = World::new();
    world.create(pod("web"));
    let look = Store::look(&world.folder.path().join("root")).unwrap().unwrap();
    world.create(pod("db"));
    let map = json!({ "metadata": { "name": "settings" } });
    world.store.create(CONFIG_MAPS, "staging", map, &Create::default()).unwrap();
    let names = |resource, namespaces| look.names(resource, namespaces).unwrap();
    assert_eq!(names(PODS, Namespaces::One("default")), ["db", "web"]);
    assert_eq!(names(PODS, Namespaces::One("staging")), [""; 0]);
    assert_eq!(names(CONFIG_MAPS, Namespaces::All), ["settings"]);
    assert_eq!(look.namespaces().unwrap(), ["default", "staging"]);
    let refused = look.create(PODS, "default", pod("more"), &Create::default()).unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
}

#[test]
fn where_there_is_no_store_a_look_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("objects");
    assert!(Store::look(&path).unwrap().is_none());
    assert!(!path.exists());
}

#[test]
fn a_store_that_everybody_has_closed_can_be_looked_at() {
    let World { store, folder, .. } = World::new();
    let root = folder.path().join("root");
    drop(store);
    assert!(!root.join("objects.db-wal").exists());
    assert!(Store::look(&root).unwrap().is_some());
}

#[test]
fn a_damaged_file_is_not_copied_by_who_looks() {
    let World { store, folder, .. } = World::new();
    let root = folder.path().join("root");
    drop(store);
    fs::write(root.join("objects.db"), "no database ".repeat(100)).unwrap();
    let before = fs::read_dir(&root).unwrap().count();
    let error = Store::look(&root).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { copy: None, .. }), "{error}");
    assert_eq!(fs::read_dir(&root).unwrap().count(), before);
}
