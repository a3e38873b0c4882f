//! Everything that was done and that happened, and what it tells of each container.

use std::time::{Duration, Instant};

use super::life::{Ask, Call, End, Life, Looks, NotMade, Run, Step};
use super::{Millis, SECOND, millis};
use crate::lifecycle::{
    Action, Admission, BackOffCause, ContainerIndex, Event, Hook, ImageErrorKind, PodFailureReason,
    SandboxError, Spec, StartError, Stop, StopReason,
};

/// The history of a Pod.
pub(in super::super) struct History {
    pub(super) began: Instant,
    pub(super) max_delay: Millis,
    entries: Vec<(Millis, Entry)>,
}

enum Entry {
    Did(Action),
    Happened(Event),
}

/// What the history says by now.
#[derive(Default)]
pub(super) struct Story {
    pub(super) scheduling: Scheduling,
    /// When the Pod had its place.
    pub(super) taken_on: Millis,
    pub(super) sandbox: Place,
    /// How often in a row its volumes or addresses could not be had.
    sandbox_failures: u32,
    pub(super) lives: Vec<Life>,
    /// All containers are making way to be started again.
    pub(super) restarting_all: bool,
    pub(super) ending: Option<Ending>,
    /// `deletionTimestamp` and the grace period that it came from.
    pub(super) deletion: Option<(Millis, Millis)>,
}

/// The Pod's place on the machine.
#[derive(Default, PartialEq)]
pub(super) enum Scheduling {
    #[default]
    Done,
    /// To be asked for, with the last refusal.
    Due(Option<String>),
    Asked(Option<String>),
}

/// The Pod's own place.
#[derive(Default, PartialEq)]
pub(super) enum Place {
    #[default]
    Untried,
    Failed {
        again: Millis,
    },
    Preparing,
    CalledOff,
    Ready,
    TearingDown,
}

pub(super) struct Ending {
    /// It has failed as a whole.
    pub(super) failed: bool,
    /// Nobody is waited for.
    pub(super) kill: bool,
    /// The ends of the grace period, each nearer than the one before, and their moments.
    pub(super) deadlines: Vec<Deadline>,
}

pub(super) struct Deadline {
    pub(super) set: Millis,
    /// Its place in the history.
    pub(super) place: usize,
    pub(super) until: Millis,
}

impl History {
    pub(in super::super) fn new(began: Instant, max_delay: Duration) -> Self {
        Self { began, max_delay: millis(max_delay), entries: Vec::new() }
    }

    pub(in super::super) fn did(&mut self, action: &Action, now: Instant) {
        self.entries.push((self.millis(now), Entry::Did(action.clone())));
    }

    pub(in super::super) fn happened(&mut self, event: &Event, now: Instant) {
        self.entries.push((self.millis(now), Entry::Happened(event.clone())));
    }

    pub(super) fn millis(&self, moment: Instant) -> Millis {
        millis(moment - self.began)
    }

    pub(super) fn read(&self, spec: &Spec) -> Story {
        let lives = spec.containers.iter().map(|_| Life::default()).collect();
        let scheduling = match spec.admission {
            Admission::AtOnce => Scheduling::Done,
            Admission::Asked => Scheduling::Due(None),
        };
        let mut story = Story { lives, scheduling, ..Story::default() };
        for (place, (at, entry)) in self.entries.iter().enumerate() {
            match entry {
                Entry::Did(action) => story.did(spec, place, *at, action),
                Entry::Happened(event) => story.happened(spec, place, *at, event),
            }
        }
        story
    }
}

impl Story {
    fn did(&mut self, spec: &Spec, place: usize, at: Millis, action: &Action) {
        match action {
            Action::Schedule { refusal } => self.scheduling = Scheduling::Asked(refusal.clone()),
            Action::PrepareSandbox => self.sandbox = Place::Preparing,
            Action::CancelSandbox => self.sandbox = Place::CalledOff,
            Action::Teardown => self.sandbox = Place::TearingDown,
            Action::PrepareImage { container } => {
                let life = self.life(*container);
                life.follow_up(at);
                life.step = Step::Image;
            }
            Action::Start { container, .. } => self.life(*container).step = Step::Starting,
            Action::Cancel { container } => self.life(*container).step = Step::CalledOff,
            Action::BackOff { container, cause, delay, .. } => {
                let life = self.life(*container);
                life.looks = match cause {
                    BackOffCause::Crash => {
                        let end = life.end().unwrap().at;
                        Looks::Crashing { until: end + millis(*delay), delay: millis(*delay) }
                    }
                    BackOffCause::Image => {
                        let failed = life.failed_pulls.last().unwrap();
                        Looks::PullBackOff { until: failed + millis(*delay) }
                    }
                };
            }
            Action::RestartAll { container } => {
                self.life(*container).follow_up(at);
                self.restarting_all = true;
            }
            Action::Reset => {
                self.restarting_all = false;
                self.lives.iter_mut().for_each(Life::make_way);
            }
            Action::PostStart { container } => {
                self.run(*container).post_start = Some(Call { end: None });
            }
            Action::PreStop { container, why, .. } => {
                let run = self.run(*container);
                run.stopping.get_or_insert((at, *why));
                run.pre_stop = Some(Call { end: None });
            }
            Action::Stop { container, why, .. } => {
                let run = self.run(*container);
                run.stopping.get_or_insert((at, *why));
                run.told = Some((at, place));
            }
            Action::Kill { container } => {
                let run = self.run(*container);
                run.stopping.get_or_insert((at, StopReason::PodEnds));
                run.killed = true;
            }
            Action::Probe { container, kind } => {
                self.run(*container).asks.push(Ask { kind: *kind, at, answer: None });
            }
            Action::End => self.end(place, at, millis(spec.grace), false),
            Action::Fail(_) => self.end(place, at, millis(spec.grace), true),
            Action::WakeAt(_) => {}
        }
    }

