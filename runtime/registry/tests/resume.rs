//! Connections that are cut, and pulls that go on where an earlier one stopped.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    dead_code,
    reason = "tests with helpers, which clippy does not know for ones; each test uses some of them"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use support::hostile::{CONTENT, Reply, image, registry};
use support::{World, layer, manifest};
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::Progress;
use wasmpod_registry::pull;

#[tokio::test]
async fn a_cut_connection_costs_only_what_did_not_come() {
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let image = manifest(&[layer(&Digest::sha256(&content), content.len())]);
    let size = content.len();
    let registry = registry(image, move |asked| {
        let from = asked.from.unwrap_or(0);
        let range = format!("bytes {from}-{}/{size}", size - 1);
        match asked.from {
            None => Reply::Cut(size, content[..150_000].to_vec()),
            Some(_) => Reply::part(&range, &content[from..]),
        }
    })
    .await;
    let world = World::new();
    let pulled = world.pull(&format!("{}/a:1", registry.address)).await.unwrap();
    assert_eq!(pulled.bytes_fetched, pulled.size);
    let layers: Vec<Option<usize>> = registry
        .asked()
        .iter()
        .filter(|asked| asked.path.contains("/blobs/") && !asked.path.contains("44136fa3"))
        .map(|asked| asked.from)
        .collect();
    assert_eq!(layers.len(), 2);
    assert!(layers[1] > Some(0), "{layers:?}");
}

#[tokio::test]
async fn a_registry_that_does_not_resume_begins_anew() {
    let questions = AtomicUsize::new(0);
    let registry = registry(image(), move |_| match questions.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Cut(10, CONTENT[..4].to_vec()),
        1 => Reply::status(416),
        2 => Reply::Cut(10, CONTENT[..6].to_vec()),
        _ => Reply::ok(CONTENT),
    })
    .await;
    let world = World::new();
    let pulled = world.pull(&format!("{}/a:1", registry.address)).await.unwrap();
    world.layout.verify_image(&pulled.digest).unwrap();
}

#[tokio::test]
async fn a_registry_that_always_begins_anew_is_not_asked_without_end() {
    let size = 4 << 20;
    let image = manifest(&[layer(&Digest::sha256(b"never"), size)]);
    let questions = AtomicUsize::new(0);
    let registry = registry(image, move |_| match questions.fetch_add(1, Ordering::Relaxed) {
        0..20 => Reply::Cut(size, vec![0; 1_300_000]),
        // Too patient by far.
        _ => Reply::status(404),
    })
    .await;
    let world = World::new();
    let error = world.pull(&format!("{}/a:1", registry.address)).await.unwrap_err();
    assert!(error.is_registry_unavailable(), "{error}");
    let asked = registry.asked();
    let layers = asked.iter().filter(|asked| asked.path.ends_with(Digest::sha256(b"never").hex()));
    assert_eq!(layers.count(), world.options.limits.attempts as usize);
}

#[tokio::test]
async fn the_next_pull_goes_on_where_the_last_gave_up() {
    let questions = AtomicUsize::new(0);
    let registry =
        registry(image(), move |asked| match questions.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::Cut(10, CONTENT[..4].to_vec()),
            1 => {
                assert_eq!(asked.from, Some(4));
                Reply::part("bytes 4-9/10", &CONTENT[4..])
            }
            _ => Reply::status(500),
        })
        .await;
    let mut world = World::new();
    world.options.limits.attempts = 1;
    let image = format!("{}/a:1", registry.address);
    assert!(world.pull(&image).await.unwrap_err().is_transient());
    let pulled = world.pull(&image).await.unwrap();
    world.layout.verify_image(&pulled.digest).unwrap();
}

#[tokio::test]
async fn a_pull_that_is_dropped_leaves_what_came_to_the_next() {
    let registry = registry(image(), |asked| match asked.from {
        None => Reply::Stalled(10, CONTENT[..4].to_vec()),
        Some(from) => Reply::part("bytes 4-9/10", &CONTENT[from..]),
    })
    .await;
    let world = World::new();
    let image = format!("{}/a:1", registry.address);
    let reference = image.parse().unwrap();
    let came = tokio::sync::Notify::new();
    let progress = |progress| {
        if matches!(progress, Progress::At { bytes: 4, .. }) {
            came.notify_one();
        }
    };
    tokio::select! {
        pulled = pull(&reference, &world.layout, &world.options, &progress) => {
            panic!("{pulled:?}")
        }
        () = came.notified() => {}
    }
    let pulled = world.pull(&image).await.unwrap();
    world.layout.verify_image(&pulled.digest).unwrap();
}

#[tokio::test]
async fn what_was_damaged_on_the_disk_comes_again() {
    let registry = registry(image(), |_| Reply::ok(CONTENT)).await;
    let world = World::new();
    let image = format!("{}/a:1", registry.address);
    let pulled = world.pull(&image).await.unwrap();
    for digest in [pulled.digest.clone(), Digest::sha256(b"{}"), Digest::sha256(CONTENT)] {
        let blob = world.layout.blob_path(&digest);
        let mut bytes = std::fs::read(&blob).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&blob, &bytes).unwrap();
        let again = world.pull(&image).await.unwrap();
        assert_eq!(again.bytes_fetched, bytes.len() as u64);
        world.layout.verify_image(&again.digest).unwrap();
    }
}

#[tokio::test]
async fn a_partial_file_that_is_wrong_is_fetched_from_its_beginning() {
    let registry = registry(image(), |asked| match asked.from {
        Some(from) => Reply::part(&format!("bytes {from}-9/10"), &CONTENT[from..]),
        None => Reply::ok(CONTENT),
    })
    .await;
    let world = World::new();
    let partial = format!("ingest/sha256-{}", Digest::sha256(CONTENT).hex());
    std::fs::write(world.layout.folder().join(partial), "xxxx").unwrap();
    let pulled = world.pull(&format!("{}/a:1", registry.address)).await.unwrap();
    world.layout.verify_image(&pulled.digest).unwrap();
}
