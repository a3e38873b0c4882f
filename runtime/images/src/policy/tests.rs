//! Policies as users write them, and signatures as cosign makes them.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci_spec::image::ImageManifest;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use tempfile::TempDir;

use super::{Policy, Rule, Signers, Unsigned, signature_tag, signatures};
use crate::digest::Digest;
use crate::reference::Reference;

/// A key as `openssl ecparam -name prime256v1` makes it, and a signature that openssl made with it.
const OPENSSL_KEY: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwp4aDNloQ0iLP+8w1b0AAnrpui7c\nztP6z1gQ8IJsB0wceSiRnFcJ7cIuYeO3PQ+fe4b07yR0EcmU3XrSDTx+EQ==\n-----END PUBLIC KEY-----\n";
const OPENSSL_SIGNATURE: &str = "MEQCIAyjBmWeri8aNWONwdNGPxd3R1k7jqF8S7l2ykSvwACxAiAa+hWGe/oxpb6XjmHSy477DJNImX2k7hMSpEu97xsnpQ==";
const OPENSSL_PAYLOAD: &str = r#"{"critical":{"identity":{"docker-reference":"ghcr.io/acme/app"},"image":{"docker-manifest-digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"type":"cosign container image signature"},"optional":null}"#;

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    fn pem(&self) -> String {
        let der = [&super::key::P256[..], self.0.public_key().as_ref()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    fn sign(&self, payload: &str) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), payload.as_bytes()).unwrap().as_ref().to_vec()
    }
}

/// What cosign signs.
fn payload(repository: &str, image: &Digest) -> String {
    json!({
        "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": image },
            "type": "cosign container image signature"
        },
        "optional": null
    })
    .to_string()
}

fn policy(folder: &TempDir, yaml: &str) -> Result<Policy, String> {
    let file = folder.path().join("policy.yaml");
    fs::write(&file, yaml).unwrap();
    let text = |text: String| text.replace(&folder.path().display().to_string(), "FOLDER");
    Policy::read(&file).map_err(|error| text(error.to_string()))
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn signers(policy: &Policy) -> &Signers {
    match policy.rule(&reference("ghcr.io/acme/app:1")) {
        Rule::Signed(signers) => signers,
        rule => panic!("{rule:?}"),
    }
}

fn with_key(folder: &TempDir, pem: &str) -> Policy {
    fs::write(folder.path().join("acme.pub"), pem).unwrap();
    let yaml = "default: reject\nimages: [{pattern: ghcr.io/acme/*, key: acme.pub}]";
    policy(folder, yaml).unwrap()
}

#[test]
fn the_first_pattern_that_fits_decides() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("acme.pub"), Signer::new().pem()).unwrap();
    let yaml = "
