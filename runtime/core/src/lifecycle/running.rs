//! A run in progress: how far it has come, how it is probed, and how its end was asked for.
//!
//! ```text
//! postStart ─▶ startup probe ─▶ started ─▶ readiness probe ─▶ ready
//!     │ fails        │ fails       │ liveness probe fails, the Pod ends
//!     └──────────────┴─────────────┴─▶ preStop ─▶ told ─▶ killed
//! ```

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::event::Now;
use super::probe::{ProbeAnswer, ProbeKind, Prober, tick_after};
use super::spec::ContainerSpec;

/// The least time that a guest has between being told to end and being killed.
const MINIMUM_GRACE: Duration = Duration::from_secs(2);

/// A guest that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// When it started, for the status.
    pub started_at: Timestamp,
    /// When it started, for decisions.
    pub since: Instant,
    /// How far its postStart hook is.
    pub post_start: HookState,
    /// Since when it counts as started: its postStart hook is done and its startup probe has passed.
    pub started: Option<Instant>,
    /// Its probes, in the order of [`ProbeKind::ALL`].
    pub probers: Vec<Prober>,
    /// Why it has to start again though it is well: for other resources, or another definition.
    pub outdated: Option<StopReason>,
    /// Its end, if that was asked for.
    pub stopping: Option<Stopping>,
    /// Why it had to go, where the machine was short of memory.
    pub out_of_memory: Option<String>,
}

/// How far a postStart hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookState {
    /// It is to be called.
    Due,
    /// It is being called.
    UnderWay,
    /// It succeeded at this moment, or there is none and the guest started then.
    Done(Instant),
    /// It has failed: the container is to be ended.
    Failed,
}

/// The end of a run, from when it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopping {
    /// Why it ends.
    pub why: StopReason,
    /// The end of its grace period.
    pub deadline: Instant,
    /// How far it is.
    pub stage: StopStage,
}

/// Why a run is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// Its Pod ends.
    PodEnds,
    /// A probe of that kind has failed.
    FailedProbe(ProbeKind),
    /// Its postStart hook has failed.
    FailedPostStart,
    /// Other resources were allocated to it, for which it has to start again.
    Resize,
    /// Its container has another definition.
    Redefined,
    /// The machine is short of memory.
    OutOfMemory,
}

/// How far the end of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopStage {
    /// Its preStop hook is being called.
    Hook,
    /// That is over, and the guest was not told yet.
    AfterHook,
    /// The guest was told; at this moment it is killed.
    KillAt(Instant),
    /// It was killed; its end is on the way.
    Killed,
}

impl HookState {
    /// Whether it may still fail.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Due | Self::UnderWay)
    }

    /// When it was done with.
    fn done(self) -> Option<Instant> {
        match self {
            Self::Done(at) => Some(at),
            Self::Due | Self::UnderWay | Self::Failed => None,
        }
    }
}

impl Running {
    pub(crate) fn new(spec: &ContainerSpec, now: Now) -> Self {
        let mut running = Self {
            started_at: now.wall,
            since: now.instant,
            post_start: if spec.post_start { HookState::Due } else { HookState::Done(now.instant) },
            started: None,
            probers: spec.probes.iter().map(|(kind, _)| Prober::new(*kind)).collect(),
            outdated: None,
            stopping: None,
            out_of_memory: None,
        };
        running.look_whether_started(now.instant);
        running
    }

    /// `started` of the status.
    pub fn is_started(&self) -> bool {
        self.started.is_some()
    }

    /// `ready` of the status.
    pub fn is_ready(&self) -> bool {
        self.is_started() && self.prober(ProbeKind::Readiness).is_none_or(Prober::has_succeeded)
    }

    /// Its probe of this kind.
    pub fn prober(&self, kind: ProbeKind) -> Option<&Prober> {
        self.probers.iter().find(|prober| prober.kind == kind)
    }

    fn prober_mut(&mut self, kind: ProbeKind) -> Option<&mut Prober> {
        self.probers.iter_mut().find(|prober| prober.kind == kind)
    }

    /// Once it has started, it has: a later failure of its startup probe cannot be.
    fn look_whether_started(&mut self, now: Instant) {
        if self.started.is_none()
            && self.post_start.done().is_some()
            && self.prober(ProbeKind::Startup).is_none_or(Prober::has_succeeded)
        {
            self.started = Some(now);
        }
    }

    /// Why it is to be ended though its Pod goes on.
    pub(crate) fn reason_to_stop(&self) -> Option<StopReason> {
        if self.post_start == HookState::Failed {
            return Some(StopReason::FailedPostStart);
        }
        // A startup probe that fails for good speaks first: no other was asked.
        [ProbeKind::Startup, ProbeKind::Liveness]
            .into_iter()
            .find(|kind| self.prober(*kind).is_some_and(Prober::has_failed))
            .map(StopReason::FailedProbe)
            .or(self.outdated)
    }

