//! `resources` of a container and of the Pod as a whole, and `overhead`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use k8s_openapi::api::core::v1::{
    ContainerResizePolicy, PodSpec, ResourceClaim, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::absent::{list, some_text, text};
use super::metadata::NOT_NEGATIVE;
use super::{names, quantity};
use crate::field::{Errors, Place};
use crate::quantity::Quantity;
use crate::resources::{self, PIDS, is_huge_page, is_overcommit_allowed};

type ResourceList = BTreeMap<String, Written>;

/// Which list they are in: that of a container may name more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Container,
    PodLimits,
    PodRequests,
}

pub(super) fn container(
    requirements: Option<&ResourceRequirements>,
    claims: &BTreeSet<&str>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    if let Some(requirements) = requirements {
        self::requirements(requirements, Owner::Container, Owner::Container, at, errors);
        claim_names(list(&requirements.claims), claims, &at.field("claims"), errors);
    }
}

/// What running the Pod costs beside its containers: a list of limits.
pub(super) fn overhead(overhead: Option<&ResourceList>, at: &Place<'_>, errors: &mut Errors) {
    if let Some(overhead) = overhead {
        let limits = at.field("limits").unprinted();
        amounts(Some(overhead), Owner::Container, &limits, errors);
    }
}

pub(super) fn pod(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let Some(requirements) = &spec.resources else {
        return;
    };
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return errors.forbidden(at, "may not be set for a windows pod");
    }
    if requirements.claims.is_some() {
        let detail = "claims may not be set for Resources at pod-level";
        errors.forbidden(&at.field("claims"), detail);
    }
    self::requirements(requirements, Owner::PodLimits, Owner::PodRequests, at, errors);
    consistency(spec, requirements, at, errors);
}

/// The Pod must have room for what its containers ask for.
fn consistency(
    spec: &PodSpec,
    requirements: &ResourceRequirements,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let own = |list: &Option<ResourceList>, resource: &str| -> Option<Quantity> {
        list.as_ref()?.get(resource)?.0.parse().ok()
    };
    let init = list(&spec.init_containers);
    for (resource, together) in resources::aggregate_requests(&spec.containers, init) {
        let Some(request) = own(&requirements.requests, &resource) else {
            continue;
        };
        if together > request {
            let detail = format!(
                "must be greater than or equal to aggregate container requests of {together}"
            );
            errors.invalid(&at.field("requests").key(&resource), request.to_string(), detail);
        }
    }
    for (resource, together) in resources::aggregate_limits(&spec.containers, init) {
        let Some(limit) = own(&requirements.limits, &resource) else {
            continue;
        };
        if is_huge_page(&resource) && together > limit {
            let detail = format!(
                "must be greater than or equal to aggregate container limits of {together}"
            );
            errors.invalid(&at.field("limits").key(&resource), limit.to_string(), detail);
        }
    }
    let containers = Place::top("spec");
    let containers = containers.field("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        for (resource, written) in limits.into_iter().flatten() {
            let Some(most) = own(&requirements.limits, resource) else {
                continue;
            };
            let Ok(limit) = written.0.parse::<Quantity>() else {
                continue;
            };
            if limit > most {
                let detail = format!("must be less than or equal to pod limits of {most}");
                let at = containers.index(index);
                let at = at.field("resources");
                errors.invalid(&at.field("limits").key(resource), limit.to_string(), detail);
            }
        }
    }
}

fn requirements(
    requirements: &ResourceRequirements,
    limits_of: Owner,
    requests_of: Owner,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let limits_at = at.field("limits");
    let requests_at = at.field("requests");
    let limits = amounts(requirements.limits.as_ref(), limits_of, &limits_at, errors);
    let requests = amounts(requirements.requests.as_ref(), requests_of, &requests_at, errors);

    for (resource, request) in &requests {
        // Printed without the key, as Kubernetes prints it, but found with it.
        let here = requests_at.key(resource).unprinted();
        let elastic = is_overcommit_allowed(resource);
        match limits.get(resource) {
            Some(limit) if request != limit && !elastic => {
                let detail = format!("must be equal to {resource} limit of {limit}");
                errors.invalid(&here, request.to_string(), detail);
            }
            Some(limit) if request > limit => {
                let detail = format!("must be less than or equal to {resource} limit of {limit}");
                errors.invalid(&here, request.to_string(), detail);
            }
            Some(_) => {}
            None if elastic => {}
            None => {
                errors.required(&limits_at, "Limit must be set for non overcommitable resources")
            }
        }
    }
    let named = || limits.keys().chain(requests.keys());
    let huge_pages = named().any(|resource| is_huge_page(resource));
    if huge_pages && !named().any(|resource| matches!(resource.as_str(), "cpu" | "memory")) {
        errors.forbidden(at, "HugePages require cpu or memory");
    }
}

