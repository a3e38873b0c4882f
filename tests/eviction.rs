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
