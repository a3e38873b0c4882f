//! Which runs of which containers are meant. Pure.
//!
//! Rule: the kubelet's `validateContainerLogStatus`, whose words these are, and kubectl's choice of a
//! default container.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::failure::Failure;

/// The annotation that names the container which is meant when none is.
pub(crate) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// Containers as a command names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Containers<'name> {
    All,
    Default,
    One(&'name str),
}

/// A run that has a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) uid: String,
    pub(super) container: String,
    /// Which one it is: the restart count at its start.
    pub(super) restart: u32,
}

/// `web` and `pod/web` name the same.
///
/// # Errors
/// It names something else.
pub(crate) fn pod_name(text: &str) -> Result<&str, Failure> {
    match text.split_once('/') {
        None => Ok(text),
        Some(("pod" | "pods" | "po", name)) if !name.is_empty() => Ok(name),
        Some((kind, _)) => {
            Err(Failure::kubectl(format!("{kind} is no Pod: the name of a Pod is expected")))
        }
    }
}

/// The names of a Pod's containers: init containers, app containers, ephemeral ones.
pub(crate) fn names(pod: &Pod) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    let Some(spec) = &pod.spec else { return Default::default() };
    let init = spec.init_containers.iter().flatten().map(|own| own.name.as_str());
    let apps = spec.containers.iter().map(|own| own.name.as_str());
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|own| own.name.as_str());
    (init.collect(), apps.collect(), ephemeral.collect())
}

/// The container that is meant when none is named.
pub(crate) fn default_container(pod: &Pod) -> Option<&str> {
    let annotations = pod.metadata.annotations.as_ref();
    let chosen = annotations.and_then(|all| all.get(DEFAULT_CONTAINER)).map(String::as_str);
    let (init, apps, ephemeral) = names(pod);
    let is_there =
        |name: &&str| [&init, &apps, &ephemeral].iter().any(|names| names.contains(name));
    chosen.filter(is_there).or_else(|| apps.first().copied())
}

/// What kubectl says where it chose among several.
pub(crate) fn defaulted(pod: &Pod) -> Option<String> {
    let (init, apps, ephemeral) = names(pod);
    let all = init.len() + apps.len() + ephemeral.len();
    let annotations = pod.metadata.annotations.as_ref();
    if all < 2 || annotations.is_some_and(|all| all.contains_key(DEFAULT_CONTAINER)) {
        return None;
    }
    let chosen = default_container(pod)?;
    let mut listed: Vec<String> = apps.iter().map(|name| (*name).to_owned()).collect();
    listed.extend(ephemeral.iter().map(|name| format!("{name} (ephem)")));
    listed.extend(init.iter().map(|name| format!("{name} (init)")));
    Some(format!("Defaulted container {chosen:?} out of: {}", listed.join(", ")))
}

/// The runs that are meant, or why one has no log.
pub(super) fn runs(
    pod: &Pod,
    containers: Containers<'_>,
    previous: bool,
) -> Vec<Result<Run, String>> {
    let (init, apps, ephemeral) = names(pod);
    let all: Vec<&str> = init.into_iter().chain(apps).chain(ephemeral).collect();
    match containers {
        Containers::All => all.into_iter().map(|name| run(pod, name, previous)).collect(),
        Containers::Default => {
            default_container(pod).map(|name| run(pod, name, previous)).into_iter().collect()
        }
        Containers::One(name) if all.contains(&name) => vec![run(pod, name, previous)],
        Containers::One(name) => {
            let pod = pod.metadata.name.as_deref().unwrap_or_default();
            vec![Err(format!("container {name} is not valid for pod {pod}"))]
        }
    }
}

fn run(pod: &Pod, container: &str, previous: bool) -> Result<Run, String> {
    let metadata = &pod.metadata;
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (name, namespace) = (text(&metadata.name), text(&metadata.namespace));
    let restart = restart(status(pod, container), container, &name, previous)?;
    Ok(Run {
        namespace,
        pod: name,
        uid: text(&metadata.uid),
        container: container.to_owned(),
        restart,
    })
}

