//! Against the registry that most of the world runs, and beside a tool that most of it uses.
//!
//! Without Debian's packages `docker-registry` and `skopeo` these tests say so and pass.
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

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::docker_registry::{DockerRegistry, Special};
use support::{World, put_image};
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::Layout;
use wasmpod_images::reference::Reference;
use wasmpod_registry::push;

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

async fn pushed(world: &World, image: &str, layers: &[&[u8]]) -> Digest {
    let digest = put_image(&world.layout, &reference("local/image:1"), layers);
    let name = reference("local/image:1");
    let image = reference(image);
    push(&world.layout, &name, &image, &world.options, &|_| {}).await.unwrap();
    digest
}

/// `None`, and a message, when it is not installed.
fn skopeo(arguments: &[&str]) -> Option<String> {
    let output = match Command::new("skopeo").args(["--insecure-policy"]).args(arguments).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: skopeo is not installed (apt-get install skopeo)");
            return None;
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn what_is_pushed_can_be_pulled_and_is_pulled_once() {
    let Some(registry) = DockerRegistry::start(&Special::default()) else { return };
    let (ours, theirs) = (World::new(), World::new());
    let image = format!("{}/team/kuard:blue", registry.address);
    let large = vec![7; 3 << 20];
    let digest = pushed(&ours, &image, &[b"small", &large, b"small", b""]).await;
    let pulled = theirs.pull(&image).await.unwrap();
    assert_eq!((&pulled.digest, &pulled.registry_digest), (&digest, &digest));
    assert_eq!(pulled.bytes_fetched + 5, pulled.size, "one layer is there twice");
    assert_eq!(theirs.layout.verify_image(&digest).unwrap(), pulled.size);
    let again = theirs.pull(&image).await.unwrap();
    assert_eq!((again.bytes_fetched, again.already_present), (0, true));
    let by_digest =
        theirs.pull(&format!("{}/team/kuard@{digest}", registry.address)).await.unwrap();
    assert!(by_digest.already_present);
    // What the registry has is not sent again.
    let (name, to) =
        (reference("local/image:1"), reference(&format!("{}/team/kuard:green", registry.address)));
    let again = push(&ours.layout, &name, &to, &ours.options, &|_| {}).await.unwrap();
    assert_eq!(again.bytes_sent, 0);
    assert_eq!(theirs.pull(&to.to_string()).await.unwrap().bytes_fetched, 0);
}

#[tokio::test]
async fn what_is_not_there_is_said_as_containerd_says_it() {
    let Some(registry) = DockerRegistry::start(&Special::default()) else { return };
    let world = World::new();
    pushed(&world, &format!("{}/a:1", registry.address), &[b"x"]).await;
    let mut texts = Vec::new();
    for image in
        ["a:2", "b", "a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]
    {
        texts.push(World::new().failure(&format!("{}/{image}", registry.address)).await);
    }
    let address = registry.address.clone();
    drop(registry);
    texts.push(World::new().failure(&format!("{address}/a:1")).await);
    insta::assert_snapshot!(texts.join("\n"), @r#"
    NotFound: failed to pull and unpack image "127.0.0.1:PORT/a:2": failed to resolve reference "127.0.0.1:PORT/a:2": 127.0.0.1:PORT/a:2: not found
    NotFound: failed to pull and unpack image "127.0.0.1:PORT/b:latest": failed to resolve reference "127.0.0.1:PORT/b:latest": 127.0.0.1:PORT/b:latest: not found
    NotFound: failed to pull and unpack image "127.0.0.1:PORT/a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": failed to resolve reference "127.0.0.1:PORT/a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": 127.0.0.1:PORT/a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855: not found
    Unavailable: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": failed to do request: Head "http://127.0.0.1:PORT/v2/a/manifests/1": connect: connection refused
    "#);
}

#[tokio::test]
async fn a_password_opens_what_is_closed() {
    let special = Special { with_password: true, ..Special::default() };
    let Some(registry) = DockerRegistry::start(&special) else { return };
    let image = format!("{}/closed:1", registry.address);
    let auths = |user: &str, password: &str| {
        format!(
            r#"{{"auths":{{"{}":{{"username":"{user}","password":"{password}"}}}}}}"#,
            registry.address
        )
    };
    let jane = World::with("", &auths("jane", "secret"));
    let digest = pushed(&jane, &image, &[b"closed"]).await;
    let pulled = World::with("", &auths("jane", "secret")).pull(&image).await.unwrap();
    assert_eq!(pulled.digest, digest);
    // The same by the configuration of the registry, and with a wrong one tried before it.
    let config = format!(
        "configs: {{'{}': {{auth: {{username: jane, password: secret}}}}}}",
        registry.address
    );
    World::with(&config, "{}").pull(&image).await.unwrap();
    let two = format!(
        r#"{{"auths":{{"{0}":{{"username":"jane","password":"secret"}},"{0}/closed":{{"username":"x","password":"y"}}}}}}"#,
        registry.address
    );
    World::with("", &two).pull(&image).await.unwrap();
    let texts = [
        World::new().failure(&image).await,
        World::with("", &auths("jane", "wrong")).failure(&image).await,
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Unauthorized: failed to pull and unpack image "127.0.0.1:PORT/closed:1": failed to resolve reference "127.0.0.1:PORT/closed:1": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials
    Unauthorized: failed to pull and unpack image "127.0.0.1:PORT/closed:1": failed to resolve reference "127.0.0.1:PORT/closed:1": pull access denied, repository does not exist or may require authorization: unexpected status from HEAD request to http://127.0.0.1:PORT/v2/closed/manifests/1: 401 Unauthorized
    "#);
}

#[tokio::test]
async fn a_registry_with_a_ca_of_its_own_is_trusted_when_the_file_says_so() {
    let key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new([]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&key).unwrap();
    let server_key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&server_key, &Issuer::new(ca, key)).unwrap();
    let (certificate, server_key) = (server.pem(), server_key.serialize_pem());
    let special = Special { tls: Some((&certificate, &server_key)), ..Special::default() };
    let Some(registry) = DockerRegistry::start(&special) else { return };
    let image = format!("{}/a:1", registry.address);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), ca_certificate.pem()).unwrap();
    let config = |tls: &str| format!("configs: {{'{}': {{tls: {{{tls}}}}}}}", registry.address);
    let trusting = config(&format!("ca_file: {}", file.path().display()));
    pushed(&World::with(&trusting, "{}"), &image, &[b"secret"]).await;
    World::with(&trusting, "{}").pull(&image).await.unwrap();
    World::with(&config("insecure_skip_verify: true"), "{}").pull(&image).await.unwrap();
    let texts = [
        World::with(&config("insecure_skip_verify: false"), "{}").failure(&image).await,
        World::with(&config("ca_file: /not/there"), "{}").failure(&image).await,
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Unavailable: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": failed to do request: Head "https://127.0.0.1:PORT/v2/a/manifests/1": invalid peer certificate: UnknownIssuer
    Config: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": tls: /not/there: No such file or directory (os error 2)
    "#);
}

#[tokio::test]
async fn skopeo_and_we_read_what_the_other_wrote() {
    let Some(registry) = DockerRegistry::start(&Special::default()) else { return };
    let world = World::new();
    // Ours on disk, pushed by skopeo, pulled by us.
    let digest = put_image(&world.layout, &reference("local/image:1"), &[b"a", b"b"]);
    let from = format!("oci:{}:docker.io/local/image:1", world.layout.folder().display());
    let theirs = format!("docker://{}/theirs:1", registry.address);
    if skopeo(&["copy", "--preserve-digests", "--dest-tls-verify=false", &from, &theirs]).is_none()
    {
        return;
    }
    let other = World::new();
    let pulled = other.pull(&format!("{}/theirs:1", registry.address)).await.unwrap();
    assert_eq!(pulled.digest, digest);
    // Pushed by us, pulled by skopeo into a layout that we read.
    pushed(&world, &format!("{}/ours:1", registry.address), &[b"c", b"d"]).await;
    let to = other.folder().join("skopeo");
    let ours = format!("docker://{}/ours:1", registry.address);
    let into = format!("oci:{}:ours:1", to.display());
    skopeo(&["copy", "--src-tls-verify=false", "--preserve-digests", &ours, &into]).unwrap();
    let layout = Layout::open(&to).unwrap();
    let images = layout.images().unwrap();
    assert_eq!(images.len(), 1);
    layout.verify_image(&images[0].digest).unwrap();
    // What we pulled is read by skopeo where it lies.
    let here = format!("oci:{}:{}/theirs:1", other.layout.folder().display(), registry.address);
    let raw = skopeo(&["inspect", "--raw", &here]).unwrap();
    assert_eq!(Digest::sha256(raw.as_bytes()), digest);
}
