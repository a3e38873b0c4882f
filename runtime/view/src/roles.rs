//! What a node is for.

use k8s_openapi::api::core::v1::Node;

/// The roles by the node's labels, in order: `node-role.kubernetes.io/<role>` and
/// `kubernetes.io/role=<role>`.
pub(crate) fn roles(node: &Node) -> Vec<String> {
    let role = |(key, value): (&String, &String)| match key.strip_prefix("node-role.kubernetes.io/")
    {
        Some(role) => Some(role.to_owned()),
        None => (key == "kubernetes.io/role").then(|| value.clone()),
    };
    let labels = node.metadata.labels.iter().flatten();
    let mut roles: Vec<String> = labels.filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.sort();
    roles.dedup();
    roles
}
