//! The selector of a workload against the labels of its Pods.
//!
//! Nothing is selected here, but a workload that would lose sight of its own Pods is refused by
//! every cluster, and the labels of the Pod are what its author did not mean. Rule:
//! `pkg/apis/apps/validation` and `pkg/apis/core/validation`; a ReplicationController without a
//! selector has the labels of its template for one.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use serde_json::json;

use super::absent::list;
use super::label_selector::label_selector;
use crate::field::{Errors, FieldError, Place};

type Labels = BTreeMap<String, String>;

const MISMATCH: &str = "`selector` does not match template `labels`";

/// Of a kind of `apps/v1`; `kind` is its name in lower case.
pub(crate) fn selector(
    kind: &str,
    selector: Option<&LabelSelector>,
    labels: Option<&Labels>,
) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let spec = Place::top("spec");
    let at = spec.field("selector");
    let Some(selector) = selector else {
        errors.required(&at, "");
        return errors.into_vec();
    };
    label_selector(Some(selector), &at, &mut errors);
    if errors.len() > 0 {
        return errors.into_vec();
    }
    let wanted = selector.match_labels.as_ref().is_some_and(|labels| !labels.is_empty());
    let none = Labels::new();
    let labels = labels.unwrap_or(&none);
    if !wanted && list(&selector.match_expressions).is_empty() {
        let detail = format!("empty selector is invalid for {kind}");
        errors.invalid(&at, json!({}), detail);
    } else if !matches(selector, labels) {
        mismatch(labels, &mut errors);
    }
    errors.into_vec()
}

/// Of a ReplicationController.
pub(crate) fn plain_selector(
    selector: Option<&Labels>,
    labels: Option<&Labels>,
) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let none = Labels::new();
    let labels = labels.unwrap_or(&none);
    let selector = selector.filter(|selector| !selector.is_empty()).unwrap_or(labels);
    if selector.is_empty() {
        errors.required(&Place::top("spec").field("selector"), "");
    } else if !contains(labels, selector) {
        mismatch(labels, &mut errors);
    }
    errors.into_vec()
}

fn mismatch(labels: &Labels, errors: &mut Errors) {
    let spec = Place::top("spec");
    let template = spec.field("template");
    let metadata = template.field("metadata");
    errors.invalid(&metadata.field("labels"), json!(labels), MISMATCH);
    errors.hint("give the template every label that `spec.selector` asks for".to_owned());
}

fn contains(labels: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn matches(selector: &LabelSelector, labels: &Labels) -> bool {
    selector.match_labels.as_ref().is_none_or(|wanted| contains(labels, wanted))
        && list(&selector.match_expressions).iter().all(|requirement| meets(requirement, labels))
}

fn meets(requirement: &LabelSelectorRequirement, labels: &Labels) -> bool {
    let value = labels.get(&requirement.key);
    let listed = value.is_some_and(|value| list(&requirement.values).contains(value));
    match requirement.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => unreachable!("validated: one of the four operators"),
    }
}
