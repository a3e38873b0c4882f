//! Other resources for a Pod that runs.
//!
//! ```text
//! wanted ──admitted──▶ allocated ──made true──▶ actual
//!    │  deferred: asked again later           │  an error: tried again later
//!    └─ infeasible: until others are wanted   └─ a container that must start again for it
//! ```
//!
//! What is wanted was checked against the rules of the API before. Whether there is room for it says
//! the node; what was allocated is made true by the runtime. Pure: answers and the time come in.
//!
//! Rule: the kubelet's `allocation_manager.go` and `kuberuntime_manager.go`, KEP-1287.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PodCondition, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How soon the node is asked again, and an error is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A Pod for whose resources there is no room.
pub(crate) const PENDING: &str = "PodResizePending";
/// A Pod whose resources are not yet what was allocated.
pub(crate) const IN_PROGRESS: &str = "PodResizeInProgress";

/// The resources of each container, in the order of [`Spec::containers`](super::Spec::containers).
pub type Allocation = Vec<ResourceRequirements>;

/// What the node says to a Pod that wants other resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResizeAnswer {
    /// There is room.
    Admitted,
    /// There is none now, for this reason.
    Deferred(String),
    /// There never will be.
    Infeasible(String),
}

/// How far a Pod is with the resources that are wanted for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resizing {
    /// `metadata.generation`: how often other resources were wanted, from 1.
    pub generation: i64,
    /// `spec.containers[].resources`
    pub wanted: Allocation,
    /// `status.containerStatuses[].allocatedResources`
    pub allocated: Allocation,
    /// `status.containerStatuses[].resources`
    pub actual: Allocation,
    ask: Due,
    refusal: Option<Held>,
    actuate: Due,
    /// Containers that start again for what was allocated, by their place.
    restarts: Vec<usize>,
    error: Option<String>,
    /// The generation whose resources were allocated last.
    allocated_generation: i64,
}

/// When something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Never,
    Now,
    At(Instant),
}

/// What should be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizeStep {
    /// Ask the node for what is wanted.
    Ask,
    /// Make true what was allocated.
    Actuate,
    /// Nothing before this moment.
    Wait(Instant),
    /// Nothing before others are wanted or a container has started again.
    Rest,
}

/// What the status shows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownResources {
    /// `observedGeneration`
    pub generation: i64,
    /// `allocatedResources` are the requests of these.
    pub allocated: Allocation,
    /// `resources`
    pub actual: Allocation,
    /// The condition PodResizePending, if it holds.
    pub pending: Option<Held>,
    /// The condition PodResizeInProgress, if it holds.
    pub in_progress: Option<Held>,
}

/// A condition that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// `reason`
    pub reason: Option<String>,
    /// `message`
    pub message: Option<String>,
    /// `observedGeneration`
    pub generation: i64,
}

impl Resizing {
    /// A Pod that has what its manifest asks for.
    pub fn new(resources: Allocation) -> Self {
        Self {
            generation: 1,
            wanted: resources.clone(),
            allocated: resources.clone(),
            actual: resources,
            ask: Due::Never,
            refusal: None,
            actuate: Due::Never,
            restarts: Vec::new(),
            error: None,
            allocated_generation: 1,
        }
    }

    /// Other resources are wanted.
    pub fn want(&mut self, wanted: Allocation) {
        if wanted.len() != self.wanted.len() || wanted == self.wanted {
            return;
        }
        self.generation += 1;
        self.wanted = wanted;
        self.refusal = None;
        self.ask = if self.wanted == self.allocated { Due::Never } else { Due::Now };
    }

    /// What to do at `now`.
    pub fn step(&self, now: Instant) -> ResizeStep {
        let is_due = |due: Due| match due {
            Due::Never => false,
            Due::Now => true,
            Due::At(at) => at <= now,
        };
        if is_due(self.actuate) {
            return ResizeStep::Actuate;
        }
        if is_due(self.ask) {
            return ResizeStep::Ask;
        }
        let later = [self.ask, self.actuate].into_iter().filter_map(|due| match due {
            Due::At(at) => Some(at),
            Due::Never | Due::Now => None,
        });
        later.min().map_or(ResizeStep::Rest, ResizeStep::Wait)
    }

