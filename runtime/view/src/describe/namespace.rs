//! A Namespace. There are no quotas and no limit ranges to tell of.

use k8s_openapi::api::core::v1::Namespace;

use super::metadata;
use super::sheet::Sheet;
use super::surroundings::Surroundings;

pub(super) fn describe(sheet: &mut Sheet, namespace: &Namespace, around: &Surroundings) {
    sheet.field(0, "Name", namespace.metadata.name.as_deref().unwrap_or_default());
    metadata::labels(sheet, "Labels", &namespace.metadata.labels);
    metadata::annotations(sheet, &namespace.metadata.annotations);
    let status = namespace.status.clone().unwrap_or_default();
    sheet.field(0, "Status", status.phase.unwrap_or_default());
    let conditions = status.conditions.unwrap_or_default();
    if !conditions.is_empty() {
        sheet.write(0, "Conditions:\n");
        sheet.write(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage\n");
        sheet.write(1, "----\t------\t------------------\t------\t-------\n");
    }
    for condition in conditions {
        let cells = [
            condition.type_,
            condition.status,
            around.date(condition.last_transition_time.as_ref()),
            condition.reason.unwrap_or_default(),
            condition.message.unwrap_or_default(),
        ];
        sheet.write(1, cells.join("\t") + "\n");
    }
}
