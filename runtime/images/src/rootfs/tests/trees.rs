//! Roots that many share.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::{Limits, Removal, Trees};
use super::fixture::{Archive, Image, chain, list};
use crate::digest::Digest;

fn digest(text: &str) -> Digest {
    Digest::sha256(text.as_bytes())
}

fn names(trees: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(trees.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn many_at_once_unpack_one_root() {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::of(&[Archive::new().file("a", "1")]);
    let opened = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let trees = Trees::open(folder.path()).unwrap();
                let open = |blob: &_| {
                    opened.fetch_add(1, Ordering::Relaxed);
                    image.open(blob)
                };
                let limits = Limits::default();
                let root = trees.unpack(&digest("a"), &image.layers, open, limits).unwrap();
                assert_eq!(list(root.path()), "644 a \"1\"");
                assert_eq!(root.unpacked().entries, 1);
            });
        }
    });
    assert_eq!(opened.into_inner(), 1);
    let finished = digest("a").to_string().replace(':', "-");
    assert_eq!(names(&folder), [finished]);
    assert_eq!(Trees::open(folder.path()).unwrap().images().unwrap(), [digest("a")]);
}

#[test]
fn an_error_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let trees = Trees::open(folder.path()).unwrap();
    let image = Image::of(&[Archive::new().file("a", "1"), Archive::new().file("..", "")]);
    let unpack =
        || trees.unpack(&digest("a"), &image.layers, |blob| image.open(blob), Limits::default());
    insta::assert_snapshot!(chain(&unpack().unwrap_err()), @r#"layer 2 of the image: entry "..": its name has `..` in it"#);
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn what_a_killed_process_left_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let trees = Trees::open(folder.path()).unwrap();
    let image = Image::of(&[Archive::new().file("a", "1")]);
    for text in ["a", "b"] {
        let hidden = format!(".{}", digest(text).to_string().replace(':', "-"));
        fs::create_dir_all(folder.path().join(&hidden).join("rootfs/half")).unwrap();
        fs::write(folder.path().join(format!("{hidden}.lock")), "").unwrap();
    }
    let open = |blob: &_| image.open(blob);
    let root = trees.unpack(&digest("a"), &image.layers, open, Limits::default()).unwrap();
    assert_eq!(list(root.path()), "644 a \"1\"");
    assert_eq!(trees.sweep().unwrap(), 1);
    assert_eq!(names(&folder).len(), 1);
    assert_eq!(trees.sweep().unwrap(), 0);
}

#[test]
fn what_a_loss_of_power_left_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let trees = Trees::open(folder.path()).unwrap();
    let image = Image::of(&[Archive::new().file("a", "1")]);
    let unpack =
        || trees.unpack(&digest("a"), &image.layers, |blob| image.open(blob), Limits::default());
    let finished = folder.path().join(digest("a").to_string().replace(':', "-"));
    for damaged in [None, Some(""), Some("\0\0\0\0"), Some("{\"bytes\":1")] {
        drop(unpack().unwrap());
        let about = finished.join("unpacked.json");
        match damaged {
            None => fs::remove_file(&about).unwrap(),
            Some(text) => fs::write(&about, text).unwrap(),
        }
        fs::write(finished.join("rootfs/a"), "").unwrap();
        assert!(trees.get(&digest("a")).unwrap().is_none(), "{damaged:?}");
        assert_eq!(list(unpack().unwrap().path()), "644 a \"1\"", "{damaged:?}");
        assert_eq!(names(&folder).len(), 1);
    }
    // Not below the feet of who has it.
    let root = unpack().unwrap();
    fs::remove_file(finished.join("unpacked.json")).unwrap();
    let error = chain(&unpack().unwrap_err()).replace(&finished.display().to_string(), "ROOT");
    insta::assert_snapshot!(error, @"cannot replace ROOT: resource busy");
    assert_eq!(list(root.path()), "644 a \"1\"");
    drop(root);
    unpack().unwrap();
}

/// Not a test of its own: what the next one kills.
#[test]
fn unpacks_for_ever() {
    let Some(folder) = std::env::var_os(VICTIM) else { return };
    let trees = Trees::open(folder.as_ref()).unwrap();
    let image = Image::of(&[Archive::new().file("half", "1"), Archive::new()]);
    let mut layers = 0;
    let open = |blob: &_| {
        layers += 1;
        if layers == 2 {
            println!("half way");
            // Until it is killed.
            io::copy(&mut io::stdin(), &mut io::sink())?;
        }
        image.open(blob)
    };
    let unpacked = trees.unpack(&digest("a"), &image.layers, open, Limits::default());
    panic!("killed before: {unpacked:?}");
}

const VICTIM: &str = "WASMPOD_IMAGES_VICTIM";

#[test]
fn a_process_that_is_killed_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "rootfs::tests::trees::unpacks_for_ever", "--nocapture"])
        .env(VICTIM, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(victim.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("half way")), "it unpacks");
    let trees = Trees::open(folder.path()).unwrap();
    assert_eq!(trees.sweep().unwrap(), 0, "it is alive");
    assert!(trees.get(&digest("a")).unwrap().is_none());
    victim.kill().unwrap();
    victim.wait().unwrap();
    let image = Image::of(&[Archive::new().file("whole", "1")]);
    let open = |blob: &_| image.open(blob);
    let root = trees.unpack(&digest("a"), &image.layers, open, Limits::default()).unwrap();
    assert_eq!(list(root.path()), "644 whole \"1\"");
    assert_eq!(names(&folder).len(), 1);
}

#[test]
fn a_root_in_use_stays() {
    let folder = tempfile::tempdir().unwrap();
    let trees = Trees::open(folder.path()).unwrap();
    let archive = Archive::new().folder("ro").file("ro/a", "1");
    let image = Image::of(&[archive]);
    let open = |blob: &_| image.open(blob);
    let root = trees.unpack(&digest("a"), &image.layers, open, Limits::default()).unwrap();
    let other = trees.get(&digest("a")).unwrap().unwrap();
    assert_eq!(trees.remove(&digest("a")).unwrap(), Removal::InUse);
    drop(root);
    assert_eq!(trees.remove(&digest("a")).unwrap(), Removal::InUse);
    drop(other);
    assert_eq!(trees.remove(&digest("a")).unwrap(), Removal::Removed);
    assert_eq!(trees.remove(&digest("a")).unwrap(), Removal::Missing);
    assert!(trees.get(&digest("a")).unwrap().is_none());
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn whoever_has_a_root_has_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let archive =
        (0..20).fold(Archive::new(), |archive, number| archive.file(&format!("d/{number}"), "1"));
    let image = Image::of(&[archive]);
    let removed = AtomicUsize::new(0);
    let trees = Trees::open(folder.path()).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let open = |blob: &_| image.open(blob);
                    let limits = Limits::default();
                    let root = trees.unpack(&digest("a"), &image.layers, open, limits).unwrap();
                    assert_eq!(list(root.path()).lines().count(), 21);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..150 {
                if trees.remove(&digest("a")).unwrap() == Removal::Removed {
                    removed.fetch_add(1, Ordering::Relaxed);
                }
                trees.sweep().unwrap();
            }
        });
    });
    assert!(trees.remove(&digest("a")).is_ok());
    assert_eq!(names(&folder), [""; 0], "{removed:?} were removed meanwhile");
}
