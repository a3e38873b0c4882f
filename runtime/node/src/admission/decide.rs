//! Is there room for a Pod, and is it its turn? Pure.
//!
//! Rule: the plugin NodeResourcesFit of the Kubernetes scheduler, which adds up the requests of all
//! Pods that have a place, and passes over what a Pod does not request; the queue is sorted as its
//! plugin PrioritySort does.

use std::cmp::Reverse;
use std::sync::Arc;

use super::insufficient::{Insufficient, Resource};
use crate::ledger::{PodRecord, Requests, State};

/// What all Pods of a machine together may request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocatable {
    /// In thousandths of a core.
    pub milli_cpu: u64,
    /// In bytes.
    pub memory: u64,
    /// In bytes.
    pub ephemeral_storage: u64,
}

/// Whether `pod` may take its place now, among all others.
///
/// # Errors
/// What there is too little of: for it, beside those that have a place and those that are first in
/// the queue and will have one in a moment.
pub fn decide(
    allocatable: &Allocatable,
    others: &[Arc<PodRecord>],
    pod: &PodRecord,
) -> Result<(), Insufficient> {
    let (admitted, mut waiting): (Vec<_>, Vec<_>) = others
        .iter()
        .map(Arc::as_ref)
        .filter(|other| other.uid != pod.uid)
        .partition(|other| other.state == State::Admitted);
    let mut taken = Requests::default();
    for other in admitted {
        taken = taken + other.requests;
    }
    waiting.retain(|other| turn(other) < turn(pod));
    waiting.sort_by_key(|other| turn(other));
    for other in waiting {
        if room(allocatable, taken, other.requests).is_ok() {
            taken = taken + other.requests;
        }
    }
    room(allocatable, taken, pod.requests)
}

/// The least has its turn first.
fn turn(pod: &PodRecord) -> (Reverse<i32>, jiff::Timestamp, &str) {
    (Reverse(pod.priority), pod.created.0, &pod.uid)
}

fn room(allocatable: &Allocatable, taken: Requests, wanted: Requests) -> Result<(), Insufficient> {
    let is_short = |there_is: u64, taken: u64, wanted: u64| {
        wanted > 0 && wanted > there_is.saturating_sub(taken)
    };
    let Allocatable { milli_cpu, memory, ephemeral_storage } = *allocatable;
    let resources = [
        (Resource::Cpu, is_short(milli_cpu, taken.milli_cpu, wanted.milli_cpu)),
        (
            Resource::EphemeralStorage,
            is_short(ephemeral_storage, taken.ephemeral_storage, wanted.ephemeral_storage),
        ),
        (Resource::Memory, is_short(memory, taken.memory, wanted.memory)),
    ];
    let resources: Vec<Resource> =
        resources.into_iter().filter_map(|(resource, short)| short.then_some(resource)).collect();
    if resources.is_empty() { Ok(()) } else { Err(Insufficient { resources }) }
}

impl std::ops::Add for Requests {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            milli_cpu: self.milli_cpu.saturating_add(other.milli_cpu),
            memory: self.memory.saturating_add(other.memory),
            ephemeral_storage: self.ephemeral_storage.saturating_add(other.ephemeral_storage),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use proptest::prelude::*;

    use super::*;

    const NODE: Allocatable =
        Allocatable { milli_cpu: 2000, memory: 512 << 20, ephemeral_storage: 1 << 30 };

    fn pod(uid: &str, milli_cpu: u64, mib: u64, state: State) -> PodRecord {
        PodRecord {
            uid: uid.to_owned(),
            name: uid.to_owned(),
            namespace: "default".to_owned(),
            qos_class: "Burstable".to_owned(),
            priority: 0,
            requests: Requests { milli_cpu, memory: mib << 20, ephemeral_storage: 0 },
            containers: Vec::new(),
            socket: "/run/pod.api".into(),
            pid: 1,
            created: MicroTime(Timestamp::UNIX_EPOCH),
            state,
        }
    }

    fn admitted(uid: &str, milli_cpu: u64, mib: u64) -> Arc<PodRecord> {
        Arc::new(pod(uid, milli_cpu, mib, State::Admitted))
    }

