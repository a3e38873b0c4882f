use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::reference::Reference;

struct World {
    folder: TempDir,
    layout: Layout,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("images")).unwrap();
        Self { folder, layout }
    }

    /// An image of these layers; answers its manifest.
    fn image(&self, pin: &Pin, layers: &[&str]) -> Digest {
        let config = self.blob(pin, "{}");
        let layers: Vec<_> = layers.iter().map(|layer| self.blob(pin, layer)).collect();
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        pin.put(manifest.to_string().as_bytes()).unwrap()
    }

    fn blob(&self, pin: &Pin, text: &str) -> serde_json::Value {
        let digest = pin.put(text.as_bytes()).unwrap();
        json!({ "mediaType": "application/wasm", "digest": digest, "size": text.len() })
    }

    fn named(&self, name: &str, layers: &[&str]) -> Digest {
        let pin = self.layout.pin("test").unwrap();
        let manifest = self.image(&pin, layers);
        self.layout.name(&reference(name), &manifest, None).unwrap();
        manifest
    }

    fn names(&self) -> Vec<String> {
        self.layout.images().unwrap().into_iter().filter_map(|image| image.name).collect()
    }

    fn files(&self, folder: &str) -> usize {
        fs::read_dir(self.layout.folder().join(folder)).unwrap().count()
    }
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn ingest(pin: &Pin, digest: &Digest, size: usize) -> Box<Ingest> {
    match pin.ingest(digest, size as u64).unwrap() {
        Begin::Mine(ingest) => ingest,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_image_is_found_by_tag_by_digest_and_by_the_digest_of_its_index() {
    let world = World::new();
    let pin = world.layout.pin("test").unwrap();
    let manifest = world.image(&pin, &["a", "bc"]);
    let index = Digest::sha256(b"an index of the registry");
    world.layout.name(&reference("kuard:blue"), &manifest, Some(&index)).unwrap();
    let found = |name: &str| world.layout.resolve(&reference(name)).unwrap();
    let image = found("docker.io/library/kuard:blue").unwrap();
    assert_eq!((&image.digest, &image.registry_digest), (&manifest, &index));
    assert_eq!(image.size, image.manifest.size() + 5);
    assert_eq!(found(&format!("kuard@{manifest}")).unwrap(), image);
    assert_eq!(found(&format!("kuard:other@{index}")).unwrap(), image);
    assert_eq!(found("kuard"), None);
    assert_eq!(found(&format!("other@{manifest}")), None, "another repository's");
    world.layout.verify_image(&manifest).unwrap();
    assert!(world.layout.remove(&reference("kuard:blue")).unwrap());
    assert!(!world.layout.remove(&reference("kuard:blue")).unwrap());
    assert_eq!(found("kuard:blue"), None);
}

#[test]
fn a_name_never_leads_to_half_an_image() {
    let world = World::new();
    let pin = world.layout.pin("test").unwrap();
    let manifest = world.image(&pin, &["a"]);
    fs::remove_file(world.layout.blob_path(&Digest::sha256(b"a"))).unwrap();
    let error = world.layout.name(&reference("a"), &manifest, None).unwrap_err();
    assert!(matches!(error, LayoutError::Missing(_)), "{error}");
    assert_eq!(world.names(), Vec::<String>::new());
}

#[test]
fn what_comes_is_what_it_should_be_or_is_gone() {
    let world = World::new();
    let pin = world.layout.pin("test").unwrap();
    let right = Digest::sha256(b"right");
    let texts: Vec<String> = [&b"wrong"[..], b"shrt", b"longer"]
        .into_iter()
        .map(|bytes| {
            let mut ingest = ingest(&pin, &right, 5);
            let error = match ingest.write(bytes) {
                Ok(()) => ingest.commit().unwrap_err(),
                Err(error) => {
                    ingest.discard();
                    error
                }
            };
            assert!(error.is_of_content());
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
    unexpected digest sha256:8810ad581e59f2bc3928b261707a71308f7e139eb04820366dc4d5c18d980225, expected sha256:27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9
    unexpected size 4, expected 5, of sha256:27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9
    unexpected size 6, expected 5, of sha256:27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9
    ");
    assert_eq!((world.files("ingest"), world.files("blobs/sha256")), (0, 0));
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(b"right");
    pin.put_as(&hasher.finish(), b"right").unwrap();
    assert_eq!((world.files("ingest"), world.files("blobs/sha512")), (0, 1));
}

#[test]
fn who_comes_second_waits_and_goes_on_where_the_first_stopped() {
    let world = World::new();
    let (first, second) = (world.layout.pin("a").unwrap(), world.layout.pin("b").unwrap());
    let digest = Digest::sha256(b"0123456789");
    let mut writing = ingest(&first, &digest, 10);
    writing.write(b"01234").unwrap();
    assert!(matches!(second.ingest(&digest, 10).unwrap(), Begin::Busy));
    drop(writing);
    let mut writing = ingest(&second, &digest, 10);
    assert_eq!(writing.offset(), 5);
    writing.write(b"56789").unwrap();
    writing.commit().unwrap();
    assert!(matches!(first.ingest(&digest, 10).unwrap(), Begin::Present));
    assert_eq!(world.layout.verify(&digest).unwrap(), 10);
}

#[test]
fn a_blob_that_is_damaged_is_fetched_again() {
    let world = World::new();
    let pin = world.layout.pin("test").unwrap();
    let digest = pin.put(b"0123456789").unwrap();
    assert!(pin.ingest(&digest, 9).unwrap_err().is_of_content(), "the descriptor is wrong");
    for damaged in ["0123", "01234x6789"] {
        fs::write(world.layout.blob_path(&digest), damaged).unwrap();
        let error = world.layout.verify(&digest).unwrap_err();
        assert!(matches!(error, LayoutError::DigestMismatch { .. }), "{error}");
        pin.put(b"0123456789").unwrap();
        assert_eq!(world.layout.verify(&digest).unwrap(), 10);
    }
}

#[test]
fn what_nothing_leads_to_goes_and_what_is_used_stays() {
    let world = World::new();
    world.named("a:1", &["shared", "only-a"]);
    let b = world.named("b:1", &["shared", "only-b"]);
    assert_eq!(world.layout.collect(&Collection::Unreferenced).unwrap(), Collected::default());
    let pod = world.layout.pin("pod-uid").unwrap();
    assert_eq!(pod.take(&reference("b:1")).unwrap().unwrap().0.digest, b);
    assert!(pod.take(&reference("b:2")).unwrap().is_none());
    world.layout.remove(&reference("a:1")).unwrap();
    let collected = world.layout.collect(&Collection::Unused).unwrap();
    assert_eq!((collected.files, collected.images), (2, vec![]));
    assert_eq!(world.names(), ["docker.io/library/b:1"]);
    // Even without its name it stays as long as the Pod does.
    world.layout.remove(&reference("b:1")).unwrap();
    assert_eq!(world.layout.collect(&Collection::Unused).unwrap().files, 0);
    world.layout.verify_image(&b).unwrap();
    drop(pod);
    let would = world.layout.would_collect(&Collection::Unused).unwrap();
    assert_eq!(world.files("blobs/sha256"), 4, "counted, not removed");
    assert_eq!(world.layout.collect(&Collection::Unused).unwrap(), would);
    assert_eq!(would.files, 4);
    assert_eq!((world.files("blobs/sha256"), world.files("pins")), (0, 0));
}

#[test]
fn a_full_disk_costs_the_images_that_were_unused_longest() {
    let world = World::new();
    let old = world.named("old:1", &["a"]);
    world.named("new:1", &["b"]);
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let blob = File::open(world.layout.blob_path(&old)).unwrap();
    blob.set_times(FileTimes::new().set_modified(long_ago)).unwrap();
    let thresholds = Thresholds {
        high_percent: 100,
        low_percent: 100,
        min_age: Duration::ZERO,
        max_age: Some(Duration::from_secs(1800)),
    };
    let collected = world.layout.collect(&Collection::Thresholds(thresholds)).unwrap();
    assert_eq!(collected.images, [old]);
    assert_eq!(world.names(), ["docker.io/library/new:1"]);
}

#[test]
fn a_partial_file_goes_by_age_unless_somebody_writes_it() {
    let world = World::new();
    let pin = world.layout.pin("test").unwrap();
    let mut left: Vec<Box<Ingest>> = ["a", "b", "c"]
        .map(|text| {
            let mut writing = ingest(&pin, &Digest::sha256(text.as_bytes()), 10);
            writing.write(b"part").unwrap();
            writing
        })
        .into();
    let age = |text: &str| {
        let name = format!("ingest/sha256-{}", Digest::sha256(text.as_bytes()).hex());
        let file = File::open(world.layout.folder().join(name)).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(48 * 3600);
        file.set_times(FileTimes::new().set_modified(long_ago)).unwrap();
    };
    age("a");
    age("b");
    // `a` is being written, `b` is old, `c` is not.
    left.drain(1..);
    assert_eq!(world.layout.collect(&Collection::Unreferenced).unwrap().files, 1);
    assert_eq!(world.files("ingest"), 2);
    // Where room is wanted, a part that may be of use is none.
    assert_eq!(world.layout.collect(&Collection::Unused).unwrap().files, 1);
    assert_eq!(world.files("ingest"), 1);
}

#[test]
fn a_strangers_manifest_has_bounds() {
    let layer = json!({ "mediaType": "x", "size": 1, "digest": Digest::sha256(b"") });
    let layers = vec![layer.clone(); MOST_LAYERS + 1];
    let many = json!({ "schemaVersion": 2, "config": layer, "layers": layers }).to_string();
    let both = json!({ "schemaVersion": 2, "config": layer, "layers": [], "manifests": [] });
    let texts: Vec<String> = [
        "x".to_owned(),
        "{}".to_owned(),
        r#"{"schemaVersion":2}"#.to_owned(),
        both.to_string(),
        many,
        " ".repeat(usize::try_from(MOST_MANIFEST_BYTES).unwrap() + 1),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    ]
    .into_iter()
    .map(|text| {
        let digest = Digest::sha256(text.as_bytes());
        let error = Manifest::parse(digest.clone(), text.into()).unwrap_err();
        assert!(error.is_of_content());
        error.to_string().replace(&digest.to_string(), "D")
    })
    .collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
    manifest D cannot be read: expected value at line 1 column 1
    manifest D cannot be read: its schemaVersion is not 2
    manifest D cannot be read: it has neither layers nor manifests
    manifest D cannot be read: it has both layers and manifests
    manifest D has 501 layers, more than 500
    manifest D has 4194305 bytes, more than 4194304
    manifest D cannot be read: recursion limit exceeded at line 1 column 128
    ");
    let error = Manifest::parse(Digest::sha256(b""), b"{}".to_vec()).unwrap_err();
    assert!(matches!(error, LayoutError::DigestMismatch { .. }), "{error}");
}

#[test]
fn a_strangers_manifest_is_quoted_in_part() {
    let long = "A".repeat(900_000);
    let layer = json!({ "mediaType": "x", "size": 1, "digest": long });
    for manifest in [
        json!({ "schemaVersion": 2, "config": long, "layers": [] }),
        json!({ "schemaVersion": 2, "config": layer, "layers": [] }),
        json!({ "schemaVersion": 2, "manifests": long }),
    ] {
        let manifest = manifest.to_string();
        let digest = Digest::sha256(manifest.as_bytes());
        let error = Manifest::parse(digest, manifest.into()).unwrap_err().to_string();
        assert!(error.len() < 500, "{}", error.len());
    }
}

#[test]
fn names_of_other_tools_stay() {
    let world = World::new();
    let digest = world.named("a:1", &["a"]);
    let index = world.layout.folder().join("index.json");
    let mut written: serde_json::Value =
        serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let mut foreign = written["manifests"][0].clone();
    foreign["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
    let mut nameless = foreign.clone();
    nameless.as_object_mut().unwrap().remove("annotations");
    written["manifests"].as_array_mut().unwrap().extend([foreign, nameless]);
    fs::write(&index, written.to_string()).unwrap();
    world.layout.name(&reference("b:1"), &digest, None).unwrap();
    let names: Vec<Option<String>> =
        world.layout.images().unwrap().into_iter().map(|image| image.name).collect();
    let full = |name: &str| Some(format!("docker.io/library/{name}"));
    assert_eq!(names, [full("a:1"), Some("latest".to_owned()), None, full("b:1")]);
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| Layout::open(path).map(drop).map_err(|error| error.to_string());
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
    assert!(open(&shared).unwrap_err().contains("can be written to by others"));
    fs::set_permissions(&shared, Permissions::from_mode(0o755)).unwrap();
    open(&shared).unwrap();
    assert_eq!(fs::metadata(&shared).unwrap().permissions().mode() & 0o777, 0o700);
    symlink(&shared, folder.path().join("link")).unwrap();
    open(&folder.path().join("link")).unwrap();
    fs::write(shared.join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    assert!(open(&shared).unwrap_err().contains("no image layout of version 1"));
}

#[test]
fn a_damaged_index_is_an_error_with_a_way_out() {
    let world = World::new();
    fs::write(world.layout.folder().join("index.json"), "{").unwrap();
    let error = world.layout.images().unwrap_err().to_string();
    let error = error.replace(world.folder.path().to_str().unwrap(), "");
    insta::assert_snapshot!(error, @"/images/index.json is damaged: EOF while parsing an object at line 1 column 1; remove it and pull the images again");
}
