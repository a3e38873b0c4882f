//! Whether somebody goes now, and when to look again. Pure: the time comes in.
//!
//! ```text
//!            available < threshold          the victim uses less, or has had its time
//! Calm ───────────────────────────▶ Waiting ──────────────────────────────▶ Calm
//! ```
//!
//! After each order it is waited until its effect is seen: what is short is short until then, and a
//! second one would be too many.

use std::time::{Duration, Instant};

use super::message::message;
use super::rank::{Policy, Victim, rank};
use super::threshold::Threshold;
use super::usage::PodUsage;

/// The kubelet's interval.
const FAR: Duration = Duration::from_secs(10);
/// Near the threshold a guest needs less than that to come to it.
const NEAR: Duration = Duration::from_secs(1);
/// Within this many times the threshold it is near.
const NEARNESS: u64 = 3;
/// A Pod that is evicted has a grace period of one second, and two more at its floor.
const EFFECT_WITHIN: Duration = Duration::from_secs(10);

/// How much memory there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What nobody uses, in bytes.
    pub available: u64,
    /// All of it, in bytes.
    pub capacity: u64,
}

/// What is seen at one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// How much there is.
    pub memory: Memory,
    /// What each Pod uses. One that does not say is not here, and is not touched.
    pub pods: Vec<PodUsage>,
}

/// Somebody has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `metadata.uid` of the Pod.
    pub uid: String,
    /// The container, where not all of the Pod goes.
    pub container: Option<String>,
    /// Why.
    pub message: String,
}

/// Watches over the memory of a machine.
#[derive(Debug, Clone)]
pub struct Watch {
    threshold: Threshold,
    policy: Policy,
    given: Option<Given>,
    /// Whose end has given nothing back since memory is short: others come before them.
    futile: Vec<(String, Option<String>)>,
}

/// An order whose effect is still to be seen.
#[derive(Debug, Clone)]
struct Given {
    uid: String,
    container: Option<String>,
    usage: u64,
    until: Instant,
}

impl Watch {
    /// A watch that has seen nothing yet.
    pub fn new(threshold: Threshold, policy: Policy) -> Self {
        Self { threshold, policy, given: None, futile: Vec::new() }
    }

    /// Whether so little is left that what the Pods use has to be looked at.
    pub fn is_short(&self, memory: &Memory) -> bool {
        memory.available < self.threshold.bytes(memory.capacity)
    }

    /// Decides who has to go, if somebody has to.
    pub fn look(&mut self, observation: &Observation, now: Instant) -> Option<Order> {
        let Observation { memory, pods } = observation;
        if self.given.as_ref().is_some_and(|given| !given.is_over(pods, now)) {
            return None;
        }
        if let Some(given) = self.given.take().filter(|given| !given.had_effect(pods)) {
            self.futile.push((given.uid, given.container));
        }
        if !self.is_short(memory) {
            self.futile.clear();
            return None;
        }
        let victims = rank(self.policy, pods);
        let is_futile = |victim: &&Victim<'_>| {
            let mut all = self.futile.iter();
            all.any(|(uid, name)| *uid == victim.pod.pod.uid && name.as_deref() == victim.container)
        };
        let victim = victims.iter().find(|victim| !is_futile(victim)).or(victims.first())?;
        let (uid, container) = (victim.pod.pod.uid.clone(), victim.container.map(str::to_owned));
        let message = message(memory, self.threshold.bytes(memory.capacity), victim);
        self.given = Some(Given {
            uid: uid.clone(),
            container: container.clone(),
            usage: victim.usage,
            until: now + EFFECT_WITHIN,
        });
        Some(Order { uid, container, message })
    }

    /// When to look again.
    pub fn next(&self, memory: &Memory) -> Duration {
        let near = self.threshold.bytes(memory.capacity).saturating_mul(NEARNESS);
        if self.given.is_some() || memory.available < near { NEAR } else { FAR }
    }
}

