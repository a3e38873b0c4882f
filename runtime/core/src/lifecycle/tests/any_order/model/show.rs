//! What the status has to say.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, PodStatus};

use super::history::Scheduling;
use super::life::{End, Life, Looks, NotMade};
use super::{Millis, Model, SECOND};
use crate::lifecycle::{ContainerIndex, ImageErrorKind, Role};

/// What is compared of a status: the phase, and for each container, in the order of start, its state
/// and what goes with it.
#[derive(Debug, PartialEq)]
pub(in super::super) struct Shown {
    phase: String,
    /// The message of a Pod that has no place.
    refusal: Option<String>,
    containers: Vec<Container>,
}

#[derive(Debug, PartialEq)]
struct Container {
    name: String,
    state: State,
    last: Option<i32>,
    restart_count: i32,
    started: bool,
    ready: bool,
}

#[derive(Debug, PartialEq)]
enum State {
    /// With its reason, and the message of a crash loop.
    Waiting(String, Option<String>),
    Running,
    Terminated(i32),
}

impl Shown {
    /// Reads a status, and puts its containers into the order of `names`.
    pub(in super::super) fn of<'name>(
        status: &PodStatus,
        names: impl Iterator<Item = &'name str>,
    ) -> Self {
        let all = || {
            let init = status.init_container_statuses.iter().flatten();
            init.chain(status.container_statuses.iter().flatten())
        };
        let conditions = || status.conditions.iter().flatten();
        let scheduled = conditions().find(|condition| condition.type_ == "PodScheduled");
        let refusal = scheduled.filter(|scheduled| scheduled.status == "False").map(|scheduled| {
            assert_eq!(conditions().count(), 1, "nobody knows more of it");
            assert_eq!(scheduled.reason.as_deref(), Some("Unschedulable"));
            scheduled.message.clone().unwrap()
        });
        // No kubelet has them yet.
        let names = names.filter(|_| status.start_time.is_some());
        let containers = names.map(|name| {
            let mut found = all().filter(|container| container.name == name);
            let container = Container::of(found.next().unwrap());
            assert!(found.next().is_none(), "{name} is shown twice");
            container
        });
        let containers: Vec<Container> = containers.collect();
        assert_eq!(all().count(), containers.len(), "no others are shown");
        Self { phase: status.phase.clone().unwrap(), refusal, containers }
    }
}

impl Container {
    fn of(status: &ContainerStatus) -> Self {
        let code =
            |state: &Option<ContainerState>| Some(state.as_ref()?.terminated.as_ref()?.exit_code);
        let state = match status.state.as_ref().unwrap() {
            ContainerState { waiting: Some(waiting), running: None, terminated: None } => {
                let reason = waiting.reason.clone().unwrap();
                let told = waiting.message.clone().filter(|_| reason == "CrashLoopBackOff");
                State::Waiting(reason, told)
            }
            ContainerState { waiting: None, running: Some(_), terminated: None } => State::Running,
            ContainerState { waiting: None, running: None, terminated: Some(terminated) } => {
                State::Terminated(terminated.exit_code)
            }
            other => panic!("not one state: {other:?}"),
        };
        Self {
            name: status.name.clone(),
            state,
            last: code(&status.last_state),
            restart_count: status.restart_count,
            started: status.started.unwrap(),
            ready: status.ready,
        }
    }
}

