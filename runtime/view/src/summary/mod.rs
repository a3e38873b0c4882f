//! One line about a Pod, as `kubectl get pods` prints it: READY, STATUS and RESTARTS.
//!
//! Made from the Pod object alone, since it also serves Pods of other processes.
//!
//! Rule: `printPod` in the API server's printers.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStatus, Pod, PodCondition, PodStatus,
};

use crate::age::HumanDuration;

/// The columns of one Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// READY, before the slash.
    pub ready: usize,
    /// READY, behind it: app containers and sidecars.
    pub total: usize,
    /// STATUS.
    pub status: String,
    /// RESTARTS.
    pub restarts: Restarts,
}

/// The column RESTARTS; `Display` gives `3 (20s ago)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// How many there were.
    pub count: i32,
    /// How long ago the run ended that the last one replaced.
    pub last: Option<SignedDuration>,
}

impl fmt::Display for Restarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        match self.last {
            Some(last) if self.count > 0 => write!(f, " ({} ago)", HumanDuration(last)),
            Some(_) | None => Ok(()),
        }
    }
}

/// The columns of `pod` as they read at `now`.
pub fn summary(pod: &Pod, now: Timestamp) -> Summary {
    let no_status = PodStatus::default();
    let status = pod.status.as_ref().unwrap_or(&no_status);
    let init_specs =
        pod.spec.as_ref().and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
    let apps = pod.spec.as_ref().map_or(0, |spec| spec.containers.len());
    let sidecars = init_specs.iter().filter(|container| is_sidecar(container)).count();

    let inits = status.init_container_statuses.as_deref().unwrap_or_default();
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    let mut columns = Columns {
        summary: Summary {
            ready: 0,
            total: apps + sidecars,
            status: first_word(status),
            restarts: Restarts { count: 0, last: None },
        },
        last_end: None,
        sidecar_end: None,
        sidecar_restarts: 0,
    };
    let initializing = columns.inits(inits, init_specs);
    if !initializing || is_initialized(status) {
        columns.containers(containers, status);
    }
    let mut summary = columns.summary;
    if pod.metadata.deletion_timestamp.is_some() {
        if status.reason.as_deref() == Some("NodeLost") {
            summary.status = "Unknown".to_owned();
        } else if !has_ended(status) {
            summary.status = "Terminating".to_owned();
        }
    }
    summary.restarts.last = columns.last_end.map(|end| now.duration_since(end));
    summary
}

/// What the Pod says of itself, before its containers have their say.
fn first_word(status: &PodStatus) -> String {
    let gated = |condition: &&PodCondition| {
        condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("SchedulingGated")
    };
    if let Some(gate) = status.conditions.iter().flatten().find(gated) {
        return gate.reason.clone().unwrap_or_default();
    }
    let reason = status.reason.clone().filter(|reason| !reason.is_empty());
    reason.or_else(|| status.phase.clone()).unwrap_or_default()
}

struct Columns {
    summary: Summary,
    /// The latest end of a run that another has followed.
    last_end: Option<Timestamp>,
    sidecar_end: Option<Timestamp>,
    sidecar_restarts: i32,
}

impl Columns {
    /// Reads the init containers up to the first that is not done; whether there is one.
    fn inits(&mut self, statuses: &[ContainerStatus], specs: &[Container]) -> bool {
        for (index, status) in statuses.iter().enumerate() {
            let sidecar = specs.iter().any(|spec| spec.name == status.name && is_sidecar(spec));
            let end = last_end(status);
            self.summary.restarts.count += status.restart_count;
            self.last_end = self.last_end.max(end);
            if sidecar {
                self.sidecar_restarts += status.restart_count;
                self.sidecar_end = self.sidecar_end.max(end);
            }
            let state = status.state.as_ref();
            if exit_code(state) == Some(0) {
                continue;
            }
            if sidecar && status.started == Some(true) {
                self.summary.ready += usize::from(status.ready);
                continue;
            }
            self.summary.status = match (terminated_word(state), waiting_reason(state)) {
                (Some(word), _) => format!("Init:{word}"),
                (None, Some(reason)) if reason != "PodInitializing" => format!("Init:{reason}"),
                (None, _) => format!("Init:{index}/{}", specs.len()),
            };
            return true;
        }
        false
    }

    /// Reads the app containers from the last to the first, which so has the last word.
    fn containers(&mut self, statuses: &[ContainerStatus], status: &PodStatus) {
        // Of the init containers only the sidecars' restarts count from here on.
        self.summary.restarts.count = self.sidecar_restarts;
        self.last_end = self.sidecar_end;
        let mut running = false;
        for container in statuses.iter().rev() {
            self.summary.restarts.count += container.restart_count;
            self.last_end = self.last_end.max(last_end(container));
            let state = container.state.as_ref();
            if let Some(reason) = waiting_reason(state) {
                self.summary.status = reason.to_owned();
            } else if let Some(word) = terminated_word(state) {
                self.summary.status = word;
            } else if container.ready && state.is_some_and(|state| state.running.is_some()) {
                running = true;
                self.summary.ready += 1;
            }
        }
        if self.summary.status == "Completed" && running {
            let ready = has_condition(status, "Ready");
            self.summary.status = if ready { "Running" } else { "NotReady" }.to_owned();
        }
    }
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn is_initialized(status: &PodStatus) -> bool {
    has_condition(status, "Initialized")
}

fn has_condition(status: &PodStatus, type_: &str) -> bool {
    status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == type_ && condition.status == "True")
}

/// Whether the Pod's phase is one that it never leaves.
pub(crate) fn has_ended(status: &PodStatus) -> bool {
    matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"))
}

fn last_end(status: &ContainerStatus) -> Option<Timestamp> {
    let terminated = status.last_state.as_ref()?.terminated.as_ref()?;
    terminated.finished_at.as_ref().map(|time| time.0)
}

fn exit_code(state: Option<&ContainerState>) -> Option<i32> {
    Some(state?.terminated.as_ref()?.exit_code)
}

fn waiting_reason(state: Option<&ContainerState>) -> Option<&str> {
    state?.waiting.as_ref()?.reason.as_deref().filter(|reason| !reason.is_empty())
}

/// The reason of an end, or its signal or code where it has none.
fn terminated_word(state: Option<&ContainerState>) -> Option<String> {
    let terminated = state?.terminated.as_ref()?;
    Some(match (terminated.reason.as_deref(), terminated.signal) {
        (Some(reason), _) if !reason.is_empty() => reason.to_owned(),
        (_, Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        (_, _) => format!("ExitCode:{}", terminated.exit_code),
    })
}

#[cfg(test)]
mod tests;
