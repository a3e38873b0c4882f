//! One container of a Pod: where its present run is, and what became of the run before.
//!
//! ```text
//!            PrepareImage          Start              started
//! Waiting ───────────────▶ Waiting ─────▶ Waiting ──────────────▶ Running
//!    ▲                     (image)        (starting)                 │ exit
//!    │  back-off                                                     ▼
//!    └────────────────────────────────────────────────────────── Terminated
//! ```
//!
//! A terminated container that starts again at once stays Terminated while its next run is made,
//! as the kubelet shows it. Facts and how events change them; what should follow is
//! [`plan`](super::plan)'s.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::backoff::{Backoff, RETRY};
use super::event::{ImageError, ImageErrorKind, ImageInfo, Now, StartError};
use super::exit::{Exit, RESTARTING_ALL};
use super::running::{Running, StopReason};
use super::spec::{ContainerSpec, Role, Spec};
use super::waiting::WaitingReason;

/// How long an error of an image is shown before the words turn to its back-off: the time in
/// which the kubelet looks at its containers again.
const ERROR_SHOWN: Duration = Duration::from_secs(1);

/// What is known of one container.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// Where its present run is.
    pub state: RunState,
    /// The end of the run before the one that `state` shows.
    pub last: Option<Ended>,
    /// How many runs were begun after the first: the number of the latest run.
    pub restart_count: u32,
    /// The identity of the latest run, and the image that it was made from.
    pub latest: Option<RunIdentity>,
    /// Whether it has run since the Pod's containers were last started together.
    pub has_begun: bool,
    /// Whether what is under way for the next run is of a definition that it has no more.
    pub(crate) step_is_outdated: bool,
    pub(crate) crashes: Backoff,
    pub(crate) image_failures: Backoff,
}

/// The state of a container, as the API knows it, and what is being done about it.
#[derive(Clone, Debug, PartialEq)]
pub enum RunState {
    /// Not running: not tried yet, a try failed, or a back-off lasts.
    Waiting {
        /// The reason and message that the status shows.
        why: Waiting,
        /// What is under way to end the waiting.
        step: Step,
    },
    /// The guest runs.
    Running(Running),
    /// The guest ended, and no reason is known yet why its next run waits.
    Terminated {
        /// The run that ended.
        ended: Ended,
        /// What is under way for the next one.
        step: Step,
    },
}

/// Why a container waits, and how long at least.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// `state.waiting.reason`.
    pub reason: WaitingReason,
    /// `state.waiting.message`.
    pub message: Option<String>,
    /// Nothing is tried before this moment.
    pub until: Option<Instant>,
}

/// What is under way for a container's next run.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Its image is being prepared.
    Image,
    /// Its image is ready.
    ImageReady(ImageInfo),
    /// It is being made and started from this image.
    Starting(ImageInfo),
    /// A step was called off; its task has not ended yet. Of a start, the image: the guest may run
    /// before the start hears of it.
    Cancelling(Option<ImageInfo>),
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// How.
    pub exit: Exit,
    /// The run.
    pub run: RunIdentity,
    /// When it started, for the status.
    pub started_at: Timestamp,
    /// When it ended, for the status.
    pub finished_at: Timestamp,
    /// When it ended, for decisions: its back-off counts from here.
    pub finished: Instant,
}

/// Which run it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIdentity {
    /// What follows `wasmpod://` in `containerID`; none where the run was never entered.
    pub id: Option<String>,
    /// The image it was made from.
    pub image: ImageInfo,
}

impl Container {
    pub(crate) fn new(spec: &Spec) -> Self {
        let why = Waiting::because(untried_reason(spec));
        Self {
            state: RunState::Waiting { why, step: Step::Nothing },
            last: None,
            restart_count: 0,
            latest: None,
            has_begun: false,
            step_is_outdated: false,
            crashes: Backoff::new(spec.max_restart_delay),
            image_failures: Backoff::new(super::backoff::MaxDelay::default()),
        }
    }

    /// The run in progress.
    pub fn running(&self) -> Option<&Running> {
        match &self.state {
            RunState::Running(running) => Some(running),
            RunState::Waiting { .. } | RunState::Terminated { .. } => None,
        }
    }

    /// The latest run that ended, whatever is shown for the next one.
    pub fn latest_end(&self) -> Option<&Ended> {
        match &self.state {
            RunState::Terminated { ended, .. } => Some(ended),
            RunState::Waiting { .. } | RunState::Running(_) => self.last.as_ref(),
        }
    }

