//! The guests of `guest-examples/`, run by the manifests beside them, as their READMEs say.

use crate::harness::{Finished, World, checkout, free_port, guest, request};
use rustix::process::Signal;

#[test]
fn hello_greets_whom_the_manifest_names() {
    let result = run_to_the_end("hello/pod.yaml");
    assert_eq!(result.code, 0, "{result}");
    assert!(result.stdout.contains("Good day, Kubernetes and WebAssembly!"), "{result}");
    assert!(result.stdout.contains("POD_NAME=hello"), "{result}");
}

#[test]
fn job_prepares_and_then_adds_up() {
    let result = run_to_the_end("job/pod.yaml");
    assert_eq!(result.code, 0, "{result}");
    in_this_order(&result, &["wrote 1000 numbers to /work/numbers", "the sum is 500500"]);
}

#[test]
fn probes_restart_a_worker_that_says_it_hangs() {
    let world = World::new();
    let pod = world.wasmpod(["run", "--verbose", &example("probes/pod.yaml")]).start();
    pod.wait_for("Liveness probe failed: nothing was done for");
    pod.wait_for("Container worker failed liveness probe, will be restarted");
    pod.wait_until("the worker is at work again", |stdout, _| {
        stdout.matches("piece 1 is done").count() == 2
    });
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
    assert!(!result.stderr.contains("PreStopHook failed"), "{result}");
}

#[test]
fn udp_words_come_back_in_capitals() {
    let result = run_to_the_end("udp/pod.yaml");
    assert_eq!(result.code, 0, "{result}");
    in_this_order(
        &result,
        &["one comes back as ONE", "two comes back as TWO", "three comes back as THREE"],
    );
}

#[test]
fn ipc_sends_words_back_and_counts_their_letters() {
    let result = run_to_the_end("ipc/pod.yaml");
    assert_eq!(result.code, 0, "{result}");
    for line in ["ONE comes back", "HELP! comes back", "22 letters were seen, each by two"] {
        assert!(result.stdout.contains(line), "`{line}` is missing\n{result}");
    }
}

#[test]
fn p3_answers_the_shortest_word_first() {
    let result = run_to_the_end("p3/pod.yaml");
    assert_eq!(result.code, 0, "{result}");
    in_this_order(
        &result,
        &["a comes back as A", "to comes back as TO", "seventeen comes back as SEVENTEEN"],
    );
}

