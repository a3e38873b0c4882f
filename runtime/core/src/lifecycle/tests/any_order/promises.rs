//! The promises of the life cycle that need no model.

use k8s_openapi::api::core::v1::{ContainerStatus, PodStatus};

use super::world::{UnderWay, World};
use crate::lifecycle::{
    Action, ContainerIndex, ProbeKind, RestartPolicy, Role, Scheduling, Step, StopReason, plan,
    restarts, status,
};

impl World {
    /// The same is decided from the same.
    pub(super) fn check_plan(&self, actions: &[Action]) {
        assert_eq!(actions, plan(&self.spec, &self.observed, self.now.instant));
        let wakes = actions.iter().filter(|action| matches!(action, Action::WakeAt(_))).count();
        let last = matches!(actions.last(), Some(Action::WakeAt(_)));
        assert!(wakes <= usize::from(last), "a wish to wake is one, and the last");
    }

    /// The promises about single actions.
    pub(super) fn check(&self, action: &Action) {
        assert!(!self.torn_down, "{action:?} after the teardown");
        match action {
            Action::Schedule { .. } => {
                assert!(self.observed.ending.is_none(), "a place for what ends");
                assert_eq!(self.under_way, [], "a place, asked for beside something");
            }
            Action::PrepareImage { container } => {
                assert_eq!(self.observed.container(*container).step(), Some(&Step::Nothing));
                assert!(!self.runs(*container), "an image for what runs");
            }
            Action::Start { container, attempt } => self.check_start(*container, *attempt),
            Action::Stop { container, why, .. } => self.check_stop(*container, *why),
            Action::Probe { container, kind } => self.check_probe(*container, *kind),
            Action::PostStart { container }
            | Action::PreStop { container, .. }
            | Action::Kill { container } => {
                assert!(self.runs(*container), "{action:?} of no run");
            }
            Action::Cancel { container } => {
                let steps = [UnderWay::Image(*container), UnderWay::Start(*container)];
                let step = self.under_way.iter().any(|thing| steps.contains(thing));
                assert!(step, "{action:?} of no step");
            }
            Action::BackOff { container, .. } | Action::RestartAll { container } => {
                assert!(!self.runs(*container), "{action:?} of what runs");
            }
            Action::CancelSandbox => assert!(self.under_way.contains(&UnderWay::Sandbox)),
            Action::Teardown | Action::Reset => {
                let open = self.spec.indices().any(|container| self.runs(container));
                assert!(!open, "{action:?} under a run");
                let waits_for_a_place = |thing: &UnderWay| *thing == UnderWay::Place;
                assert!(self.under_way.iter().all(waits_for_a_place), "{action:?} under something");
            }
            Action::PrepareSandbox => {
                assert_eq!(self.observed.scheduling, Scheduling::Scheduled, "before its place");
            }
            Action::End | Action::Fail(_) | Action::WakeAt(_) => {}
        }
    }

    fn check_start(&self, container: ContainerIndex, attempt: u32) {
        assert!(!self.runs(container), "two runs at once");
        assert!(self.observed.ending.is_none(), "a start at the end");
        let runs = self.runs.get(&container).copied().unwrap_or(0);
        assert_eq!(attempt, runs, "runs are numbered one after the other");
        let spec = self.spec.container(container);
        if spec.restart_policy == RestartPolicy::Never && spec.restart_rules.is_empty() {
            assert!(runs <= self.resets, "policy Never");
        }
        if spec.role == Role::App {
            for index in self.spec.indices() {
                if self.spec.container(index).role == Role::Init {
                    assert!(self.observed.container(index).has_succeeded(), "before its init");
                }
            }
        }
        if let Some(ended) = self.observed.container(container).latest_end() {
            assert!(restarts(spec, &ended.exit), "a restart that no rule asks for");
        }
    }

    fn check_probe(&self, container: ContainerIndex, kind: ProbeKind) {
        assert!(self.under_way.contains(&UnderWay::Run(container)), "a probe of no run");
        assert!(!self.under_way.contains(&UnderWay::Probe(container, kind)), "two at once");
        let running = self.observed.container(container).running().unwrap();
        assert_eq!(running.is_started(), kind != ProbeKind::Startup, "{kind} at the wrong time");
        if kind != ProbeKind::Readiness {
            assert!(self.observed.ending.is_none(), "{kind} at the end");
        }
    }

    /// A sidecar that its Pod ends is told last; for a reason of its own anyone may be told.
    fn check_stop(&self, container: ContainerIndex, why: StopReason) {
        assert!(self.runs(container), "a stop of no run");
        let running = self.observed.container(container).running().unwrap();
        if why != StopReason::PodEnds {
            assert!(self.observed.ending.is_none() || running.stopping.is_some());
        } else if self.spec.container(container).role == Role::Sidecar {
            for index in self.spec.indices() {
                let sidecar = self.spec.container(index).role == Role::Sidecar;
                if !sidecar || index > container {
                    assert!(self.observed.container(index).is_at_rest(), "a sidecar ends last");
                }
            }
        }
    }

    /// The promises about what is shown.
    pub(super) fn check_status(&self, new: &PodStatus) {
        let again = status(&self.spec, &self.observed, Some(new), self.now.wall);
        assert_eq!(*new, again, "the status is a function of what is known");
        if self.observed.revision() == self.revision {
            assert_eq!(*new, self.status, "without a change the status stays");
        }
        if matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            assert_eq!(new.phase, self.status.phase, "a terminal phase stays");
        }
        if matches!(new.phase.as_deref(), Some("Succeeded" | "Failed")) {
            let runs = self.spec.indices().any(|container| self.runs(container));
            assert!(!runs, "a terminal phase while something runs");
        }
        for (before, after) in containers(&self.status).zip(containers(new)) {
            assert!(before.restart_count <= after.restart_count, "restarts only rise");
            assert!(
                !after.ready || after.started == Some(true) || is_over(after),
                "ready too soon"
            );
            let first_run = after.restart_count == 0 && is_running(after);
            let no_last = after.last_state.as_ref().is_none_or(|last| last.terminated.is_none());
            assert!(!first_run || no_last, "a first run has none before it");
        }
    }
}

fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten())
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

fn is_over(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.terminated.is_some())
}