impl Given {
    /// Whether it has had its effect, or time enough.
    fn is_over(&self, pods: &[PodUsage], now: Instant) -> bool {
        now >= self.until || self.had_effect(pods)
    }

    fn had_effect(&self, pods: &[PodUsage]) -> bool {
        let pod = pods.iter().find(|usage| usage.pod.uid == self.uid);
        let used = pod.map_or(0, |usage| match &self.container {
            None => usage.memory(),
            Some(name) => usage
                .containers
                .iter()
                .find(|container| container.name == *name)
                .map_or(0, |container| container.memory),
        });
        used < self.usage / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pressure::rank::tests::pod;

    #[expect(clippy::disallowed_methods, reason = "any instant serves as the origin")]
    fn origin() -> Instant {
        Instant::now()
    }

    fn seen(available: u64, pods: Vec<PodUsage>) -> Observation {
        Observation { memory: Memory { available: available << 20, capacity: 512 << 20 }, pods }
    }

    fn greedy(usage: u64) -> Vec<PodUsage> {
        vec![pod("greedy", 0, &[("app", 0, usage)]), pod("other", 0, &[("app", 0, 20)])]
    }

    #[test]
    fn nobody_goes_while_there_is_enough() {
        let mut watch = Watch::new(Threshold::default(), Policy::Container);
        assert_eq!(watch.look(&seen(100, greedy(400)), origin()), None);
        let order = watch.look(&seen(99, greedy(400)), origin()).unwrap();
        assert_eq!((order.uid.as_str(), order.container.as_deref()), ("greedy", Some("app")));
    }

    #[test]
    fn a_second_one_goes_only_when_the_first_has_gone_and_that_was_too_little() {
        let mut watch = Watch::new(Threshold::default(), Policy::Container);
        let now = origin();
        let at = |seconds| now + Duration::from_secs(seconds);
        assert!(watch.look(&seen(50, greedy(400)), at(0)).is_some());
        assert_eq!(watch.look(&seen(50, greedy(400)), at(1)), None, "it is still ending");
        assert_eq!(watch.look(&seen(450, greedy(0)), at(2)), None, "it was enough");
        assert_eq!(watch.look(&seen(50, greedy(300)), at(3)).unwrap().uid, "greedy", "once more");
        let order = watch.look(&seen(50, greedy(0)), at(4)).unwrap();
        assert_eq!(order.uid, "other", "it was not enough");
    }

    #[test]
    fn one_that_gives_nothing_back_is_no_shield_for_others() {
        let mut watch = Watch::new(Threshold::default(), Policy::Pod);
        let now = origin();
        let mut asked = Vec::new();
        for second in 0..31 {
            let order = watch.look(&seen(50, greedy(400)), now + Duration::from_secs(second));
            asked.extend(order.map(|order| (second, order.uid)));
        }
        let asked: Vec<_> = asked.iter().map(|(second, uid)| (*second, uid.as_str())).collect();
        assert_eq!(asked, [(0, "greedy"), (10, "other"), (20, "greedy"), (30, "greedy")]);
    }

    #[test]
    fn those_within_their_requests_stay_however_short_memory_is() {
        let mut watch = Watch::new(Threshold::Thousandths(999), Policy::Container);
        let pods = vec![pod("web", 0, &[("app", 200, 200)])];
        assert_eq!(watch.look(&seen(0, pods), origin()), None);
    }

    #[test]
    fn it_looks_oftener_near_the_threshold() {
        let mut watch = Watch::new(Threshold::default(), Policy::Container);
        let memory = |available: u64| Memory { available: available << 20, capacity: 1 << 30 };
        assert_eq!(watch.next(&memory(300)), FAR);
        assert_eq!(watch.next(&memory(299)), NEAR);
        watch.look(&seen(50, greedy(400)), origin());
        assert_eq!(watch.next(&memory(900)), NEAR, "until the effect is seen");
    }
}