    fn happened(&mut self, spec: &Spec, place: usize, at: Millis, event: &Event) {
        match event {
            Event::Scheduled { .. } => (self.scheduling, self.taken_on) = (Scheduling::Done, at),
            Event::Unschedulable { message } => {
                self.scheduling = Scheduling::Due(Some(message.clone()));
            }
            Event::SandboxReady(_) => self.sandbox = Place::Ready,
            Event::SandboxFailed(error) => self.sandbox_failed(at, error),
            Event::SandboxCancelled => self.sandbox = Place::Untried,
            Event::ImageReady { container, .. } => self.life(*container).step = Step::Ready,
            Event::ImageFailed { container, error } => {
                let life = self.life(*container);
                (life.step, life.looks) = (Step::Idle, Looks::NoImage(at, error.kind));
                if matches!(error.kind, ImageErrorKind::Pull | ImageErrorKind::RegistryUnavailable)
                {
                    life.failed_pulls.push(at);
                }
            }
            Event::Started { container, .. } => self.life(*container).begin(at),
            Event::StartFailed { container, error } => {
                let life = self.life(*container);
                match error {
                    StartError::Run(exit) => {
                        life.begin(at);
                        life.finish(End { at, code: exit.code, made_way: false });
                    }
                    StartError::Config(_) => life.not_made(at, NotMade::Config),
                    StartError::Create(_) => life.not_made(at, NotMade::Create),
                    StartError::Mount { .. } => life.not_made(at, NotMade::Mount),
                }
            }
            Event::Cancelled { container } => self.life(*container).step = Step::Idle,
            Event::Probed { container, kind, answer } => {
                let asks = &mut self.run(*container).asks;
                let ask = asks.iter_mut().rfind(|ask| ask.kind == *kind).unwrap();
                ask.answer = Some((at, answer.clone()));
            }
            Event::HookEnded { container, hook, outcome } => {
                let run = self.run(*container);
                let call = match hook {
                    Hook::PostStart => &mut run.post_start,
                    Hook::PreStop => &mut run.pre_stop,
                };
                call.as_mut().unwrap().end = Some((at, outcome.is_ok()));
            }
            Event::Exited { container, exit } => {
                let made_way = self.restarting_all;
                self.life(*container).finish(End { at, code: exit.code, made_way });
            }
            Event::StopRequested(stop) => self.stop(spec, place, at, *stop),
            Event::OutOfMemory { container, .. } => {
                let run = self.run(*container);
                if !run.killed {
                    run.out_of_memory = true;
                    run.stopping = Some((at, StopReason::OutOfMemory));
                }
            }
            Event::Failed(failure) => {
                if self.ending.is_none() && self.sandbox != Place::TearingDown {
                    // One second for who is evicted, if its own time is not less.
                    let grace = match failure.reason {
                        PodFailureReason::Evicted => SECOND.min(millis(spec.grace)),
                        PodFailureReason::DeadlineExceeded
                        | PodFailureReason::UnexpectedAdmissionError => millis(spec.grace),
                    };
                    self.end(place, at, grace, true);
                }
            }
            Event::ResourcesChanged(_)
            | Event::RestartToResize { .. }
            | Event::SpecChanged(_)
            | Event::TornDown => {}
        }
    }

    /// Half a second for volumes, doubling to 122 seconds; ten seconds for all else.
    fn sandbox_failed(&mut self, at: Millis, error: &SandboxError) {
        let delay = match error {
            SandboxError::Create(_) => 10 * SECOND,
            SandboxError::Mount { .. } => {
                (SECOND / 2 * 2_u64.pow(self.sandbox_failures.min(20))).min(122 * SECOND)
            }
        };
        self.sandbox_failures += 1;
        self.sandbox = Place::Failed { again: at + delay };
    }

    fn stop(&mut self, spec: &Spec, place: usize, at: Millis, stop: Stop) {
        if self.sandbox == Place::TearingDown {
            return;
        }
        let again = self.ending.is_some();
        let (grace, kill) = match stop {
            Stop::Graceful { grace } => (millis(grace.unwrap_or(spec.grace)), false),
            Stop::Interrupt if !again => (millis(spec.grace), false),
            Stop::Interrupt | Stop::Kill => (0, true),
        };
        if self.deletion.is_none_or(|(earlier, _)| at + grace < earlier) {
            self.deletion = Some((at + grace, grace));
        }
        self.end(place, at, grace, false);
        self.ending.as_mut().unwrap().kill |= kill;
    }

    /// The first reason to end is the reason; later ones can only shorten.
    fn end(&mut self, place: usize, at: Millis, grace: Millis, failed: bool) {
        let ending =
            self.ending.get_or_insert(Ending { failed, kill: false, deadlines: Vec::new() });
        let deadline = Deadline { set: at, place, until: at + grace };
        if ending.deadlines.last().is_none_or(|last| deadline.until < last.until) {
            ending.deadlines.push(deadline);
        }
    }

    fn life(&mut self, container: ContainerIndex) -> &mut Life {
        &mut self.lives[container.0]
    }

    fn run(&mut self, container: ContainerIndex) -> &mut Run {
        self.life(container).runs.last_mut().unwrap()
    }
}

impl Ending {
    /// The end of the grace period, as it stands.
    pub(super) fn deadline(&self) -> Millis {
        self.deadlines.last().unwrap().until
    }
}
