//! Any bytes where the store of images reads what others wrote: they are taken or refused.
//!
//! The first byte says what the rest is.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use wasmpod_images::archive;
use wasmpod_images::layout::Layout;
use wasmpod_images::policy::Policy;
use wasmpod_images::reference::Reference;

fuzz_target!(|bytes: &[u8]| {
    let Some((what, rest)) = bytes.split_first() else { return };
    match what {
        b'r' => reference(rest),
        b'p' => policy(rest),
        b'i' => index(rest),
        b'a' => load(rest),
        _ => {}
    }
});

/// A name is read as it was written.
fn reference(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(reference) = text.parse::<Reference>() else { return };
    assert_eq!(reference.to_string().parse().ok().as_ref(), Some(&reference));
    assert_eq!(reference.familiar().parse().ok().as_ref(), Some(&reference));
}

fn policy(yaml: &[u8]) {
    let world = tempfile::tempdir().expect("there is room");
    let file = world.path().join("policy.yaml");
    fs::write(&file, yaml).expect("there is room");
    if let Ok(policy) = Policy::read(&file) {
        let reference = "ghcr.io/acme/web:1".parse().expect("a name");
        let _ = policy.rule(&reference);
    }
}

/// `index.json` of a layout that another tool has written.
fn index(json: &[u8]) {
    let world = tempfile::tempdir().expect("there is room");
    let layout = Layout::open(world.path()).expect("a new one");
    fs::write(world.path().join("index.json"), json).expect("there is room");
    let _ = layout.images();
    let _ = layout.resolve(&"web:1".parse().expect("a name"));
}

/// What is loaded is whole.
fn load(bytes: &[u8]) {
    let world = tempfile::tempdir().expect("there is room");
    let layout = Layout::open(world.path()).expect("a new one");
    let pin = layout.pin("fuzz").expect("a new one");
    if archive::load(&pin, bytes).is_ok() {
        for image in layout.images().expect("it was written just now") {
            layout.verify_image(&image.digest).expect("it is whole");
        }
    }
}
