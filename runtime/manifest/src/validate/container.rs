//! What holds for a container of any kind.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Container;

use super::absent::{list, text};
use super::volume_mounts::Volumes;
use super::{env, names, ports, resources, security_context, volume_mounts};
use crate::field::{Errors, Place};

/// What the rules of a container need to know of its Pod.
pub(super) struct Surroundings<'m> {
    /// The volumes that can be mounted.
    pub(super) volumes: Volumes<'m>,
    /// The names in `spec.resourceClaims`.
    pub(super) claims: BTreeSet<&'m str>,
    /// `spec.terminationGracePeriodSeconds`.
    pub(super) grace_period: Option<i64>,
    /// `spec.restartPolicy`.
    pub(super) restart_policy: &'m str,
    /// `spec.os.name`.
    pub(super) os: Option<&'m str>,
    /// Whether the Pod's users are the host's.
    pub(super) host_users: bool,
}

pub(super) fn common(
    container: &Container,
    surroundings: &Surroundings<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let name = container.name.as_str();
    if name.is_empty() {
        errors.required(&at.field("name"), "");
    } else {
        errors.invalid_each(&at.field("name"), name, names::dns_label(name));
    }
    image(text(&container.image), &at.field("image"), errors);
    match text(&container.termination_message_policy) {
        "File" | "FallbackToLogsOnError" => {}
        "" => errors.required(&at.field("terminationMessagePolicy"), ""),
        other => {
            let known = &["FallbackToLogsOnError", "File"];
            errors.unsupported(&at.field("terminationMessagePolicy"), other, known);
        }
    }
    ports::container_ports(list(&container.ports), &at.field("ports"), errors);
    env::env(list(&container.env), &at.field("env"), errors);
    env::env_from(list(&container.env_from), &at.field("envFrom"), errors);
    let volumes = &surroundings.volumes;
    volume_mounts::volume_mounts(container, volumes, &at.field("volumeMounts"), errors);
    volume_mounts::volume_devices(container, volumes, &at.field("volumeDevices"), errors);
    pull_policy(text(&container.image_pull_policy), &at.field("imagePullPolicy"), errors);
    let requirements = container.resources.as_ref();
    resources::container(requirements, &surroundings.claims, &at.field("resources"), errors);
    resources::resize_policies(
        list(&container.resize_policy),
        surroundings.restart_policy,
        &at.field("resizePolicy"),
        errors,
    );
    if let Some(context) = &container.security_context {
        let at = at.field("securityContext");
        security_context::container(context, surroundings.host_users, &at, errors);
    }
}

fn image(image: &str, at: &Place<'_>, errors: &mut Errors) {
    if image.is_empty() {
        errors.required(at, "");
    } else if image.trim() != image {
        errors.invalid(at, image, "must not have leading or trailing whitespace");
    }
}

pub(super) fn pull_policy(policy: &str, at: &Place<'_>, errors: &mut Errors) {
    match policy {
        "Always" | "IfNotPresent" | "Never" => {}
        "" => errors.required(at, ""),
        other => errors.unsupported(at, other, &["Always", "IfNotPresent", "Never"]),
    }
}
