//! The child program that fetches images, as a process of its own.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    dead_code,
    reason = "tests with helpers, which clippy does not know for ones; each test uses some of them"
)]

mod support;

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use support::child::{Child, secret};
use support::docker_registry::{DockerRegistry, Special};
use support::hostile::{Asked, CONTENT, Hostile, Reply, image, registry};
use support::{World, layer, manifest, put_image};
use tokio::task::yield_now;
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::{Progress, Request};
use wasmpod_images::reference::Reference;

const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";

#[tokio::test]
async fn an_image_comes_and_its_course_is_told() {
    let registry = registry(image(), |_| Reply::ok(CONTENT)).await;
    let world = World::new();
    let image = format!("{}/a:1", registry.address);
    let mut child = Child::start(&world, &world.request(&image)).await;
    let fetched = child.answer().await.unwrap();
    let size = world.layout.verify_image(&fetched.manifest).unwrap();
    assert_eq!((fetched.size, fetched.bytes_fetched), (size, size));
    assert_eq!((fetched.registry_digest, fetched.already_present), (None, false));
    let reference: Reference = image.parse().unwrap();
    assert_eq!(world.layout.resolve(&reference).unwrap().unwrap().digest, fetched.manifest);
    for (content, size) in [(b"{}".as_slice(), 2), (CONTENT, 10)] {
        let digest = Digest::sha256(content);
        let told: Vec<_> =
            child.progress.iter().filter(|told| *told.digest() == digest).cloned().collect();
        assert_eq!(told.first(), Some(&Progress::Begins { digest: digest.clone(), size }));
        assert_eq!(told.last(), Some(&Progress::Done { digest }));
    }
    let again = world.fetch(&world.request(&image)).await.unwrap();
    assert_eq!((again.bytes_fetched, again.already_present), (0, true));
}

#[tokio::test]
async fn what_a_killed_child_had_is_not_fetched_again() {
    let registry = registry(image(), |asked| match asked.from {
        None => Reply::Stalled(10, CONTENT[..4].to_vec()),
        Some(from) => Reply::part(&format!("bytes {from}-9/10"), &CONTENT[from..]),
    })
    .await;
    let world = World::new();
    let request = world.request(&format!("{}/a:1", registry.address));
    let mut child = Child::start(&world, &request).await;
    child.wait_for(|told| matches!(told, Progress::At { bytes: 4, .. })).await;
    let partial = format!("ingest/sha256-{}", Digest::sha256(CONTENT).hex());
    let partial = world.layout.folder().join(partial);
    // What has come is told before it is on the disk.
    while fs::metadata(&partial).map_or(0, |metadata| metadata.len()) < 4 {
        yield_now().await;
    }
    child.process.kill().await.unwrap();
    let fetched = world.fetch(&request).await.unwrap();
    world.layout.verify_image(&fetched.manifest).unwrap();
    assert_eq!(fetched.bytes_fetched, 6);
    assert_eq!(registry.asked().last().unwrap().from, Some(4));
}

#[tokio::test]
async fn it_ends_with_whoever_asked() {
    let registry = registry(image(), |_| Reply::Stalled(10, CONTENT[..4].to_vec())).await;
    let world = World::new();
    let request = world.request(&format!("{}/a:1", registry.address));
    let mut child = Child::start(&world, &request).await;
    child.wait_for(|told| matches!(told, Progress::At { bytes: 4, .. })).await;
    child.lifeline = None;
    assert_eq!(child.ended().await.code(), Some(1));
}

