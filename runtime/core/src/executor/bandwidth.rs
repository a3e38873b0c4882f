//! A limit that may change, what it holds until when, and how often it did. Pure.

use super::clock::Nanos;
use super::share::MilliCpu;
use super::throttle::Throttle;
use super::throttling::{Meter, Throttling, Want};

/// The limit of an account, or of all accounts of a Pod together.
#[derive(Debug)]
pub(super) struct Bandwidth {
    throttle: Option<Throttle>,
    held_until: Option<Nanos>,
    meter: Meter,
}

impl Bandwidth {
    pub(super) fn new(limit: Option<MilliCpu>, now: Nanos) -> Self {
        let throttle = limit.map(|limit| Throttle::new(limit, now));
        Self { throttle, held_until: None, meter: Meter::new(now) }
    }

    pub(super) fn is_limited(&self) -> bool {
        self.throttle.is_some()
    }

    /// Takes a new limit: what was used over the old one is still to be earned. Call
    /// [`Bandwidth::pass`] first.
    pub(super) fn set_limit(&mut self, limit: Option<MilliCpu>, now: Nanos) {
        if self.throttle.is_none() {
            self.meter.skip(now);
        }
        match (&mut self.throttle, limit) {
            (Some(throttle), Some(limit)) => throttle.set_limit(limit, now),
            (throttle, limit) => *throttle = limit.map(|limit| Throttle::new(limit, now)),
        }
        self.held_until = self.throttle.as_ref().and_then(Throttle::held_until);
    }

    pub(super) fn charge(&mut self, cpu: Nanos, now: Nanos) {
        if let Some(throttle) = &mut self.throttle {
            throttle.charge(cpu, now);
            self.held_until = throttle.held_until();
        }
    }

    /// Until when nothing may run; in the past if nobody has asked since.
    pub(super) fn held_until(&self) -> Option<Nanos> {
        self.held_until
    }

    pub(super) fn is_held(&self, now: Nanos) -> bool {
        self.held_until.is_some_and(|until| until > now)
    }

    /// Ends a hold that is over; whether there was one.
    pub(super) fn end_hold(&mut self, now: Nanos) -> bool {
        !self.is_held(now) && self.held_until.take().is_some()
    }

    /// Counts the time until `now`, in which there was something queued or something that ran.
    pub(super) fn pass(&mut self, work: Work, now: Nanos) {
        if self.throttle.is_some() {
            let want = match (work, self.held_until) {
                (Work::Queued, Some(until)) => Want::Held(until),
                (Work::Queued, None) | (Work::Running, _) => Want::Run,
                (Work::None, _) => Want::Nothing,
            };
            self.meter.pass(want, now);
        }
    }

    pub(super) fn throttling(&self) -> Throttling {
        self.meter.throttling()
    }
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    None,
    /// Something runs, and nothing waits.
    Running,
    /// Something waits to run.
    Queued,
}

impl Work {
    pub(super) fn of(queued: usize, running: usize) -> Self {
        match (queued, running) {
            (0, 0) => Self::None,
            (0, _) => Self::Running,
            _ => Self::Queued,
        }
    }
}