    /// Whether it is over for now: it ended, and nothing is under way for it.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.step(), Some(Step::Nothing | Step::ImageReady(_)))
    }

    /// Whether it ended with success, and nothing is under way for it.
    pub(crate) fn has_succeeded(&self) -> bool {
        // One that made way for another image has not done its work, whatever it says.
        matches!(&self.state, RunState::Terminated { ended, .. }
            if ended.exit.is_success() && !ended.exit.makes_way)
    }

    /// The number that its next run will have.
    pub fn next_attempt(&self) -> u32 {
        if self.latest.is_some() { self.restart_count + 1 } else { 0 }
    }

    /// What is under way for the next run; `None` while one runs.
    pub fn step(&self) -> Option<&Step> {
        match &self.state {
            RunState::Waiting { step, .. } | RunState::Terminated { step, .. } => Some(step),
            RunState::Running(_) => None,
        }
    }

    pub(crate) fn running_mut(&mut self) -> Option<&mut Running> {
        match &mut self.state {
            RunState::Running(running) => Some(running),
            RunState::Waiting { .. } | RunState::Terminated { .. } => None,
        }
    }

    pub(crate) fn step_mut(&mut self) -> Option<&mut Step> {
        match &mut self.state {
            RunState::Waiting { step, .. } | RunState::Terminated { step, .. } => Some(step),
            RunState::Running(_) => None,
        }
    }

    /// Turns to waiting; the end that the state showed becomes the last one.
    pub(crate) fn wait(&mut self, why: Waiting) {
        let state = RunState::Waiting { why, step: Step::Nothing };
        if let RunState::Terminated { ended, .. } = std::mem::replace(&mut self.state, state) {
            self.last = Some(ended);
        }
    }
}

/// What is begun, and what happens.
impl Container {
    /// Notes in the back-off that a run is being followed by another, if one is.
    pub(crate) fn count_restart(&mut self, now: Now) {
        let restart_of = match &self.state {
            RunState::Terminated { ended, .. } => Some(ended.finished),
            RunState::Waiting { why, .. } if why.reason == WaitingReason::CrashLoopBackOff => {
                self.last.as_ref().map(|ended| ended.finished)
            }
            RunState::Waiting { .. } | RunState::Running(_) => None,
        };
        if let Some(finished) = restart_of {
            self.crashes.retry(finished, now.instant);
        }
    }

    pub(crate) fn begin_image(&mut self, now: Now) {
        self.count_restart(now);
        self.turn(|step| matches!(step, Step::Nothing), Step::Image);
    }

    /// Stands as if it had never run, save for its count and its last end.
    pub(crate) fn reset(&mut self) {
        self.has_begun = false;
        if self.latest_end().is_none() {
            return;
        }
        self.wait(Waiting {
            message: Some(RESTARTING_ALL.to_owned()),
            ..Waiting::because(WaitingReason::RestartingAllContainers)
        });
        if let Some(ended) = &mut self.last {
            ended.exit = Exit::restarting_all();
        }
    }

    pub(crate) fn begin_start(&mut self) {
        if let Some(step) = self.step_mut()
            && let Step::ImageReady(image) = std::mem::replace(step, Step::Nothing)
        {
            *step = Step::Starting(image);
        }
    }

    pub(crate) fn begin_cancel(&mut self) {
        let Some(step) = self.step_mut() else { return };
        *step = match std::mem::replace(step, Step::Nothing) {
            Step::Image => Step::Cancelling(None),
            Step::Starting(image) => Step::Cancelling(Some(image)),
            other @ (Step::Nothing | Step::ImageReady(_) | Step::Cancelling(_)) => other,
        };
    }

    pub(crate) fn cancelled(&mut self) {
        self.turn(|step| matches!(step, Step::Cancelling(_)), Step::Nothing);
        self.step_is_outdated = false;
    }

    /// It has another definition: what runs makes way, save an init container, which is to do its work in
    /// peace; what was prepared is of no use, and no back-off of the old one lasts.
    ///
    /// Rule: `computePodActions` of the kubelet, whose back-offs are kept by a hash of the definition.
    pub(crate) fn redefine(&mut self, spec: &Spec, role: Role) {
        self.crashes = Backoff::new(spec.max_restart_delay);
        self.image_failures = Backoff::new(super::backoff::MaxDelay::default());
        let step = match &mut self.state {
            RunState::Running(running) => {
                if role != Role::Init {
                    running.outdated = Some(StopReason::Redefined);
                }
                return;
            }
            RunState::Waiting { why, step } => {
                why.until = None;
                step
            }
            RunState::Terminated { step, .. } => step,
        };
        match step {
            Step::Nothing => {}
            Step::ImageReady(_) => *step = Step::Nothing,
            Step::Image | Step::Starting(_) | Step::Cancelling(_) => self.step_is_outdated = true,
        }
    }

    pub(crate) fn image_ready(&mut self, image: ImageInfo) {
        let is_of_use = !std::mem::take(&mut self.step_is_outdated);
        let ready = if is_of_use { Step::ImageReady(image) } else { Step::Nothing };
        self.turn(|step| matches!(step, Step::Image), ready);
    }

