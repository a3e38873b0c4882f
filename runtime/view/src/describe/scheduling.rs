//! Tolerations, taints and the spread over nodes.

use k8s_openapi::api::core::v1::{Taint, Toleration, TopologySpreadConstraint};

use super::metadata;
use super::sheet::Sheet;
use crate::labels;

pub(super) fn tolerations(sheet: &mut Sheet, tolerations: &[Toleration]) {
    let mut tolerations: Vec<&Toleration> = tolerations.iter().collect();
    tolerations.sort_by_key(|toleration| toleration.key.as_deref().unwrap_or_default());
    let lines: Vec<String> = tolerations.into_iter().map(toleration).collect();
    metadata::list(sheet, "Tolerations", &lines);
}

fn toleration(toleration: &Toleration) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut line = text(&toleration.key);
    let value = text(&toleration.value);
    if !value.is_empty() {
        line += &format!("={value}");
    }
    let effect = text(&toleration.effect);
    if !effect.is_empty() {
        line += &format!(":{effect}");
    }
    if toleration.operator.as_deref() == Some("Exists") && value.is_empty() {
        line += if line.is_empty() { "op=Exists" } else { " op=Exists" };
    }
    if let Some(seconds) = toleration.toleration_seconds {
        line += &format!(" for {seconds}s");
    }
    line
}

pub(super) fn taints(sheet: &mut Sheet, taints: &[Taint]) {
    let mut taints: Vec<&Taint> = taints.iter().collect();
    taints.sort_by_key(|taint| format!("{},{}", taint.effect, taint.key));
    let lines: Vec<String> = taints.into_iter().map(taint).collect();
    metadata::list(sheet, "Taints", &lines);
}

fn taint(taint: &Taint) -> String {
    let value = taint.value.as_deref().unwrap_or_default();
    match (taint.effect.is_empty(), value.is_empty()) {
        (true, true) => taint.key.clone(),
        (true, false) => format!("{}={value}:", taint.key),
        (false, true) => format!("{}:{}", taint.key, taint.effect),
        (false, false) => format!("{}={value}:{}", taint.key, taint.effect),
    }
}

pub(super) fn spread(sheet: &mut Sheet, constraints: &[TopologySpreadConstraint]) {
    if constraints.is_empty() {
        return;
    }
    let mut constraints: Vec<&TopologySpreadConstraint> = constraints.iter().collect();
    constraints.sort_by_key(|constraint| &constraint.topology_key);
    let line = |constraint: &TopologySpreadConstraint| {
        let selector = constraint.label_selector.as_ref();
        let selector = selector.map(|it| format!(" for selector {}", labels::selector(it)));
        format!(
            "{}:{} when max skew {} is exceeded{}",
            constraint.topology_key,
            constraint.when_unsatisfiable,
            constraint.max_skew,
            selector.unwrap_or_default()
        )
    };
    let lines: Vec<String> = constraints.into_iter().map(line).collect();
    metadata::list(sheet, "Topology Spread Constraints", &lines);
}
