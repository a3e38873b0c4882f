//! Probes: three failures in a row, and the container starts again.

use crate::harness::{World, eventually, free_port, guest, request};

#[test]
fn a_pod_that_is_not_well_starts_again_and_one_that_is_not_ready_is_left_alone() {
    let world = World::new();
    let file = world.file(
        "kuard.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: kuard}}\nspec:\n  \
             terminationGracePeriodSeconds: 2\n  containers:\n  - name: kuard\n    image: {}\n    \
             ports: [{{name: http, containerPort: 8080}}]\n    \
             livenessProbe: {{httpGet: {{path: /healthy, port: http}}, periodSeconds: 1, failureThreshold: 3}}\n    \
             readinessProbe: {{httpGet: {{path: /ready, port: http}}, periodSeconds: 1, failureThreshold: 1}}\n",
            guest("kuard")
        ),
    );
    world.does(["apply", "-f", &file, "--wait"]);
    let port = free_port();
    let forwarding = world.wasmpod(["port-forward", "kuard", &format!("{port}:8080")]).start();
    forwarding.wait_for("Forwarding from 127.0.0.1");

    request(port, "PUT /ready/api HTTP/1.1", "{\"failNext\": 3}");
    world.wait_for_row("kuard", "0/1 Running 0");
    world.wait_for_row("kuard", "1/1 Running 0");

    // Two failures and a success between them count for nothing.
    request(port, "PUT /healthy/api HTTP/1.1", "{\"failNext\": 2}");
    eventually("two failures", || {
        let told = world.does(["describe", "pod", "kuard"]);
        told.contains("Liveness probe failed").then_some(())
    });
    request(port, "PUT /healthy/api HTTP/1.1", "{\"failNext\": -1}");
    eventually("another run", || {
        let pod = world.pod_object("kuard");
        (pod["status"]["containerStatuses"][0]["restartCount"] == 1).then_some(())
    });
    let told = world.does(["describe", "pod", "kuard"]);
    assert!(told.contains("Container kuard failed liveness probe, will be restarted"), "{told}");
    world.does(["delete", "pod", "kuard", "--now"]);
    forwarding.finish();
}
