//! Images that run only with the right signature, which another tool has made.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use super::registry::Registry;
use super::{TINY, has, tool};
use crate::harness::{PodText, World, guest};

const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Writes `content` into `folder` of the world, under its digest and nothing else, as skopeo's `dir:` has
/// it; gives the descriptor.
fn blob(world: &World, folder: &str, media_type: &str, content: &str) -> serde_json::Value {
    let unnamed = format!("{folder}/unnamed");
    world.file(&unnamed, content);
    let digest = sha256(world, &unnamed);
    let path = |name: &str| world.path().join(folder).join(name);
    fs::rename(path("unnamed"), path(&digest)).expect("it can be named");
    json!({
        "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len()
    })
}

fn sha256(world: &World, file: &str) -> String {
    let told = tool(world, "sha256sum", &[file]);
    told.split(' ').next().expect("a digest").to_owned()
}

/// Signs what the registry has as `image:tag`, as `cosign sign --key` does, with a new key; its public half is
/// `acme.pub` then.
fn sign(world: &World, registry: &Registry, image: &str, tag: &str) {
    let name = registry.name(image);
    let signed = format!("docker://{name}:{tag}");
    world.file(
        "signed.json",
        tool(world, "skopeo", &["inspect", "--tls-verify=false", "--raw", &signed]),
    );
    let digest = format!("sha256:{}", sha256(world, "signed.json"));
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": name},
            "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature"
        },
        "optional": null
    })
    .to_string();
    world.file("payload", &payload);
    let openssl = |words: &str| tool(world, "openssl", &words.split(' ').collect::<Vec<_>>());
    openssl("ecparam -name prime256v1 -genkey -noout -out acme.key");
    openssl("ec -in acme.key -pubout -out acme.pub");
    openssl("dgst -sha256 -sign acme.key -out signature payload");
    let signature = openssl("base64 -A -in signature");

    fs::create_dir(world.path().join("signed")).expect("a new folder");
    let mut layer = blob(world, "signed", PAYLOAD, &payload);
    layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
    let config = blob(world, "signed", "application/vnd.oci.image.config.v1+json", "{}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": [layer]
    });
    world.file("signed/manifest.json", manifest.to_string());
    world.file("signed/version", "Directory Transport Version: 1.1\n");
    let to = format!("docker://{name}:{}.sig", digest.replace(':', "-"));
    tool(world, "skopeo", &["copy", "--dest-tls-verify=false", "dir:signed", &to]);
}

#[test]
fn what_ran_unsigned_does_not_run_in_place_of_what_is_signed() {
    if !has("skopeo") || !has("openssl") {
        return;
    }
    let Some(registry) = Registry::start() else { return };
    let world = World::new();
    let name = registry.name("team/app:1");
    let other = World::new();
    let push = |program: &str| {
        other.does(["image", "pack", program, "-t", &name]);
        other.does(["push", &name]);
    };
    push(&guest("toolbox"));
    let pod = PodText::new("app").container("main", &name, &["out", "I am unsigned"]);
    let file = pod.with("imagePullPolicy: IfNotPresent").write(&world);
    for _ in 0..2 {
        let result = world.wasmpod(["run", &file]).finish();
        assert_eq!(result.stdout, "main | I am unsigned\n", "{result}");
    }

    // This one says nothing.
    other.file("tiny.wasm", TINY);
    push(&other.path().join("tiny.wasm").display().to_string());
    sign(&world, &registry, "team/app", "1");
    let pattern = registry.name("team/*");
    world.file(
        "policy.yaml",
        format!("default: reject\nimages: [{{pattern: '{pattern}', key: acme.pub}}]\n"),
    );
    let policy = world.path().join("policy.yaml").display().to_string();
    let result = world.wasmpod(["--image-policy", &policy, "run", &file]).finish();
    assert_eq!((result.code, result.stdout.as_str()), (0, ""), "{result}");

    // Whether it is signed nobody may ask.
    let never = PodText::new("never").container("main", &name, &[]);
    let never = never.with("imagePullPolicy: Never").write(&world);
    let pod = world.wasmpod(["--image-policy", &policy, "run", &never, "-o", "json"]).start();
    pod.wait_for("unless its registry is asked who has signed it, and its pull policy is Never");
    pod.finish_by(Signal::INT);
}
