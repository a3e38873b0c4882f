//! When a container is probed next, and what the answers come to.
//!
//! ```text
//!              tick             answer             so many of one kind in a row
//! (waiting) ────────▶ asking ────────▶ counted ──────────────────────────────────▶ verdict
//!     ▲                                   │                                          │
//!     └───────────────────────────────────┘◀─────────── readiness, success ──────────┤
//!                                            liveness, startup: failure ─▶ on hold ◀─┘
//! ```
//!
//! A probe ticks at whole periods counted from an anchor, as the kubelet's workers do: that of
//! readiness begins with the container's own start, the others with the Pod's. A tick that comes
//! while a probe is under way is made up for at once when that has ended; further ones are dropped.
//!
//! Rule: `prober/worker.go` of the kubelet.

use std::fmt;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Container, Probe};

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Until it has succeeded the container counts as not started, and no other probe is asked.
    Startup,
    /// When it fails the container is restarted.
    Liveness,
    /// While it fails the container gets no traffic.
    Readiness,
}

impl ProbeKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Startup, Self::Liveness, Self::Readiness];

    /// The container's probe of this kind.
    pub fn of(self, container: &Container) -> Option<&Probe> {
        match self {
            Self::Startup => container.startup_probe.as_ref(),
            Self::Liveness => container.liveness_probe.as_ref(),
            Self::Readiness => container.readiness_probe.as_ref(),
        }
    }
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What one probe came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// All is well.
    Success,
    /// It counts as a success, and somebody should know: a redirect to another host.
    Warning(String),
    /// All is not well; the words of the Event.
    Failure(String),
    /// The probe itself could not be made. It does not count.
    Error(String),
}

/// When a container is asked, and how many answers in a row count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSpec {
    /// `initialDelaySeconds`.
    pub initial_delay: Duration,
    /// `periodSeconds`.
    pub period: Duration,
    /// `successThreshold`.
    pub success_threshold: u32,
    /// `failureThreshold`.
    pub failure_threshold: u32,
    /// `terminationGracePeriodSeconds` of the probe: the grace of a container that it ends.
    pub grace: Option<Duration>,
}

impl ProbeSpec {
    /// Of a probe that has been defaulted and validated.
    pub(crate) fn new(probe: &Probe) -> Self {
        let seconds = |value: Option<i32>, default: i32, least: u64| {
            let value = u64::try_from(value.unwrap_or(default)).unwrap_or(least);
            Duration::from_secs(value.max(least))
        };
        let count = |value: Option<i32>, default: u32| {
            value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default).max(1)
        };
        Self {
            initial_delay: seconds(probe.initial_delay_seconds, 0, 0),
            period: seconds(probe.period_seconds, 10, 1),
            success_threshold: count(probe.success_threshold, 1),
            failure_threshold: count(probe.failure_threshold, 3),
            grace: probe
                .termination_grace_period_seconds
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs),
        }
    }
}

/// What is known of one probe of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prober {
    /// Of which it is.
    pub kind: ProbeKind,
    /// When the latest probe was begun.
    latest: Option<Instant>,
    under_way: bool,
    /// How often in a row the answer was this one.
    streak: Option<(bool, u32)>,
    /// What enough answers in a row have come to.
    verdict: Option<bool>,
}

impl Prober {
    pub(crate) fn new(kind: ProbeKind) -> Self {
        Self { kind, latest: None, under_way: false, streak: None, verdict: None }
    }

    /// Whether enough answers in a row were a success.
    pub fn has_succeeded(&self) -> bool {
        self.verdict == Some(true)
    }

    /// Whether enough answers in a row were a failure. For readiness that is the case from the
    /// beginning, which [`Prober::has_succeeded`] tells.
    pub fn has_failed(&self) -> bool {
        self.verdict == Some(false)
    }

    /// Whether no further answer could change anything: the container has started, or is about to be
    /// ended for the failure.
    fn is_settled(&self) -> bool {
        match self.kind {
            ProbeKind::Startup => self.verdict.is_some(),
            ProbeKind::Liveness => self.has_failed(),
            ProbeKind::Readiness => false,
        }
    }

    /// The moment of the next probe, if there is one before anything else happens. Ticks count from
    /// `anchor`, those before `eligible` are passed over.
    pub(crate) fn next(
        &self,
        spec: &ProbeSpec,
        anchor: Instant,
        eligible: Instant,
    ) -> Option<Instant> {
        if self.under_way || self.is_settled() {
            return None;
        }
        Some(match self.latest {
            None => tick_from(anchor, spec.period, eligible),
            Some(latest) => tick_after(anchor, spec.period, latest).max(eligible),
        })
    }