#[test]
fn sidecar_publishes_what_its_neighbour_writes() {
    let world = World::new();
    let port = free_port();
    let pod = world
        .wasmpod(["run", &example("sidecar/pod.yaml"), "--publish", &format!("{port}:8080")])
        .start();
    pod.wait_for("edition 2 is out at http://localhost:8080/");
    let page = request(port, "GET / HTTP/1.1", "");
    assert!(page.contains("<h1>Edition"), "{page}");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn exec_probe_finds_the_sign_of_life_by_a_program_of_its_own() {
    let world = World::new();
    let pod = world.wasmpod(["run", "-o", "json", &example("exec-probe/pod.yaml")]).start();
    pod.wait_for_status("it is ready", |status| status["containerStatuses"][0]["ready"] == true);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn graceful_answers_what_it_has_begun() {
    let world = World::new();
    let port = free_port();
    let pod = world
        .wasmpod(["run", &example("graceful/pod.yaml"), "--publish", &format!("{port}:8080")])
        .start();
    let answer = request(port, "GET /10 HTTP/1.1", "");
    assert!(answer.ends_with("that took 10 ms\n"), "{answer}");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
    in_this_order(&result, &["told to stop by SIGTERM", "goodbye"]);
}

#[test]
fn http_hello_answers_on_its_published_port() {
    let world = World::new();
    let port = free_port();
    let pod = world
        .wasmpod(["run", &example("http-hello/pod.yaml"), "--publish", &format!("{port}:8080")])
        .start();
    let page = request(port, "GET / HTTP/1.1", "");
    assert!(page.ends_with("Good day from http-hello\n"), "{page}");
    let echo = request(port, "POST /echo HTTP/1.1", "said");
    assert!(echo.ends_with("said"), "{echo}");
    let nowhere = request(port, "GET /nowhere HTTP/1.1", "");
    assert!(nowhere.starts_with("HTTP/1.1 404"), "{nowhere}");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn kuard_shows_its_pod() {
    let world = World::new();
    let port = free_port();
    let pod = world
        .wasmpod(["run", &example("kuard/pod.yaml"), "--publish", &format!("{port}:8080")])
        .start();
    kuard_works(port);
    let environment = request(port, "GET /env/api HTTP/1.1", "");
    assert!(environment.contains("\"POD_NAME\": \"kuard\""), "{environment}");
    assert!(environment.contains("\"MEMORY_LIMIT\": \"268435456\""), "{environment}");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

/// The manifest as clusters have it: only its image is mapped, by the `images.yaml` beside it. The
/// folder of the host is moved into the world of the test, which leaves nothing behind.
#[test]
fn the_manifest_of_a_cluster_runs_with_its_image_mapped() {
    let world = World::new();
    let data = world.path().join("kuard-data");
    let manifest = std::fs::read_to_string(example("kuard/kuard-pod.yaml"))
        .expect("the example is there")
        .replace("/var/lib/kuard", data.to_str().expect("UTF-8"));
    let file = world.file("kuard-pod.yaml", manifest);
    let mapped = format!("gcr.io/kuard-demo/kuard-amd64:blue={}", guest("kuard"));
    let port = free_port();
    let pod = world
        .wasmpod(["run", &file, "--image-map", &mapped, "--publish", &format!("{port}:8080")])
        .start();
    kuard_works(port);
    assert!(data.is_dir(), "DirectoryOrCreate made the folder");
    std::fs::write(data.join("note"), "from the host\n").expect("the folder is writable");
    assert!(request(port, "GET /fs/data/note HTTP/1.1", "").ends_with("from the host\n"));
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[track_caller]
fn kuard_works(port: u16) {
    let page = request(port, "GET / HTTP/1.1", "");
    assert!(page.contains("<td>Hostname</td><td>kuard</td>"), "{page}");
    assert!(request(port, "GET /healthy HTTP/1.1", "").ends_with("\r\n\r\nok"));

    request(port, "PUT /ready/api HTTP/1.1", "{\"failNext\": 1}");
    let ready = [(); 2].map(|()| request(port, "GET /ready HTTP/1.1", ""));
    // The readiness probe may have taken the one failure before this test could.
    assert!(ready[1].ends_with("\r\n\r\nok"), "{}", ready[1]);

    // More than the 256Mi of the container's limit: refused, and kuard goes on.
    let refused = request(port, "POST /mem/api/alloc?size=300000000 HTTP/1.1", "");
    assert!(refused.starts_with("HTTP/1.1 507"), "{refused}");
    let granted = request(port, "POST /mem/api/alloc?size=10000000 HTTP/1.1", "");
    assert!(granted.starts_with("HTTP/1.1 200"), "{granted}");
}

#[track_caller]
fn run_to_the_end(manifest: &str) -> Finished {
    World::new().wasmpod(["run", &example(manifest)]).finish()
}

/// The path of a manifest of `guest-examples/`, whose guests are built.
fn example(manifest: &str) -> String {
    guest("hello");
    let checkout = checkout();
    checkout.join("guest-examples").join(manifest).to_str().expect("UTF-8").to_owned()
}

#[track_caller]
fn in_this_order(result: &Finished, parts: &[&str]) {
    let places: Vec<Option<usize>> = parts.iter().map(|part| result.stdout.find(part)).collect();
    assert!(places.iter().all(Option::is_some), "{places:?} of {parts:?}\n{result}");
    assert!(places.is_sorted(), "{parts:?} came in another order\n{result}");
}