/// Checks each name and amount of a list; returns the amounts that are some.
fn amounts(
    list: Option<&ResourceList>,
    owner: Owner,
    at: &Place<'_>,
    errors: &mut Errors,
) -> BTreeMap<String, Quantity> {
    let mut amounts = BTreeMap::new();
    for (resource, written) in list.into_iter().flatten() {
        let here = at.key(resource);
        name(resource, owner, &here, errors);
        let Some(amount) = quantity::parsed(written, &here, errors) else {
            continue;
        };
        if amount.is_negative() {
            errors.invalid(&here, amount.to_string(), NOT_NEGATIVE);
        }
        let counted = is_extended(resource) || resource == PIDS;
        if counted && !amount.is_multiple_of(Quantity::units(1)) {
            errors.invalid(&here, amount.to_string(), "must be an integer");
        }
        if is_huge_page(resource) {
            let page = resources::huge_page_size(resource);
            let divides =
                page.is_some_and(|page| !page.is_negative() && amount.is_multiple_of(page));
            if !divides {
                let detail = format!("{amount} is not positive integer multiple of {resource}");
                errors.invalid(&here, amount.to_string(), detail);
            }
        }
        amounts.insert(resource.clone(), amount);
    }
    amounts
}

fn name(resource: &str, owner: Owner, at: &Place<'_>, errors: &mut Errors) {
    let is_pids = owner == Owner::PodLimits && resource == PIDS;
    match owner {
        Owner::Container => {}
        Owner::PodLimits | Owner::PodRequests => {
            if !is_pids && !resources::is_supported_for_pods(resource) {
                errors.unsupported(at, resource, &["cpu", "hugepages-", "memory"]);
            }
            return;
        }
    }
    let before = errors.len();
    errors.invalid_each(at, resource, names::qualified_name(resource));
    if errors.len() > before {
        return;
    }
    if !resource.contains('/') {
        let known = matches!(resource, "cpu" | "memory" | "ephemeral-storage");
        if !known && !is_huge_page(resource) {
            if !is_standard(resource) {
                let detail = "must be a standard resource type or fully qualified";
                errors.invalid(at, resource, detail);
            }
            errors.invalid(at, resource, "must be a standard resource for containers");
            let near =
                |name: &&str| strsim::damerau_levenshtein(name, resource) < resource.len() / 2;
            if let Some(meant) = ["cpu", "memory", "ephemeral-storage"].into_iter().find(near) {
                errors.hint(format!("did you mean \"{meant}\"?"));
            }
        }
    } else if !resources::is_native(resource) && !is_extended(resource) {
        errors.invalid(at, resource, "doesn't follow extended resource name standard");
    }
}

/// Names without a domain that mean something elsewhere in Kubernetes, in a quota for example.
fn is_standard(resource: &str) -> bool {
    matches!(
        resource,
        "storage"
            | "requests.cpu"
            | "requests.memory"
            | "requests.storage"
            | "requests.ephemeral-storage"
            | "limits.cpu"
            | "limits.memory"
            | "limits.ephemeral-storage"
            | "pods"
            | "configmaps"
            | "persistentvolumeclaims"
            | "replicationcontrollers"
            | "resourcequotas"
            | "secrets"
            | "services"
            | "services.nodeports"
            | "services.loadbalancers"
    )
}

/// Resources of a vendor, counted in pieces.
fn is_extended(resource: &str) -> bool {
    !resources::is_native(resource)
        && !resource.starts_with("requests.")
        && names::qualified_name(&format!("requests.{resource}")).is_empty()
}

fn claim_names(
    claims: &[ResourceClaim],
    known: &BTreeSet<&str>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let here = at.index(index);
        let name = claim.name.as_str();
        let request = text(&claim.request);
        if name.is_empty() {
            errors.required(&here, "");
            continue;
        }
        if let Some(request) = some_text(&claim.request) {
            errors.invalid_each(&here.field("request"), request, names::dns_label(request));
        }
        // A whole claim overlaps with each request in it.
        let whole = seen.contains(&(name, ""));
        let overlaps = request.is_empty() && seen.iter().any(|(other, _)| *other == name);
        if whole || overlaps {
            errors.duplicate(&here, name);
        } else if !seen.insert((name, request)) {
            errors.duplicate(&here, format!("{name}/{request}"));
        }
        if !known.contains(name) {
            let mut detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            if known.is_empty() {
                detail.push_str(" which is empty");
            } else {
                detail.push_str(": ");
                detail.push_str(&known.iter().copied().collect::<Vec<_>>().join(", "));
            }
            errors.not_found(&here, name, &detail);
        }
        seen.insert((name, request));
    }
}

/// `resizePolicy`: what happens to the container when its resources change.
pub(super) fn resize_policies(
    policies: &[ContainerResizePolicy],
    pod_restart_policy: &str,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let mut seen = HashSet::new();
    for (index, policy) in policies.iter().enumerate() {
        let ContainerResizePolicy { resource_name, restart_policy } = policy;
        if !seen.insert(resource_name) {
            errors.duplicate(&at.index(index), resource_name.as_str());
        }
        // Printed without the index, as Kubernetes prints it, but found with it.
        let here = at.index(index).unprinted();
        let name_at = here.field("resourceName").unprinted();
        match resource_name.as_str() {
            "cpu" | "memory" => {}
            "" => errors.required(&name_at, ""),
            other => errors.unsupported(&name_at, other, &["cpu", "memory"]),
        }
        let policy_at = here.field("restartPolicy").unprinted();
        match restart_policy.as_str() {
            "NotRequired" | "RestartContainer" => {}
            "" => errors.required(&policy_at, ""),
            other => errors.unsupported(&policy_at, other, &["NotRequired", "RestartContainer"]),
        }
        if pod_restart_policy == "Never" && restart_policy != "NotRequired" {
            let detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.invalid(&policy_at, restart_policy.as_str(), detail);
        }
    }
}
