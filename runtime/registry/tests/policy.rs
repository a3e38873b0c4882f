//! Images that come only with the right signature.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    dead_code,
    reason = "tests with helpers, which clippy does not know for ones; each test uses some of them"
)]

mod support;

use std::collections::HashMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Value, json};
use support::World;
use support::hostile::{CONTENT, Hostile, Reply, image};
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::Request;

const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// What a registry has: manifests by tag or digest, and blobs by digest.
#[derive(Clone, Default)]
struct Store {
    manifests: HashMap<String, String>,
    blobs: HashMap<String, Vec<u8>>,
}

impl Store {
    /// The image `1`.
    fn with_image() -> Self {
        let mut store = Self::default();
        store.manifest("1", &image());
        store.blob(b"{}");
        store.blob(CONTENT);
        store
    }

    fn manifest(&mut self, tag: &str, manifest: &str) -> Digest {
        let digest = Digest::sha256(manifest.as_bytes());
        for name in [tag.to_owned(), digest.to_string()] {
            self.manifests.insert(name, manifest.to_owned());
        }
        digest
    }

    fn blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256(bytes);
        self.blobs.insert(digest.to_string(), bytes.to_vec());
        digest
    }

    /// As `cosign sign --key` does: what was signed, and for which image it lies there.
    fn sign(&mut self, key: &KeyPair, image: &Digest, payload: &str) {
        let signature = STANDARD.encode(key.sign(payload.as_bytes()).unwrap());
        let layer = json!({
            "mediaType": PAYLOAD,
            "digest": self.blob(payload.as_bytes()),
            "size": payload.len(),
            "annotations": { "dev.cosignproject.cosign/signature": signature }
        });
        let config = json!({
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": self.blob(b"{}"), "size": 2
        });
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
        self.manifest(&format!("sha256-{}.sig", image.hex()), &manifest.to_string());
    }

    async fn start(self) -> Hostile {
        Hostile::start(move |asked| {
            let path = asked.path.split('?').next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            if let Some(manifest) = self.manifests.get(name) {
                return Reply::manifest(manifest);
            }
            self.blobs.get(name).map_or_else(|| Reply::status(404), |blob| Reply::ok(blob.clone()))
        })
        .await
    }
}

fn payload(repository: &str, image: &Digest) -> String {
    let critical: Value = json!({
        "identity": { "docker-reference": repository },
        "image": { "docker-manifest-digest": image },
        "type": "cosign container image signature"
    });
    json!({ "critical": critical, "optional": null }).to_string()
}

/// A request for the image `1` of `team/app`, of which the policy says this.
fn request(world: &World, registry: &Hostile, key: &KeyPair, yaml: &str) -> Request {
    fs::write(world.folder().join("acme.pub"), key.public_key_pem()).unwrap();
    let file = world.folder().join("policy.yaml");
    fs::write(&file, yaml).unwrap();
    match world.request(&format!("{}/team/app:1", registry.address)) {
        Request::Pull { layout, reference, secrets, config, .. } => {
            Request::Pull { layout, reference, secrets, config, policy: Some(file) }
        }
        push @ Request::Push { .. } => push,
    }
}

const SIGNED: &str = "default: reject\nimages: [{pattern: '127.0.0.1:*/team/*', key: acme.pub}]";

/// Another than that of the registry, whose port is known only when it runs: none of these signatures
/// is to come so far as to be right.
const REPOSITORY: &str = "127.0.0.1/team/app";

