//! What is known of a Pod: one value that events change, and that every rule reads.
//!
//! [`Observed::apply`] takes in what happened, [`Observed::begin`] what is being done about it, so
//! that the next plan does not do it twice. An event that does not fit the state is ignored: it
//! tells of a step that was called off.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::action::{Action, BackOffCause};
use super::backoff::{RETRY, volume_delay};
use super::container::{Container, RunState, Waiting};
use super::duration::GoDuration;
use super::event::{Event, Hook, Now, PodFailure, Sandbox, SandboxError, Stop};
use super::exit::Exit;
use super::probe::{ProbeAnswer, ProbeKind};
use super::resize::ShownResources;
use super::running::{HookState, Running, StopReason, StopStage};
use super::spec::{Admission, ContainerIndex, Spec};
use super::waiting::WaitingReason;

/// All that is known of a Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// When the Pod was taken on, which is when it has its place: `status.startTime`, and the start
    /// of its active deadline.
    pub started: Now,
    /// Its place on the machine.
    pub scheduling: Scheduling,
    /// Its network, volumes and identity.
    pub sandbox: SandboxState,
    /// How often in a row the sandbox could not be made.
    pub sandbox_failures: u32,
    /// The addresses that its sandbox has or had.
    pub addresses: Sandbox,
    /// Its containers, in the order of [`Spec::containers`].
    pub containers: Vec<Container>,
    /// All of its containers are being ended, to be started again.
    pub restarting_all: bool,
    /// Its end, once that has begun.
    pub ending: Option<Ending>,
    /// Its deletion, once somebody asked for it.
    pub deletion: Option<Deletion>,
    /// What its containers have of what was asked for, once that was changed.
    pub resources: Option<ShownResources>,
    revision: u64,
}

/// Whether a Pod has its place on the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheduling {
    /// It is to be asked for.
    Due {
        /// Why there was none when it was last asked for.
        refusal: Option<String>,
    },
    /// It was asked for, and the answer is on its way.
    Asked {
        /// Why there was none when it was asked for before.
        refusal: Option<String>,
    },
    /// It has it.
    Scheduled,
}

/// The state of the Pod's network, volumes and identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxState {
    /// Not there.
    Absent {
        /// It is not tried before this moment.
        retry_at: Option<Instant>,
    },
    /// Being made.
    Preparing,
    /// Called off; its task has not ended yet.
    Cancelling,
    /// There.
    Ready,
    /// Being given back.
    TearingDown,
    /// Given back: nothing follows.
    Gone,
}

/// The end of a Pod, from its beginning on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why it ends.
    pub cause: EndCause,
    /// The end of the grace period.
    pub deadline: Instant,
    /// Whether nobody is waited for any more.
    pub kill: bool,
}

/// Why a Pod ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// Its containers are done.
    Completed,
    /// Somebody asked for it.
    Requested,
    /// It failed as a whole.
    Failed(PodFailure),
}

/// What `metadata` says of a Pod that is being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// `deletionTimestamp`: when the grace period is over.
    pub timestamp: Timestamp,
    /// `deletionGracePeriodSeconds`.
    pub grace: Duration,
}

impl Observed {
    /// A Pod of which nothing has begun.
    pub fn new(spec: &Spec, started: Now) -> Self {
        Self {
            started,
            scheduling: match spec.admission {
                Admission::AtOnce => Scheduling::Scheduled,
                Admission::Asked => Scheduling::Due { refusal: None },
            },
            sandbox: SandboxState::Absent { retry_at: None },
            sandbox_failures: 0,
            addresses: Sandbox::default(),
            containers: spec.containers.iter().map(|_| Container::new(spec)).collect(),
            restarting_all: false,
            ending: None,
            deletion: None,
            resources: None,
            revision: 0,
        }
    }

    /// While this stays the same, so does what is shown: the status and the deletion. Most of what
    /// happens to a Pod is probes that say what they said before.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The container at `index`.
    ///
    /// # Panics
    /// When `index` comes from another Pod.
    pub fn container(&self, index: ContainerIndex) -> &Container {
        &self.containers[index.0]
    }

    /// Whether nothing runs and nothing is under way: only giving back is left.
    pub fn is_at_rest(&self) -> bool {
        !matches!(self.sandbox, SandboxState::Preparing | SandboxState::Cancelling)
            && self.containers.iter().all(Container::is_at_rest)
    }

    /// Whether everything is over: no event and no action follows.
    pub fn is_gone(&self) -> bool {
        self.sandbox == SandboxState::Gone
    }