    /// A probe is begun.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.latest = Some(now);
        self.under_way = true;
    }

    /// A probe has come to `answer`.
    pub(crate) fn answered(&mut self, spec: &ProbeSpec, answer: &ProbeAnswer) {
        self.under_way = false;
        let success = match answer {
            ProbeAnswer::Success | ProbeAnswer::Warning(_) => true,
            ProbeAnswer::Failure(_) => false,
            ProbeAnswer::Error(_) => return,
        };
        let count = match self.streak {
            Some((same, count)) if same == success => count.saturating_add(1),
            Some(_) | None => 1,
        };
        self.streak = Some((success, count));
        let threshold = if success { spec.success_threshold } else { spec.failure_threshold };
        if count >= threshold {
            self.verdict = Some(success);
        }
    }
}

/// The first tick at `from` or later.
fn tick_from(anchor: Instant, period: Duration, from: Instant) -> Instant {
    let since = from.saturating_duration_since(anchor);
    match since.as_nanos() % period.as_nanos().max(1) {
        0 => anchor + since,
        over => anchor + since + (period - duration(over)),
    }
}

/// The first tick later than `moment`.
pub(crate) fn tick_after(anchor: Instant, period: Duration, moment: Instant) -> Instant {
    if moment < anchor {
        return anchor;
    }
    let since = moment.saturating_duration_since(anchor);
    moment + (period - duration(since.as_nanos() % period.as_nanos().max(1)))
}

/// A remainder of a period, which fits.
fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(period: u64) -> ProbeSpec {
        ProbeSpec {
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(period),
            success_threshold: 1,
            failure_threshold: 3,
            grace: None,
        }
    }

    fn origin() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "any instant serves as the origin")]
        Instant::now()
    }

    fn failure() -> ProbeAnswer {
        ProbeAnswer::Failure("no".to_owned())
    }

    #[test]
    fn ticks_are_whole_periods_from_the_anchor() {
        let anchor = origin();
        let at = |millis| anchor + Duration::from_millis(millis);
        let prober = Prober::new(ProbeKind::Liveness);
        let first = |eligible| prober.next(&spec(10), anchor, eligible).unwrap();
        assert_eq!(first(at(0)), at(0));
        assert_eq!(first(at(300)), at(10_000));
        assert_eq!(first(at(10_000)), at(10_000));
        assert_eq!(first(at(10_001)), at(20_000));
    }

    #[test]
    fn a_tick_during_a_probe_is_made_up_for_once() {
        let anchor = origin();
        let at = |millis| anchor + Duration::from_millis(millis);
        let mut prober = Prober::new(ProbeKind::Liveness);
        prober.begin(at(1_000));
        assert_eq!(prober.next(&spec(1), anchor, anchor), None);
        // It took three and a half seconds: the tick at 2 s is due, those at 3 and 4 s are lost.
        prober.answered(&spec(1), &ProbeAnswer::Success);
        assert_eq!(prober.next(&spec(1), anchor, anchor), Some(at(2_000)));
        prober.begin(at(4_500));
        prober.answered(&spec(1), &ProbeAnswer::Success);
        assert_eq!(prober.next(&spec(1), anchor, anchor), Some(at(5_000)));
    }

    #[test]
    fn so_many_in_a_row_make_a_verdict() {
        let mut prober = Prober::new(ProbeKind::Readiness);
        let spec = ProbeSpec { success_threshold: 2, ..spec(1) };
        let mut ask = |answer: &ProbeAnswer| {
            prober.answered(&spec, answer);
            (prober.has_succeeded(), prober.has_failed())
        };
        assert_eq!(ask(&ProbeAnswer::Success), (false, false));
        assert_eq!(ask(&failure()), (false, false));
        assert_eq!(ask(&ProbeAnswer::Success), (false, false));
        assert_eq!(ask(&ProbeAnswer::Error("no such port".to_owned())), (false, false));
        assert_eq!(ask(&ProbeAnswer::Warning("moved".to_owned())), (true, false));
        assert_eq!(ask(&failure()), (true, false));
        assert_eq!(ask(&failure()), (true, false));
        assert_eq!(ask(&failure()), (false, true));
        assert_eq!(ask(&ProbeAnswer::Success), (false, true));
        assert_eq!(ask(&ProbeAnswer::Success), (true, false));
    }

    #[test]
    fn what_ends_the_container_is_not_asked_again() {
        let anchor = origin();
        for (kind, asked_again) in [
            (ProbeKind::Startup, false),
            (ProbeKind::Liveness, false),
            (ProbeKind::Readiness, true),
        ] {
            let mut prober = Prober::new(kind);
            for _ in 0..3 {
                prober.answered(&spec(1), &failure());
            }
            assert!(prober.has_failed());
            assert_eq!(prober.next(&spec(1), anchor, anchor).is_some(), asked_again, "{kind}");
        }
    }

    #[test]
    fn a_startup_probe_that_has_succeeded_is_done() {
        let anchor = origin();
        let mut prober = Prober::new(ProbeKind::Startup);
        prober.answered(&spec(1), &ProbeAnswer::Success);
        assert_eq!(prober.next(&spec(1), anchor, anchor), None);
    }
}
