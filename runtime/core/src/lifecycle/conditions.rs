//! The conditions of a Pod: their order, reasons and messages.
//!
//! Rule: the kubelet's `status/generate.go`. They are made from the container statuses, not from
//! what is known, as they are there; `lastTransitionTime` moves only when a status flips.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observed::Scheduling;
use super::phase::Phase;
use super::resize::{IN_PROGRESS, PENDING, ShownResources};
use super::spec::{Role, Spec};

/// What the conditions are made from.
pub(crate) struct Facts<'pod> {
    pub(crate) spec: &'pod Spec,
    pub(crate) phase: Phase,
    /// The Pod's place.
    pub(crate) scheduling: &'pod Scheduling,
    /// The sandbox is there.
    pub(crate) sandbox_ready: bool,
    /// An app container has run.
    pub(crate) has_begun: bool,
    pub(crate) init: &'pod [ContainerStatus],
    pub(crate) app: &'pod [ContainerStatus],
    /// The resources of the containers, once they were changed.
    pub(crate) resources: Option<&'pod ShownResources>,
    /// The conditions of the status before this one, others' conditions among them.
    pub(crate) previous: &'pod [PodCondition],
}

/// A condition without its times.
struct Verdict {
    status: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

/// All conditions, ours after those that others have set.
pub(crate) fn conditions(facts: &Facts<'_>, now: Timestamp) -> Vec<PodCondition> {
    let ours = match facts.scheduling {
        Scheduling::Scheduled => of_scheduled(facts),
        Scheduling::Due { refusal } | Scheduling::Asked { refusal } => {
            refusal.iter().map(|message| ("PodScheduled", unschedulable(message))).collect()
        }
    };
    let others = facts
        .previous
        .iter()
        .filter(|condition| ours.iter().all(|(type_, _)| condition.type_ != *type_))
        .filter(|condition| ![PENDING, IN_PROGRESS].contains(&condition.type_.as_str()))
        .cloned();
    let mut conditions: Vec<_> = others.collect();
    if let Some(resources) = facts.resources {
        conditions.extend(resources.conditions(facts.previous, now));
    }
    for (type_, verdict) in ours {
        let previous = facts.previous.iter().find(|condition| condition.type_ == type_);
        conditions.push(verdict.into_condition(type_, previous, now));
    }
    conditions
}

fn of_scheduled(facts: &Facts<'_>) -> Vec<(&'static str, Verdict)> {
    let containers_ready = containers_ready(facts);
    vec![
        ("PodReadyToStartContainers", Verdict::of(facts.sandbox_ready)),
        ("Initialized", initialized(facts)),
        ("Ready", ready(facts, &containers_ready)),
        ("ContainersReady", containers_ready),
        ("PodScheduled", Verdict::of(true)),
    ]
}

/// As the scheduler has it; nothing else is said of a Pod that no kubelet has taken on.
fn unschedulable(message: &str) -> Verdict {
    Verdict { message: Some(message.to_owned()), ..Verdict::no("Unschedulable") }
}

fn containers_ready(facts: &Facts<'_>) -> Verdict {
    match facts.phase {
        Phase::Succeeded => return Verdict::no("PodCompleted"),
        Phase::Failed => return Verdict::no("PodFailed"),
        Phase::Pending | Phase::Running => {}
    }
    let unready = facts.spec.containers.iter().filter(|container| {
        let statuses = match container.role {
            Role::Init => return false,
            Role::Sidecar => facts.init,
            Role::App => facts.app,
        };
        statuses.iter().any(|status| status.name == container.name && !status.ready)
    });
    let names: Vec<&str> = unready.map(|container| container.name.as_str()).collect();
    if names.is_empty() {
        return Verdict::of(true);
    }
    Verdict {
        message: Some(format!("containers with unready status: [{}]", names.join(" "))),
        ..Verdict::no("ContainersNotReady")
    }
}

fn ready(facts: &Facts<'_>, containers_ready: &Verdict) -> Verdict {
    if !containers_ready.status {
        return Verdict { message: containers_ready.message.clone(), ..*containers_ready };
    }
    let closed_gates: Vec<String> = facts
        .spec
        .readiness_gates
        .iter()
        .filter_map(|gate| match facts.previous.iter().find(|condition| condition.type_ == *gate) {
            None => Some(format!(
                "corresponding condition of pod readiness gate {gate:?} does not exist."
            )),
            Some(condition) if condition.status != "True" => Some(format!(
                "the status of pod readiness gate {gate:?} is not \"True\", but {}",
                condition.status
            )),
            Some(_) => None,
        })
        .collect();
    if closed_gates.is_empty() {
        return Verdict::of(true);
    }
    Verdict { message: Some(closed_gates.join(", ")), ..Verdict::no("ReadinessGatesNotReady") }
}

fn initialized(facts: &Facts<'_>) -> Verdict {
    if facts.phase == Phase::Succeeded {
        return Verdict { reason: Some("PodCompleted"), ..Verdict::of(true) };
    }
    if facts.has_begun {
        return Verdict::of(true);
    }
    let incomplete = facts.spec.containers.iter().filter(|container| {
        let Some(status) = facts.init.iter().find(|status| status.name == container.name) else {
            return false;
        };
        match container.role {
            Role::Init => !status.ready,
            Role::Sidecar => status.started != Some(true),
            Role::App => false,
        }
    });
    let names: Vec<&str> = incomplete.map(|container| container.name.as_str()).collect();
    if names.is_empty() {
        return Verdict::of(true);
    }
    Verdict {
        message: Some(format!("containers with incomplete status: [{}]", names.join(" "))),
        ..Verdict::no("ContainersNotInitialized")
    }
}

impl Verdict {
    fn of(status: bool) -> Self {
        Self { status, reason: None, message: None }
    }

    fn no(reason: &'static str) -> Self {
        Self { status: false, reason: Some(reason), message: None }
    }

    fn into_condition(
        self,
        type_: &str,
        previous: Option<&PodCondition>,
        now: Timestamp,
    ) -> PodCondition {
        let status = if self.status { "True" } else { "False" };
        let unchanged = previous.filter(|condition| condition.status == status);
        PodCondition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: self.reason.map(str::to_owned),
            message: self.message,
            last_transition_time: unchanged
                .and_then(|condition| condition.last_transition_time.clone())
                .or(Some(Time(now))),
            ..PodCondition::default()
        }
    }
}
