//! Registries that do not take what is pushed to them as they should.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    dead_code,
    reason = "tests with helpers, which clippy does not know for ones; each test uses some of them"
)]

mod support;

use std::time::Duration;

use support::hostile::{CONTENT, Hostile, Reply};
use support::{World, put_image};
use wasmpod_images::digest::Digest;

#[tokio::test]
async fn a_push_goes_where_the_registry_says_but_tells_only_the_registry_who_we_are() {
    let store = Hostile::start(|_| Reply::status(201)).await;
    let elsewhere = format!("http://{}/upload?id=1", store.address);
    let registry = Hostile::start(move |asked| match asked.method.as_str() {
        _ if asked.authorization.is_none() => {
            Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\"")
        }
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", &elsewhere),
        _ => Reply::status(201),
    })
    .await;
    let auths =
        format!(r#"{{"auths":{{"{}":{{"username":"u","password":"p"}}}}}}"#, registry.address);
    let world = World::with("", &auths);
    let digest = put_image(&world.layout, &"a:1".parse().unwrap(), &[CONTENT]);
    let pushed = world.push("a:1", &format!("{}/a:1", registry.address)).await.unwrap();
    assert_eq!((pushed.digest, pushed.bytes_sent), (digest, 12));
    let uploads = store.asked();
    assert_eq!(uploads.len(), 2);
    assert!(uploads.iter().all(|upload| upload.authorization.is_none()));
    assert!(uploads.iter().all(|upload| upload.path.starts_with("/upload?id=1&digest=sha256")));
}

#[tokio::test]
async fn a_push_to_one_who_does_not_listen_ends() {
    let registry = Hostile::start(|asked| match asked.method.as_str() {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", "/upload"),
        _ => Reply::Silent,
    })
    .await;
    let mut world = World::new();
    world.options.limits.answer = Duration::from_millis(300);
    world.options.limits.attempts = 1;
    put_image(&world.layout, &"a:1".parse().unwrap(), &[&vec![0; 32 << 20]]);
    let error = world.push("a:1", &format!("{}/a:1", registry.address)).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(error.to_string().ends_with("no answer in 300ms: i/o timeout"), "{error}");
}

#[tokio::test]
async fn what_has_another_digest_than_it_should_does_not_go() {
    let registry = Hostile::start(|asked| match asked.method.as_str() {
        "HEAD" => Reply::status(200),
        _ => Reply::status(201),
    })
    .await;
    let world = World::new();
    let digest = put_image(&world.layout, &"a:1".parse().unwrap(), &[CONTENT]);
    let other = Digest::sha256(b"other");
    let address = &registry.address;
    let mut texts = Vec::new();
    for image in [format!("{address}/a@{other}"), format!("{address}/a:1@{other}")] {
        let text = world.push("a:1", &image).await.unwrap_err().to_string();
        texts.push(
            text.replace(address, "REGISTRY")
                .replace(digest.hex(), "HEX")
                .replace(other.hex(), "OTHER"),
        );
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    failed to push image "REGISTRY/a@sha256:OTHER": unexpected commit digest sha256:HEX, expected sha256:OTHER: failed precondition
    failed to push image "REGISTRY/a:1@sha256:OTHER": unexpected commit digest sha256:HEX, expected sha256:OTHER: failed precondition
    "#);
    assert_eq!(registry.asked().len(), 0);
    let mut paths = Vec::new();
    for image in [format!("{address}/a@{digest}"), format!("{address}/a:1@{digest}")] {
        world.push("a:1", &image).await.unwrap();
        paths.push(registry.asked().last().unwrap().path.clone());
    }
    assert_eq!(paths, [format!("/v2/a/manifests/{digest}"), "/v2/a/manifests/1".to_owned()]);
}

#[tokio::test]
async fn what_is_not_here_cannot_be_pushed() {
    let error = World::new().push("a:1", "127.0.0.1:1/a:1").await.unwrap_err();
    insta::assert_snapshot!(error, @r#"failed to push image "127.0.0.1:1/a:1": image docker.io/library/a:1: not found"#);
}
