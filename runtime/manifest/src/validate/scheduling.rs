//! Where a Pod may go: tolerations, spreading, gates.
//!
//! A single machine has nothing to choose, but a manifest that a cluster would refuse is wrong
//! here too.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::{
    PodReadinessGate, PodSchedulingGate, Toleration, TopologySpreadConstraint,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::absent::{list, text};
use super::label_selector::label_selector;
use super::names;
use crate::field::{Errors, Place};

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const OPERATORS: [&str; 4] = ["Equal", "Exists", "Gt", "Lt"];
const UNSATISFIABLE: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];

pub(super) fn tolerations(tolerations: &[Toleration], at: &Place<'_>, errors: &mut Errors) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let at = at.index(index);
        let (key, value) = (text(&toleration.key), text(&toleration.value));
        let (operator, effect) = (text(&toleration.operator), text(&toleration.effect));
        let operator_at = at.field("operator");
        if !key.is_empty() {
            errors.invalid_each(&at.field("key"), key, names::qualified_name(key));
        } else if operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all \
                          values and all keys\"";
            errors.invalid(&operator_at, operator, detail);
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&at.field("effect"), effect, detail);
        }
        match operator {
            "Equal" | "" => {
                let wrong = names::label_value(value);
                if !wrong.is_empty() {
                    errors.invalid(&operator_at, value, wrong.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                let detail = "value must be empty when `operator` is 'Exists'";
                errors.invalid(&operator_at, value, detail);
            }
            "Exists" => {}
            "Lt" | "Gt" => {
                if !is_canonical_integer(value) {
                    let detail = "value must be a valid integer for numeric operators";
                    errors.invalid(&at.field("value"), value, detail);
                }
            }
            other => errors.unsupported(&operator_at, other, &OPERATORS),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            errors.unsupported(&at.field("effect"), effect, &EFFECTS);
        }
    }
}

/// A number of 64 bits without a plus sign or a leading zero, so that texts are equal when
/// numbers are.
fn is_canonical_integer(value: &str) -> bool {
    value.parse::<i64>().is_ok_and(|number| number.to_string() == value)
}

pub(super) fn readiness_gates(gates: &[PodReadinessGate], at: &Place<'_>, errors: &mut Errors) {
    for (index, gate) in gates.iter().enumerate() {
        let name = gate.condition_type.as_str();
        let at = at.index(index);
        errors.invalid_each(&at.field("conditionType"), name, names::qualified_name(name));
    }
}

pub(super) fn scheduling_gates(gates: &[PodSchedulingGate], at: &Place<'_>, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (index, PodSchedulingGate { name }) in gates.iter().enumerate() {
        let at = at.index(index);
        errors.invalid_each(&at, name, names::qualified_name(name));
        if !seen.insert(name) {
            errors.duplicate(&at, name.as_str());
        }
    }
}

pub(super) fn topology_spread(
    constraints: &[TopologySpreadConstraint],
    at: &Place<'_>,
    errors: &mut Errors,
) {
    // The one that stands last is right, as upstream.
    let pairs: HashMap<(&str, &str), usize> = constraints
        .iter()
        .map(|own| (own.topology_key.as_str(), own.when_unsatisfiable.as_str()))
        .zip(0..)
        .collect();
    for (index, constraint) in constraints.iter().enumerate() {
        let at = at.index(index);
        let when = constraint.when_unsatisfiable.as_str();
        if constraint.max_skew <= 0 {
            errors.invalid(&at.field("maxSkew"), constraint.max_skew, NOT_POSITIVE);
        }
        if constraint.topology_key.is_empty() {
            errors.required(&at.field("topologyKey"), "can not be empty");
        }
        if !UNSATISFIABLE.contains(&when) {
            errors.unsupported(&at.field("whenUnsatisfiable"), when, &UNSATISFIABLE);
        }
        let repeated = pairs.get(&(constraint.topology_key.as_str(), when));
        if repeated.is_some_and(|last| *last > index) {
            let pair = format!("{{{}, {when}}}", constraint.topology_key);
            errors.duplicate(&at.field("{topologyKey, whenUnsatisfiable}"), pair);
        }
        if let Some(domains) = constraint.min_domains {
            let at = at.field("minDomains");
            if domains <= 0 {
                errors.invalid(&at, domains, NOT_POSITIVE);
            }
            if when != "DoNotSchedule" {
                let detail = format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
                );
                errors.invalid(&at, domains, detail);
            }
        }
        let policies = [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ];
        for (field, policy) in policies {
            if let Some(policy) =
                policy.as_deref().filter(|own| !matches!(*own, "Honor" | "Ignore"))
            {
                errors.unsupported(&at.field(field), policy, &["Honor", "Ignore"]);
            }
        }
        let selector = constraint.label_selector.as_ref();
        match_label_keys(
            list(&constraint.match_label_keys),
            selector,
            &at.field("matchLabelKeys"),
            errors,
        );
        label_selector(selector, &at.field("labelSelector"), errors);
    }
}

/// What is said of a number that must be above 0.
const NOT_POSITIVE: &str = "must be greater than zero";

/// Keys of labels whose values the Pod's own labels give.
pub(super) fn match_label_keys(
    keys: &[String],
    selector: Option<&LabelSelector>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    if keys.is_empty() {
        return;
    }
    let Some(selector) = selector else {
        return errors.forbidden(at, "must not be specified when labelSelector is not set");
    };
    let expressions = list(&selector.match_expressions);
    for (index, key) in keys.iter().enumerate() {
        let at = at.index(index);
        errors.invalid_each(&at, key, names::qualified_name(key));
        let labels = selector.match_labels.as_ref();
        let selected = labels.is_some_and(|labels| labels.contains_key(key))
            || expressions.iter().any(|requirement| &requirement.key == key);
        if selected {
            errors.invalid(&at, key.as_str(), "exists in both matchLabelKeys and labelSelector");
        }
    }
}