#[tokio::test]
async fn a_layer_that_does_not_fit_says_so_and_is_gone() {
    let content = vec![7; 8 << 20];
    let digest = Digest::sha256(&content);
    let image = manifest(&[layer(&digest, content.len())]);
    let registry = registry(image, move |_| Reply::ok(content.clone())).await;
    let world = World::new();
    let request = world.request(&format!("{}/a:1", registry.address));
    let error =
        Child::start_without_room(&world, &request).await.answer().await.unwrap_err().to_string();
    let error = error
        .replace(&registry.address, "REGISTRY")
        .replace(digest.hex(), "HEX")
        .replace(&world.folder().display().to_string(), "FOLDER");
    insta::assert_snapshot!(error, @r#"failed to pull and unpack image "REGISTRY/a:1": failed to copy layer sha256:HEX: cannot use FOLDER/images/ingest/sha256-HEX: File too large (os error 27)"#);
    world.assert_nothing_left();
}

#[tokio::test]
async fn who_does_not_read_holds_nothing_up() {
    let contents: Vec<String> = (0..500).map(|number| format!("layer {number}")).collect();
    let layers: Vec<Value> =
        contents.iter().map(|text| layer(&Digest::sha256(text.as_bytes()), text.len())).collect();
    let of_layer = move |asked: &Asked| {
        let is = |text: &&String| asked.path.ends_with(Digest::sha256(text.as_bytes()).hex());
        contents.iter().find(is).map_or_else(|| Reply::status(404), |text| Reply::ok(text.as_str()))
    };
    let registry = registry(manifest(&layers), of_layer).await;
    let world = World::new();
    let request = world.request(&format!("{}/a:1", registry.address));
    let mut child = Child::start(&world, &request).await;
    while world.layout.images().unwrap().is_empty() {
        yield_now().await;
    }
    child.answer().await.unwrap();
    let done = child.progress.iter().filter(|told| matches!(told, Progress::Done { .. }));
    assert_eq!(done.count(), 501);
}

#[tokio::test]
async fn of_what_is_not_webassembly_no_layer_comes() {
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": { "Entrypoint": ["/bin/sh"] },
        "rootfs": { "type": "layers", "diff_ids": [Digest::sha256(CONTENT)] }
    })
    .to_string();
    let linux = json!({
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::sha256(config.as_bytes()), "size": config.len()
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": Digest::sha256(CONTENT), "size": CONTENT.len()
        }]
    })
    .to_string();
    let helm = linux.replace("oci.image.config.v1", "cncf.helm.config.v1");
    let windows = json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": Digest::sha256(b"never"), "size": 1,
        "platform": { "os": "windows", "architecture": "amd64" }
    }] });
    let mut texts = Vec::new();
    for manifest in [linux, helm, windows.to_string()] {
        let config = config.clone();
        let registry = Hostile::start(move |asked| match asked.path.contains("/manifests/") {
            true => Reply::manifest(&manifest),
            false => Reply::ok(config.as_str()),
        })
        .await;
        let world = World::new();
        let request = world.request(&format!("{}/a:1", registry.address));
        texts.push(world.fetch_failure(&request, &registry.address).await);
        let of_layer = Digest::sha256(CONTENT);
        assert!(registry.asked().iter().all(|asked| !asked.path.ends_with(of_layer.hex())));
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Refused: failed to pull and unpack image "REGISTRY/a:1": it is a container image for linux/amd64 that starts "/bin/sh", and runs machine code; wasmpod runs WebAssembly: build it for the platform wasi/wasm, or with an entrypoint that is a .wasm file
    Refused: failed to pull and unpack image "REGISTRY/a:1": the config is of type "application/vnd.cncf.helm.config.v1+json", which is neither a container's, nor one of WebAssembly, nor Spin's
    Refused: failed to pull and unpack image "REGISTRY/a:1": none of the 1 manifests in the index is for WebAssembly: they are for windows/amd64
    "#);
}

#[tokio::test]
async fn the_secrets_of_the_pod_come_before_the_users_own() {
    let registry = Hostile::start(|asked| match asked.authorization.as_deref() {
        Some("Basic cG9kOnA=") if asked.path.contains("/manifests/") => Reply::manifest(&image()),
        Some("Basic cG9kOnA=") if asked.path.ends_with(Digest::sha256(b"{}").hex()) => {
            Reply::ok("{}")
        }
        Some("Basic cG9kOnA=") => Reply::ok(CONTENT),
        _ => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\""),
    })
    .await;
    let auths = |user: &str| {
        let name = &registry.address;
        format!(r#"{{"auths":{{"{name}":{{"username":"{user}","password":"p"}}}}}}"#)
    };
    let world = World::new();
    let home = world.folder().join("home/.docker");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("config.json"), auths("user")).unwrap();
    let image = format!("{}/a:1", registry.address);
    let alone = world.fetch_failure(&world.request(&image), &registry.address).await;
    let broken = vec![secret(DOCKER_CONFIG, ".dockerconfigjson", "{\"auths\"")];
    let broken = world.request_with(&image, broken);
    let broken = world.fetch_failure(&broken, &registry.address).await;
    insta::assert_snapshot!([alone, broken].join("\n"), @r#"
    Unauthorized: failed to pull and unpack image "REGISTRY/a:1": failed to resolve reference "REGISTRY/a:1": pull access denied, repository does not exist or may require authorization: unexpected status from HEAD request to http://REGISTRY/v2/a/manifests/1: 401 Unauthorized
    Host: imagePullSecret "regcred": .dockerconfigjson: is not the JSON it should be, line 1 column 8
    "#);
    // For just this image, and with a program that is not there.
    let name = &registry.address;
    let particular = json!({
        "auths": { format!("{name}/a"): { "username": "user", "password": "p" } },
        "credHelpers": { name: "nothere" }
    });
    fs::write(home.join("config.json"), particular.to_string()).unwrap();
    let secrets = vec![
        secret("Opaque", "password", "of something else"),
        secret(DOCKER_CONFIG, ".dockerconfigjson", &auths("pod")),
    ];
    let before = registry.asked().len();
    world.fetch(&world.request_with(&image, secrets)).await.unwrap();
    let shown: Vec<_> =
        registry.asked()[before..].iter().filter_map(|asked| asked.authorization.clone()).collect();
    assert!(shown.iter().all(|shown| shown == "Basic cG9kOnA="), "{shown:?}");
}

