//! Defaults of a container.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, EphemeralContainer, HTTPGetAction, Lifecycle, Probe,
};

use super::{resources, set_number, set_text};

/// The policy for an image that names none: `Always` for the tag `latest`, written or implied,
/// else `IfNotPresent`.
///
/// A digest fixes the image, so that no tag is implied; the port of a registry is no tag.
pub fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.rsplit_once(':').map(|(_, tag)| tag) {
        Some("latest") => "Always",
        Some(_) => "IfNotPresent",
        None if digest => "IfNotPresent",
        None => "Always",
    }
}

pub(super) fn apply(container: &mut Container) {
    let image = container.image.as_deref().unwrap_or_default();
    let policy = pull_policy(image);
    set_text(&mut container.image_pull_policy, policy);
    set_text(&mut container.termination_message_path, "/dev/termination-log");
    set_text(&mut container.termination_message_policy, "File");
    container.ports.iter_mut().flatten().for_each(port);
    container.env.iter_mut().flatten().for_each(env);
    for own in [
        &mut container.liveness_probe,
        &mut container.readiness_probe,
        &mut container.startup_probe,
    ] {
        own.iter_mut().for_each(probe);
    }
    container.lifecycle.iter_mut().for_each(lifecycle);
    resources::container(container.resources.as_mut());
}

/// An ephemeral container has what a container has, but for what validation forbids it.
pub(super) fn apply_ephemeral(container: &mut EphemeralContainer) {
    let image = container.image.as_deref().unwrap_or_default();
    let policy = pull_policy(image);
    set_text(&mut container.image_pull_policy, policy);
    set_text(&mut container.termination_message_path, "/dev/termination-log");
    set_text(&mut container.termination_message_policy, "File");
    container.env.iter_mut().flatten().for_each(env);
}

fn port(port: &mut ContainerPort) {
    set_text(&mut port.protocol, "TCP");
}

fn env(variable: &mut EnvVar) {
    if let Some(source) = &mut variable.value_from
        && let Some(field) = &mut source.field_ref
    {
        set_text(&mut field.api_version, "v1");
    }
}

fn probe(probe: &mut Probe) {
    set_number(&mut probe.timeout_seconds, 1);
    set_number(&mut probe.period_seconds, 10);
    set_number(&mut probe.success_threshold, 1);
    set_number(&mut probe.failure_threshold, 3);
    probe.http_get.iter_mut().for_each(http_get);
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert_default();
    }
}

fn lifecycle(lifecycle: &mut Lifecycle) {
    for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
        handler.http_get.iter_mut().for_each(http_get);
    }
}

fn http_get(action: &mut HTTPGetAction) {
    set_text(&mut action.path, "/");
    set_text(&mut action.scheme, "HTTP");
}

#[cfg(test)]
mod tests {
    use super::pull_policy;

    #[test]
    fn the_tag_decides_the_pull_policy() {
        let table = [
            ("hello", "Always"),
            ("hello:latest", "Always"),
            ("hello:v1", "IfNotPresent"),
            ("registry:5000/hello", "Always"),
            ("registry:5000/hello:v1", "IfNotPresent"),
            ("registry:5000/a/b:latest", "Always"),
            ("hello@sha256:abc", "IfNotPresent"),
            ("hello:latest@sha256:abc", "Always"),
            ("hello:v1@sha256:abc", "IfNotPresent"),
            ("./hello.wasm", "Always"),
            ("", "Always"),
        ];
        for (image, policy) in table {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }
}
