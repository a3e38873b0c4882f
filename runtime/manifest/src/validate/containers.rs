//! The three lists of containers, and what each kind may not have.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, PodSpec};

use super::absent::{list, some_text};
use super::container::{self, Surroundings};
use super::{lifecycle, ports, probe, restart_policy};
use crate::field::{Errors, Place};

const NOT_FOR_INIT: &str = "may not be set for init containers without restartPolicy=Always";
const NOT_FOR_EPHEMERAL: &str = "cannot be set for an Ephemeral Container";

pub(super) fn containers(
    spec: &PodSpec,
    surroundings: &Surroundings<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let at = at.field("containers");
    if spec.containers.is_empty() {
        return errors.required(&at, "");
    }
    let mut names = HashSet::new();
    for (index, container) in spec.containers.iter().enumerate() {
        let at = at.index(index);
        container::common(container, surroundings, &at, errors);
        if !names.insert(container.name.as_str()) {
            errors.duplicate(&at.field("name"), container.name.as_str());
        }
        hooks_and_probes(container, surroundings, &at, errors);
        restart_policy::container(container, &at, errors);
    }
    ports::host_port_conflicts(spec.containers.iter().enumerate(), &at, errors);
}

pub(super) fn init_containers(
    spec: &PodSpec,
    surroundings: &Surroundings<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let at = at.field("initContainers");
    let mut names: HashSet<&str> =
        spec.containers.iter().map(|container| container.name.as_str()).collect();
    for (index, container) in list(&spec.init_containers).iter().enumerate() {
        let here = at.index(index);
        container::common(container, surroundings, &here, errors);
        restart_policy::container(container, &here, errors);
        let name = container.name.as_str();
        if !name.is_empty() && !names.insert(name) {
            errors.duplicate(&here.field("name"), name);
        }
        // Each by itself: they run one after the other.
        ports::host_port_conflicts([(index, container)], &at, errors);
        if restart_policy::is_sidecar(container) {
            hooks_and_probes(container, surroundings, &here, errors);
        } else {
            let set = [
                ("lifecycle", container.lifecycle.is_some()),
                ("livenessProbe", container.liveness_probe.is_some()),
                ("readinessProbe", container.readiness_probe.is_some()),
                ("startupProbe", container.startup_probe.is_some()),
            ];
            forbid(&set, NOT_FOR_INIT, &here, errors);
        }
    }
}

fn hooks_and_probes(
    container: &Container,
    surroundings: &Surroundings<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let grace_period = surroundings.grace_period;
    if let Some(hooks) = &container.lifecycle {
        let at = at.field("lifecycle");
        lifecycle::lifecycle(hooks, grace_period, surroundings.os, &at, errors);
    }
    probe::probes(container, grace_period, at, errors);
}

/// A manifest cannot start with ephemeral containers; what else is wrong with them is said too.
pub(super) fn ephemeral_containers(
    spec: &PodSpec,
    surroundings: &Surroundings<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let containers = list(&spec.ephemeral_containers);
    if containers.is_empty() {
        return;
    }
    let at = at.field("ephemeralContainers");
    let others = || spec.containers.iter().chain(list(&spec.init_containers));
    let mut names: HashSet<&str> = others().map(|container| container.name.as_str()).collect();
    for (index, ephemeral) in containers.iter().enumerate() {
        let here = at.index(index);
        let container = as_container(ephemeral);
        container::common(&container, surroundings, &here, errors);
        if !names.insert(&ephemeral.name) {
            errors.duplicate(&here.field("name"), ephemeral.name.as_str());
        }
        if let Some(target) = some_text(&ephemeral.target_container_name)
            && !others().any(|container| container.name == target)
        {
            errors.not_found(&here.field("targetContainerName"), target, "");
        }
        let set = [
            ("ports", container.ports.is_some()),
            ("resources", container.resources.is_some()),
            ("resizePolicy", container.resize_policy.is_some()),
            ("restartPolicy", container.restart_policy.is_some()),
            ("restartPolicyRules", container.restart_policy_rules.is_some()),
            ("livenessProbe", container.liveness_probe.is_some()),
            ("readinessProbe", container.readiness_probe.is_some()),
            ("startupProbe", container.startup_probe.is_some()),
            ("lifecycle", container.lifecycle.is_some()),
        ];
        forbid(&set, NOT_FOR_EPHEMERAL, &here, errors);
        let mounts = here.field("volumeMounts");
        for (index, mount) in list(&container.volume_mounts).iter().enumerate() {
            let set = [
                ("subPath", some_text(&mount.sub_path).is_some()),
                ("subPathExpr", some_text(&mount.sub_path_expr).is_some()),
            ];
            forbid(&set, NOT_FOR_EPHEMERAL, &mounts.index(index), errors);
        }
    }
    errors.forbidden(&at, "cannot be set on create");
}

fn forbid(set: &[(&'static str, bool)], detail: &str, at: &Place<'_>, errors: &mut Errors) {
    for (field, _) in set.iter().filter(|(_, set)| *set) {
        errors.forbidden(&at.field(field), detail);
    }
}

fn as_container(ephemeral: &EphemeralContainer) -> Container {
    let EphemeralContainer {
        args,
        command,
        env,
        env_from,
        image,
        image_pull_policy,
        lifecycle,
        liveness_probe,
        name,
        ports,
        readiness_probe,
        resize_policy,
        resources,
        restart_policy,
        restart_policy_rules,
        security_context,
        startup_probe,
        stdin,
        stdin_once,
        target_container_name: _,
        termination_message_path,
        termination_message_policy,
        tty,
        volume_devices,
        volume_mounts,
        working_dir,
    } = ephemeral.clone();
    Container {
        args,
        command,
        env,
        env_from,
        image,
        image_pull_policy,
        lifecycle,
        liveness_probe,
        name,
        ports,
        readiness_probe,
        resize_policy,
        resources,
        restart_policy,
        restart_policy_rules,
        security_context,
        startup_probe,
        stdin,
        stdin_once,
        termination_message_path,
        termination_message_policy,
        tty,
        volume_devices,
        volume_mounts,
        working_dir,
    }
}
