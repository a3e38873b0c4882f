//! Pods whose images come from a registry: what becomes of them, in the words of Kubernetes.

use rustix::process::Signal;
use serde_json::Value;

use super::registry::Registry;
use super::{TINY, has, tool};
use crate::harness::{PodText, Running, World, guest};

/// Puts the toolbox into a registry, from another machine.
fn publish(registry: &Registry, image: &str) {
    let world = World::new();
    let name = registry.name(image);
    world.does(["image", "pack", &guest("toolbox"), "-t", &name]);
    world.does(["push", &name]);
}

fn waiting(status: &Value) -> &Value {
    &status["containerStatuses"][0]["state"]["waiting"]
}

#[track_caller]
fn wait_for_reason(pod: &Running, reason: &str) -> String {
    let status = pod.wait_for_status(reason, |status| waiting(status)["reason"] == reason);
    waiting(&status)["message"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn wait_for_event(pod: &Running, reason: &str, message: &str) {
    pod.wait_until(&format!("{reason}: {message}"), |stdout, _| {
        let lines = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut events = lines.filter(|line| line["type"] == "event" && line["reason"] == reason);
        events.any(|event| event["message"].as_str().is_some_and(|text| text.contains(message)))
    });
}

#[test]
fn an_image_is_pulled_once_and_told_of() {
    let Some(registry) = Registry::start() else { return };
    publish(&registry, "team/toolbox:1");
    let name = registry.name("team/toolbox:1");
    let world = World::new();
    let file = PodText::new("first").container("main", &name, &["out", "here I am"]).write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    wait_for_event(&pod, "Pulling", &format!("Pulling image \"{name}\""));
    wait_for_event(&pod, "Pulled", &format!("Successfully pulled image \"{name}\""));
    let status = pod.wait_for_status("its end", |status| status["phase"] == "Succeeded");
    let container = &status["containerStatuses"][0];
    assert_eq!(container["image"], name, "{status}");
    let id = container["imageID"].as_str().unwrap_or_default();
    assert!(id.starts_with(&registry.name("team/toolbox@sha256:")), "{status}");
    let result = pod.finish();
    assert!(result.stdout.contains("here I am"), "{result}");

    // Nobody is asked a second time.
    drop(registry);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    wait_for_event(&pod, "Pulled", "already present on machine");
    assert_eq!(pod.finish().code, 0);
}

#[test]
fn a_wrong_tag_is_waited_for() {
    let Some(registry) = Registry::start() else { return };
    publish(&registry, "team/toolbox:1");
    let name = registry.name("team/toolbox:2");
    let world = World::new();
    let file = PodText::new("late").container("main", &name, &["out", "here I am"]).write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    let message = wait_for_reason(&pod, "ErrImagePull");
    assert!(message.contains(&format!("{name}: not found")), "{message}");
    let message = wait_for_reason(&pod, "ImagePullBackOff");
    assert!(message.starts_with(&format!("Back-off pulling image \"{name}\"")), "{message}");
    publish(&registry, "team/toolbox:2");
    pod.wait_for("here I am");
    assert_eq!(pod.finish().code, 0);
}

#[test]
fn a_secret_opens_a_registry() {
    let Some(registry) = Registry::with_password() else { return };
    if !has("skopeo") {
        return;
    }
    let world = World::new();
    let name = registry.name("private/toolbox:1");
    world.does(["image", "pack", &guest("toolbox"), "-t", &name]);
    world.does(["save", &name, "-o", "toolbox.tar"]);
    let (from, to) = ("oci-archive:toolbox.tar", format!("docker://{name}"));
    let with = ["copy", "--quiet", "--dest-tls-verify=false", "--dest-creds", "jane:secret"];
    tool(&world, "skopeo", &[&with[..], &[from, &to]].concat());
    world.does(["rmi", &name]);

    let pod = |secret: &str| {
        let pod = PodText::new("private").container("main", &name, &["out", "let in"]);
        let pod = pod.spec(&format!("imagePullSecrets: [{{name: {secret}}}]")).text();
        let auths = format!(
            r#"{{"auths":{{"{}":{{"username":"jane","password":"secret"}}}}}}"#,
            registry.address
        );
        format!(
            "{pod}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: regcred}}\n\
             type: kubernetes.io/dockerconfigjson\nstringData: {{.dockerconfigjson: '{auths}'}}\n"
        )
    };
    let without = world.file("without.yaml", pod("other"));
    let refused = world.wasmpod(["run", &without, "-o", "json"]).start();
    let message = wait_for_reason(&refused, "ErrImagePull");
    assert!(message.contains("401") || message.contains("authorization failed"), "{message}");
    refused.finish_by(Signal::INT);
    let with = world.file("with.yaml", pod("regcred"));
    let result = world.wasmpod(["run", &with]).finish();
    assert_eq!(result.code, 0, "{result}");
    assert!(result.stdout.contains("let in"), "{result}");
}

#[test]
fn never_is_never() {
    let Some(registry) = Registry::start() else { return };
    publish(&registry, "team/toolbox:1");
    let name = registry.name("team/toolbox:1");
    let world = World::new();
    let pod = PodText::new("never").container("main", &name, &["out", "here I am"]);
    let file = pod.with("imagePullPolicy: Never").write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    let message = wait_for_reason(&pod, "ErrImageNeverPull");
    assert!(message.contains("is not present with pull policy of Never"), "{message}");
    world.does(["pull", "-q", &name]);
    pod.wait_for("here I am");
    assert_eq!(pod.finish().code, 0);
}

/// Its bytes are not what its digest says any more: a disk, or somebody, has changed them.
#[test]
fn a_program_that_was_changed_on_the_disk_does_not_run() {
    let world = World::new();
    world.file("tiny.wasm", TINY);
    world.does([
        "image",
        "pack",
        &world.path().join("tiny.wasm").display().to_string(),
        "-t",
        "tiny:1",
    ]);
    let folder = world.root().join("images/blobs/sha256");
    let blobs = std::fs::read_dir(folder).expect("there are blobs");
    let program = blobs
        .map(|blob| blob.expect("a blob").path())
        .find(|blob| std::fs::read(blob).is_ok_and(|bytes| bytes == TINY))
        .expect("the program is one of them");
    // As long as before: another letter in the name of what it exports.
    let mut other = TINY.to_vec();
    let letter = other.iter_mut().rfind(|byte| **byte == b't').expect("_start");
    *letter = b'T';
    std::fs::remove_file(&program).expect("ours");
    std::fs::write(&program, other).expect("it can be written");
    let pod = PodText::new("changed").container("main", "tiny:1", &[]);
    let file = pod.with("imagePullPolicy: Never").write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    let message = wait_for_reason(&pod, "ImageInspectError");
    assert!(message.contains("is damaged: remove the image and pull it again"), "{message}");
    pod.finish_by(Signal::INT);
}
