//! Registries that lie, stall, break off and lead astray.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    dead_code,
    reason = "tests with helpers, which clippy does not know for ones; each test uses some of them"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::hostile::{Asked, CONTENT, Hostile, Reply, image, registry};
use support::{World, layer, manifest};
use wasmpod_images::digest::Digest;

/// What becomes of a pull of one layer from a registry that answers so.
async fn failure_of_layer(of_layer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> String {
    let registry = registry(image(), of_layer).await;
    let mut world = World::new();
    world.options.limits.stall = Duration::from_millis(100);
    let text = world.failure(&format!("{}/a:1", registry.address)).await;
    // What may yet come stays for the next pull; of all else nothing does.
    if !text.starts_with("Unavailable") && !text.starts_with("TooManyRequests") {
        world.assert_nothing_left();
    }
    text.replace(&Digest::sha256(CONTENT).to_string(), "DIGEST")
        .replace(r#"failed to pull and unpack image "127.0.0.1:PORT/a:1": "#, "")
}

/// The same for a manifest.
async fn failure_of_manifest(
    of_manifest: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> String {
    let registry = Hostile::start(of_manifest).await;
    let world = World::new();
    let text = world.failure(&format!("{}/a:1", registry.address)).await;
    world.assert_nothing_left();
    text.replace(r#"failed to pull and unpack image "127.0.0.1:PORT/a:1": "#, "")
}

#[tokio::test]
async fn a_layer_that_is_not_what_was_promised_is_gone() {
    let texts = [
        failure_of_layer(|_| Reply::ok("9876543210")).await,
        failure_of_layer(|_| Reply::ok("012345678")).await,
        failure_of_layer(|_| Reply::ok("0123456789x")).await,
        failure_of_layer(|_| Reply::Open(b"01234".to_vec())).await,
        failure_of_layer(|_| Reply::Open(b"0123456789x".to_vec())).await,
        failure_of_layer(|_| Reply::Endless).await,
        failure_of_layer(|_| Reply::status(404)).await,
        failure_of_layer(|_| Reply::status(418)).await,
        failure_of_layer(|_| Reply::redirect("file:///etc/passwd")).await,
        failure_of_layer(|asked| Reply::redirect(&format!("{}x", asked.path))).await,
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Invalid: failed commit on ref "layer-DIGEST": unexpected commit digest sha256:7619ee8cea49187f309616e30ecf54be072259b43760f1f550a644945d5572f2, expected DIGEST: failed precondition
    Invalid: failed commit on ref "layer-DIGEST": unexpected commit size 9, expected 10: failed precondition
    Invalid: failed commit on ref "layer-DIGEST": unexpected commit size 11, expected 10: failed precondition
    Invalid: failed commit on ref "layer-DIGEST": unexpected commit size 5, expected 10: failed precondition
    Invalid: failed commit on ref "layer-DIGEST": unexpected commit size, more than 10: failed precondition
    Invalid: failed commit on ref "layer-DIGEST": unexpected commit size, more than 10: failed precondition
    NotFound: failed to copy layer DIGEST: DIGEST: not found
    Unexpected: failed to copy layer DIGEST: unexpected status from GET request to http://127.0.0.1:PORT/v2/a/blobs/DIGEST: 418 I'm a teapot
    Unexpected: failed to copy layer DIGEST: redirect from http://127.0.0.1:PORT/v2/a/blobs/DIGEST to what is no address
    Unexpected: failed to copy layer DIGEST: failed to do request: Get "http://127.0.0.1:PORT/v2/a/blobs/DIGESTxxxxxxxxxxx": stopped after 10 redirects
    "#);
}

#[tokio::test]
async fn a_layer_that_does_not_come_is_the_registrys_fault() {
    let texts = [
        failure_of_layer(|_| Reply::Stalled(10, b"01234".to_vec())).await,
        failure_of_layer(|_| Reply::Cut(10, b"".to_vec())).await,
        failure_of_layer(|_| Reply::status(503)).await,
        failure_of_layer(|_| Reply::status(429)).await,
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    Unavailable: failed to copy layer DIGEST: 5 bytes in 100ms: i/o timeout
    Unavailable: failed to copy layer DIGEST: end of file before message length reached
    Unavailable: failed to copy layer DIGEST: unexpected status from GET request to http://127.0.0.1:PORT/v2/a/blobs/DIGEST: 503 Service Unavailable
    TooManyRequests: failed to copy layer DIGEST: unexpected status from GET request to http://127.0.0.1:PORT/v2/a/blobs/DIGEST: 429 Too Many Requests
    ");
}

#[tokio::test]
async fn a_layer_that_trickles_is_as_bad_as_one_that_stands_still() {
    let size = 1 << 20;
    let manifest = manifest(&[layer(&Digest::sha256(b"never"), size)]);
    let registry = registry(manifest, move |_| Reply::Trickle(size)).await;
    let mut world = World::new();
    world.options.limits.stall = Duration::from_millis(100);
    world.options.limits.attempts = 1;
    let error = world.pull(&format!("{}/a:1", registry.address)).await.unwrap_err();
    assert!(error.is_registry_unavailable() && error.is_transient());
    assert!(error.to_string().ends_with("bytes in 100ms: i/o timeout"), "{error}");
}

#[tokio::test]
async fn a_manifest_that_is_not_what_was_promised_is_gone() {
    let nested = |digest: &Digest| {
        json!({ "schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": 1,
            "platform": { "os": "wasi", "architecture": "wasm" }
        }] })
    };
    let layers: Vec<Value> =
        (0..10_000_u32).map(|number| layer(&Digest::sha256(&number.to_le_bytes()), 1)).collect();
    let many = manifest(&layers);
    let huge = manifest(&[
        layer(&Digest::sha256(CONTENT), usize::MAX),
        layer(&Digest::sha256(b""), usize::MAX),
    ]);
    let wrong = nested(&Digest::sha256(b"x")).to_string();
    let none = r#"{"schemaVersion":2,"manifests":[]}"#;
    let unknown = image().replace(&Digest::sha256(CONTENT).to_string(), "sha256:../../x");
    let texts = [
        failure_of_manifest(|_| Reply::ok("no json")).await,
        failure_of_manifest(move |_| Reply::manifest(&many)).await,
        failure_of_manifest(move |_| Reply::manifest(&huge)).await,
        failure_of_manifest(move |_| Reply::manifest(&unknown)).await,
        failure_of_manifest(move |_| Reply::manifest(none)).await,
        failure_of_manifest(move |asked| match asked.path.ends_with("/1") {
            true => Reply::manifest(&wrong),
            false => Reply::ok("x"),
        })
        .await,
        // 100 MB, with its length told and not.
        failure_of_manifest(|_| Reply::ok(vec![b' '; 100 << 20])).await,
        failure_of_manifest(|asked| match asked.method.as_str() {
            "HEAD" => Reply::status(200),
            _ => Reply::Endless,
        })
        .await,
        // Another one between the two questions.
        failure_of_manifest(|asked| match asked.method.as_str() {
            "HEAD" => Reply::manifest(&image()),
            _ => Reply::ok("changed"),
        })
        .await,
        failure_of_manifest(|_| Reply::ok("").header("Docker-Content-Digest", "sha256:../x")).await,
        failure_of_manifest(|_| Reply::redirect("/v2/a/manifests/1")).await,
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Invalid: failed commit on ref "manifest-sha256:5ad3040044b6d872316bf4312926c3b9eac7faf4eca2966e8ac41dfdf9c803f5": manifest sha256:5ad3040044b6d872316bf4312926c3b9eac7faf4eca2966e8ac41dfdf9c803f5 cannot be read: expected ident at line 1 column 2
    Invalid: failed commit on ref "manifest-sha256:8e201ddfd70860f5d1c0dbc6ed9431ac62fbda593d9921280507592db04c453d": manifest sha256:8e201ddfd70860f5d1c0dbc6ed9431ac62fbda593d9921280507592db04c453d has 10000 layers, more than 500
    TooLarge: failed to copy manifest sha256:0f253b0eb6c97b5371e97b6ba242f459292b34bb64d1d2be65cd94f2b753f81a: the image has 18446744073709551615 bytes, more than 8589934592
    Invalid: failed commit on ref "manifest-sha256:a44adeded5658dfa671b1c03dff8873eb92a5d780eeeffaf14978de82a3372a3": manifest sha256:a44adeded5658dfa671b1c03dff8873eb92a5d780eeeffaf14978de82a3372a3 cannot be read: Invalid encoded value ../../x
    Refused: none of the 0 manifests in the index is for WebAssembly
    Invalid: failed commit on ref "manifest-sha256:94040db80a0f4d5dab780e4da84395c58f6b9547b8080b3378a4d6713ed05bf9": unexpected commit digest sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, expected sha256:94040db80a0f4d5dab780e4da84395c58f6b9547b8080b3378a4d6713ed05bf9: failed precondition
    TooLarge: failed to resolve reference "127.0.0.1:PORT/a:1": manifest 1 has more than 4194304 bytes
    TooLarge: failed to resolve reference "127.0.0.1:PORT/a:1": manifest 1 has more than 4194304 bytes
    Invalid: failed commit on ref "manifest-sha256:0d457b12a4f8214af87632f8bd74a8d3b5aaea2fa5270669abdafba58ab7efdc": unexpected commit digest sha256:d67e2e944994496c8d8ec76eed0cf9f09679448d584b532bebf941852a37f5ed, expected sha256:0d457b12a4f8214af87632f8bd74a8d3b5aaea2fa5270669abdafba58ab7efdc: failed precondition
    Invalid: failed to resolve reference "127.0.0.1:PORT/a:1": "sha256:../x" is not a digest
    Unexpected: failed to resolve reference "127.0.0.1:PORT/a:1": failed to do request: Head "http://127.0.0.1:PORT/v2/a/manifests/1": stopped after 10 redirects
    "#);
}

#[tokio::test]
async fn a_tag_that_moves_while_it_is_pulled_is_followed() {
    let old = Digest::sha256(b"old").to_string();
    let questions = AtomicUsize::new(0);
    let registry = Hostile::start(move |asked| match (asked.method.as_str(), &asked.path) {
        ("HEAD", _) if questions.fetch_add(1, Ordering::Relaxed) == 0 => {
            Reply::status(200).header("Docker-Content-Digest", &old)
        }
        (_, path) if path.ends_with(&old) => Reply::status(404),
        (_, path) if path.contains("/manifests/") => {
            Reply::manifest(&manifest(&[layer(&Digest::sha256(b"{}"), 2)]))
        }
        _ => Reply::ok("{}"),
    })
    .await;
    let world = World::new();
    world.pull(&format!("{}/a:1", registry.address)).await.unwrap();
}

#[tokio::test]
async fn a_digest_is_asked_for_in_its_own_repository() {
    for has_head in [true, false] {
        let registry = Hostile::start(move |asked| match &asked.path {
            _ if asked.method == "HEAD" && !has_head => Reply::status(405),
            path if path.starts_with("/v2/closed/") => {
                Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\"")
            }
            // Anything but what it was asked for.
            path if path.starts_with("/v2/wrong/") && asked.method == "GET" => Reply::ok("{}"),
            path if path.starts_with("/v2/wrong/") => Reply::status(404),
            path if !path.starts_with("/v2/app/") => Reply::status(404),
            path if path.contains("/manifests/") => Reply::manifest(&image()),
            path if path.ends_with(Digest::sha256(b"{}").hex()) => Reply::ok("{}"),
            _ => Reply::ok(CONTENT),
        })
        .await;
        let world = World::new();
        let digest = world.pull(&format!("{}/app:1", registry.address)).await.unwrap().digest;
        let before = registry.asked().len();
        let again = world.pull(&format!("{}/app@{digest}", registry.address)).await.unwrap();
        assert_eq!((again.bytes_fetched, again.already_present), (0, true));
        assert_eq!(registry.asked().len(), before + if has_head { 1 } else { 2 });
        for (repository, kind) in [
            ("not/there", "NotFound"),
            ("closed", "Unauthorized"),
            ("wrong", if has_head { "NotFound" } else { "Invalid" }),
        ] {
            let image = format!("{}/{repository}@{digest}", registry.address);
            let text = world.failure(&image).await;
            assert!(text.starts_with(&format!("{kind}: ")), "{has_head}: {text}");
        }
        assert_eq!(world.layout.images().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let questions = AtomicUsize::new(0);
    let registry = Hostile::start(move |asked| {
        // Every other question of any kind fails.
        if questions.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Reply::status(503);
        }
        match &asked.path {
            path if path.contains("/manifests/") => {
                Reply::manifest(&manifest(&[layer(&Digest::sha256(b"{}"), 2)]))
            }
            _ => Reply::ok("{}"),
        }
    })
    .await;
    World::new().pull(&format!("{}/a:1", registry.address)).await.unwrap();
}

#[tokio::test]
async fn fifty_at_once_fetch_each_byte_once() {
    let registry = registry(image(), |_| Reply::ok(CONTENT)).await;
    let world = World::new();
    let image = format!("{}/a:1", registry.address);
    let pulls = (0..50).map(|_| world.pull(&image));
    let pulled = futures::future::try_join_all(pulls).await.unwrap();
    let blobs = registry.asked().iter().filter(|asked| asked.path.contains("/blobs/")).count();
    assert_eq!(blobs, 2);
    world.layout.verify_image(&pulled[0].digest).unwrap();
    assert_eq!(world.layout.images().unwrap().len(), 1);
}

#[tokio::test]
async fn who_we_are_is_told_to_nobody_else() {
    let store = Hostile::start(|_| Reply::ok(CONTENT)).await;
    let elsewhere = store.address.clone();
    let realm = Hostile::start(|_| Reply::ok(r#"{"token":"let-me-in"}"#)).await;
    let challenge = format!("Bearer realm=\"http://{}/token\",service=\"s\"", realm.address);
    let config = Digest::sha256(b"{}").to_string();
    let registry = Hostile::start(move |asked| {
        if asked.authorization.as_deref() != Some("Bearer let-me-in") {
            return Reply::status(401).header("WWW-Authenticate", &challenge);
        }
        match &asked.path {
            path if path.contains("/manifests/") => Reply::manifest(&image()),
            path if path.ends_with(&config) => Reply::ok("{}"),
            _ => Reply::redirect(&format!("http://{elsewhere}/blob")),
        }
    })
    .await;
    let auths =
        format!(r#"{{"auths":{{"{}":{{"username":"u","password":"p"}}}}}}"#, registry.address);
    let world = World::with("", &auths);
    world.pull(&format!("{}/a:1", registry.address)).await.unwrap();
    let asked = &realm.asked()[0];
    assert_eq!(asked.path, "/token?service=s&scope=repository%3Aa%3Apull");
    assert_eq!(asked.authorization.as_deref(), Some("Basic dTpw"));
    assert_eq!(realm.asked().len(), 1, "one token for all of the pull");
    assert_eq!(store.asked()[0].authorization, None);
}

#[tokio::test]
async fn who_is_told_that_there_is_nothing_asks_as_somebody_else() {
    let registry = Hostile::start(|asked| match asked.authorization.as_deref() {
        None => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\""),
        Some("Basic dTpw") => match &asked.path {
            path if path.contains("/manifests/") => Reply::manifest(&image()),
            path if path.ends_with(Digest::sha256(b"{}").hex()) => Reply::ok("{}"),
            _ => Reply::ok(CONTENT),
        },
        Some(_) => Reply::status(404),
    })
    .await;
    let auths = json!({ "auths": {
        format!("{}/a", registry.address): { "username": "other", "password": "p" },
        &registry.address: { "username": "u", "password": "p" }
    } });
    let world = World::with("", &auths.to_string());
    world.pull(&format!("{}/a:1", registry.address)).await.unwrap();
}

#[tokio::test]
async fn a_token_server_cannot_hold_us_up() {
    let mut texts = Vec::new();
    for answer in [
        || Reply::Endless,
        || Reply::ok("{}"),
        || Reply::status(403),
        || Reply::ok(r#"{"token":"no\nheader"}"#),
        || Reply::ok(r#"{"token":"of no use"}"#),
    ] {
        let realm = Hostile::start(move |_| answer()).await;
        let challenge = format!("Bearer realm=\"http://{}/token\"", realm.address);
        let registry =
            Hostile::start(move |_| Reply::status(401).header("WWW-Authenticate", &challenge))
                .await;
        let world = World::new();
        let text = world.failure(&format!("{}/a:1", registry.address)).await;
        texts.push(text.replace(&realm.address, "REALM"));
        world.assert_nothing_left();
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Invalid: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": failed to authorize: failed to fetch anonymous token: http://REALM/token gave none
    Invalid: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": failed to authorize: failed to fetch anonymous token: http://REALM/token gave none
    Unauthorized: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": failed to authorize: failed to fetch anonymous token: unexpected status from request to http://REALM/token: 403 Forbidden
    Invalid: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": failed to authorize: the token is no header
    Unauthorized: failed to pull and unpack image "127.0.0.1:PORT/a:1": failed to resolve reference "127.0.0.1:PORT/a:1": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials
    "#);
}

#[tokio::test]
async fn a_mirror_that_lies_is_passed_over() {
    let mirror = registry(image(), |_| Reply::ok("9876543210")).await;
    let itself = registry(image(), |_| Reply::ok(CONTENT)).await;
    let config = format!(
        "mirrors: {{'{}': {{endpoint: ['http://127.0.0.1:1', 'http://{}']}}}}",
        itself.address, mirror.address
    );
    let auths =
        format!(r#"{{"auths":{{"{}":{{"username":"u","password":"p"}}}}}}"#, itself.address);
    let world = World::with(&config, &auths);
    let pulled = world.pull(&format!("{}/a:1", itself.address)).await.unwrap();
    world.layout.verify_image(&pulled.digest).unwrap();
    assert!(
        mirror.asked().iter().all(|asked| asked
            .path
            .contains(&format!("?ns={}", itself.address.replace(':', "%3A"))))
    );
    assert!(mirror.asked().iter().all(|asked| asked.authorization.is_none()));
}