    /// Takes in what happened.
    pub fn apply(&mut self, spec: &Spec, event: Event, now: Now) {
        match event {
            Event::Scheduled { .. } => self.scheduled(now),
            Event::Unschedulable { message } => self.unschedulable(message),
            Event::SandboxReady(sandbox) => self.sandbox_ready(sandbox),
            Event::SandboxFailed(error) => self.sandbox_failed(&error, now),
            Event::SandboxCancelled => self.sandbox_cancelled(),
            Event::ImageReady { container, image } => {
                self.with(container, |container| container.image_ready(image));
            }
            Event::ImageFailed { container, error } => {
                self.with(container, |container| container.image_failed(error, now));
            }
            Event::Started { container, id } => {
                self.with(container, |state| state.started(spec.container(container), id, now));
            }
            Event::StartFailed { container, error } => {
                self.with(container, |container| container.start_failed(spec, error, now));
            }
            Event::Probed { container, kind, answer } => {
                return self.probed(spec, container, kind, &answer, now);
            }
            Event::HookEnded { container, hook, outcome } => {
                self.with_running(container, |running| match hook {
                    Hook::PostStart => running.post_start_ended(outcome.is_ok(), now.instant),
                    Hook::PreStop => running.pre_stop_ended(),
                });
            }
            Event::Cancelled { container } => self.with(container, Container::cancelled),
            Event::Exited { container, exit } => {
                let exit = if self.restarting_all { Exit::restarting_all() } else { exit };
                self.with(container, |container| container.exited(exit, now));
            }
            Event::OutOfMemory { container, message } => {
                self.with_running(container, |running| running.out_of_memory(message, now.instant));
            }
            Event::StopRequested(stop) => self.stop_requested(spec, stop, now),
            Event::Failed(failure) => self.fail(spec, failure, now),
            Event::ResourcesChanged(shown) => self.resources = Some(shown),
            Event::RestartToResize { container } => {
                self.with_running(container, |running| {
                    running.outdated.get_or_insert(StopReason::Resize);
                });
            }
            Event::SpecChanged(change) => {
                for (container, _) in &change.images {
                    let role = spec.container(*container).role;
                    self.with(*container, |container| container.redefine(spec, role));
                }
            }
            Event::TornDown => self.torn_down(),
        }
        self.revision += 1;
    }

    /// Notes that `action` is being carried out.
    pub fn begin(&mut self, spec: &Spec, action: &Action, now: Now) {
        match action {
            Action::Schedule { refusal } => {
                self.scheduling = Scheduling::Asked { refusal: refusal.clone() };
            }
            Action::PrepareSandbox => self.sandbox = SandboxState::Preparing,
            Action::CancelSandbox => self.sandbox = SandboxState::Cancelling,
            Action::Teardown => self.sandbox = SandboxState::TearingDown,
            Action::PrepareImage { container } => {
                self.with(*container, |container| container.begin_image(now));
            }
            Action::Start { container, .. } => self.with(*container, Container::begin_start),
            Action::BackOff { container, cause, delay, until } => {
                let why = self.back_off(spec, *container, *cause, *delay, *until);
                self.with(*container, |container| container.wait(why));
            }
            Action::RestartAll { container } => {
                self.with(*container, |container| container.count_restart(now));
                self.restarting_all = true;
            }
            Action::Reset => self.reset(),
            Action::PostStart { container } => {
                self.with_running(*container, |running| running.post_start = HookState::UnderWay);
            }
            Action::Probe { container, kind } => {
                let begin = |running: &mut Running| running.begin_probe(*kind, now.instant);
                return self.with_running(*container, begin);
            }
            Action::PreStop { container, why, deadline } => {
                self.with_running(*container, |running| {
                    running.stop(*why, *deadline, StopStage::Hook);
                });
            }
            Action::Stop { container, why, deadline, kill_at } => {
                self.with_running(*container, |running| {
                    running.stop(*why, *deadline, StopStage::KillAt(*kill_at));
                });
            }
            Action::Kill { container } => {
                self.with_running(*container, |running| {
                    running.stop(StopReason::PodEnds, now.instant, StopStage::Killed);
                });
            }
            Action::Cancel { container } => self.with(*container, Container::begin_cancel),
            Action::End => self.end(EndCause::Completed, spec.grace, now),
            Action::Fail(failure) => self.fail(spec, failure.clone(), now),
            Action::WakeAt(_) => return,
        }
        self.revision += 1;
    }

    fn with(&mut self, index: ContainerIndex, change: impl FnOnce(&mut Container)) {
        if let Some(container) = self.containers.get_mut(index.0) {
            change(container);
        }
    }

    fn with_running(&mut self, index: ContainerIndex, change: impl FnOnce(&mut Running)) {
        self.with(index, |container| {
            if let Some(running) = container.running_mut() {
                change(running);
            }
        });
    }

    /// Only an answer that makes a verdict shows.
    fn probed(
        &mut self,
        spec: &Spec,
        index: ContainerIndex,
        kind: ProbeKind,
        answer: &ProbeAnswer,
        now: Now,
    ) {
        let mut changes = false;
        self.with_running(index, |running| {
            let shown = |running: &Running| (running.is_started(), running.is_ready());
            let before = shown(running);
            running.probed(spec.container(index), kind, answer, now.instant);
            changes = shown(running) != before;
        });
        self.revision += u64::from(changes);
    }