default: reject
images:
- {pattern: ghcr.io/acme/free, policy: accept}
- {pattern: 'ghcr.io/acme/*', key: acme.pub}
- {pattern: 'ghcr.io/**', keys: [acme.pub, acme.pub]}
- {pattern: 'docker.io/library/*', policy: accept}
- {pattern: '*.example:5000/**', policy: reject}
";
    let policy = policy(&folder, yaml).unwrap();
    let said = [
        "ghcr.io/acme/free:1",
        "ghcr.io/acme/app",
        "GHCR.io:443/acme/app",
        "ghcr.io/acme/team/app",
        "ghcr.io/acme",
        "kuard:blue",
        "registry-1.docker.io/library/kuard",
        "acme/app",
        "a.example:5000/x/y",
        "quay.io/acme/app",
    ]
    .map(|image| match policy.rule(&reference(image)) {
        Rule::Accept => format!("{image}: accept"),
        Rule::Reject { pattern } => format!("{image}: reject, {pattern:?}"),
        Rule::Signed(signers) => format!("{image}: signed, {}", signers.pattern()),
    });
    insta::assert_snapshot!(said.join("\n"), @r#"
    ghcr.io/acme/free:1: accept
    ghcr.io/acme/app: signed, ghcr.io/acme/*
    GHCR.io:443/acme/app: signed, ghcr.io/acme/*
    ghcr.io/acme/team/app: signed, ghcr.io/**
    ghcr.io/acme: signed, ghcr.io/**
    kuard:blue: accept
    registry-1.docker.io/library/kuard: accept
    acme/app: reject, None
    a.example:5000/x/y: reject, Some("*.example:5000/**")
    quay.io/acme/app: reject, None
    "#);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rsa.pub"), "-----BEGIN RSA PUBLIC KEY-----\n").unwrap();
    let cut = Signer::new().pem().replace("-----END", "AAAA\n-----END");
    fs::write(folder.path().join("long.pub"), cut).unwrap();
    let of_image = |fields: &str| format!("default: accept\nimages: [{{{fields}}}]");
    let texts = [
        "images: []".to_owned(),
        "default: allow".to_owned(),
        "default: accept\nimage: []".to_owned(),
        of_image("pattern: acme/app, policy: accept"),
        of_image("pattern: app, policy: accept"),
        of_image("pattern: ghcr.io/, policy: accept"),
        of_image("pattern: 'ghcr.io/app:1', policy: accept"),
        of_image("pattern: ghcr.io/App, policy: accept"),
        of_image("pattern: '**'"),
        of_image("pattern: '**', keys: []"),
        of_image("pattern: '**', key: a, policy: reject"),
        of_image("pattern: '**', key: missing.pub"),
        of_image("pattern: '**', key: rsa.pub"),
        of_image("pattern: '**', key: long.pub"),
    ]
    .map(|yaml| policy(&folder, &yaml).unwrap_err());
    insta::assert_snapshot!(texts.join("\n"), @r#"
    error: line 1 column 1: missing field `default`
    error: line 1 column 10: unknown variant `allow`, expected one of accept, reject
    error: line 2 column 1: unknown field `image`, expected one of default, images
    images[0].pattern: "acme/app" names no registry: write docker.io/NAME
    images[0].pattern: "app" names no registry: write docker.io/library/NAME
    images[0].pattern: "ghcr.io/" names no repository: write REGISTRY/**
    images[0].pattern: "ghcr.io/app:1" has a tag or a digest: patterns are for repositories
    images[0].pattern: "ghcr.io/App" would never fit: repositories are in lower case
    images[0]: needs one of key, keys and policy
    images[0]: needs one of key, keys and policy
    images[0]: needs one of key, keys and policy
    cannot read FOLDER/missing.pub
    FOLDER/rsa.pub is no public key in PEM of ECDSA P-256, as `cosign generate-key-pair` makes it
    FOLDER/long.pub is no public key in PEM of ECDSA P-256, as `cosign generate-key-pair` makes it
    "#);
}

#[test]
fn a_signature_is_for_one_image_of_one_repository() {
    let folder = tempfile::tempdir().unwrap();
    let (acme, other) = (Signer::new(), Signer::new());
    let policy = with_key(&folder, &acme.pem());
    let image = Digest::sha256(b"image");
    let verify = |signer: &Signer, payload: &str| {
        let signature = signer.sign(payload);
        let app = reference("ghcr.io/acme/app:1");
        let verified = signers(&policy).verify(&app, &image, payload.as_bytes(), &signature);
        verified.map(|key| key.file().file_name().unwrap().to_owned())
    };
    let good = payload("ghcr.io/acme/app", &image);
    assert_eq!(verify(&acme, &good).unwrap(), "acme.pub");
    assert_eq!(verify(&acme, &payload("ghcr.io/acme/app:1", &image)).unwrap(), "acme.pub");
    assert_eq!(verify(&other, &good), Err(Unsigned::OtherKey));
    let other_image = Digest::sha256(b"other");
    assert_eq!(
        verify(&acme, &payload("ghcr.io/acme/app", &other_image)),
        Err(Unsigned::OtherImage(other_image))
    );
    assert_eq!(
        verify(&acme, &payload("ghcr.io/acme/other", &image)),
        Err(Unsigned::OtherRepository("ghcr.io/acme/other".to_owned()))
    );
    for text in ["{}", "no json", &good.replace("cosign container", "some other")] {
        assert!(matches!(verify(&acme, text), Err(Unsigned::NoImage(_))), "{text}");
    }
    let forged = good.replace("acme/app", "acme/apq");
    let app = reference("ghcr.io/acme/apq");
    assert_eq!(
        signers(&policy).verify(&app, &image, forged.as_bytes(), &acme.sign(&good)),
        Err(Unsigned::OtherKey)
    );
}

#[test]
fn a_signature_of_openssl_counts() {
    let folder = tempfile::tempdir().unwrap();
    let policy = with_key(&folder, OPENSSL_KEY);
    let signature = STANDARD.decode(OPENSSL_SIGNATURE).unwrap();
    let (app, image) = (reference("ghcr.io/acme/app"), Digest::sha256(b"{}"));
    let payload = OPENSSL_PAYLOAD.as_bytes();
    signers(&policy).verify(&app, &image, payload, &signature).unwrap();
}

#[test]
fn signatures_are_found_where_cosign_puts_them() {
    let image = Digest::sha256(b"{}");
    assert_eq!(signature_tag(&image), format!("sha256-{}.sig", image.hex()));
    let layer = |media_type: &str, size: u64, signature: &str| {
        json!({
            "mediaType": media_type, "digest": image, "size": size,
            "annotations": { "dev.cosignproject.cosign/signature": signature }
        })
    };
    let payload = "application/vnd.dev.cosign.simplesigning.v1+json";
    let mut layers = vec![
        layer(payload, 2, "AQI="),
        layer("application/wasm", 2, "AQI="),
        layer(payload, 1 << 20, "AQI="),
        layer(payload, 2, "no base64!"),
    ];
    layers.extend((0..100).map(|_| layer(payload, 2, "AQI=")));
    let manifest = json!({
        "schemaVersion": 2,
        "config": layer("application/vnd.oci.image.config.v1+json", 2, ""),
        "layers": layers
    });
    let manifest: ImageManifest = serde_json::from_value(manifest).unwrap();
    let found = signatures(&manifest);
    assert_eq!((found.len(), found[0].signature.as_slice()), (50, &[1, 2][..]));
}

proptest::proptest! {
    #[test]
    fn no_signature_brings_it_down(payload: Vec<u8>, signature: Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let policy = with_key(&folder, OPENSSL_KEY);
        let app = reference("ghcr.io/acme/app");
        let verified = signers(&policy).verify(&app, &Digest::sha256(b"{}"), &payload, &signature);
        proptest::prop_assert_eq!(verified, Err(Unsigned::OtherKey));
    }
}