#[tokio::test]
async fn a_program_that_knows_the_password_is_asked() {
    let registry = Hostile::start(|asked| match asked.authorization.as_deref() {
        Some("Basic aGVscGVyOnA=") => match asked.path.as_str() {
            path if path.contains("/manifests/") => Reply::manifest(&image()),
            path if path.ends_with(Digest::sha256(b"{}").hex()) => Reply::ok("{}"),
            _ => Reply::ok(CONTENT),
        },
        _ => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\""),
    })
    .await;
    let world = World::new();
    let home = world.folder().join("home");
    fs::create_dir_all(home.join(".docker")).unwrap();
    fs::write(home.join(".docker/config.json"), r#"{"credsStore":"test"}"#).unwrap();
    fs::create_dir_all(home.join("bin")).unwrap();
    let program = home.join("bin/docker-credential-test");
    let write = |script: &str| {
        // As a file that is renamed: one that is open for writing, here or in a child that another
        // test starts at this moment, cannot be run.
        let written = Command::new("sh")
            .arg("-c")
            .arg("printf '#!/bin/sh\n%s\n' \"$1\" > \"$2\" && chmod 755 \"$2\"")
            .arg("sh")
            .args([script.as_ref(), program.as_os_str()])
            .status();
        assert!(written.unwrap().success());
    };
    let request = world.request(&format!("{}/a:1", registry.address));
    // It may start programs of its own, and read what it likes.
    write("cat > \"$HOME/asked\"; ls \"$HOME\" > /dev/null; exit 1");
    let failed = world.fetch_failure(&request, &registry.address).await;
    insta::assert_snapshot!(failed, @r#"Host: failed to pull and unpack image "REGISTRY/a:1": failed to resolve reference "REGISTRY/a:1": docker-credential-test:"#);
    write(r#"cat > /dev/null; echo '{"Username":"helper","Secret":"p"}'"#);
    world.fetch(&request).await.unwrap();
    assert_eq!(fs::read_to_string(home.join("asked")).unwrap(), registry.address);
    // One that does not answer ends when nobody waits any more.
    world.layout.remove(&format!("{}/a:1", registry.address).parse().unwrap()).unwrap();
    write("mkfifo \"$HOME/never\" \"$HOME/waiting\"; read word < \"$HOME/never\"");
    let mut child = Child::start(&world, &request).await;
    while !home.join("waiting").exists() {
        yield_now().await;
    }
    child.lifeline = None;
    child.answer().await.unwrap_err();
}

#[tokio::test]
async fn what_fails_says_what_it_means() {
    let questions = AtomicUsize::new(0);
    let registry = Hostile::start(move |_| match questions.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::status(404),
        _ => Reply::ok("changed").header("Docker-Content-Digest", "sha256:x"),
    })
    .await;
    let image = format!("{}/a:1", registry.address);
    let world = World::new();
    let with_config = |config: &str| match world.request(&image) {
        Request::Pull { layout, reference, secrets, policy, .. } => {
            Request::Pull { layout, reference, secrets, config: Some(config.into()), policy }
        }
        push @ Request::Push { .. } => push,
    };
    let misspelt = world.folder().join("registries.yaml");
    fs::write(&misspelt, "mirror: {}\n").unwrap();
    let mut texts = Vec::new();
    for request in [
        world.request(&image),
        world.request(&image),
        world.request("Not/A//Name"),
        world.request("127.0.0.1:1/a"),
        with_config("/not/there"),
        with_config(misspelt.to_str().unwrap()),
        Request::Push {
            layout: world.layout.folder().to_owned(),
            name: "a:1".to_owned(),
            reference: image.clone(),
            config: None,
        },
    ] {
        texts.push(world.fetch_failure(&request, &registry.address).await);
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    NotFound: failed to pull and unpack image "REGISTRY/a:1": failed to resolve reference "REGISTRY/a:1": REGISTRY/a:1: not found
    Invalid: failed to pull and unpack image "REGISTRY/a:1": failed to resolve reference "REGISTRY/a:1": "sha256:x" is not a digest
    InvalidReference: couldn't parse image name "Not/A//Name": invalid reference format: repository name (A//Name) must be lowercase
    Unavailable: failed to pull and unpack image "127.0.0.1:1/a:latest": failed to resolve reference "127.0.0.1:1/a:latest": failed to do request: Head "http://127.0.0.1:1/v2/a/manifests/latest": connect: connection refused
    Host: cannot read /not/there: No such file or directory
    Host: FOLDER/registries.yaml: error: line 1 column 1: unknown field `mirror`, expected one of mirrors, configs
    NotFound: failed to push image "REGISTRY/a:1": image docker.io/library/a:1: not found
    "#);
}

#[tokio::test]
async fn whatever_a_registry_says_a_message_is_short() {
    let long = "A".repeat(1_200_000);
    let config = json!({ "schemaVersion": 2, "config": long, "layers": [] }).to_string();
    let digest = image().replace(&Digest::sha256(CONTENT).to_string(), &format!("blake3:{long}"));
    let header = format!("blake3:{}", &long[..50_000]);
    let realm = format!("Bearer realm=\"ftp://{}\"", &long[..50_000]);
    let answers: [Box<dyn Fn() -> Reply + Send + Sync>; 4] = [
        Box::new(move || Reply::manifest(&config)),
        Box::new(move || Reply::manifest(&digest)),
        Box::new(move || Reply::ok("{}").header("Docker-Content-Digest", &header)),
        Box::new(move || Reply::status(401).header("WWW-Authenticate", &realm)),
    ];
    for answer in answers {
        let registry = Hostile::start(move |asked| match asked.path.contains("/manifests/") {
            true => answer(),
            false => Reply::ok("{}"),
        })
        .await;
        let world = World::new();
        let request = world.request(&format!("{}/a:1", registry.address));
        let text = world.fetch_failure(&request, &registry.address).await;
        assert!(text.contains("AAA") && text.chars().count() < 2500, "{}", text.len());
    }
}

#[tokio::test]
async fn what_one_pushes_another_pulls() {
    // Under a certificate of its own, which the child must be able to read.
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem();
    let key = key.serialize_pem();
    let special = Special { tls: Some((&certificate, &key)), ..Special::default() };
    let Some(registry) = DockerRegistry::start(&special) else { return };
    let (ours, theirs) = (World::new(), World::new());
    let (file, ca) = (ours.folder().join("registries.yaml"), ours.folder().join("ca.pem"));
    fs::write(&ca, &certificate).unwrap();
    let config = json!({ "configs": { &registry.address: { "tls": { "ca_file": ca } } } });
    fs::write(&file, config.to_string()).unwrap();
    let digest = put_image(&ours.layout, &"a:1".parse().unwrap(), &[CONTENT, b"readme"]);
    let image = format!("{}/team/a:1", registry.address);
    let push = Request::Push {
        layout: ours.layout.folder().to_owned(),
        name: "a:1".to_owned(),
        reference: image.clone(),
        config: Some(file.clone()),
    };
    let pushed = ours.fetch(&push).await.unwrap();
    assert_eq!((&pushed.manifest, pushed.already_present), (&digest, false));
    assert!(ours.fetch(&push).await.unwrap().already_present);
    let pull = Request::Pull {
        layout: theirs.layout.folder().to_owned(),
        reference: image,
        secrets: Vec::new(),
        config: Some(file),
        policy: None,
    };
    let pulled = theirs.fetch(&pull).await.unwrap();
    assert_eq!((pulled.manifest, pulled.size), (digest, pushed.size));
}
