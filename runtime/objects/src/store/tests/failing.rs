use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;

use super::world::*;
use crate::store::{Store, StoreError};

#[test]
fn a_newer_file_is_left_alone() {
    let world = World::new();
    world.create(pod("web"));
    let connection = rusqlite::Connection::open(world.store.path()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&world.folder.path().join("root")).err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 99, known: 1, .. }), "{error:?}");
    assert!(error.to_string().ends_with("use the newer program"), "{error}");
}

fn copies(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.folder.path().join("root")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_string_lossy().contains("corrupt")).collect()
}

#[test]
fn a_damaged_file_is_kept_and_named() {
    let mut world = World::new();
    let path = world.store.path().to_owned();
    world.store = Store::open(&world.folder.path().join("elsewhere")).unwrap();
    fs::write(&path, "this is no database, and longer than the head of one: ".repeat(40)).unwrap();
    for _ in 0..2 {
        let error = Store::open(&world.folder.path().join("root")).err().unwrap();
        let StoreError::Corrupt { copy: Some(copy), .. } = &error else { panic!("{error:?}") };
        assert_eq!(fs::read(copy).unwrap(), fs::read(&path).unwrap());
        let text = error.to_string();
        assert!(text.contains(&copy.display().to_string()), "{text}");
        assert!(text.ends_with("`wasmpod system reset` begins a new one"), "{text}");
    }
    assert_eq!(copies(&world).len(), 1, "one copy for one damage");
}

#[test]
fn a_damaged_page_is_noticed() {
    let world = World::new();
    for index in 0..200 {
        world.create(pod(&format!("pod-{index}")));
    }
    let path = world.store.path().to_owned();
    let mut world = world;
    // The last one to leave writes the log back into the file.
    world.store = Store::open(&world.folder.path().join("elsewhere")).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 150_000, "{}", bytes.len());
    for byte in &mut bytes[8192..150_000] {
        *byte = 0x5a;
    }
    fs::write(&path, bytes).unwrap();
    let verified = Store::open(&world.folder.path().join("root")).and_then(|store| store.verify());
    let error = verified.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { copy: Some(_), .. }), "{error:?}");
}

#[test]
fn a_folder_of_others_is_refused() {
    let folder = TempDir::new().unwrap();
    let open_to_all = folder.path().join("shared");
    fs::create_dir(&open_to_all).unwrap();
    fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o777)).unwrap();
    let error = Store::open(&open_to_all).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("{}: can be written to by others", open_to_all.display())
    );
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Store::open(&folder.path().join("file")).err().unwrap();
    assert!(error.to_string().ends_with("is not a folder"), "{error}");
}

#[test]
fn a_full_store_says_so_and_goes_on_when_there_is_room() {
    let world = World::new();
    world.create(pod("web"));
    world.store.limit_pages(Some(12));
    let mut filler = pod("filler");
    filler["metadata"]["annotations"] = serde_json::json!({ "a": "x".repeat(200_000) });
    let create =
        |object| world.store.create(crate::resource::PODS, "default", object, &Default::default());
    let error = create(filler.clone()).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert_eq!(error.api().code, 503);
    assert!(world.store.get(&web()).is_ok());
    world.store.limit_pages(None);
    create(filler).unwrap();
}

#[test]
fn a_store_that_is_read_only_says_so_and_can_be_read() {
    let world = World::new();
    let created = world.create(pod("web"));
    world.store.make_read_only();
    let error = world
        .store
        .create(crate::resource::PODS, "default", pod("other"), &Default::default())
        .unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert_eq!(world.store.get(&web()).unwrap(), created);
}

#[test]
fn who_waits_for_too_long_is_told_for_what() {
    let world = World::new();
    let other = rusqlite::Connection::open(world.store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    world.store.be_impatient();
    let error = world
        .store
        .create(crate::resource::PODS, "default", pod("web"), &Default::default())
        .unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    other.execute_batch("ROLLBACK").unwrap();
    world.create(pod("web"));
}