pub(super) fn status<'pod>(pod: &'pod Pod, container: &str) -> Option<&'pod ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all = [
        &status.container_statuses,
        &status.init_container_statuses,
        &status.ephemeral_container_statuses,
    ];
    all.into_iter().flatten().flatten().find(|status| status.name == container)
}

fn restart(
    status: Option<&ContainerStatus>,
    container: &str,
    pod: &str,
    previous: bool,
) -> Result<u32, String> {
    let Some(status) = status else {
        return Err(format!("container {container:?} in pod {pod:?} is not available"));
    };
    let count = u32::try_from(status.restart_count).unwrap_or(0);
    let last = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    if previous {
        // While it waits, the run before is the one that the count is of.
        let waits = status.state.as_ref().is_some_and(|state| state.waiting.is_some());
        return match (last, waits) {
            (Some(_), true) => Ok(count),
            (Some(_), false) => Ok(count.saturating_sub(1)),
            (None, _) => {
                Err(format!("previous terminated container {container:?} in pod {pod:?} not found"))
            }
        };
    }
    let state = status.state.as_ref();
    if state.is_some_and(|state| state.running.is_some() || state.terminated.is_some()) {
        return Ok(count);
    }
    if last.is_some() {
        return Ok(count);
    }
    let waiting = state.and_then(|state| state.waiting.as_ref());
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref()).unwrap_or_default();
    Err(match reason {
        "ErrImagePull" => {
            format!(
                "container {container:?} in pod {pod:?} is waiting to start: image can't be pulled"
            )
        }
        "ImagePullBackOff" => format!(
            "container {container:?} in pod {pod:?} is waiting to start: trying and failing to pull image"
        ),
        "" => format!("container {container:?} in pod {pod:?} is not available"),
        reason => format!("container {container:?} in pod {pod:?} is waiting to start: {reason}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "web", "namespace": "default", "uid": "u" },
            "spec": { "containers": [{ "name": "a" }, { "name": "b" }],
                      "initContainers": [{ "name": "i" }] },
            "status": { "containerStatuses": [status] },
        }))
        .unwrap()
    }

    fn status(state: Value, last: Value, restarts: i32) -> Value {
        json!({ "name": "a", "image": "", "imageID": "", "ready": false,
                "restartCount": restarts, "state": state, "lastState": last })
    }

    fn picked(status: Value, previous: bool) -> Result<u32, String> {
        let mut runs = runs(&pod(status), Containers::Default, previous);
        runs.remove(0).map(|run| run.restart)
    }

    #[test]
    fn a_run_is_found_by_the_state_of_its_container() {
        let running = || json!({ "running": {} });
        let ended = || json!({ "terminated": { "exitCode": 1 } });
        let waiting = |reason: &str| json!({ "waiting": { "reason": reason } });
        assert_eq!(picked(status(running(), json!({}), 0), false), Ok(0));
        assert_eq!(picked(status(running(), ended(), 3), false), Ok(3));
        assert_eq!(picked(status(running(), ended(), 3), true), Ok(2));
        assert_eq!(picked(status(waiting("CrashLoopBackOff"), ended(), 3), false), Ok(3));
        assert_eq!(picked(status(waiting("CrashLoopBackOff"), ended(), 3), true), Ok(3));
        assert_eq!(
            picked(status(waiting("ContainerCreating"), json!({}), 0), false).unwrap_err(),
            "container \"a\" in pod \"web\" is waiting to start: ContainerCreating"
        );
        assert_eq!(
            picked(status(running(), json!({}), 0), true).unwrap_err(),
            "previous terminated container \"a\" in pod \"web\" not found"
        );
    }

    #[test]
    fn a_choice_among_several_is_told() {
        let own = pod(status(json!({ "running": {} }), json!({}), 0));
        assert_eq!(
            defaulted(&own).as_deref(),
            Some("Defaulted container \"a\" out of: a, b, i (init)")
        );
        let unknown = runs(&own, Containers::One("x"), false).remove(0);
        assert_eq!(unknown.unwrap_err(), "container x is not valid for pod web");
    }
}
