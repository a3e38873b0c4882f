//! Probes of real guests, as a user sees them: in Events, restarts and readiness.

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{World, free_port, guest, request};

/// The kuard guest under probes that are quick to judge.
fn kuard(world: &World, probes: &str) -> String {
    let image = guest("kuard");
    world.file(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: kuard }}\nspec:\n  \
             terminationGracePeriodSeconds: 2\n  containers:\n  - name: kuard\n    \
             image: {image}\n    ports: [{{ name: http, containerPort: 8080 }}]\n{probes}"
        ),
    )
}

fn is_ready(status: &Value) -> bool {
    status["containerStatuses"][0]["ready"] == Value::Bool(true)
}

#[test]
fn a_guest_that_says_it_is_not_well_is_restarted() {
    let world = World::new();
    let port = free_port();
    let file = kuard(
        &world,
        "    livenessProbe:\n      httpGet: { path: /healthy, port: http }\n      \
         periodSeconds: 1\n      failureThreshold: 3\n",
    );
    let pod =
        world.wasmpod(["run", &file, "--verbose", "--publish", &format!("{port}:8080")]).start();
    request(port, "PUT /healthy/api HTTP/1.1", "{\"failNext\": -1}");
    pod.wait_for("Liveness probe failed: HTTP probe failed with statuscode: 500");
    pod.wait_for("Container kuard failed liveness probe, will be restarted");
    // The next run knows nothing of the switch.
    pod.wait_until("the container has started again", |_, told| {
        told.matches("Container started").count() == 2
    });
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_guest_that_is_not_ready_is_shown_so_and_left_alone() {
    let world = World::new();
    let port = free_port();
    let file = kuard(
        &world,
        "    readinessProbe:\n      httpGet: { path: /ready, port: http }\n      \
         periodSeconds: 1\n      failureThreshold: 1\n",
    );
    let pod =
        world.wasmpod(["run", &file, "-o", "json", "--publish", &format!("{port}:8080")]).start();
    let status = pod.wait_for_status("it is ready", is_ready);
    assert_eq!(status["containerStatuses"][0]["restartCount"], 0, "{status}");
    request(port, "PUT /ready/api HTTP/1.1", "{\"failNext\": 2}");
    pod.wait_until("it is not ready for a while, and then is again", |stdout, _| {
        let lines = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let statuses = lines.filter(|line| line["type"] == "status");
        let mut seen: Vec<bool> = statuses.map(|line| is_ready(&line["status"])).collect();
        seen.dedup();
        seen.ends_with(&[true, false, true])
    });
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_guest_that_never_listens_fails_its_startup_probe() {
    let world = World::new();
    let image = guest("toolbox");
    let file = world.file(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: silent }}\nspec:\n  \
             restartPolicy: Never\n  terminationGracePeriodSeconds: 1\n  containers:\n  \
             - name: silent\n    image: {image}\n    args: [sleep, \"600\"]\n    startupProbe:\n      \
             tcpSocket: {{ port: 80 }}\n      periodSeconds: 1\n      failureThreshold: 2\n"
        ),
    );
    let result = world.wasmpod(["run", &file, "--verbose"]).finish();
    assert_eq!(result.code, 137, "{result}");
    assert!(result.stderr.contains("Startup probe failed: dial tcp 10."), "{result}");
    assert!(result.stderr.contains(":80: connect: connection refused"), "{result}");
    assert!(result.stderr.contains("Container silent failed startup probe"), "{result}");
    assert!(!result.stderr.contains("will be restarted"), "{result}");
}

/// A Pod of one toolbox with these lines in its container.
fn toolbox(world: &World, arguments: &str, lines: &str) -> String {
    let image = guest("toolbox");
    world.file(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: tools }}\nspec:\n  \
             terminationGracePeriodSeconds: 2\n  containers:\n  - name: tools\n    \
             image: {image}\n    args: {arguments}\n{lines}"
        ),
    )
}

#[test]
fn a_guest_that_spins_is_restarted_by_its_liveness_probe() {
    let world = World::new();
    let file = toolbox(
        &world,
        "[spin]",
        "    livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 }\n",
    );
    let pod = world.wasmpod(["run", &file, "--verbose"]).start();
    pod.wait_for("Container tools failed liveness probe, will be restarted");
    pod.wait_until("it has started again", |_, told| told.contains("Container started (x2)"));
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_command_that_is_not_there_says_what_is() {
    let world = World::new();
    let file = toolbox(
        &world,
        "[sleep, \"600\"]",
        "    readinessProbe: { exec: { command: [cat, /tmp/ready] }, periodSeconds: 1 }\n",
    );
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("Readiness probe failed: \"cat\": not found; the program exports");
    pod.wait_for("as \"toolbox.wasm\" it runs itself");
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

#[test]
fn a_program_probes_itself_with_other_words() {
    let world = World::new();
    // Ready once the file is there, which the guest writes in the hook for its start.
    let file = toolbox(
        &world,
        "[sleep, \"600\"]",
        "    readinessProbe: { exec: { command: [toolbox.wasm, read, /tmp/ready] }, periodSeconds: 1 }\n    \
         lifecycle: { postStart: { exec: { command: [toolbox.wasm, write, /tmp/ready, well] } } }\n",
    );
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_status("it is ready", is_ready);
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

#[test]
fn a_guest_finds_a_file_when_it_is_to_stop() {
    let world = World::new();
    let file = toolbox(&world, "[await, /run/wasmpod/stop]", "    tty: false\n");
    let pod = world.wasmpod(["run", &file, "--verbose"]).start();
    pod.wait_for("Container started");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert!(result.stdout.contains("SIGTERM"), "{result}");
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn http_handlers_are_probed_as_any_server() {
    for handler in ["http_tiny", "http_tiny_p3"] {
        let world = World::new();
        let image = guest(handler);
        let file = world.file(
            "pod.yaml",
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{ name: handler }}\nspec:\n  containers:\n  \
                 - name: web\n    image: {image}\n    ports: [{{ name: http, containerPort: 8080 }}]\n    \
                 readinessProbe: {{ httpGet: {{ path: /, port: http }}, periodSeconds: 1 }}\n    \
                 livenessProbe: {{ tcpSocket: {{ port: http }}, periodSeconds: 1, failureThreshold: 1 }}\n"
            ),
        );
        let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
        pod.wait_for_status("it is ready", is_ready);
        pod.signal(Signal::INT);
        let result = pod.finish();
        assert_eq!(result.code, 130, "{handler}: {result}");
        assert!(!result.stdout.contains("Unhealthy"), "{handler}: {result}");
    }
}
