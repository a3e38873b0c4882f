//! The status of a Pod in the terms of the Kubernetes API.
//!
//! A function of what is known and of the status before: from the latter come only what has no
//! other memory, namely when conditions flipped, conditions that others set, and a terminal phase.
//!
//! Rule: the kubelet's `convertStatusToAPIStatus` and `generateAPIPodStatus`.

use std::net::IpAddr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, HostIP, PodIP, PodStatus, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::conditions::{Facts, conditions};
use super::container::{Container, Ended, RunIdentity, RunState, Waiting};
use super::observed::{EndCause, Observed, SandboxState, Scheduling};
use super::phase::{Phase, has_begun, phase};
use super::spec::{ContainerSpec, Role, Spec};

/// The status to show at `now`, after `previous`.
///
/// Calling it again with its own answer as `previous` gives the same.
pub fn status(
    spec: &Spec,
    observed: &Observed,
    previous: Option<&PodStatus>,
    now: Timestamp,
) -> PodStatus {
    let settled = previous
        .and_then(|status| Phase::parse(status.phase.as_deref()?))
        .filter(|phase| phase.is_terminal());
    let phase = settled.unwrap_or_else(|| phase(spec, observed));
    let init = container_statuses(spec, observed, |role| role != Role::App);
    let mut app = container_statuses(spec, observed, |role| role == Role::App);
    let previous_conditions =
        previous.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let conditions = conditions(
        &Facts {
            spec,
            phase,
            scheduling: &observed.scheduling,
            sandbox_ready: observed.sandbox == SandboxState::Ready,
            has_begun: has_begun(spec, observed),
            init: &init,
            app: &app,
            resources: observed.resources.as_ref(),
            previous: previous_conditions,
        },
        now,
    );
    // The kubelet sorts them by name, and kubectl reads "the last container" from this order.
    app.sort_by(|a, b| a.name.cmp(&b.name));
    let (reason, message) = match (&observed.ending, phase, settled, previous) {
        (_, _, Some(_), Some(previous)) => (previous.reason.clone(), previous.message.clone()),
        (Some(ending), Phase::Failed, _, _) => match &ending.cause {
            EndCause::Failed(failure) => {
                (Some(failure.reason.to_string()), Some(failure.message.clone()))
            }
            EndCause::Completed | EndCause::Requested => (None, None),
        },
        _ => (None, None),
    };
    let status = PodStatus {
        phase: Some(phase.to_string()),
        reason,
        message,
        conditions: Some(conditions).filter(|conditions| !conditions.is_empty()),
        qos_class: Some(spec.qos_class.to_string()),
        ..PodStatus::default()
    };
    // The rest is the kubelet's, and none has it yet.
    if observed.scheduling != Scheduling::Scheduled {
        return status;
    }
    let ips = |ips: &[IpAddr]| ips.iter().map(IpAddr::to_string).collect::<Vec<_>>();
    let (pod_ips, host_ips) = (ips(&observed.addresses.pod_ips), ips(&observed.addresses.host_ips));
    PodStatus {
        container_statuses: Some(app),
        init_container_statuses: Some(init).filter(|statuses| !statuses.is_empty()),
        observed_generation: observed.resources.as_ref().map(|shown| shown.generation),
        start_time: Some(Time(observed.started.wall)),
        pod_ip: pod_ips.first().cloned(),
        pod_ips: Some(pod_ips)
            .filter(|ips| !ips.is_empty())
            .map(|ips| ips.into_iter().map(|ip| PodIP { ip }).collect()),
        host_ip: host_ips.first().cloned(),
        host_ips: Some(host_ips)
            .filter(|ips| !ips.is_empty())
            .map(|ips| ips.into_iter().map(|ip| HostIP { ip }).collect()),
        ..status
    }
}

fn container_statuses(
    spec: &Spec,
    observed: &Observed,
    wanted: impl Fn(Role) -> bool,
) -> Vec<ContainerStatus> {
    spec.containers
        .iter()
        .zip(&observed.containers)
        .enumerate()
        .filter(|(_, (spec, _))| wanted(spec.role))
        .map(|(place, (spec, container))| {
            let (allocated, actual) = resources(spec, observed, place);
            ContainerStatus {
                allocated_resources: allocated.requests.clone().filter(|all| !all.is_empty()),
                resources: Some(actual.clone())
                    .filter(|all| *all != ResourceRequirements::default()),
                ..container_status(spec, container)
            }
        })
        .collect()
}

/// What was allocated to a container, and what it has of that.
fn resources<'pod>(
    spec: &'pod ContainerSpec,
    observed: &'pod Observed,
    place: usize,
) -> (&'pod ResourceRequirements, &'pod ResourceRequirements) {
    let changed = observed
        .resources
        .as_ref()
        .and_then(|shown| Some((shown.allocated.get(place)?, shown.actual.get(place)?)));
    changed.unwrap_or((&spec.resources, &spec.resources))
}

fn container_status(spec: &ContainerSpec, container: &Container) -> ContainerStatus {
    let (state, started, ready) = match &container.state {
        RunState::Waiting { why, .. } => (waiting(why), false, false),
        RunState::Running(running) => {
            let state = ContainerState {
                running: Some(ContainerStateRunning { started_at: Some(Time(running.started_at)) }),
                ..ContainerState::default()
            };
            // An init container is ready once it has succeeded, never while it runs.
            let ready = spec.role != Role::Init && running.is_ready();
            (state, running.is_started(), ready)
        }
        RunState::Terminated { ended, .. } => {
            (terminated(ended), false, spec.role == Role::Init && ended.exit.is_success())
        }
    };
    ContainerStatus {
        name: spec.name.clone(),
        image: spec.image.clone(),
        image_id: container.latest.as_ref().map(|run| run.image.id.clone()).unwrap_or_default(),
        container_id: container.latest.as_ref().and_then(container_id),
        state: Some(state),
        last_state: Some(container.last.as_ref().map(terminated).unwrap_or_default()),
        restart_count: i32::try_from(container.restart_count).unwrap_or(i32::MAX),
        started: Some(started),
        ready,
        ..ContainerStatus::default()
    }
}

fn waiting(why: &Waiting) -> ContainerState {
    ContainerState {
        waiting: Some(ContainerStateWaiting {
            reason: Some(why.reason.to_string()),
            message: why.message.clone(),
        }),
        ..ContainerState::default()
    }
}

fn terminated(ended: &Ended) -> ContainerState {
    ContainerState {
        terminated: Some(ContainerStateTerminated {
            exit_code: i32::from(ended.exit.code),
            reason: Some(ended.exit.reason.to_string()),
            message: ended.exit.message.clone(),
            started_at: Some(Time(ended.started_at)),
            finished_at: Some(Time(ended.finished_at)),
            container_id: container_id(&ended.run),
            signal: None,
        }),
        ..ContainerState::default()
    }
}

fn container_id(run: &RunIdentity) -> Option<String> {
    run.id.as_ref().map(|id| format!("wasmpod://{id}"))
}
