//! `affinity`: which nodes and which neighbours a Pod wants.

use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm,
    WeightedPodAffinityTerm,
};

use super::absent::list;
use super::label_selector::label_selector;
use super::{names, scheduling};
use crate::field::{Errors, Place};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn affinity(affinity: &Affinity, at: &Place<'_>, errors: &mut Errors) {
    if let Some(nodes) = &affinity.node_affinity {
        node_affinity(nodes, &at.field("nodeAffinity"), errors);
    }
    if let Some(pods) = &affinity.pod_affinity {
        let at = at.field("podAffinity");
        let required = list(&pods.required_during_scheduling_ignored_during_execution);
        let preferred = list(&pods.preferred_during_scheduling_ignored_during_execution);
        pod_affinity(required, preferred, &at, errors);
    }
    if let Some(pods) = &affinity.pod_anti_affinity {
        let at = at.field("podAntiAffinity");
        let required = list(&pods.required_during_scheduling_ignored_during_execution);
        let preferred = list(&pods.preferred_during_scheduling_ignored_during_execution);
        pod_affinity(required, preferred, &at, errors);
    }
}

fn node_affinity(affinity: &NodeAffinity, at: &Place<'_>, errors: &mut Errors) {
    if let Some(selector) = &affinity.required_during_scheduling_ignored_during_execution {
        let at = at.field(REQUIRED);
        let at = at.field("nodeSelectorTerms");
        if selector.node_selector_terms.is_empty() {
            errors.required(&at, "must have at least one node selector term");
        }
        for (index, term) in selector.node_selector_terms.iter().enumerate() {
            node_selector_term(term, Values::MustBeLabels, &at.index(index), errors);
        }
    }
    let at = at.field(PREFERRED);
    let preferred = list(&affinity.preferred_during_scheduling_ignored_during_execution);
    for (index, term) in preferred.iter().enumerate() {
        let at = at.index(index);
        weight(term.weight, &at.field("weight"), errors);
        node_selector_term(&term.preference, Values::Any, &at.field("preference"), errors);
    }
}

/// Whether values must look like those of labels: a preference that can never be met is let
/// through, as upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    MustBeLabels,
    Any,
}

fn node_selector_term(
    term: &NodeSelectorTerm,
    values: Values,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let expressions = at.field("matchExpressions");
    for (index, requirement) in list(&term.match_expressions).iter().enumerate() {
        label_requirement(requirement, values, &expressions.index(index), errors);
    }
    let fields = at.field("matchFields");
    for (index, requirement) in list(&term.match_fields).iter().enumerate() {
        field_requirement(requirement, &fields.index(index), errors);
    }
}

fn label_requirement(
    requirement: &NodeSelectorRequirement,
    form: Values,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let values = list(&requirement.values);
    let values_at = at.field("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            errors.required(&values_at, detail);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.forbidden(&values_at, detail);
        }
        "Gt" | "Lt" if values.len() != 1 => {
            let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            errors.required(&values_at, detail);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => errors.invalid(&at.field("operator"), other, "not a valid selector operator"),
    }
    let key = requirement.key.as_str();
    errors.invalid_each(&at.field("key"), key, names::qualified_name(key));
    if form == Values::MustBeLabels {
        for (index, value) in values.iter().enumerate() {
            errors.invalid_each(&values_at.index(index), value, names::label_value(value));
        }
    }
}

fn field_requirement(requirement: &NodeSelectorRequirement, at: &Place<'_>, errors: &mut Errors) {
    let values = list(&requirement.values);
    let values_at = at.field("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.len() != 1 => {
            let detail =
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.required(&values_at, detail);
        }
        "In" | "NotIn" => {}
        other => errors.invalid(&at.field("operator"), other, "not a valid selector operator"),
    }
    if requirement.key == "metadata.name" {
        for (index, value) in values.iter().enumerate() {
            errors.invalid_each(&values_at.index(index), value, names::dns_subdomain(value));
        }
    } else {
        let detail = "not a valid field selector key";
        errors.invalid(&at.field("key"), requirement.key.as_str(), detail);
    }
}

fn pod_affinity(
    required: &[PodAffinityTerm],
    preferred: &[WeightedPodAffinityTerm],
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let required_at = at.field(REQUIRED);
    for (index, term) in required.iter().enumerate() {
        pod_affinity_term(term, &required_at.index(index), errors);
    }
    let preferred_at = at.field(PREFERRED);
    for (index, term) in preferred.iter().enumerate() {
        let at = preferred_at.index(index);
        weight(term.weight, &at.field("weight"), errors);
        pod_affinity_term(&term.pod_affinity_term, &at.field("podAffinityTerm"), errors);
    }
}

fn pod_affinity_term(term: &PodAffinityTerm, at: &Place<'_>, errors: &mut Errors) {
    let selector = term.label_selector.as_ref();
    label_selector(selector, &at.field("labelSelector"), errors);
    label_selector(term.namespace_selector.as_ref(), &at.field("namespaceSelector"), errors);
    for namespace in list(&term.namespaces) {
        let wrong = names::dns_label(namespace);
        errors.invalid_each(&at.field("namespace"), namespace, wrong);
    }
    let keys = list(&term.match_label_keys);
    scheduling::match_label_keys(keys, selector, &at.field("matchLabelKeys"), errors);
    let other = list(&term.mismatch_label_keys);
    if !other.is_empty() && selector.is_none() {
        let detail = "must not be specified when labelSelector is not set";
        errors.forbidden(&at.field("mismatchLabelKeys"), detail);
    }
    for (index, key) in other.iter().enumerate() {
        let here = at.field("mismatchLabelKeys");
        let here = here.index(index);
        errors.invalid_each(&here, key, names::qualified_name(key));
        if keys.contains(key) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.invalid(&here, key.as_str(), detail);
        }
    }
    let key = term.topology_key.as_str();
    let key_at = at.field("topologyKey");
    if key.is_empty() {
        errors.required(&key_at, "can not be empty");
    }
    errors.invalid_each(&key_at, key, names::qualified_name(key));
}

fn weight(weight: i32, at: &Place<'_>, errors: &mut Errors) {
    if !(1..=100).contains(&weight) {
        errors.invalid(at, weight, "must be in the range 1-100");
    }
}
