//! The containers of a Pod.

use k8s_openapi::api::core::v1::{Container, PodSpec};

/// Init containers, then app containers: their names are of one space. (Ephemeral containers are
/// not of the manifest.)
pub fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}
