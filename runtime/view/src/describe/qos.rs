//! A Pod's quality of service.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use wasmpod_manifest::quantity::Quantity as Amount;

use crate::quantity::amount;

/// The class by the status, or by the containers' resources where it does not say.
///
/// Rule: `GetPodQOS` of kubectl: CPU and memory count, of init containers too.
pub(super) fn class(spec: &PodSpec, status: &PodStatus) -> String {
    if let Some(class) = status.qos_class.as_ref().filter(|class| !class.is_empty()) {
        return class.clone();
    }
    let (mut requests, mut limits) = (Sums::new(), Sums::new());
    let mut all_limited = true;
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        let resources = container.resources.clone().unwrap_or_default();
        add(&mut requests, resources.requests);
        all_limited &= add(&mut limits, resources.limits) == 2;
    }
    let class = match (requests.is_empty() && limits.is_empty(), all_limited && requests == limits)
    {
        (true, _) => "BestEffort",
        (false, true) => "Guaranteed",
        (false, false) => "Burstable",
    };
    class.to_owned()
}

type Sums = BTreeMap<String, Amount>;

/// Adds what is more than nothing, and answers for how many resources that was so.
fn add(sums: &mut Sums, amounts: Option<BTreeMap<String, Quantity>>) -> usize {
    let counted: Vec<(String, Amount)> = amounts
        .into_iter()
        .flatten()
        .filter(|(name, _)| matches!(name.as_str(), "cpu" | "memory"))
        .map(|(name, quantity)| (name, amount(&quantity)))
        .filter(|(_, amount)| *amount > Amount::ZERO)
        .collect();
    let count = counted.len();
    for (name, amount) in counted {
        let sum = sums.entry(name).or_insert(Amount::ZERO);
        *sum = *sum + amount;
    }
    count
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn class_of(resources: &[Value]) -> String {
        let containers: Vec<Value> =
            resources.iter().map(|it| json!({ "name": "c", "resources": it })).collect();
        let spec = serde_json::from_value(json!({ "containers": containers })).unwrap();
        class(&spec, &PodStatus::default())
    }

    #[test]
    fn the_class_follows_from_cpu_and_memory() {
        let full = json!({ "limits": { "cpu": "1", "memory": "1Gi" },
            "requests": { "cpu": "1000m", "memory": "1Gi" } });
        let part = json!({ "requests": { "cpu": "1" } });
        let none = json!({ "requests": { "cpu": "0", "ephemeral-storage": "1Gi" } });
        assert_eq!(class_of(&[full.clone(), full.clone()]), "Guaranteed");
        assert_eq!(class_of(&[full.clone(), none.clone()]), "Burstable");
        assert_eq!(class_of(&[part]), "Burstable");
        assert_eq!(class_of(&[none]), "BestEffort");
        assert_eq!(class_of(&[]), "BestEffort");
    }
}
