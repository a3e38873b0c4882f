//! One layout, many processes, some of which die at any moment.
//!
//! The test binary starts itself again: the test `child` plays the other process.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test with helpers, which clippy does not know for one"
)]

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::json;
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Begin, Collection, Layout, Pin};

const BLOB_BYTES: usize = 4 << 20;

fn blob() -> Vec<u8> {
    (0..BLOB_BYTES / 4).flat_map(|word| u32::try_from(word).unwrap().to_le_bytes()).collect()
}

fn start(layout: &Layout, role: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--ignored"])
        .env("LAYOUT", layout.folder())
        .env("ROLE", role)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads what the child says until it says `word`.
#[track_caller]
fn wait_for(child: &mut Child, word: &str) {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(word)), "the child never said {word}");
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "started by the other tests"]
fn child() {
    let layout = Layout::open(Path::new(&env::var("LAYOUT").unwrap())).unwrap();
    let role = env::var("ROLE").unwrap();
    let pin = layout.pin("child").unwrap();
    let bytes = blob();
    let digest = Digest::sha256(&bytes);
    match role.as_str() {
        "write half and stay" => {
            let mut ingest = pin.ingest_waiting(&digest, bytes.len() as u64).unwrap().unwrap();
            ingest.write(&bytes[..BLOB_BYTES / 2]).unwrap();
            stay("half");
        }
        "keep and stay" => {
            pin.keep(&Digest::sha256(b"used")).unwrap();
            stay("kept");
        }
        "write all" => {
            println!("\nhere");
            if let Some(mut ingest) = pin.ingest_waiting(&digest, bytes.len() as u64).unwrap() {
                println!("\nfrom {}", ingest.offset());
                for chunk in bytes[usize::try_from(ingest.offset()).unwrap()..].chunks(64 << 10) {
                    ingest.write(chunk).unwrap();
                }
                ingest.commit().unwrap();
            }
        }
        "name for ever" => {
            println!("\nnaming");
            // Images of this process, so that each of its names moves to new content.
            let first = u64::from(std::process::id()) * 1_000_000;
            for number in first.. {
                name(&layout, &pin, &format!("image-{}:1", number % 20), number);
            }
        }
        from => {
            let from: u64 = from.parse().unwrap();
            for number in from..from + 10 {
                name(&layout, &pin, &format!("image-{number}:1"), number);
                layout.collect(&Collection::Unreferenced).unwrap();
            }
        }
    }
}

/// Until the other process kills this one.
fn stay(word: &str) {
    println!("\n{word}");
    loop {
        thread::park();
    }
}

/// Makes an image of its own and gives it this name.
fn name(layout: &Layout, pin: &Pin, name: &str, number: u64) {
    let text = format!("layer {number}");
    let digest = pin.put(text.as_bytes()).unwrap();
    let layer = json!({ "mediaType": "application/wasm", "digest": digest, "size": text.len() });
    let manifest = json!({ "schemaVersion": 2, "config": layer, "layers": [layer] }).to_string();
    let manifest = pin.put(manifest.as_bytes()).unwrap();
    layout.name(&name.parse().unwrap(), &manifest, None).unwrap();
}

fn world() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open(&folder.path().join("images")).unwrap();
    (folder, layout)
}

#[test]
fn who_waits_for_a_writer_that_is_killed_goes_on_from_there() {
    let (_folder, layout) = world();
    let mut writer = start(&layout, "write half and stay");
    wait_for(&mut writer, "half");
    let (bytes, pin) = (blob(), layout.pin("test").unwrap());
    let digest = Digest::sha256(&bytes);
    assert!(matches!(pin.ingest(&digest, bytes.len() as u64).unwrap(), Begin::Busy));
    let mut waiter = start(&layout, "write all");
    wait_for(&mut waiter, "here");
    // A collection at this moment takes nothing from either.
    layout.collect(&Collection::Unused).unwrap();
    kill(writer);
    wait_for(&mut waiter, &format!("from {}", BLOB_BYTES / 2));
    assert!(waiter.wait().unwrap().success());
    assert_eq!(layout.verify(&digest).unwrap(), bytes.len() as u64);
    assert_eq!(fs::read_dir(layout.folder().join("ingest")).unwrap().count(), 0);
}

#[test]
fn of_many_that_want_the_same_one_writes() {
    let (_folder, layout) = world();
    // Kept by this test: a child that is done lets go of it.
    let pin = layout.pin("test").unwrap();
    pin.keep(&Digest::sha256(&blob())).unwrap();
    let children: Vec<Child> = (0..8).map(|_| start(&layout, "write all")).collect();
    let mut writers = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        writers += usize::from(String::from_utf8_lossy(&output.stdout).contains("from 0"));
    }
    assert_eq!(writers, 1);
    assert_eq!(layout.verify(&Digest::sha256(&blob())).unwrap(), BLOB_BYTES as u64);
}

#[test]
fn a_pin_ends_with_its_process() {
    let (_folder, layout) = world();
    layout.pin("test").unwrap().put(b"used").unwrap();
    let mut user = start(&layout, "keep and stay");
    wait_for(&mut user, "kept");
    assert_eq!(layout.collect(&Collection::Unused).unwrap().files, 0);
    kill(user);
    assert_eq!(layout.collect(&Collection::Unused).unwrap().files, 1);
    assert_eq!(fs::read_dir(layout.folder().join("pins")).unwrap().count(), 0);
}

#[test]
fn no_name_is_lost_when_many_name_and_collect_at_once() {
    let (_folder, layout) = world();
    let children: Vec<Child> =
        (0..4).map(|child| start(&layout, &(child * 10).to_string())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let images = layout.images().unwrap();
    let names: HashSet<_> = images.iter().filter_map(|image| image.name.as_ref()).collect();
    assert_eq!(names.len(), 40);
    for image in &images {
        layout.verify_image(&image.digest).unwrap();
    }
}

#[test]
fn killed_at_any_moment_the_layout_is_whole() {
    let (_folder, layout) = world();
    for round in 1..=20 {
        let mut child = start(&layout, "name for ever");
        wait_for(&mut child, "naming");
        // In another moment of its work each time: after so many images.
        while layout.images().unwrap().len() < round {
            thread::yield_now();
        }
        kill(child);
        let layout = Layout::open(layout.folder()).unwrap();
        layout.collect(&Collection::Unreferenced).unwrap();
        for image in layout.images().unwrap() {
            layout.verify_image(&image.digest).unwrap();
        }
    }
}