    fn reset(&mut self) {
        self.restarting_all = false;
        for container in &mut self.containers {
            container.reset();
        }
    }

    fn scheduled(&mut self, now: Now) {
        if matches!(self.scheduling, Scheduling::Asked { .. }) {
            self.scheduling = Scheduling::Scheduled;
            self.started = now;
        }
    }

    fn unschedulable(&mut self, message: String) {
        if matches!(self.scheduling, Scheduling::Asked { .. }) {
            self.scheduling = Scheduling::Due { refusal: Some(message) };
        }
    }

    fn sandbox_ready(&mut self, sandbox: Sandbox) {
        if self.sandbox == SandboxState::Preparing {
            self.sandbox = SandboxState::Ready;
            self.addresses = sandbox;
        }
    }

    fn sandbox_failed(&mut self, error: &SandboxError, now: Now) {
        if self.sandbox != SandboxState::Preparing {
            return;
        }
        let failures = self.sandbox_failures.saturating_add(1);
        self.sandbox_failures = failures;
        let delay = match error {
            SandboxError::Mount { .. } => volume_delay(failures),
            SandboxError::Create(_) => RETRY,
        };
        self.sandbox = SandboxState::Absent { retry_at: Some(now.instant + delay) };
    }

    fn sandbox_cancelled(&mut self) {
        if self.sandbox == SandboxState::Cancelling {
            self.sandbox = SandboxState::Absent { retry_at: None };
        }
    }

    fn torn_down(&mut self) {
        if self.sandbox == SandboxState::TearingDown {
            self.sandbox = SandboxState::Gone;
        }
    }

    fn stop_requested(&mut self, spec: &Spec, stop: Stop, now: Now) {
        if matches!(self.sandbox, SandboxState::TearingDown | SandboxState::Gone) {
            return;
        }
        let grace = match stop {
            Stop::Graceful { grace } => grace.unwrap_or(spec.grace),
            Stop::Interrupt if self.ending.is_none() => spec.grace,
            Stop::Interrupt | Stop::Kill => Duration::ZERO,
        };
        let kill = match stop {
            Stop::Graceful { .. } => false,
            Stop::Interrupt => self.ending.is_some(),
            Stop::Kill => true,
        };
        self.delete(grace, now);
        self.end(EndCause::Requested, grace, now);
        if kill && let Some(ending) = &mut self.ending {
            ending.kill = true;
        }
    }

    /// Sets `metadata.deletionTimestamp`; a later wish can only bring it nearer.
    fn delete(&mut self, grace: Duration, now: Now) {
        // Past the end of the calendar the first or the last representable moment is as good.
        let timestamp = now.wall.checked_add(grace).unwrap_or(Timestamp::MAX);
        let deletion = Deletion { timestamp, grace };
        if self.deletion.is_none_or(|earlier| deletion.timestamp < earlier.timestamp) {
            self.deletion = Some(deletion);
        }
    }

    fn fail(&mut self, spec: &Spec, failure: PodFailure, now: Now) {
        if !matches!(self.sandbox, SandboxState::TearingDown | SandboxState::Gone)
            && self.ending.is_none()
        {
            let grace = failure.grace(spec.grace);
            self.end(EndCause::Failed(failure), grace, now);
        }
    }

    /// Begins the end, or brings nearer one that has begun.
    fn end(&mut self, cause: EndCause, grace: Duration, now: Now) {
        let deadline = later(now.instant, grace);
        match &mut self.ending {
            None => self.ending = Some(Ending { cause, deadline, kill: false }),
            Some(ending) if deadline < ending.deadline => {
                ending.deadline = deadline;
            }
            Some(_) => return,
        }
        // What is being ended already gets no more time than the others.
        for running in self.containers.iter_mut().filter_map(Container::running_mut) {
            running.stop_sooner(deadline, now.instant);
        }
    }

    /// The words in which a back-off shows itself.
    fn back_off(
        &self,
        spec: &Spec,
        index: ContainerIndex,
        cause: BackOffCause,
        delay: Duration,
        until: Instant,
    ) -> Waiting {
        let container = spec.container(index);
        let (reason, message) = match cause {
            BackOffCause::Crash => (
                WaitingReason::CrashLoopBackOff,
                format!(
                    "back-off {} restarting failed container={} pod={}",
                    GoDuration(delay),
                    container.name,
                    spec.identity
                ),
            ),
            BackOffCause::Image => {
                let mut message = format!("Back-off pulling image {:?}", container.image);
                if let RunState::Waiting { why, .. } = &self.container(index).state
                    && let Some(error) = &why.message
                {
                    message = format!("{message}: {}: {error}", why.reason);
                }
                (WaitingReason::ImagePullBackOff, message)
            }
        };
        Waiting { reason, message: Some(message), until: Some(until) }
    }
}

/// `now + delay`; a delay beyond all clocks counts as thirty years.
pub(super) fn later(now: Instant, delay: Duration) -> Instant {
    const THIRTY_YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    now + delay.min(THIRTY_YEARS)
}
