//! The quality-of-service class of a Pod, from the requests and limits of its containers.
//!
//! Rule: `ComputePodQOS`. Only cpu and memory count; what the Pod itself requests stands in for
//! what its containers do; a container's own balance does not matter, the sums do.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use crate::manifest::{containers, quantity::Quantity};

/// `status.qosClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QosClass {
    /// Every container has a limit of cpu and of memory, and requests just that.
    Guaranteed,
    /// Something is requested or limited.
    Burstable,
    /// Nothing is.
    BestEffort,
}

impl fmt::Display for QosClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// The class of a Pod whose quantities have been validated; one that cannot be read counts as
/// nothing.
pub fn qos_class(spec: &PodSpec) -> QosClass {
    let nothing = ResourceRequirements::default();
    let all: Vec<&ResourceRequirements> = match &spec.resources {
        Some(pod) => vec![pod],
        None => containers(spec)
            .map(|container| container.resources.as_ref().unwrap_or(&nothing))
            .collect(),
    };
    let mut requests = [Quantity::ZERO; 2];
    let mut limits = [Quantity::ZERO; 2];
    let mut all_limited = true;
    for resources in all {
        for (index, resource) in RESOURCES.into_iter().enumerate() {
            let limit = amount(resources.limits.as_ref(), resource);
            all_limited &= limit > Quantity::ZERO;
            limits[index] = limits[index] + limit;
            requests[index] = requests[index] + amount(resources.requests.as_ref(), resource);
        }
    }
    if requests.iter().chain(&limits).all(|sum| sum.is_zero()) {
        QosClass::BestEffort
    } else if all_limited && requests == limits {
        QosClass::Guaranteed
    } else {
        QosClass::Burstable
    }
}

/// How much of `resource` is listed; a negative amount counts as nothing.
fn amount(list: Option<&BTreeMap<String, Written>>, resource: &str) -> Quantity {
    list.and_then(|list| list.get(resource)?.0.parse().ok())
        .filter(|amount: &Quantity| !amount.is_negative())
        .unwrap_or(Quantity::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn class(spec: Value) -> QosClass {
        qos_class(&serde_json::from_value(spec).unwrap())
    }

    fn container(requests: Value, limits: Value) -> Value {
        json!({ "name": "c", "resources": { "requests": requests, "limits": limits } })
    }

    #[test]
    fn the_class_follows_requests_and_limits() {
        let full = || json!({ "cpu": "1", "memory": "1Gi" });
        let none = || json!({});
        let table = [
            (vec![container(none(), none())], QosClass::BestEffort),
            (vec![container(json!({ "cpu": "0" }), none())], QosClass::BestEffort),
            (vec![container(json!({ "ephemeral-storage": "1Gi" }), none())], QosClass::BestEffort),
            (vec![container(json!({ "cpu": "1" }), none())], QosClass::Burstable),
            (vec![container(none(), json!({ "memory": "1Gi" }))], QosClass::Burstable),
            (vec![container(full(), full())], QosClass::Guaranteed),
            (
                vec![container(json!({ "cpu": "1000m", "memory": "1024Mi" }), full())],
                QosClass::Guaranteed,
            ),
            (vec![container(json!({ "cpu": "1" }), full())], QosClass::Burstable),
            (vec![container(full(), full()), container(none(), none())], QosClass::Burstable),
            (vec![container(full(), full()), container(full(), full())], QosClass::Guaranteed),
            // Only cpu and memory count.
            (vec![container(json!({ "example.com/gpu": "1" }), none())], QosClass::BestEffort),
            (vec![container(none(), json!({ "hugepages-2Mi": "2Mi" }))], QosClass::BestEffort),
            (
                vec![container(
                    json!({ "cpu": "1", "memory": "1Gi", "example.com/gpu": "1" }),
                    full(),
                )],
                QosClass::Guaranteed,
            ),
            // Both resources have to be limited, and in every container.
            (vec![container(json!({ "cpu": "1" }), json!({ "cpu": "1" }))], QosClass::Burstable),
            (
                vec![container(full(), full()), container(none(), json!({ "cpu": "1" }))],
                QosClass::Burstable,
            ),
            (vec![container(json!({ "cpu": "1", "memory": "0" }), full())], QosClass::Burstable),
            (vec![container(none(), none()), container(none(), none())], QosClass::BestEffort),
        ];
        for (containers, expected) in table {
            assert_eq!(class(json!({ "containers": containers })), expected, "{containers:?}");
        }
    }

    #[test]
    fn init_containers_count_too() {
        let full = json!({ "cpu": "1", "memory": "1Gi" });
        let spec = json!({
            "initContainers": [container(json!({}), json!({}))],
            "containers": [container(full.clone(), full)],
        });
        assert_eq!(class(spec), QosClass::Burstable);
    }

    #[test]
    fn what_the_pod_requests_stands_in_for_its_containers() {
        let full = json!({ "cpu": "1", "memory": "1Gi" });
        let spec = json!({
            "resources": { "requests": full, "limits": full },
            "containers": [container(json!({}), json!({}))],
        });
        assert_eq!(class(spec), QosClass::Guaranteed);
        for (resources, expected) in [
            (json!({}), QosClass::BestEffort),
            (json!({ "requests": { "cpu": "1" } }), QosClass::Burstable),
            (json!({ "requests": { "cpu": "1" }, "limits": full }), QosClass::Burstable),
        ] {
            let containers = json!([container(full.clone(), full.clone())]);
            let spec = json!({ "resources": resources, "containers": containers });
            assert_eq!(class(spec), expected, "{resources}");
        }
    }
}
