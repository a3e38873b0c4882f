//! A world for the tests: a folder with a layout, images, and registries to pull them from.

pub mod child;
pub mod docker_registry;
pub mod hostile;

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Layout, Pin};
use wasmpod_images::reference::Reference;
use wasmpod_registry::{
    Keyring, Options, PullError, Pulled, PushError, Pushed, RegistryConfig, pull, push,
};

pub struct World {
    folder: TempDir,
    pub layout: Layout,
    pub options: Options,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("images")).unwrap();
        let mut options = Options::new(RegistryConfig::default(), Keyring::default());
        options.limits.back_off = Duration::from_millis(1);
        Self { folder, layout, options }
    }

    pub fn with(config: &str, keyring: &str) -> Self {
        let mut world = Self::new();
        let limits = world.options.limits;
        let keyring = Keyring::from_config_json("config.json", keyring.as_bytes()).unwrap();
        world.options = Options::new(RegistryConfig::parse(config).unwrap(), keyring);
        world.options.limits = limits;
        world
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn pull(&self, image: &str) -> Result<Pulled, PullError> {
        let reference = image.parse().unwrap();
        pull(&reference, &self.layout, &self.options, &|_| {}).await
    }

    pub async fn push(&self, name: &str, image: &str) -> Result<Pushed, PushError> {
        let (name, image) = (name.parse().unwrap(), image.parse().unwrap());
        push(&self.layout, &name, &image, &self.options, &|_| {}).await
    }

    /// The text of the failure, with the port left out.
    pub async fn failure(&self, image: &str) -> String {
        let error = self.pull(image).await.unwrap_err();
        let kind = format!("{:?}", error.failure);
        let kind = kind.split('(').next().unwrap();
        let port = image.split(['/', ':']).nth(1).unwrap();
        format!("{kind}: {error}").replace(&format!(":{port}"), ":PORT")
    }

    /// Fails unless nothing of an image is in the layout, and nothing beside it.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let root = self.layout.folder();
        assert_eq!(names(self.folder()), ["images"]);
        assert_eq!(names(root), ["blobs", "index.json", "ingest", "lock", "oci-layout", "pins"]);
        assert_eq!(names(&root.join("ingest")), Vec::<String>::new());
        assert_eq!(names(&root.join("pins")), Vec::<String>::new());
        assert!(self.layout.images().unwrap().is_empty());
        // Manifests may have come, but no content.
        self.layout.collect(&wasmpod_images::layout::Collection::Unreferenced).unwrap();
        assert_eq!(names(&root.join("blobs/sha256")), Vec::<String>::new());
    }
}

pub fn layer(digest: &Digest, size: usize) -> Value {
    json!({ "mediaType": "application/wasm", "digest": digest, "size": size })
}

/// The CNCF artifact of these layers: the first is the program, the others are whatever.
pub fn manifest(layers: &[Value]) -> String {
    let mut layers = layers.to_vec();
    for layer in layers.iter_mut().skip(1) {
        layer["mediaType"] = "text/markdown".into();
    }
    let config = json!({
        "mediaType": "application/vnd.wasm.config.v0+json",
        "digest": Digest::sha256(b"{}"),
        "size": 2
    });
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": layers
    })
    .to_string()
}

/// Puts an image of these layers into the layout.
pub fn put_image(layout: &Layout, name: &Reference, layers: &[&[u8]]) -> Digest {
    let pin: Pin = layout.pin("test").unwrap();
    pin.put(b"{}").unwrap();
    let layers: Vec<Value> =
        layers.iter().map(|bytes| layer(&pin.put(bytes).unwrap(), bytes.len())).collect();
    let digest = pin.put(manifest(&layers).as_bytes()).unwrap();
    layout.name(name, &digest, None).unwrap();
    digest
}
