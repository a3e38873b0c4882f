//! What is known of a Pod whose process was lost: what its last status says.
//!
//! Nothing of it runs any more. A run that was under way ended unseen, and what follows is what
//! follows any end: its restart policy. Where containers run again, init containers do so first, as
//! in a new sandbox.
//!
//! Rule: the kubelet's `computePodActions` for a Pod that needs a new sandbox, and the states that its
//! `convertToAPIContainerStatuses` gives to containers that it cannot find.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStatus, PodStatus,
};

use super::container::{Container, Ended, RunIdentity, RunState, Step, Waiting};
use super::event::{ImageInfo, ImageOrigin, Now};
use super::exit::{Exit, ExitReason};
use super::observed::{EndCause, Ending, Observed};
use super::restart::restarts;
use super::spec::{ContainerSpec, RestartPolicy, Role, Spec};
use super::waiting::WaitingReason;

impl Observed {
    /// A Pod that was taken on before, and of which `previous` is all that is left; `lost` is how the runs
    /// ended that were under way.
    ///
    /// One that has nothing to start again is over: its [`phase`](super::phase()) says how it ended.
    pub fn resumed(spec: &Spec, previous: &PodStatus, lost: &Exit, now: Now) -> Self {
        let mut observed = Self::new(spec, begun(previous, now));
        let statuses: Vec<_> =
            spec.containers.iter().map(|container| status_of(previous, container)).collect();
        let has_begun = statuses.iter().flatten().any(|status| latest_run(status).is_some());
        for ((spec, container), status) in
            spec.containers.iter().zip(&mut observed.containers).zip(&statuses)
        {
            if let Some(status) = status {
                container.recall(status, lost, now);
            }
            // What never restarts had its one try together with the others.
            if has_begun
                && container.latest.is_none()
                && spec.restart_policy == RestartPolicy::Never
            {
                let run = RunIdentity { id: None, image: unknown_image() };
                container.lose(run, Exit::unknown(), now.wall, now);
            }
        }
        if observed.goes_on(spec) {
            observed.initialise_again(spec);
        } else {
            let deadline = now.instant;
            observed.ending = Some(Ending { cause: EndCause::Completed, deadline, kill: true });
        }
        observed
    }

    /// Whether an app container is yet to run, or to run again.
    fn goes_on(&self, spec: &Spec) -> bool {
        let mut all = spec.containers.iter().zip(&self.containers);
        let has_failed = all.clone().any(|(spec, container)| {
            spec.role == Role::Init && is_done(spec, container) && !container.has_succeeded()
        });
        !has_failed && all.any(|(spec, own)| spec.role == Role::App && !is_done(spec, own))
    }

    fn initialise_again(&mut self, spec: &Spec) {
        let inits = spec.containers.iter().zip(&mut self.containers);
        for (_, container) in inits.filter(|(spec, _)| spec.role == Role::Init) {
            if container.has_succeeded() {
                container.wait(Waiting::because(WaitingReason::PodInitializing));
            }
        }
    }
}

impl Container {
    /// Stands as its status says, save that nothing runs.
    fn recall(&mut self, status: &ContainerStatus, lost: &Exit, now: Now) {
        let Some(run) = latest_run(status) else { return };
        self.restart_count = u32::try_from(status.restart_count).unwrap_or(0);
        self.last = status.last_state.as_ref().and_then(|last| ended(last, status, now));
        let state = status.state.as_ref();
        match state.and_then(|state| ended(state, status, now)) {
            Some(ended) => {
                self.latest = Some(ended.run.clone());
                self.state = RunState::Terminated { ended, step: Step::Nothing };
            }
            None => match state.and_then(|state| state.running.as_ref()) {
                Some(running) => {
                    let since = running.started_at.as_ref().map_or(now.wall, |time| time.0);
                    self.lose(run, lost.clone(), since, now);
                }
                // It waited for its next run.
                None => {
                    self.latest = Some(run);
                    if let Some(ended) = self.last.take() {
                        self.state = RunState::Terminated { ended, step: Step::Nothing };
                    }
                }
            },
        }
    }

    /// Its run ended, and no process was there any more to see it.
    fn lose(&mut self, run: RunIdentity, exit: Exit, started_at: Timestamp, now: Now) {
        self.latest = Some(run.clone());
        let ended = Ended { exit, run, started_at, finished_at: now.wall, finished: now.instant };
        self.state = RunState::Terminated { ended, step: Step::Nothing };
    }
}

