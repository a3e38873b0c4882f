//! Limits and requests.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::sheet::Sheet;
use crate::quantity::canonical;

pub(super) fn limits_and_requests(
    sheet: &mut Sheet,
    level: usize,
    resources: &ResourceRequirements,
) {
    amounts(sheet, level, "Limits", &resources.limits);
    amounts(sheet, level, "Requests", &resources.requests);
}

fn amounts(
    sheet: &mut Sheet,
    level: usize,
    title: &str,
    amounts: &Option<BTreeMap<String, Quantity>>,
) {
    let amounts: Vec<_> = amounts.iter().flatten().collect();
    if !amounts.is_empty() {
        sheet.write(level, format!("{title}:\n"));
    }
    for (name, quantity) in amounts {
        sheet.field(level + 1, name, canonical(quantity));
    }
}
