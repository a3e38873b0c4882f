//! Names and sums of resources, as defaults and validation both need them.
//!
//! Rule: `k8s.io/component-helpers/resource` (what a Pod's containers ask for together) and the
//! helpers of `pkg/apis/core` (which name is of which kind).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use crate::quantity::Quantity;

/// Amounts by resource name.
pub(crate) type Amounts = BTreeMap<String, Quantity>;

const HUGE_PAGES: &str = "hugepages-";

/// Whether the resource is huge pages of some size.
pub(crate) fn is_huge_page(resource: &str) -> bool {
    resource.starts_with(HUGE_PAGES)
}

/// The page size in the name of a huge-page resource: `2Mi` of `hugepages-2Mi`.
pub(crate) fn huge_page_size(resource: &str) -> Option<Quantity> {
    resource.strip_prefix(HUGE_PAGES)?.parse().ok()
}

/// Whether `spec.resources` of a Pod may name the resource.
pub(crate) fn is_supported_for_pods(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory") || is_huge_page(resource)
}

/// How many processes and threads a Pod may have: a limit of a Pod, never a request.
pub(crate) const PIDS: &str = "pids";

/// Whether the name has no domain, or one of Kubernetes itself.
pub(crate) fn is_native(resource: &str) -> bool {
    !resource.contains('/') || resource.contains("kubernetes.io/")
}

/// Whether requests may be lower than limits: native, and not huge pages.
pub(crate) fn is_overcommit_allowed(resource: &str) -> bool {
    is_native(resource) && !is_huge_page(resource)
}

/// What the containers request together: the sum of apps and sidecars, or the peak while init
/// containers run one after the other, whichever is more.
pub(crate) fn aggregate_requests(containers: &[Container], init: &[Container]) -> Amounts {
    aggregate(containers, init, |container| container.resources.as_ref()?.requests.as_ref())
}

/// What the containers are limited to together, by the same rule.
pub(crate) fn aggregate_limits(containers: &[Container], init: &[Container]) -> Amounts {
    aggregate(containers, init, |container| container.resources.as_ref()?.limits.as_ref())
}

fn aggregate(
    containers: &[Container],
    init: &[Container],
    list: impl Fn(&Container) -> Option<&BTreeMap<String, Written>>,
) -> Amounts {
    let mut sidecars = Amounts::new();
    let mut peak = Amounts::new();
    for container in init {
        let own = amounts(list(container));
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut sidecars, own);
            raise(&mut peak, sidecars.clone());
        } else {
            let mut together = sidecars.clone();
            add(&mut together, own);
            raise(&mut peak, together);
        }
    }
    let mut running = sidecars;
    for container in containers {
        add(&mut running, amounts(list(container)));
    }
    raise(&mut running, peak);
    running
}

fn amounts(list: Option<&BTreeMap<String, Written>>) -> Amounts {
    list.into_iter()
        .flatten()
        .filter_map(|(resource, written)| Some((resource.clone(), written.0.parse().ok()?)))
        .collect()
}

fn add(sum: &mut Amounts, more: Amounts) {
    for (resource, amount) in more {
        let total = sum.entry(resource).or_insert(Quantity::ZERO);
        *total = *total + amount;
    }
}

fn raise(most: &mut Amounts, other: Amounts) {
    for (resource, amount) in other {
        let highest = most.entry(resource).or_insert(amount);
        *highest = (*highest).max(amount);
    }
}
