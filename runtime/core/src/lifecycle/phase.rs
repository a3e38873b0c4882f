//! The phase of a Pod: one word for the state of all of its containers.
//!
//! Rule: the kubelet's `getPhase`, with its later lines for sidecars and restart rules, and the
//! status manager's rule that a Pod is not called Succeeded or Failed while a container may run.
//! A terminal phase never changes back; that memory is [`status`](super::status())'s.

use std::fmt;

use super::container::{Container, RunState};
use super::observed::{EndCause, Observed};
use super::restart::restarts;
use super::spec::{ContainerSpec, Role, Spec};

/// `status.phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Some container has not run yet.
    Pending,
    /// All have run, and one does or will again.
    Running,
    /// All have ended for good, with success.
    Succeeded,
    /// All have ended for good, or the Pod was ended, and not all is well.
    Failed,
}

impl Phase {
    /// Whether nothing can change any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed]
            .into_iter()
            .find(|phase| phase.to_string() == text)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The phase that follows from what is known, whatever it was before.
pub fn phase(spec: &Spec, observed: &Observed) -> Phase {
    let is_over = observed.ending.is_some() && observed.is_at_rest();
    let phase = match &observed.ending {
        Some(ending) if is_over && matches!(ending.cause, EndCause::Failed(_)) => Phase::Failed,
        Some(_) | None => Counts::of(spec, observed).phase(is_over),
    };
    if phase.is_terminal() && !observed.is_at_rest() {
        return if has_begun(spec, observed) { Phase::Running } else { Phase::Pending };
    }
    phase
}

/// Whether an app container has run since the containers were last started together.
pub(crate) fn has_begun(spec: &Spec, observed: &Observed) -> bool {
    pairs(spec, observed).any(|(spec, container)| spec.role == Role::App && container.has_begun)
}

/// The containers by what they do; the names are those of the kubelet.
#[derive(Debug, Default)]
struct Counts {
    has_begun: bool,
    pending_init: u32,
    init_failed_for_good: u32,
    pending_sidecars: u32,
    running: u32,
    waiting: u32,
    stopped: u32,
    stopped_for_good: u32,
    succeeded: u32,
}

impl Counts {
    fn of(spec: &Spec, observed: &Observed) -> Self {
        let mut counts = Self { has_begun: has_begun(spec, observed), ..Self::default() };
        for (spec, container) in pairs(spec, observed) {
            match spec.role {
                Role::Init => counts.init(spec, container),
                Role::Sidecar => counts.sidecar(container),
                Role::App => counts.app(spec, container),
            }
        }
        counts
    }

    fn init(&mut self, spec: &ContainerSpec, container: &Container) {
        match (&container.state, container.latest_end()) {
            (RunState::Running(_), _) | (_, None) => self.pending_init += 1,
            (_, Some(ended)) if !ended.exit.is_success() => {
                // One that will start again counts as nothing at all: the app containers, which
                // wait for it, keep the Pod Pending.
                self.init_failed_for_good += u32::from(!restarts(spec, &ended.exit));
            }
            (_, Some(_)) => {}
        }
    }

    fn sidecar(&mut self, container: &Container) {
        match &container.state {
            RunState::Running(running) => {
                self.running += 1;
                self.pending_sidecars += u32::from(!running.is_started());
            }
            RunState::Waiting { .. } if container.last.is_none() => {
                self.pending_sidecars += 1;
                self.waiting += 1;
            }
            RunState::Waiting { .. } | RunState::Terminated { .. } => {}
        }
    }

    fn app(&mut self, spec: &ContainerSpec, container: &Container) {
        match (&container.state, container.latest_end()) {
            (RunState::Running(_), _) => self.running += 1,
            (_, None) => self.waiting += 1,
            (state, Some(ended)) => {
                self.stopped += 1;
                self.stopped_for_good += u32::from(!restarts(spec, &ended.exit));
                // A success that waits to start again is none: it is shown as waiting.
                let shown = matches!(state, RunState::Terminated { .. });
                self.succeeded += u32::from(shown && ended.exit.is_success());
            }
        }
    }

    fn phase(&self, is_over: bool) -> Phase {
        if self.init_failed_for_good > 0 {
            return Phase::Failed;
        }
        if self.pending_init > 0
            || (self.pending_sidecars > 0 && !self.has_begun)
            || self.waiting > 0
        {
            return Phase::Pending;
        }
        if self.running > 0 {
            return Phase::Running;
        }
        if self.stopped == 0 {
            return Phase::Pending;
        }
        if !is_over && self.stopped_for_good < self.stopped {
            return Phase::Running;
        }
        if self.succeeded == self.stopped { Phase::Succeeded } else { Phase::Failed }
    }
}

fn pairs<'pod>(
    spec: &'pod Spec,
    observed: &'pod Observed,
) -> impl Iterator<Item = (&'pod ContainerSpec, &'pod Container)> {
    spec.containers.iter().zip(&observed.containers)
}