#[tokio::test]
async fn an_image_comes_with_the_signature_of_the_right_key_only() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let image = Digest::sha256(image().as_bytes());
    let mut texts = Vec::new();
    for (signer, signed, of) in [
        (None, "", ""),
        (Some(&other), REPOSITORY, ""),
        (Some(&key), REPOSITORY, "another image"),
        (Some(&key), "ghcr.io/team/app", ""),
    ] {
        let mut store = Store::with_image();
        if let Some(signer) = signer {
            let signed_image =
                if of.is_empty() { image.clone() } else { Digest::sha256(of.as_bytes()) };
            store.sign(signer, &image, &payload(signed, &signed_image));
        }
        let registry = store.start().await;
        let world = World::new();
        let request = request(&world, &registry, &key, SIGNED);
        texts.push(world.fetch_failure(&request, &registry.address).await);
        let is_content = |path: &str| path.ends_with(Digest::sha256(CONTENT).hex());
        assert!(registry.asked().iter().all(|asked| !is_content(&asked.path)));
        assert_eq!(world.layout.images().unwrap(), []);
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Refused: failed to pull and unpack image "REGISTRY/team/app:1": the image policy wants images of "127.0.0.1:*/team/*" to be signed: there is no signature sha256-0d457b12a4f8214af87632f8bd74a8d3b5aaea2fa5270669abdafba58ab7efdc.sig
    Refused: failed to pull and unpack image "REGISTRY/team/app:1": the image policy wants images of "127.0.0.1:*/team/*" to be signed: its signature is of none of the keys
    Refused: failed to pull and unpack image "REGISTRY/team/app:1": the image policy wants images of "127.0.0.1:*/team/*" to be signed: the signature is for sha256:210277cb6266afe7c6cc4227ff3e9efc818f55234a7d7fbf033ab602440f2437
    Refused: failed to pull and unpack image "REGISTRY/team/app:1": the image policy wants images of "127.0.0.1:*/team/*" to be signed: the signature is for the repository ghcr.io/team/app
    "#);
}

#[tokio::test]
async fn who_signs_an_index_signs_what_it_names() {
    let key = KeyPair::generate().unwrap();
    for signs_index in [true, false] {
        let mut store = Store::with_image();
        let manifest = image();
        let image = Digest::sha256(manifest.as_bytes());
        let index = json!({ "schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": image, "size": manifest.len(),
            "platform": { "os": "wasi", "architecture": "wasm" }
        }] });
        let index = store.manifest("1", &index.to_string());
        let signed = if signs_index { index.clone() } else { image.clone() };
        // The registry is a mirror here: what is signed is the name of the image.
        store.sign(&key, &signed, &payload("registry.example/team/app", &signed));
        let mirror = store.start().await;
        let world = World::new();
        let config = world.folder().join("registries.yaml");
        let mirrors =
            format!("mirrors: {{registry.example: {{endpoint: ['http://{}']}}}}", mirror.address);
        fs::write(&config, mirrors).unwrap();
        let yaml = "default: reject\nimages: [{pattern: registry.example/**, key: acme.pub}]";
        let request = match request(&world, &mirror, &key, yaml) {
            Request::Pull { layout, secrets, policy, .. } => Request::Pull {
                layout,
                reference: "registry.example/team/app:1".to_owned(),
                secrets,
                config: Some(config),
                policy,
            },
            push @ Request::Push { .. } => push,
        };
        let fetched = world.fetch(&request).await.unwrap();
        assert_eq!((fetched.manifest, fetched.registry_digest), (image, Some(index)));
    }
}

#[tokio::test]
async fn what_the_policy_rejects_is_not_asked_for() {
    let key = KeyPair::generate().unwrap();
    let registry = Store::with_image().start().await;
    let world = World::new();
    let mut texts = Vec::new();
    for yaml in [
        "default: reject",
        "default: accept\nimages: [{pattern: '127.0.0.1:*/**', policy: reject}]",
        "default: maybe",
        "default: accept\nimages: [{pattern: '**', key: missing.pub}]",
        "default: accept\nimages: [{pattern: '**', key: policy.yaml}]",
    ] {
        let request = request(&world, &registry, &key, yaml);
        texts.push(world.fetch_failure(&request, &registry.address).await);
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Refused: failed to pull and unpack image "REGISTRY/team/app:1": the image policy rejects images that it has no pattern for
    Refused: failed to pull and unpack image "REGISTRY/team/app:1": the image policy rejects images of "127.0.0.1:*/**"
    Host: FOLDER/policy.yaml: error: line 1 column 10: unknown variant `maybe`, expected one of accept, reject
    Host: cannot read FOLDER/missing.pub: No such file or directory (os error 2)
    Host: FOLDER/policy.yaml is no public key in PEM of ECDSA P-256, as `cosign generate-key-pair` makes it
    "#);
    assert_eq!(registry.asked().len(), 0);
    let accepted = request(&world, &registry, &key, "default: accept");
    world.fetch(&accepted).await.unwrap();
    // It is here, but who asks now is told by the policy of now.
    let request = request(&world, &registry, &key, SIGNED);
    world.fetch(&request).await.unwrap_err();
}
