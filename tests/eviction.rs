//! A Pod that fails as a whole: what it says, and that it ends.

use serde_json::json;

use crate::harness::{World, guest};

#[test]
fn a_volume_over_its_limit_ends_the_pod() {
    let world = World::new();
    let mounts = json!([{"name": "data", "mountPath": "/data"}]);
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}],
            "containers": [
                {"name": "writes", "image": guest("toolbox"), "args": ["fill", "/data/file", "2"],
                 "volumeMounts": mounts},
                {"name": "stays", "image": guest("toolbox"), "args": ["sleep", "3600"]},
            ],
        },
    });
    let result = world.wasmpod(["run", &world.file("greedy.json", pod.to_string())]).finish();
    assert_ne!(result.code, 0, "{result}");
    let message = "Usage of EmptyDir volume \"data\" exceeds the limit \"1Mi\"";
    assert!(result.stderr.contains(message), "{result}");
}

/// What a container writes to its root and its logs.
#[test]
fn a_container_over_its_ephemeral_storage_ends_the_pod() {
    let world = World::new();
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {"name": "writes", "image": guest("toolbox"), "args": ["fill", "/tmp/file", "2"],
                 "resources": {"limits": {"ephemeral-storage": "1Mi"}}},
                {"name": "stays", "image": guest("toolbox"), "args": ["sleep", "3600"],
                 "resources": {"limits": {"ephemeral-storage": "1Gi"}}},
            ],
        },
    });
    let result = world.wasmpod(["run", &world.file("greedy.json", pod.to_string())]).finish();
    assert_ne!(result.code, 0, "{result}");
    let message = "Container writes exceeded its local ephemeral storage limit \"1Mi\"";
    assert!(result.stderr.contains(message), "{result}");
}

/// No file system refuses the write: the Pod is ended as soon as it is seen.
#[test]
fn a_volume_in_memory_is_no_larger_than_the_pods_memory() {
    let world = World::new();
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "cache", "emptyDir": {"medium": "Memory"}}],
            "containers": [
                {"name": "writes", "image": guest("toolbox"), "args": ["fill", "/cache/file", "20"],
                 "resources": {"limits": {"memory": "8Mi"}},
                 "volumeMounts": [{"name": "cache", "mountPath": "/cache"}]},
                {"name": "stays", "image": guest("toolbox"), "args": ["sleep", "3600"],
                 "resources": {"limits": {"memory": "8Mi"}}},
            ],
        },
    });
    let result = world.wasmpod(["run", &world.file("greedy.json", pod.to_string())]).finish();
    assert_ne!(result.code, 0, "{result}");
    let message = "Usage of EmptyDir volume \"cache\" exceeds the limit \"16Mi\"";
    assert!(result.stderr.contains(message), "{result}");
}