    fn turn(&mut self, from: impl FnOnce(&Step) -> bool, to: Step) {
        if let Some(step) = self.step_mut()
            && from(step)
        {
            *step = to;
        }
    }

    pub(crate) fn image_failed(&mut self, error: ImageError, now: Now) {
        if self.step() != Some(&Step::Image) {
            return;
        }
        if std::mem::take(&mut self.step_is_outdated) {
            self.turn(|_| true, Step::Nothing);
            return;
        }
        let shown = match error.kind {
            ImageErrorKind::Pull | ImageErrorKind::RegistryUnavailable => {
                self.image_failures.retry(now.instant, now.instant);
                ERROR_SHOWN
            }
            ImageErrorKind::NeverPull | ImageErrorKind::InvalidName | ImageErrorKind::Inspect => {
                RETRY
            }
        };
        self.wait(Waiting {
            reason: error.kind.waiting_reason(),
            message: Some(error.message),
            until: Some(now.instant + shown),
        });
    }

    pub(crate) fn started(&mut self, spec: &ContainerSpec, id: String, now: Now) {
        if let Some(image) = self.take_started() {
            self.count_run(RunIdentity { id: Some(id), image });
            if let RunState::Terminated { ended, .. } =
                std::mem::replace(&mut self.state, RunState::Running(Running::new(spec, now)))
            {
                self.last = Some(ended);
            }
            if std::mem::take(&mut self.step_is_outdated)
                && let RunState::Running(running) = &mut self.state
            {
                running.outdated = Some(StopReason::Redefined);
            }
        }
    }

    pub(crate) fn start_failed(&mut self, spec: &Spec, error: StartError, now: Now) {
        let Some(image) = self.take_starting() else {
            return;
        };
        self.step_is_outdated = false;
        let (reason, message) = match error {
            StartError::Config(message) => {
                (WaitingReason::CreateContainerConfigError, Some(message))
            }
            StartError::Create(message) => (WaitingReason::CreateContainerError, Some(message)),
            // The status of a container whose volume is missing says no more than at the start;
            // the FailedMount event tells the rest.
            StartError::Mount { .. } => (untried_reason(spec), None),
            StartError::Run(exit) => {
                let run = RunIdentity { id: None, image };
                self.count_run(run.clone());
                self.terminate(Ended {
                    exit,
                    run,
                    started_at: now.wall,
                    finished_at: now.wall,
                    finished: now.instant,
                });
                return;
            }
        };
        self.wait(Waiting { reason, message, until: Some(now.instant + RETRY) });
    }

    pub(crate) fn exited(&mut self, mut exit: Exit, now: Now) {
        if let RunState::Running(running) = &self.state
            && let Some(run) = &self.latest
        {
            exit.unwell |= running.is_ended_as_unwell();
            exit.makes_way |= running.makes_way();
            // One that ends by itself in its last moment has an end of its own.
            if let Some(message) = &running.out_of_memory
                && exit.code == Exit::killed().code
            {
                exit = Exit { unwell: exit.unwell, ..Exit::out_of_memory(message.clone()) };
            }
            self.terminate(Ended {
                exit,
                run: run.clone(),
                started_at: running.started_at,
                finished_at: now.wall,
                finished: now.instant,
            });
        }
    }

    fn terminate(&mut self, ended: Ended) {
        let state = RunState::Terminated { ended, step: Step::Nothing };
        if let RunState::Terminated { ended, .. } = std::mem::replace(&mut self.state, state) {
            self.last = Some(ended);
        }
    }

    /// The image of a start that has succeeded, called off or not.
    fn take_started(&mut self) -> Option<ImageInfo> {
        match self.step_mut()? {
            Step::Cancelling(image) => image.take(),
            Step::Nothing | Step::Image | Step::ImageReady(_) | Step::Starting(_) => {
                self.take_starting()
            }
        }
    }

    fn take_starting(&mut self) -> Option<ImageInfo> {
        let step = self.step_mut()?;
        match std::mem::replace(step, Step::Nothing) {
            Step::Starting(image) => Some(image),
            other => {
                *step = other;
                None
            }
        }
    }

    fn count_run(&mut self, run: RunIdentity) {
        self.restart_count = self.next_attempt();
        self.has_begun = true;
        self.latest = Some(run);
    }
}

impl Waiting {
    /// Waits for a reason that needs no more words.
    pub fn because(reason: WaitingReason) -> Self {
        Self { reason, message: None, until: None }
    }
}

/// The reason of a container that has not been tried.
fn untried_reason(spec: &Spec) -> WaitingReason {
    if spec.has_init() { WaitingReason::PodInitializing } else { WaitingReason::ContainerCreating }
}