    /// The node has answered for what is wanted.
    pub fn answered(&mut self, answer: ResizeAnswer, now: Instant) {
        let (reason, message, ask) = match answer {
            ResizeAnswer::Admitted => {
                self.allocated.clone_from(&self.wanted);
                self.allocated_generation = self.generation;
                (self.refusal, self.error) = (None, None);
                (self.ask, self.actuate) = (Due::Never, Due::Now);
                return;
            }
            ResizeAnswer::Deferred(message) => ("Deferred", message, Due::At(now + AGAIN)),
            ResizeAnswer::Infeasible(message) => ("Infeasible", message, Due::Never),
        };
        self.ask = ask;
        self.refusal = Some(Held {
            reason: Some(reason.to_owned()),
            message: Some(message),
            generation: self.generation,
        });
    }

    /// The runtime has made true what was allocated, for all containers but those in `restarts`,
    /// which start again for it; or it could not.
    pub fn actuated(&mut self, outcome: Result<Vec<usize>, String>, now: Instant) {
        match outcome {
            Ok(restarts) => {
                self.error = None;
                self.actuate = Due::Never;
                let others = self.actual.iter_mut().zip(&self.allocated).enumerate();
                for (_, (actual, allocated)) in
                    others.filter(|(place, _)| !restarts.contains(place))
                {
                    actual.clone_from(allocated);
                }
                self.restarts = restarts;
            }
            Err(message) => {
                self.error = Some(message);
                self.actuate = Due::At(now + AGAIN);
            }
        }
    }

    /// A container that was to start again has.
    pub fn restarted(&mut self, place: usize) {
        self.restarts.retain(|waiting| *waiting != place);
        if let (Some(actual), Some(allocated)) =
            (self.actual.get_mut(place), self.allocated.get(place))
        {
            actual.clone_from(allocated);
        }
    }

    /// The containers that have to start again, by their place.
    pub fn restarts(&self) -> &[usize] {
        &self.restarts
    }

    /// Whether what was allocated is not true yet.
    pub fn is_in_progress(&self) -> bool {
        self.actuate != Due::Never || !self.restarts.is_empty()
    }

    /// What the status shows.
    pub fn shown(&self) -> ShownResources {
        let in_progress = self.is_in_progress().then(|| Held {
            reason: self.error.as_ref().map(|_| "Error".to_owned()),
            message: self.error.clone(),
            generation: self.allocated_generation,
        });
        ShownResources {
            generation: self.generation,
            allocated: self.allocated.clone(),
            actual: self.actual.clone(),
            pending: self.refusal.clone(),
            in_progress,
        }
    }
}