impl Model<'_> {
    pub(in super::super) fn shown(&self) -> Shown {
        let (refusal, has_place) = match &self.story.scheduling {
            Scheduling::Due(refusal) | Scheduling::Asked(refusal) => (refusal.clone(), false),
            Scheduling::Done => (None, true),
        };
        let containers = self.spec.indices().filter(|_| has_place);
        Shown {
            phase: self.phase().to_owned(),
            refusal,
            containers: containers.map(|index| self.container(index)).collect(),
        }
    }

    /// When the Pod is deleted and the grace period of that, in milliseconds.
    pub(in super::super) fn deletion(&self) -> Option<(u128, u128)> {
        self.story.deletion.map(|(at, grace)| (u128::from(at), u128::from(grace)))
    }

    fn container(&self, index: ContainerIndex) -> Container {
        let (spec, life) = (self.spec.container(index), self.life(index));
        let ends: Vec<i32> = life.runs.iter().filter_map(|run| Some(run.end?.code())).collect();
        let terminated = life.looks == Looks::Ended;
        let run = life.running();
        Container {
            name: spec.name.clone(),
            state: self.state(index, life),
            last: ends.iter().rev().nth(usize::from(terminated)).copied(),
            restart_count: i32::try_from(life.runs.len().saturating_sub(1)).unwrap(),
            started: run.is_some_and(|run| self.started(index, run).is_some()),
            ready: match spec.role {
                Role::Init => terminated && ends.last() == Some(&0),
                Role::Sidecar | Role::App => run.is_some_and(|run| self.is_ready(index, run)),
            },
        }
    }

    fn state(&self, index: ContainerIndex, life: &Life) -> State {
        let name = &self.spec.container(index).name;
        let has_init = self.spec.containers.iter().any(|other| other.role != Role::App);
        let untried = if has_init { "PodInitializing" } else { "ContainerCreating" };
        let waiting = |reason: &str| State::Waiting(reason.to_owned(), None);
        match life.looks {
            Looks::Running => State::Running,
            Looks::Ended => State::Terminated(life.end().unwrap().code()),
            Looks::Untried | Looks::NotMade(_, NotMade::Mount) => waiting(untried),
            Looks::NotMade(_, NotMade::Config) => waiting("CreateContainerConfigError"),
            Looks::NotMade(_, NotMade::Create) => waiting("CreateContainerError"),
            Looks::NoImage(_, kind) => waiting(match kind {
                ImageErrorKind::Pull => "ErrImagePull",
                ImageErrorKind::NeverPull => "ErrImageNeverPull",
                ImageErrorKind::InvalidName => "InvalidImageName",
                ImageErrorKind::Inspect => "ImageInspectError",
                ImageErrorKind::RegistryUnavailable => "RegistryUnavailable",
            }),
            Looks::PullBackOff { .. } => waiting("ImagePullBackOff"),
            Looks::MadeWay => waiting("RestartingAllContainers"),
            Looks::Crashing { delay, .. } => {
                let delay = in_go(delay);
                State::Waiting(
                    "CrashLoopBackOff".to_owned(),
                    Some(format!(
                        "back-off {delay} restarting failed container={name} pod=p_default(u)"
                    )),
                )
            }
        }
    }

    /// The kubelet's `getPhase`; a terminal phase waits until nothing runs.
    fn phase(&self) -> &'static str {
        let over = self.story.ending.as_ref().filter(|_| self.is_at_rest());
        let phase = match over {
            Some(ending) if ending.failed => "Failed",
            Some(_) => self.phase_of_containers(true),
            None => self.phase_of_containers(false),
        };
        match phase {
            "Succeeded" | "Failed" if !self.is_at_rest() => {
                if self.is_initialized() {
                    "Running"
                } else {
                    "Pending"
                }
            }
            phase => phase,
        }
    }

    fn phase_of_containers(&self, over: bool) -> &'static str {
        let (mut pending, mut failed_init) = (false, false);
        let (mut waiting, mut running, mut stopped, mut succeeded) = (0, 0, 0, 0);
        let mut all_for_good = true;
        for (index, life) in self.lives() {
            let (run, end) = (life.running(), life.end());
            let for_good = self.is_followed(index) == Some(false);
            match (self.spec.container(index).role, run, end) {
                (Role::Init, Some(_), _) | (Role::Init, None, None) => pending = true,
                (Role::Init, None, Some(end)) => failed_init |= end.code() != 0 && for_good,
                (Role::Sidecar, Some(run), _) => {
                    running += 1;
                    let started = self.started(index, run).is_some();
                    pending |= !started && !self.is_initialized();
                }
                (Role::Sidecar, None, None) => pending = true,
                (Role::Sidecar, None, Some(_)) => {}
                (Role::App, Some(_), _) => running += 1,
                (Role::App, None, None) => waiting += 1,
                (Role::App, None, Some(end)) => {
                    stopped += 1;
                    all_for_good &= for_good;
                    succeeded += u32::from(life.looks == Looks::Ended && end.code() == 0);
                }
            }
        }
        if failed_init {
            "Failed"
        } else if pending || waiting > 0 {
            "Pending"
        } else if running > 0 {
            "Running"
        } else if stopped == 0 {
            "Pending"
        } else if !over && !all_for_good {
            "Running"
        } else if succeeded == stopped {
            "Succeeded"
        } else {
            "Failed"
        }
    }
}

impl End {
    fn code(&self) -> i32 {
        if self.made_way { 137 } else { i32::from(self.code) }
    }
}

/// As Go prints whole seconds below an hour.
fn in_go(delay: Millis) -> String {
    match delay / SECOND {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => format!("{}m{}s", seconds / 60, seconds % 60),
    }
}
