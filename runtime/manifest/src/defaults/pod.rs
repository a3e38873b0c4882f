//! Defaults of a Pod.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};

use super::{container, objects, resources, set_text, volume};

/// Fills in every default of `pod`.
///
/// The image and the name stay the user's; so does the status.
pub fn apply(pod: &mut Pod) {
    objects::metadata(&mut pod.metadata);
    if let Some(spec) = &mut pod.spec {
        self::spec(spec);
    }
}

fn spec(spec: &mut PodSpec) {
    set_text(&mut spec.dns_policy, "ClusterFirst");
    set_text(&mut spec.restart_policy, "Always");
    set_text(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(30);
    spec.enable_service_links.get_or_insert(true);
    same_service_account(spec);
    resources::canonical(spec.overhead.as_mut());

    spec.volumes.iter_mut().flatten().for_each(volume::apply);
    spec.containers.iter_mut().for_each(container::apply);
    spec.init_containers.iter_mut().flatten().for_each(container::apply);
    spec.ephemeral_containers.iter_mut().flatten().for_each(container::apply_ephemeral);
    resources::pod(spec);

    if spec.host_network == Some(true) {
        spec.containers.iter_mut().for_each(host_ports);
        spec.init_containers.iter_mut().flatten().for_each(host_ports);
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; each follows the other.
fn same_service_account(spec: &mut PodSpec) {
    let name = [&spec.service_account_name, &spec.service_account]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .cloned();
    if let Some(name) = name {
        spec.service_account = Some(name.clone());
        spec.service_account_name = Some(name);
    }
}

/// On the host's network a port is the host's port.
fn host_ports(container: &mut Container) {
    for port in container.ports.iter_mut().flatten() {
        if port.host_port.unwrap_or(0) == 0 {
            port.host_port = Some(port.container_port);
        }
    }
}
