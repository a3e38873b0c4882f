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
