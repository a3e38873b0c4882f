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
//! as the kubelet shows it. Facts only; what follows from them is [`plan`](super::plan)'s.

use std::time::Instant;

use jiff::Timestamp;

use super::backoff::Backoff;
use super::event::ImageInfo;
use super::exit::Exit;
use super::observed::untried_reason;
use super::spec::Spec;
use super::waiting::WaitingReason;

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
    /// A step was called off; its task has not ended yet.
    Cancelling,
}

/// A guest that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// When it started, for the status.
    pub started_at: Timestamp,
    /// When it started, for decisions.
    pub since: Instant,
    /// `started` of the status: its postStart hook is done and its startup probe has passed.
    pub started: bool,
    /// `ready` of the status, as far as this container alone decides it.
    pub ready: bool,
    /// How its end was asked for, if it was.
    pub stop: Option<StopOrder>,
}

/// How far the end of a running guest was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOrder {
    /// It was asked to stop; at this moment it is killed.
    KillAt(Instant),
    /// It was killed; its end is on the way.
    Killed,
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
        matches!(&self.state, RunState::Terminated { ended, .. } if ended.exit.is_success())
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

impl Waiting {
    /// Waits for a reason that needs no more words.
    pub fn because(reason: WaitingReason) -> Self {
        Self { reason, message: None, until: None }
    }
}
