//! Labels and selectors on one line.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// `a=1,b=2`, or `<none>`.
pub(crate) fn joined(labels: Option<&BTreeMap<String, String>>) -> String {
    let pairs: Vec<String> =
        labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A selector as one would write it behind `-l`.
///
/// Rule: `FormatLabelSelector`.
pub(crate) fn selector(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let mut terms: Vec<(String, String)> =
        equal.map(|term| (term.split('=').next().unwrap_or_default().to_owned(), term)).collect();
    for requirement in selector.match_expressions.iter().flatten() {
        let Some(term) = term(requirement) else { return "<error>".to_owned() };
        terms.push((requirement.key.clone(), term));
    }
    // By key alone: terms with one key stay in their order.
    terms.sort_by(|one, other| one.0.cmp(&other.0));
    let terms: Vec<String> = terms.into_iter().map(|(_, term)| term).collect();
    if terms.is_empty() { "<none>".to_owned() } else { terms.join(",") }
}

fn term(requirement: &LabelSelectorRequirement) -> Option<String> {
    let key = &requirement.key;
    let mut values = requirement.values.clone().unwrap_or_default();
    values.sort();
    let values = values.join(",");
    Some(match requirement.operator.as_str() {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.clone(),
        "DoesNotExist" => format!("!{key}"),
        _ => return None,
    })
}
