//! The life of the demo that every book on Kubernetes begins with, command by command: `run`, `apply`, `get`,
//! `describe`, `port-forward`, `logs`, `exec`, `cp`, `delete`.

use crate::harness::{World, checkout, eventually, free_port, guest, request};

/// The manifest of a cluster, with its folder of the host moved into the world of the test.
pub(super) fn kuard(world: &World) -> (String, String) {
    let path = checkout().join("guest-examples/kuard/kuard-pod.yaml");
    let data = world.path().join("kuard-data");
    let manifest = std::fs::read_to_string(path)
        .expect("the example is there")
        .replace("/var/lib/kuard", data.to_str().expect("UTF-8"));
    let mapped = format!("gcr.io/kuard-demo/kuard-amd64:blue={}", guest("kuard"));
    (world.file("kuard-pod.yaml", manifest), mapped)
}

#[test]
fn a_typed_pod_is_created_seen_and_deleted() {
    let world = World::new();
    let image = guest("kuard");
    assert_eq!(world.does(["run", "kuard", "--image", &image]), "pod/kuard created\n");
    world.wait_for_row("kuard", "1/1 Running 0");
    assert_eq!(world.does(["delete", "pods/kuard", "--now"]), "pod \"kuard\" deleted\n");
}

#[test]
fn the_demo_lives_its_life() {
    let world = World::new();
    let (file, mapped) = kuard(&world);
    let applied = world.does(["apply", "-f", &file, "--image-map", &mapped]);
    assert_eq!(applied, "pod/kuard created\n");
    world.wait_for_row("kuard", "1/1 Running 0");
    let again = world.does(["apply", "-f", &file, "--image-map", &mapped]);
    assert_eq!(again, "pod/kuard unchanged\n");

    let description = world.does(["describe", "pods", "kuard"]);
    for part in [
        "Image:          gcr.io/kuard-demo/kuard-amd64:blue\n",
        "    Liveness:     http-get http://:8080/healthy delay=5s timeout=1s period=10s",
        "    Readiness:    http-get http://:8080/ready delay=0s timeout=1s period=2s",
        "QoS Class:         Burstable\n",
    ] {
        assert!(description.contains(part), "{part:?} in\n{description}");
    }

    let port = free_port();
    let forwarding = world.wasmpod(["port-forward", "kuard", &format!("{port}:8080")]).start();
    forwarding.wait_for("Forwarding from 127.0.0.1");
    let page = request(port, "GET / HTTP/1.1", "");
    assert!(page.contains("<td>Hostname</td><td>kuard</td>"), "{page}");
    eventually("its log", || Some(()).filter(|()| !world.does(["logs", "kuard"]).is_empty()));

    let note = world.file("note.txt", "from the host\n");
    world.does(["cp", &note, "kuard:/data/note.txt"]);
    let read = request(port, "GET /fs/data/note.txt HTTP/1.1", "");
    assert!(read.ends_with("from the host\n"), "{read}");
    world.does(["cp", "kuard:/data/note.txt", "back.txt"]);
    let back = std::fs::read_to_string(world.path().join("back.txt")).expect("it was copied");
    assert_eq!(back, "from the host\n");

    // In the shell that the image does not have.
    let told =
        world.does(["exec", "kuard", "--", "ash", "-c", "hostname; cat /data/note.txt | wc -c"]);
    assert_eq!(told.split_whitespace().collect::<Vec<_>>(), ["kuard", "14"], "{told}");

    // Not ready, it takes no more connections through a Service; and is ready again.
    request(port, "PUT /ready/api HTTP/1.1", "{\"failNext\": 4}");
    world.wait_for_row("kuard", "0/1 Running 0");
    world.wait_for_row("kuard", "1/1 Running 0");

    // Grace is 30 s; the demo does not listen for its stop.
    assert_eq!(world.does(["delete", "-f", &file, "--now"]), "pod \"kuard\" deleted\n");
    let ended = forwarding.finish();
    assert!(ended.stderr.contains("lost connection to pod"), "{ended}");
    assert!(world.path().join("kuard-data/note.txt").exists(), "a folder of the host stays");
}