    /// Whether it is being ended because it was not well, or to start again: a success by its code is
    /// none then.
    pub(crate) fn is_ended_as_unwell(&self) -> bool {
        self.stopping.is_some_and(|stopping| match stopping.why {
            StopReason::FailedProbe(_) | StopReason::FailedPostStart | StopReason::Resize => true,
            // That says more.
            StopReason::Redefined => false,
            StopReason::PodEnds | StopReason::OutOfMemory => false,
        })
    }

    /// Whether it is being ended to make way for a run of its container's new definition.
    pub(crate) fn makes_way(&self) -> bool {
        self.stopping.is_some_and(|stopping| stopping.why == StopReason::Redefined)
    }

    /// When its probe of this kind is next, if there is one before anything else happens; the Pod was
    /// taken on at `pod_started`.
    pub(crate) fn next_probe(
        &self,
        kind: ProbeKind,
        spec: &ContainerSpec,
        pod_started: Instant,
    ) -> Option<Instant> {
        let (probe, prober) = (spec.probe(kind)?, self.prober(kind)?);
        let eligible = self.since + probe.initial_delay;
        // Ticks before that are passed over: they found a container that nobody may ask.
        let from = match kind {
            ProbeKind::Startup => self.post_start.done(),
            ProbeKind::Liveness | ProbeKind::Readiness => self.started,
        }?;
        Some(match kind {
            // It is triggered when the container has started.
            ProbeKind::Readiness => prober.next(probe, from, eligible.max(from))?,
            // A tick at the moment of the start found no container yet.
            ProbeKind::Startup | ProbeKind::Liveness => {
                let first = tick_after(pod_started, probe.period, self.since);
                prober.next(probe, pod_started, eligible.max(from).max(first))?
            }
        })
    }

    pub(crate) fn begin_probe(&mut self, kind: ProbeKind, now: Instant) {
        if let Some(prober) = self.prober_mut(kind) {
            prober.begin(now);
        }
    }

    pub(crate) fn probed(
        &mut self,
        spec: &ContainerSpec,
        kind: ProbeKind,
        answer: &ProbeAnswer,
        now: Instant,
    ) {
        if let (Some(probe), Some(prober)) = (spec.probe(kind), self.prober_mut(kind)) {
            prober.answered(probe, answer);
            self.look_whether_started(now);
        }
    }

    pub(crate) fn post_start_ended(&mut self, succeeded: bool, now: Instant) {
        if self.post_start == HookState::UnderWay {
            self.post_start = if succeeded { HookState::Done(now) } else { HookState::Failed };
            self.look_whether_started(now);
        }
    }

    pub(crate) fn pre_stop_ended(&mut self) {
        if let Some(stopping) = &mut self.stopping
            && stopping.stage == StopStage::Hook
        {
            stopping.stage = StopStage::AfterHook;
        }
    }

    /// It is killed now, whatever else was to become of it, unless that is done already.
    pub(crate) fn out_of_memory(&mut self, message: String, now: Instant) {
        if self.stopping.is_some_and(|stopping| stopping.stage == StopStage::Killed) {
            return;
        }
        self.out_of_memory = Some(message);
        self.stopping = Some(Stopping {
            why: StopReason::OutOfMemory,
            deadline: now,
            stage: StopStage::KillAt(now),
        });
    }

    /// Notes how far its end is; why and until when it was asked for stays as it was.
    pub(crate) fn stop(&mut self, why: StopReason, deadline: Instant, stage: StopStage) {
        match &mut self.stopping {
            Some(stopping) => stopping.stage = stage,
            None => self.stopping = Some(Stopping { why, deadline, stage }),
        }
    }

    /// The Pod's own grace period ends at `deadline`: nothing of this run outlasts it.
    pub(crate) fn stop_sooner(&mut self, deadline: Instant, now: Instant) {
        if let Some(stopping) = &mut self.stopping {
            stopping.deadline = stopping.deadline.min(deadline);
            if let StopStage::KillAt(at) = &mut stopping.stage {
                *at = (*at).min(kill_at(stopping.deadline, now));
            }
        }
    }
}

/// When a guest that is told at `now` is killed: at the end of its grace period, but with two seconds
/// at least; all of these floors together end two seconds after the grace period.
pub(crate) fn kill_at(deadline: Instant, now: Instant) -> Instant {
    let floor = (now + MINIMUM_GRACE).min(deadline + MINIMUM_GRACE);
    deadline.max(floor)
}
