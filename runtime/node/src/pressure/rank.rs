//! Who goes first when memory is short. Pure.
//!
//! Rule: the kubelet's `rankMemoryPressure`: those that use more than they requested, among them the
//! lowest priority, then the most above the request. The kubelet goes on with those that use less;
//! here they are left alone, for that is what they requested it for.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::usage::PodUsage;

/// What goes when memory is short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// A container, as under the kernel's out-of-memory killer: it may start again.
    #[default]
    Container,
    /// A Pod as a whole, as under a kubelet.
    Pod,
}

/// Somebody that uses more than it requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Victim<'usage> {
    /// The Pod.
    pub pod: &'usage PodUsage,
    /// The container, where not all of the Pod goes.
    pub container: Option<&'usage str>,
    /// In bytes.
    pub usage: u64,
    /// In bytes.
    pub request: u64,
}

/// All that may go, the first one first.
pub fn rank(policy: Policy, pods: &[PodUsage]) -> Vec<Victim<'_>> {
    let mut victims: Vec<Victim<'_>> = match policy {
        Policy::Pod => pods.iter().map(Victim::pod).collect(),
        Policy::Container => pods.iter().flat_map(Victim::containers).collect(),
    };
    victims.retain(|victim| victim.usage > victim.request);
    victims.sort_by_key(|victim| {
        let above = victim.usage - victim.request;
        let name = (&victim.pod.pod.uid, victim.container);
        (victim.pod.pod.priority, Reverse(above), name)
    });
    victims
}

impl<'usage> Victim<'usage> {
    fn pod(pod: &'usage PodUsage) -> Self {
        Self { pod, container: None, usage: pod.memory(), request: pod.pod.requests.memory }
    }

    fn containers(pod: &'usage PodUsage) -> impl Iterator<Item = Self> {
        pod.containers.iter().map(move |container| Self {
            pod,
            container: Some(&container.name),
            usage: container.memory,
            request: pod.request_of(&container.name),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::{ContainerRecord, PodRecord, Requests, State};
    use crate::pressure::usage::ContainerUsage;

    /// A Pod with its containers: name, request, usage in MiB.
    pub(in crate::pressure) fn pod(
        uid: &str,
        priority: i32,
        containers: &[(&str, u64, u64)],
    ) -> PodUsage {
        let requests = |mib: u64| Requests { memory: mib << 20, ..Requests::default() };
        let records = containers.iter().map(|(name, request, _)| ContainerRecord {
            name: (*name).to_owned(),
            requests: requests(*request),
        });
        let record = PodRecord {
            uid: uid.to_owned(),
            name: uid.to_owned(),
            namespace: "default".to_owned(),
            qos_class: "Burstable".to_owned(),
            priority,
            requests: requests(containers.iter().map(|(_, request, _)| request).sum()),
            containers: records.collect(),
            socket: "/run/pod.api".into(),
            pid: 1,
            created: MicroTime(Timestamp::UNIX_EPOCH),
            state: State::Admitted,
        };
        let usages = containers.iter().map(|(name, _, usage)| ContainerUsage {
            name: (*name).to_owned(),
            memory: usage << 20,
        });
        PodUsage { pod: Arc::new(record), containers: usages.collect() }
    }

    fn ranked(policy: Policy, pods: &[PodUsage]) -> Vec<String> {
        rank(policy, pods)
            .iter()
            .map(|victim| match victim.container {
                Some(container) => format!("{}/{container}", victim.pod.pod.uid),
                None => victim.pod.pod.uid.clone(),
            })
            .collect()
    }

    #[test]
    fn the_lowest_priority_goes_first_and_then_the_furthest_above_its_request() {
        let pods = [
            pod("web", 0, &[("app", 100, 150), ("log", 10, 200)]),
            pod("vip", 9, &[("app", 0, 500)]),
            pod("modest", 0, &[("app", 300, 300)]),
            pod("plain", 0, &[("app", 0, 60)]),
        ];
        assert_eq!(
            ranked(Policy::Container, &pods),
            ["web/log", "plain/app", "web/app", "vip/app"]
        );
        assert_eq!(ranked(Policy::Pod, &pods), ["web", "plain", "vip"]);
    }

    #[test]
    fn a_container_above_its_request_in_a_pod_that_is_not_is_spared_by_the_kubelets_way() {
        let pods = [pod("web", 0, &[("app", 200, 50), ("log", 10, 100)])];
        assert_eq!(ranked(Policy::Pod, &pods), Vec::<String>::new());
        assert_eq!(ranked(Policy::Container, &pods), ["web/log"]);
    }

    proptest! {
        #[test]
        fn nobody_within_its_request_ever_goes(
            figures in prop::collection::vec((0..3_i32, 0..500_u64, 0..500_u64), 0..12),
        ) {
            let pods: Vec<PodUsage> = figures.iter().enumerate()
                .map(|(index, (priority, request, usage))| {
                    pod(&index.to_string(), *priority, &[("app", *request, *usage)])
                })
                .collect();
            for policy in [Policy::Container, Policy::Pod] {
                let victims = rank(policy, &pods);
                let above = figures.iter().filter(|(_, request, usage)| usage > request).count();
                prop_assert_eq!(victims.len(), above);
                for pair in victims.windows(2) {
                    let key = |victim: &Victim<'_>| {
                        (victim.pod.pod.priority, Reverse(victim.usage - victim.request))
                    };
                    prop_assert!(key(&pair[0]) <= key(&pair[1]));
                }
            }
        }
    }
}