/// Whether a container has ended for good.
fn is_done(spec: &ContainerSpec, container: &Container) -> bool {
    matches!(&container.state, RunState::Terminated { ended, .. } if !restarts(spec, &ended.exit))
}

/// When the Pod was taken on; deadlines count from there.
fn begun(previous: &PodStatus, now: Now) -> Now {
    let Some(wall) = previous.start_time.as_ref().map(|time| time.0) else { return now };
    let ago = now.wall.duration_since(wall).unsigned_abs();
    // A machine that has been up for less than that has no such instant.
    match now.instant.checked_sub(ago) {
        Some(instant) if wall <= now.wall => Now { wall, instant },
        Some(_) | None => Now { wall: wall.min(now.wall), ..now },
    }
}

fn status_of<'pod>(
    pod: &'pod PodStatus,
    container: &ContainerSpec,
) -> Option<&'pod ContainerStatus> {
    let all = match container.role {
        Role::App => &pod.container_statuses,
        Role::Init | Role::Sidecar => &pod.init_container_statuses,
    };
    all.iter().flatten().find(|status| status.name == container.name)
}

/// The latest run that was begun, if one was.
fn latest_run(status: &ContainerStatus) -> Option<RunIdentity> {
    let is_ended = |state: &Option<ContainerState>| {
        state.as_ref().is_some_and(|state| state.terminated.is_some())
    };
    let id = status.container_id.as_deref().map(bare_id);
    let has_run = id.is_some() || is_ended(&status.state) || is_ended(&status.last_state);
    has_run.then(|| RunIdentity { id, image: image(status) })
}

fn ended(state: &ContainerState, status: &ContainerStatus, now: Now) -> Option<Ended> {
    let ended: &ContainerStateTerminated = state.terminated.as_ref()?;
    let time = |time: &Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| {
        time.as_ref().map_or(now.wall, |time| time.0)
    };
    Some(Ended {
        exit: Exit {
            reason: ExitReason::parse(ended.reason.as_deref().unwrap_or_default()),
            message: ended.message.clone(),
            ..Exit::with_code(ended.exit_code)
        },
        run: RunIdentity { id: ended.container_id.as_deref().map(bare_id), image: image(status) },
        started_at: time(&ended.started_at),
        finished_at: time(&ended.finished_at),
        // Back-off counts from here: how long the process was gone is no merit of the guest.
        finished: now.instant,
    })
}

fn bare_id(id: &str) -> String {
    id.strip_prefix("wasmpod://").unwrap_or(id).to_owned()
}

fn image(status: &ContainerStatus) -> ImageInfo {
    ImageInfo { id: status.image_id.clone(), origin: ImageOrigin::Present }
}

