//! What a Pod as a whole asks for and may use. Pure.
//!
//! Rule: `PodRequests`, `PodLimits` and `ResourceConfigForPod` of Kubernetes. Init containers run
//! one after the other, beside the sidecars that were started before them, so their peak counts and not
//! their sum; what the Pod itself says comes before what its containers say. A limit of the whole is
//! known only if every container has one.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use crate::manifest::containers;
use crate::manifest::quantity::Quantity;

/// Requests and limits of a Pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodResources {
    /// CPU requested, in thousandths of a core; zero where nothing is.
    pub cpu_request: u64,
    /// Memory requested, in bytes; zero where nothing is.
    pub memory_request: u64,
    /// Disk for its files and logs requested, in bytes; zero where nothing is.
    pub ephemeral_storage_request: u64,
    /// CPU that all containers together may use, in thousandths of a core.
    pub cpu_limit: Option<u64>,
    /// Memory that all containers together may use, in bytes.
    pub memory_limit: Option<u64>,
}

type Amounts = Option<BTreeMap<String, Written>>;

/// Whether requests or limits are summed up.
#[derive(Clone, Copy)]
enum Side {
    Requests,
    Limits,
}

impl PodResources {
    /// Of a Pod that has been defaulted and validated; a quantity that cannot be read counts as
    /// nothing.
    pub fn of(spec: &PodSpec) -> Self {
        Self {
            cpu_request: milli(total(spec, Side::Requests, "cpu")),
            memory_request: total(spec, Side::Requests, "memory").bytes(),
            ephemeral_storage_request: total(spec, Side::Requests, "ephemeral-storage").bytes(),
            cpu_limit: limit(spec, "cpu").map(milli),
            memory_limit: limit(spec, "memory").map(Quantity::bytes),
        }
    }

    /// What all that its containers write to the disk may come to: what the Pod itself says, or the sum of
    /// the limits of those containers that have one.
    pub fn ephemeral_storage_limit(spec: &PodSpec) -> Option<Quantity> {
        let limit = total(spec, Side::Limits, "ephemeral-storage");
        (!limit.is_zero()).then_some(limit)
    }

    /// What the Pod itself says in `spec.resources.limits.memory`, in bytes: the bound over all its
    /// containers, however many of them have one of their own.
    pub fn own_memory_limit(spec: &PodSpec) -> Option<u64> {
        of_pod(spec, Side::Limits, "memory").filter(|limit| !limit.is_zero()).map(Quantity::bytes)
    }

    /// Whether it requests anything.
    pub fn requests(&self) -> bool {
        [self.cpu_request, self.memory_request, self.ephemeral_storage_request] != [0; 3]
    }
}

/// The limit of the whole, if there is one.
fn limit(spec: &PodSpec, resource: &str) -> Option<Quantity> {
    let has_one =
        |container: &Container| !of_container(container, Side::Limits, resource).is_zero();
    let is_known = of_pod(spec, Side::Limits, resource).is_some() || containers(spec).all(has_one);
    Some(total(spec, Side::Limits, resource)).filter(|limit| is_known && !limit.is_zero())
}

fn total(spec: &PodSpec, side: Side, resource: &str) -> Quantity {
    let overhead = spec.overhead.as_ref().and_then(|overhead| amount(overhead, resource));
    let asked = of_pod(spec, side, resource);
    asked.unwrap_or_else(|| of_containers(spec, side, resource))
        + overhead.unwrap_or(Quantity::ZERO)
}

fn of_containers(spec: &PodSpec, side: Side, resource: &str) -> Quantity {
    let mut sidecars = Quantity::ZERO;
    let mut peak = Quantity::ZERO;
    for container in spec.init_containers.iter().flatten() {
        let amount = of_container(container, side, resource);
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = sidecars + amount;
            peak = peak.max(sidecars);
        } else {
            peak = peak.max(sidecars + amount);
        }
    }
    let apps = spec.containers.iter().map(|container| of_container(container, side, resource));
    let together = apps.fold(sidecars, |sum, amount| sum + amount);
    together.max(peak)
}

