//! When a container is asked, what its answers come to, and whether it has started.

use super::life::{Call, Run};
use super::{Millis, Model, Next, millis};
use crate::lifecycle::{Action, ContainerIndex, ProbeAnswer, ProbeKind, StopReason};

impl Model<'_> {
    /// The last verdict and the moment of the answer that made it: as many equal answers in a row as
    /// the threshold asks for. What could not be asked does not count.
    pub(super) fn verdict(
        &self,
        container: ContainerIndex,
        run: &Run,
        kind: ProbeKind,
    ) -> Option<(bool, Millis)> {
        let probe = self.spec.container(container).probe(kind)?;
        let (mut in_a_row, mut last, mut verdict) = (0, None, None);
        for ask in run.asks.iter().filter(|ask| ask.kind == kind) {
            let (at, well) = match &ask.answer {
                None | Some((_, ProbeAnswer::Error(_))) => continue,
                Some((at, ProbeAnswer::Failure(_))) => (*at, false),
                Some((at, ProbeAnswer::Success | ProbeAnswer::Warning(_))) => (*at, true),
            };
            in_a_row = if last == Some(well) { in_a_row + 1 } else { 1 };
            last = Some(well);
            let threshold = if well { probe.success_threshold } else { probe.failure_threshold };
            if in_a_row >= threshold && verdict.is_none_or(|(before, _)| before != well) {
                verdict = Some((well, at));
            }
        }
        verdict
    }

    /// When the hook for its start had succeeded: at once without one.
    fn hook_done(&self, container: ContainerIndex, run: &Run) -> Option<Millis> {
        if !self.spec.container(container).post_start {
            return Some(run.since);
        }
        match run.post_start {
            Some(Call { end: Some((at, true)) }) => Some(at),
            Some(_) | None => None,
        }
    }

    /// Since when it counts as started: the hook for its start and its startup probe have succeeded.
    pub(super) fn started(&self, container: ContainerIndex, run: &Run) -> Option<Millis> {
        let hook_done = self.hook_done(container, run)?;
        if self.spec.container(container).probe(ProbeKind::Startup).is_none() {
            return Some(hook_done);
        }
        match self.verdict(container, run, ProbeKind::Startup) {
            Some((true, at)) => Some(at),
            Some((false, _)) | None => None,
        }
    }

    pub(super) fn is_ready(&self, container: ContainerIndex, run: &Run) -> bool {
        self.started(container, run).is_some()
            && (self.spec.container(container).probe(ProbeKind::Readiness).is_none()
                || matches!(self.verdict(container, run, ProbeKind::Readiness), Some((true, _))))
    }

    /// Why a run is to end though its Pod goes on, and since when.
    pub(super) fn trouble(
        &self,
        container: ContainerIndex,
        run: &Run,
    ) -> Option<(StopReason, Millis)> {
        if let Some(Call { end: Some((at, false)) }) = run.post_start {
            return Some((StopReason::FailedPostStart, at));
        }
        [ProbeKind::Startup, ProbeKind::Liveness].into_iter().find_map(|kind| {
            match self.verdict(container, run, kind)? {
                (false, at) => Some((StopReason::FailedProbe(kind), at)),
                (true, _) => None,
            }
        })
    }

    /// The next question of one probe.
    ///
    /// Ticks come at whole periods: for readiness from when the container counts as started on, for
    /// the others from when the Pod was taken on. One counts if the container runs and may be asked
    /// by then; the first that comes during a question is kept for when that is answered.
    pub(super) fn next_question(
        &self,
        container: ContainerIndex,
        run: &Run,
        kind: ProbeKind,
    ) -> Next {
        let Some(probe) = self.spec.container(container).probe(kind) else {
            return Next::Nothing;
        };
        let asked_from = match kind {
            ProbeKind::Startup => self.hook_done(container, run),
            ProbeKind::Liveness | ProbeKind::Readiness => self.started(container, run),
        };
        let Some(asked_from) = asked_from else { return Next::Nothing };
        match (kind, self.verdict(container, run, kind)) {
            (ProbeKind::Startup, Some(_)) | (ProbeKind::Liveness, Some((false, _))) => {
                return Next::Nothing;
            }
            _ => {}
        }
        let period = millis(probe.period);
        let mut from = asked_from.max(run.since + millis(probe.initial_delay));
        let ticks_from = match kind {
            ProbeKind::Readiness => asked_from,
            ProbeKind::Startup | ProbeKind::Liveness => {
                // The container is not seen at the very moment of its start.
                from = from.max(run.since + 1);
                self.story.taken_on
            }
        };
        if let Some(last) = run.asks.iter().rfind(|ask| ask.kind == kind) {
            if last.answer.is_none() {
                return Next::Nothing;
            }
            from = from.max(last.at + 1);
        }
        let tick = ticks_from + (from - ticks_from).div_ceil(period) * period;
        self.when(tick, Action::Probe { container, kind })
    }
}

impl Run {
    /// Whether it was ended because it was not well.
    pub(super) fn is_unwell(&self) -> bool {
        self.stopping.is_some_and(|(_, why)| match why {
            StopReason::FailedProbe(_) | StopReason::FailedPostStart | StopReason::Resize => true,
            StopReason::PodEnds | StopReason::OutOfMemory | StopReason::Redefined => false,
        })
    }
}