fn unknown_image() -> ImageInfo {
    ImageInfo { id: String::new(), origin: ImageOrigin::Present }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::lifecycle::{Action, phase, plan, status};

    fn now() -> Now {
        let wall = "2026-01-01T01:00:00Z".parse().unwrap();
        let now = tokio::time::Instant::now().into_std();
        Now { wall, instant: now + Duration::from_secs(7200) }
    }

    fn spec(policy: &str) -> Spec {
        let pod = serde_json::from_value(json!({
            "metadata": { "name": "web", "namespace": "default", "uid": "u" },
            "spec": {
                "restartPolicy": policy,
                "initContainers": [{ "name": "init", "image": "i" }],
                "containers": [{ "name": "a", "image": "a" }, { "name": "b", "image": "b" }],
            },
        }))
        .unwrap();
        Spec::new(&pod).unwrap()
    }

    fn run(name: &str, restarts: i32, state: Value, last: Value) -> Value {
        json!({
            "name": name, "image": name, "imageID": format!("sha256:{name}"), "ready": false,
            "containerID": format!("wasmpod://{name}-{restarts}"), "restartCount": restarts,
            "state": state, "lastState": last,
        })
    }

    fn ended(code: i32) -> Value {
        let reason = if code == 0 { "Completed" } else { "Error" };
        json!({ "terminated": { "exitCode": code, "reason": reason } })
    }

    fn running() -> Value {
        json!({ "running": { "startedAt": "2026-01-01T00:10:00Z" } })
    }

    fn resumed(policy: &str, init: Value, apps: [Value; 2]) -> (Spec, Observed, Now) {
        let (spec, now) = (spec(policy), now());
        let previous: PodStatus = serde_json::from_value(json!({
            "phase": "Running", "startTime": "2026-01-01T00:00:00Z",
            "initContainerStatuses": [init], "containerStatuses": apps,
        }))
        .unwrap();
        let observed = Observed::resumed(&spec, &previous, &Exit::unknown(), now);
        (spec, observed, now)
    }

    /// Phase, and of each app container its restarts, the number of its next run and what is shown.
    fn shown(spec: &Spec, observed: &Observed, now: Now) -> (String, Vec<String>) {
        let status = status(spec, observed, None, now.wall);
        let apps = status.container_statuses.unwrap_or_default();
        let own = |status: &ContainerStatus| {
            let state = status.state.as_ref().unwrap();
            let words = match (&state.terminated, &state.waiting) {
                (Some(ended), _) => {
                    format!("{} {}", ended.exit_code, ended.reason.as_deref().unwrap_or_default())
                }
                (None, Some(waiting)) => waiting.reason.clone().unwrap_or_default(),
                (None, None) => "?".to_owned(),
            };
            format!("{} {} {words}", status.name, status.restart_count)
        };
        (phase(spec, observed).to_string(), apps.iter().map(own).collect())
    }

    #[test]
    fn what_ran_ended_unseen_and_runs_again_after_the_init_containers() {
        let apps = [run("a", 2, running(), ended(1)), run("b", 0, running(), json!({}))];
        let (spec, mut observed, now) =
            resumed("Always", run("init", 0, ended(0), json!({})), apps);
        let (phase, apps) = shown(&spec, &observed, now);
        assert_eq!(phase, "Running");
        assert_eq!(apps, ["a 2 137 ContainerStatusUnknown", "b 0 137 ContainerStatusUnknown"]);
        let attempts: Vec<u32> = observed.containers.iter().map(Container::next_attempt).collect();
        assert_eq!(attempts, [1, 3, 1], "logs go on where they were");
        assert_eq!(now.instant - observed.started.instant, Duration::from_secs(3600));
        let actions = plan(&spec, &observed, now.instant);
        assert!(matches!(actions.as_slice(), [Action::PrepareSandbox, ..]), "{actions:?}");
        observed.begin(&spec, &Action::PrepareSandbox, now);
        let ready = crate::lifecycle::Event::SandboxReady(crate::lifecycle::Sandbox::default());
        observed.apply(&spec, ready, now);
        let first = plan(&spec, &observed, now.instant);
        let prepared: Vec<_> = first
            .iter()
            .filter_map(|action| match action {
                Action::PrepareImage { container } => Some(container.0),
                _ => None,
            })
            .collect();
        assert_eq!(prepared.first(), Some(&0), "the init container before all: {first:?}");
    }

    #[test]
    fn what_is_done_stays_done() {
        let apps = [run("a", 0, ended(0), json!({})), run("b", 0, running(), json!({}))];
        let (spec, observed, now) = resumed("OnFailure", run("init", 0, ended(0), json!({})), apps);
        let (phase, apps) = shown(&spec, &observed, now);
        assert_eq!(phase, "Running");
        assert_eq!(apps, ["a 0 0 Completed", "b 0 137 ContainerStatusUnknown"]);
        assert!(observed.ending.is_none());
    }

    #[test]
    fn without_restarts_the_pod_has_failed() {
        let new = json!({
            "name": "b", "image": "b", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "waiting": { "reason": "ContainerCreating" } },
        });
        let apps = [run("a", 0, running(), json!({})), new];
        let (spec, observed, now) = resumed("Never", run("init", 0, ended(0), json!({})), apps);
        let (phase, apps) = shown(&spec, &observed, now);
        assert_eq!(phase, "Failed");
        assert_eq!(apps, ["a 0 137 ContainerStatusUnknown", "b 0 137 ContainerStatusUnknown"]);
    }

    #[test]
    fn one_that_never_began_begins() {
        let new = |name: &str| {
            json!({ "name": name, "image": name, "imageID": "", "ready": false, "restartCount": 0,
                    "state": { "waiting": { "reason": "PodInitializing" } } })
        };
        let (spec, observed, now) = resumed("Never", new("init"), [new("a"), new("b")]);
        assert_eq!(shown(&spec, &observed, now).0, "Pending");
        assert_eq!(observed.containers, Observed::new(&spec, now).containers);
    }

    #[test]
    fn a_crash_loop_keeps_its_count() {
        let waits = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        let apps = [run("a", 5, waits, ended(3)), run("b", 0, running(), json!({}))];
        let (spec, observed, now) = resumed("Always", run("init", 0, ended(0), json!({})), apps);
        let (_, apps) = shown(&spec, &observed, now);
        assert_eq!(apps[0], "a 5 3 Error");
        assert_eq!(observed.containers[1].next_attempt(), 6);
    }
}