fn of_pod(spec: &PodSpec, side: Side, resource: &str) -> Option<Quantity> {
    let resources = spec.resources.as_ref()?;
    amount(listed(&resources.requests, &resources.limits, side)?, resource)
}

fn of_container(container: &Container, side: Side, resource: &str) -> Quantity {
    let resources = container.resources.as_ref();
    resources
        .and_then(|own| amount(listed(&own.requests, &own.limits, side)?, resource))
        .unwrap_or(Quantity::ZERO)
}

fn listed<'spec>(
    requests: &'spec Amounts,
    limits: &'spec Amounts,
    side: Side,
) -> Option<&'spec BTreeMap<String, Written>> {
    match side {
        Side::Requests => requests.as_ref(),
        Side::Limits => limits.as_ref(),
    }
}

fn amount(list: &BTreeMap<String, Written>, resource: &str) -> Option<Quantity> {
    list.get(resource)?.0.parse().ok().filter(|amount: &Quantity| !amount.is_negative())
}

fn milli(cpu: Quantity) -> u64 {
    u64::try_from(cpu.milli_ceil()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(spec: Value) -> PodResources {
        PodResources::of(&serde_json::from_value(spec).unwrap())
    }

    fn requests(cpu: &str, memory: &str) -> Value {
        json!({ "name": "a", "resources": { "requests": { "cpu": cpu, "memory": memory } } })
    }

    #[test]
    fn app_containers_are_summed_up() {
        let sum = of(json!({ "containers": [requests("250m", "64Mi"), requests("1", "1Gi")] }));
        assert_eq!((sum.cpu_request, sum.memory_request), (1250, (64 << 20) + (1 << 30)));
        assert_eq!((sum.cpu_limit, sum.memory_limit), (None, None));
    }

    #[test]
    fn init_containers_count_by_their_peak_and_sidecars_beside_all() {
        let sidecar = |cpu| {
            let mut sidecar = requests(cpu, "0");
            sidecar["restartPolicy"] = json!("Always");
            sidecar
        };
        for (init, expected) in [
            (json!([requests("2", "0")]), 2000),
            (json!([requests("100m", "0"), requests("200m", "0")]), 500),
            (json!([sidecar("100m"), requests("450m", "0")]), 600),
            (json!([requests("550m", "0"), sidecar("100m")]), 600),
            (json!([sidecar("100m"), requests("700m", "0"), sidecar("50m")]), 800),
        ] {
            let spec = json!({ "initContainers": init, "containers": [requests("500m", "0")] });
            assert_eq!(of(spec).cpu_request, expected, "{init}");
        }
    }

    #[test]
    fn a_limit_of_the_whole_needs_one_of_each() {
        let limits = |limits: Value| json!({ "name": "a", "resources": { "limits": limits } });
        let both = limits(json!({ "cpu": "500m", "memory": "64Mi" }));
        let memory = limits(json!({ "memory": "32Mi" }));
        let whole = of(json!({ "containers": [both, memory] }));
        assert_eq!((whole.cpu_limit, whole.memory_limit), (None, Some(96 << 20)));
        let one = of(json!({ "containers": [both] }));
        assert_eq!((one.cpu_limit, one.memory_limit), (Some(500), Some(64 << 20)));
        let zero = of(json!({ "containers": [limits(json!({ "cpu": "0" }))] }));
        assert_eq!(zero.cpu_limit, None, "zero is no limit");
    }

    #[test]
    fn the_pods_own_word_comes_first() {
        let pod = of(json!({
            "resources": { "requests": { "cpu": "3" }, "limits": { "memory": "1Gi" } },
            "overhead": { "cpu": "10m" },
            "containers": [requests("250m", "64Mi")],
        }));
        assert_eq!((pod.cpu_request, pod.memory_request), (3010, 64 << 20));
        assert_eq!((pod.cpu_limit, pod.memory_limit), (None, Some(1 << 30)));
    }
}