impl ShownResources {
    /// The conditions that hold; each keeps the time at which it began to.
    pub(super) fn conditions(
        &self,
        previous: &[PodCondition],
        now: Timestamp,
    ) -> Vec<PodCondition> {
        let held = [(PENDING, &self.pending), (IN_PROGRESS, &self.in_progress)];
        let held = held.into_iter().filter_map(|(type_, held)| Some((type_, held.as_ref()?)));
        held.map(|(type_, held)| {
            let before = previous.iter().find(|condition| condition.type_ == type_);
            let since = before.and_then(|condition| condition.last_transition_time.clone());
            PodCondition {
                type_: type_.to_owned(),
                status: "True".to_owned(),
                reason: held.reason.clone(),
                message: held.message.clone(),
                observed_generation: Some(held.generation),
                last_transition_time: since.or(Some(Time(now))),
                ..PodCondition::default()
            }
        })
        .collect()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant serves as the origin of a table")]
mod tests {
    use serde_json::json;

    use super::*;

    fn cpu(amounts: [&str; 2]) -> Allocation {
        let one = |cpu: &str| serde_json::from_value(json!({ "requests": { "cpu": cpu } }));
        amounts.map(|amount| one(amount).unwrap()).to_vec()
    }

    fn conditions(resizing: &Resizing) -> Vec<String> {
        let all = resizing.shown().conditions(&[], Timestamp::UNIX_EPOCH);
        let told = |condition: &PodCondition| {
            format!(
                "{} {} {} @{}",
                condition.type_,
                condition.reason.as_deref().unwrap_or("-"),
                condition.message.as_deref().unwrap_or("-"),
                condition.observed_generation.unwrap()
            )
        };
        all.iter().map(told).collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn what_is_wanted_is_allocated_and_made_true() {
        let now = Instant::now();
        let mut resizing = Resizing::new(cpu(["1", "1"]));
        assert_eq!(resizing.step(now), ResizeStep::Rest);
        resizing.want(cpu(["1", "1"]));
        assert_eq!((resizing.step(now), resizing.generation), (ResizeStep::Rest, 1));
        resizing.want(cpu(["2", "1"]));
        assert_eq!((resizing.step(now), resizing.generation), (ResizeStep::Ask, 2));
        assert_eq!(conditions(&resizing), NONE);
        resizing.answered(ResizeAnswer::Admitted, now);
        assert_eq!(resizing.step(now), ResizeStep::Actuate);
        assert_eq!(conditions(&resizing), ["PodResizeInProgress - - @2"]);
        assert_eq!(
            (resizing.allocated.clone(), resizing.actual.clone()),
            (cpu(["2", "1"]), cpu(["1", "1"]))
        );
        resizing.actuated(Ok(Vec::new()), now);
        assert_eq!((resizing.step(now), conditions(&resizing)), (ResizeStep::Rest, Vec::new()));
        assert_eq!(resizing.actual, cpu(["2", "1"]));
    }

    #[test]
    fn what_has_no_room_waits_and_what_never_has_does_not() {
        let now = Instant::now();
        let mut resizing = Resizing::new(cpu(["1", "1"]));
        resizing.want(cpu(["3", "1"]));
        resizing.answered(ResizeAnswer::Deferred("full".to_owned()), now);
        assert_eq!(resizing.step(now), ResizeStep::Wait(now + AGAIN));
        assert_eq!(resizing.step(now + AGAIN), ResizeStep::Ask);
        assert_eq!(conditions(&resizing), ["PodResizePending Deferred full @2"]);
        resizing.answered(ResizeAnswer::Infeasible("too much".to_owned()), now);
        assert_eq!(resizing.step(now + 2 * AGAIN), ResizeStep::Rest);
        assert_eq!(conditions(&resizing), ["PodResizePending Infeasible too much @2"]);
        assert_eq!(resizing.allocated, cpu(["1", "1"]));
        // What it has is wanted again.
        resizing.want(cpu(["1", "1"]));
        assert_eq!((resizing.step(now), conditions(&resizing)), (ResizeStep::Rest, Vec::new()));
    }

    #[test]
    fn an_error_shows_and_is_tried_again() {
        let now = Instant::now();
        let mut resizing = Resizing::new(cpu(["2", "2"]));
        resizing.want(cpu(["1", "2"]));
        resizing.answered(ResizeAnswer::Admitted, now);
        resizing.actuated(Err("in use".to_owned()), now);
        assert_eq!(resizing.step(now), ResizeStep::Wait(now + AGAIN));
        assert_eq!(conditions(&resizing), ["PodResizeInProgress Error in use @2"]);
        assert_eq!(resizing.actual, cpu(["2", "2"]));
        // Others may be wanted meanwhile.
        resizing.want(cpu(["3", "2"]));
        resizing.answered(ResizeAnswer::Infeasible("no".to_owned()), now);
        assert_eq!(conditions(&resizing).len(), 2);
        resizing.actuated(Ok(Vec::new()), now + AGAIN);
        assert_eq!(conditions(&resizing), ["PodResizePending Infeasible no @3"]);
    }

    #[test]
    fn a_container_that_starts_again_has_it_then() {
        let now = Instant::now();
        let mut resizing = Resizing::new(cpu(["1", "1"]));
        resizing.want(cpu(["2", "2"]));
        resizing.answered(ResizeAnswer::Admitted, now);
        resizing.actuated(Ok(vec![1]), now);
        assert_eq!(resizing.actual, cpu(["2", "1"]));
        assert_eq!((resizing.restarts(), resizing.step(now)), (&[1][..], ResizeStep::Rest));
        assert_eq!(conditions(&resizing), ["PodResizeInProgress - - @2"]);
        resizing.restarted(1);
        assert_eq!((resizing.actual.clone(), conditions(&resizing)), (cpu(["2", "2"]), Vec::new()));
    }
}
