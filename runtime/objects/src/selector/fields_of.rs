//! Of which fields the objects of a kind can be asked.
//!
//! Rule: `AddFieldLabelConversionsFor…` and `…ToSelectableFields` of Kubernetes.

use std::borrow::Cow;

use serde_json::Value;

use super::SelectorError;
use crate::Resource;

const NAMES: [&str; 2] = ["metadata.name", "metadata.namespace"];

const POD: [&str; 9] = [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];

const EVENT: [&str; 11] = [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

/// The field as it is asked for.
///
/// # Errors
/// The kind cannot be asked for it.
pub(super) fn known(resource: Resource, field: &str) -> Result<&'static str, SelectorError> {
    let own: &[&'static str] = match resource.kind {
        "Pod" => &POD,
        "Event" => &EVENT,
        "Secret" => &["type"],
        "Namespace" => &["status.phase"],
        "Node" => &["spec.unschedulable"],
        "Service" => &["spec.clusterIP", "spec.type"],
        _ => &[],
    };
    // The name of old, which clients may still use.
    let asked =
        if resource.kind == "Pod" && field == "spec.host" { "spec.nodeName" } else { field };
    match NAMES.iter().chain(own).find(|known| **known == asked) {
        Some(known) => Ok(known),
        None if own.is_empty() => Err(SelectorError::UnknownField(field.to_owned())),
        None => Err(SelectorError::UnsupportedField(field.to_owned())),
    }
}

/// Where the value of a field comes from.
pub(super) fn looked_at(field: &'static str) -> impl Iterator<Item = &'static str> {
    let (one, other) = match field {
        "status.podIPs" => ("status.podIP", None),
        "source" => ("source.component", Some("reportingComponent")),
        field => (field, None),
    };
    [Some(one), other].into_iter().flatten()
}

/// The field's value; empty where there is none.
pub(super) fn value<'object>(object: &'object Value, field: &str) -> Cow<'object, str> {
    let at = |path: &str| {
        let mut value = object;
        for step in path.split('.') {
            value = value.get(step)?;
        }
        Some(value)
    };
    let text = |path: &str| at(path).and_then(Value::as_str).unwrap_or_default();
    match field {
        "spec.hostNetwork" | "spec.unschedulable" => {
            let set = at(field).and_then(Value::as_bool).unwrap_or_default();
            Cow::Borrowed(if set { "true" } else { "false" })
        }
        // The first one stands for all.
        "status.podIPs" => Cow::Borrowed(text("status.podIP")),
        "reportingComponent" => Cow::Borrowed(text("reportingComponent")),
        "source" => Cow::Borrowed(match text("source.component") {
            "" => text("reportingComponent"),
            component => component,
        }),
        field => Cow::Borrowed(text(field)),
    }
}