    fn waiting(uid: &str, mib: u64, priority: i32, second: i64) -> PodRecord {
        let created = MicroTime(Timestamp::from_second(second).unwrap());
        PodRecord { priority, created, ..pod(uid, 0, mib, State::Waiting) }
    }

    fn told(others: &[Arc<PodRecord>], pod: &PodRecord) -> String {
        decide(&NODE, others, pod).map_or_else(|why| why.to_string(), |()| "room".to_owned())
    }

    #[test]
    fn there_is_room_up_to_the_last_byte() {
        let others = [admitted("a", 1000, 256)];
        let wants = |cpu, mib| told(&others, &pod("p", cpu, mib, State::Waiting));
        assert_eq!(wants(1000, 256), "room");
        assert_eq!(wants(1001, 256), "0/1 nodes are available: 1 Insufficient cpu.");
        assert_eq!(wants(1, 257), "0/1 nodes are available: 1 Insufficient memory.");
        assert_eq!(
            wants(5000, 5000),
            "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."
        );
    }

    #[test]
    fn what_is_not_requested_is_never_short() {
        let full = [admitted("a", 9000, 0)];
        assert_eq!(told(&full, &pod("p", 0, 512, State::Waiting)), "room");
        assert_eq!(told(&full, &pod("p", 0, 0, State::Waiting)), "room");
    }

    #[test]
    fn a_pod_does_not_stand_in_its_own_way() {
        let own = [admitted("p", 2000, 512)];
        assert_eq!(told(&own, &pod("p", 2000, 512, State::Admitted)), "room");
    }

    #[test]
    fn those_that_wait_have_their_turn_by_priority_and_then_by_age() {
        let queue =
            [waiting("old", 300, 0, 1), waiting("young", 300, 0, 2), waiting("vip", 300, 7, 3)];
        let all: Vec<Arc<PodRecord>> = queue.iter().cloned().map(Arc::new).collect();
        let next: Vec<&str> = queue
            .iter()
            .filter(|pod| decide(&NODE, &all, pod).is_ok())
            .map(|pod| pod.uid.as_str())
            .collect();
        assert_eq!(next, ["vip"]);
        let without_vip = &all[..2];
        assert!(decide(&NODE, without_vip, &queue[0]).is_ok());
        assert!(decide(&NODE, without_vip, &queue[1]).is_err());
    }

    #[test]
    fn one_that_does_not_fit_holds_nobody_up() {
        let large = Arc::new(waiting("large", 600, 9, 1));
        assert_eq!(told(&[large], &waiting("small", 500, 0, 2)), "room");
    }

    proptest! {
        /// Each takes its turn in any order of asking, as after a death that woke all of them.
        #[test]
        fn the_sum_never_exceeds_what_there_is(
            wanted in prop::collection::vec((0..3000_u64, 0..600_u64, -2..3_i32), 1..12),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let mut pods: Vec<Arc<PodRecord>> = (0_i64..).zip(wanted)
                .map(|(index, (cpu, mib, priority))| {
                    let created = MicroTime(Timestamp::from_second(index).unwrap());
                    let pod = pod(&index.to_string(), cpu, mib, State::Waiting);
                    Arc::new(PodRecord { priority, created, ..pod })
                })
                .collect();
            for index in order {
                let index = index.index(pods.len());
                if pods[index].state == State::Waiting
                    && decide(&NODE, &pods, &pods[index]).is_ok()
                {
                    pods[index] =
                        Arc::new(PodRecord { state: State::Admitted, ..(*pods[index]).clone() });
                }
                let admitted = pods.iter().filter(|pod| pod.state == State::Admitted);
                let sum = admitted.fold(Requests::default(), |sum, pod| sum + pod.requests);
                prop_assert!(sum.milli_cpu <= NODE.milli_cpu && sum.memory <= NODE.memory);
            }
            // Somebody always may, unless nobody fits.
            let left: Vec<_> = pods.iter().filter(|pod| pod.state == State::Waiting).collect();
            let alone: Vec<_> = pods.iter().filter(|pod| pod.state == State::Admitted).cloned()
                .collect();
            let anyone_fits = left.iter().any(|pod| decide(&NODE, &alone, pod).is_ok());
            let anyone_may = left.iter().any(|pod| decide(&NODE, &pods, pod).is_ok());
            prop_assert_eq!(anyone_fits, anyone_may);
        }
    }
}
