//! Label selectors, as affinity, spreading and claims use them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::absent::list;
use super::{metadata, names};
use crate::field::{Errors, Place};

pub(super) fn label_selector(
    selector: Option<&LabelSelector>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let Some(selector) = selector else { return };
    metadata::labels(selector.match_labels.as_ref(), &at.field("matchLabels"), errors);
    let expressions = at.field("matchExpressions");
    for (index, requirement) in list(&selector.match_expressions).iter().enumerate() {
        let at = expressions.index(index);
        let values = list(&requirement.values);
        match requirement.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => {
                let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.required(&at.field("values"), detail);
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.forbidden(&at.field("values"), detail);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.invalid(&at.field("operator"), other, "not a valid selector operator"),
        }
        let key = &requirement.key;
        errors.invalid_each(&at.field("key"), key, names::qualified_name(key));
        for (index, value) in values.iter().enumerate() {
            let wrong = names::label_value(value);
            errors.invalid_each(&at.field("values").index(index), value, wrong);
        }
    }
}
