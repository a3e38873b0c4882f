//! Requests that follow from limits, for a container and for the Pod as a whole.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use crate::containers;
use crate::quantity::Quantity;
use crate::resources::{self, Amounts};

type ResourceList = BTreeMap<String, Written>;

/// Rewrites what can be read in canonical form, rounded up to thousandths.
pub(super) fn canonical(list: Option<&mut ResourceList>) {
    for written in list.into_iter().flat_map(ResourceList::values_mut) {
        if let Ok(quantity) = written.0.parse::<Quantity>() {
            written.0 = quantity.round_up_to_milli().to_string();
        }
    }
}

/// Whoever sets only a limit requests as much.
pub(super) fn container(requirements: Option<&mut ResourceRequirements>) {
    let Some(requirements) = requirements else {
        return;
    };
    canonical(requirements.limits.as_mut());
    canonical(requirements.requests.as_mut());
    let Some(limits) = &requirements.limits else {
        return;
    };
    let requests = requirements.requests.get_or_insert_default();
    for (resource, limit) in limits {
        requests.entry(resource.clone()).or_insert_with(|| limit.clone());
    }
}

/// Fills in `spec.resources` from the containers where the Pod sets it in part.
///
/// Runs after the containers have their own defaults.
pub(super) fn pod(spec: &mut PodSpec) {
    let Some(requirements) = &mut spec.resources else {
        return;
    };
    canonical(requirements.limits.as_mut());
    canonical(requirements.requests.as_mut());

    let requests =
        resources::aggregate_requests(&spec.containers, init_containers(&spec.init_containers));
    let limits =
        resources::aggregate_limits(&spec.containers, init_containers(&spec.init_containers));
    let limited = requirements.limits.as_ref().is_some_and(|limits| !limits.is_empty());
    let requested = requirements.requests.as_ref().is_some_and(|requests| !requests.is_empty());

    if limited || requested {
        huge_page_limits(requirements, &limits);
    }
    // Limits before requests, unlike upstream, so that filling in twice changes nothing.
    if requested && !limited {
        pod_limits(spec, limits);
    }
    pod_requests(spec, requests);
}

fn pod_requests(spec: &mut PodSpec, aggregated: Amounts) {
    let Some(requirements) = &mut spec.resources else { return };
    let Some(limits) = requirements.limits.as_ref().filter(|limits| !limits.is_empty()) else {
        return;
    };
    let own = requirements.requests.get_or_insert_default();
    for (resource, amount) in aggregated {
        if resources::is_supported_for_pods(&resource) && !resources::is_huge_page(&resource) {
            own.entry(resource).or_insert_with(|| Written(amount.to_string()));
        }
    }
    for (resource, limit) in limits {
        if resources::is_supported_for_pods(resource) {
            own.entry(resource.clone()).or_insert_with(|| limit.clone());
        }
    }
}

fn huge_page_limits(requirements: &mut ResourceRequirements, aggregated: &Amounts) {
    for (resource, amount) in aggregated {
        let requested =
            requirements.requests.as_ref().is_some_and(|requests| requests.contains_key(resource));
        if resources::is_huge_page(resource) && !requested {
            let limits = requirements.limits.get_or_insert_default();
            limits.entry(resource.clone()).or_insert_with(|| Written(amount.to_string()));
        }
    }
}

/// The Pod's limit of a resource is the sum of its containers', once every one has a limit.
fn pod_limits(spec: &mut PodSpec, aggregated: Amounts) {
    let everywhere = |resource: &str| {
        containers(spec).all(|container| {
            let limits = container.resources.as_ref().and_then(|own| own.limits.as_ref());
            limits.is_some_and(|limits| limits.contains_key(resource))
        })
    };
    let limits: ResourceList = aggregated
        .into_iter()
        .filter(|(resource, _)| {
            resources::is_supported_for_pods(resource)
                && !resources::is_huge_page(resource)
                && everywhere(resource)
        })
        .map(|(resource, amount)| (resource, Written(amount.to_string())))
        .collect();
    if let Some(requirements) = &mut spec.resources {
        let own = requirements.limits.get_or_insert_default();
        for (resource, limit) in limits {
            own.entry(resource).or_insert(limit);
        }
    }
}

fn init_containers(
    containers: &Option<Vec<k8s_openapi::api::core::v1::Container>>,
) -> &[k8s_openapi::api::core::v1::Container] {
    containers.as_deref().unwrap_or_default()
}
