use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;

/// A reader that has opened the file before it was replaced must not take the newer one for a dead
/// one's.
#[test]
fn a_record_that_changes_while_it_is_read_stays() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::<String>::new(folder.path().join("shelf"));
    let mut held = shelf.publish("one", &"first".to_owned()).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let fresh = Shelf::<String>::new(folder.path().join("shelf"));
                assert_eq!(fresh.read().len(), 1);
            }
        });
        for _ in 0..2000 {
            held.update(&"first".to_owned()).unwrap();
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert!(folder.path().join("shelf/one.json").exists());
}

/// Makes the folder look as if nothing had happened in it for long.
fn settle(folder: &Path) {
    let old = SystemTime::now() - Duration::from_secs(10);
    File::open(folder.join("shelf")).unwrap().set_modified(old).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reading_is_kept_until_something_changes_or_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::<String>::new(folder.path().join("shelf"));
    let _held = shelf.publish("one", &"first".to_owned()).unwrap();
    settle(folder.path());
    let first = shelf.read();
    assert!(Arc::ptr_eq(&first, &shelf.read()));
    shelf.forget();
    let second = shelf.read();
    assert!(!Arc::ptr_eq(&first, &second));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!Arc::ptr_eq(&second, &shelf.read()));
}

#[tokio::test(start_paused = true)]
async fn a_death_that_nobody_tells_of_is_known_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::<String>::new(folder.path().join("shelf"));
    let held = shelf.publish("one", &"first".to_owned()).unwrap();
    settle(folder.path());
    assert_eq!(shelf.read().len(), 1);
    // As a process that is killed: the lock goes, the file stays.
    held.die();
    assert_eq!(shelf.read().len(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(shelf.read().is_empty());
    assert!(!folder.path().join("shelf/one.json").exists());
}

#[test]
fn what_a_dead_process_has_not_finished_is_removed_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::<String>::new(folder.path().join("shelf"));
    let inside = folder.path().join("shelf");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("two.new"), "{").unwrap();
    assert!(shelf.read().is_empty());
    let left = File::options().write(true).open(inside.join("two.new")).unwrap();
    assert!(inside.join("two.new").exists());
    left.set_modified(SystemTime::now() - Duration::from_secs(600)).unwrap();
    shelf.forget();
    assert!(shelf.read().is_empty());
    assert!(!inside.join("two.new").exists());
}

#[test]
fn a_folder_that_others_can_write_to_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("shelf");
    std::fs::create_dir(&inside).unwrap();
    std::fs::set_permissions(&inside, std::fs::Permissions::from_mode(0o777)).unwrap();
    let shelf = Shelf::<String>::new(folder.path().join("shelf"));
    let error = shelf.publish("one", &"first".to_owned()).unwrap_err();
    assert!(error.to_string().ends_with("can be written to by others"), "{error}");
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::<String>::new(folder.path().join("shelf"));
        let held = shelf.publish("one", &"first".to_owned()).unwrap();
        std::fs::write(folder.path().join("shelf/one.json"), text).unwrap();
        let _ = shelf.read();
        drop(held);
    }
}

#[test]
fn who_is_alone_keeps_others_out_until_it_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let first = try_alone(folder.path(), "lock").unwrap();
    assert!(first.is_some());
    assert!(try_alone(folder.path(), "lock").unwrap().is_none());
    assert!(try_alone(folder.path(), "other").unwrap().is_some());
    drop(first);
    drop(alone(folder.path(), "lock").unwrap());
}

#[tokio::test]
async fn whoever_waits_hears_of_records_that_come_and_of_processes_that_die() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::<String>::new(folder.path().join("shelf"));
    let held = shelf.publish("one", &"first".to_owned()).unwrap();
    let mut changes = Changes::of(shelf.folder());
    let mut until = async |count: usize| {
        let waiting = async {
            loop {
                shelf.forget();
                if shelf.read().len() == count {
                    break;
                }
                changes.next().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
    };
    let second = shelf.publish("two", &"second".to_owned()).unwrap();
    until(2).await;
    held.die();
    until(1).await;
    drop(second);
    until(0).await;
}

#[test]
fn who_clears_up_after_a_dead_process_is_given_its_record() {
    fn clear_up(record: &String) {
        std::fs::remove_file(record).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    std::fs::write(&left, "").unwrap();
    let shelf = Shelf::new(folder.path().join("shelf")).on_death(clear_up);
    let held = shelf.publish("one", &left.to_str().unwrap().to_owned()).unwrap();
    assert_eq!(shelf.read().len(), 1);
    held.die();
    shelf.forget();
    assert!(shelf.read().is_empty());
    assert!(!left.exists());
}
