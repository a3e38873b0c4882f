//! What the API server puts into every Pod, and what `kubectl get -o yaml` therefore prints.
//!
//! The ServiceAccount admission plug-in adds a projected volume `kube-api-access-…` with a token
//! and mounts it everywhere. Nobody wrote it, and a Pod that was got from a cluster should run
//! here too, so it is left out, where any other token would be refused.

use crate::node::{Node, Value};

/// Takes the token's volume and its mounts out of a Pod's spec; tells whether there was one.
pub(super) fn remove_api_access(spec: &mut Node) -> bool {
    let Some(Value::Sequence(volumes)) = spec.get_mut("volumes").map(|node| &mut node.value) else {
        return false;
    };
    let mut names = Vec::new();
    volumes.retain(|volume| match name(volume) {
        Some(name) if is_api_access(name, volume) => {
            names.push(name.to_owned());
            false
        }
        _ => true,
    });
    if names.is_empty() {
        return false;
    }
    for containers in ["initContainers", "containers", "ephemeralContainers"] {
        let Some(Value::Sequence(containers)) =
            spec.get_mut(containers).map(|node| &mut node.value)
        else {
            continue;
        };
        for container in containers {
            if let Some(Value::Sequence(mounts)) =
                container.get_mut("volumeMounts").map(|node| &mut node.value)
            {
                mounts.retain(|mount| {
                    !name(mount).is_some_and(|name| names.iter().any(|known| known == name))
                });
            }
        }
    }
    true
}

fn is_api_access(name: &str, volume: &Node) -> bool {
    name.starts_with("kube-api-access-") && volume.get("projected").is_some()
}

fn name(node: &Node) -> Option<&str> {
    node.get("name").and_then(Node::as_str)
}
