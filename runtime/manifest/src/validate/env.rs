//! `env` and `envFrom` of a container, and the references that volumes share with them.

use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, ObjectFieldSelector,
    ResourceFieldSelector,
};

use super::absent::{some_text, text};
use super::{names, paths, quantity};
use crate::downward::split_subscript;
use crate::field::{Errors, Place};
use crate::quantity::Quantity;
use crate::resources;

/// What a variable may show of its Pod, beside single labels and annotations.
const VARIABLE_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// What a file may show of its Pod.
const FILE_FIELDS: [&str; 5] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.labels",
    "metadata.annotations",
];

/// The paths that the API knows at all: any other cannot even be converted.
const KNOWN_FIELDS: [&str; 10] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
];

const BYTE_DIVISORS: [&str; 13] =
    ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// Where a reference to the Pod stands: the two places show different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// In an environment variable.
    Variable,
    /// In a file of a downwardAPI volume.
    File,
}

pub(super) fn env(variables: &[EnvVar], at: &Place<'_>, errors: &mut Errors) {
    for (index, variable) in variables.iter().enumerate() {
        let at = at.index(index);
        let name = variable.name.as_str();
        if name.is_empty() {
            errors.required(&at.field("name"), "");
        } else {
            errors.invalid_each(&at.field("name"), name, names::environment_variable(name));
        }
        if let Some(source) = &variable.value_from {
            value_from(source, text(&variable.value), &at.field("valueFrom"), errors);
        }
    }
}

fn value_from(source: &EnvVarSource, value: &str, at: &Place<'_>, errors: &mut Errors) {
    let mut sources = 0;
    if let Some(selector) = &source.field_ref {
        sources += 1;
        field_ref(selector, Shown::Variable, &at.field("fieldRef"), errors);
    }
    if let Some(selector) = &source.resource_field_ref {
        sources += 1;
        resource_field_ref(selector, Shown::Variable, &at.field("resourceFieldRef"), errors);
    }
    if let Some(selector) = &source.config_map_key_ref {
        sources += 1;
        key_ref(&selector.name, &selector.key, &at.field("configMapKeyRef"), errors);
    }
    if let Some(selector) = &source.secret_key_ref {
        sources += 1;
        key_ref(&selector.name, &selector.key, &at.field("secretKeyRef"), errors);
    }
    if let Some(selector) = &source.file_key_ref {
        sources += 1;
        file_key_ref(selector, &at.field("fileKeyRef"), errors);
    }
    if sources == 0 {
        let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, \
                      `secretKeyRef` or `fileKeyRef`";
        errors.invalid(at, "", detail);
    } else if !value.is_empty() {
        errors.invalid(at, "", "may not be specified when `value` is not empty");
    } else if sources > 1 {
        errors.invalid(at, "", "may not have more than one field specified at a time");
    }
}

pub(super) fn field_ref(
    selector: &ObjectFieldSelector,
    shown: Shown,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let path = selector.field_path.as_str();
    let here = at.field("fieldPath");
    match text(&selector.api_version) {
        "" => return errors.required(&at.field("apiVersion"), ""),
        "v1" => {}
        other => {
            let detail = format!("error converting fieldPath: unsupported pod version: {other}");
            return errors.invalid(&here, path, detail);
        }
    }
    if path.is_empty() {
        return errors.required(&here, "");
    }
    if let Some((map, key)) = split_subscript(path) {
        // Printed as the selector, found at its fieldPath.
        let here = here.unprinted();
        match map {
            "metadata.annotations" => {
                let key = key.to_lowercase();
                errors.invalid_each(&here, &key, names::qualified_name(&key));
            }
            "metadata.labels" => errors.invalid_each(&here, key, names::qualified_name(key)),
            _ => unknown_field(
                &format!("field label does not support subscript: {path}"),
                path,
                at,
                errors,
            ),
        }
        return;
    }
    let allowed: &[&str] = match shown {
        Shown::Variable => &VARIABLE_FIELDS,
        Shown::File => &FILE_FIELDS,
    };
    if allowed.contains(&path) {
        return;
    }
    if KNOWN_FIELDS.contains(&path) || VARIABLE_FIELDS.contains(&path) {
        errors.unsupported(&here, path, allowed);
    } else {
        unknown_field(&format!("field label not supported: {path}"), path, at, errors);
    }
}

fn unknown_field(why: &str, path: &str, at: &Place<'_>, errors: &mut Errors) {
    errors.invalid(&at.field("fieldPath"), path, format!("error converting fieldPath: {why}"));
}

pub(super) fn resource_field_ref(
    selector: &ResourceFieldSelector,
    shown: Shown,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let resource = selector.resource.as_str();
    let huge_pages = ["limits.", "requests."]
        .iter()
        .any(|kind| resource.strip_prefix(kind).is_some_and(resources::is_huge_page));
    if shown == Shown::File && some_text(&selector.container_name).is_none() {
        errors.required(&at.field("containerName"), "");
    } else if resource.is_empty() {
        errors.required(&at.field("resource"), "");
    } else if !RESOURCES.contains(&resource) && !huge_pages {
        errors.unsupported(&at.field("resource"), resource, &RESOURCES);
    }
    let Some(written) = &selector.divisor else {
        return;
    };
    let here = at.field("divisor");
    let Some(divisor) = quantity::parsed(written, &here, errors) else {
        return;
    };
    if divisor.is_zero() {
        return;
    }
    let (divisors, kind): (&[&str], _) = match resource {
        "limits.cpu" | "requests.cpu" => (&["1m", "1"], "cpu"),
        "limits.memory" | "requests.memory" => (&BYTE_DIVISORS, "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => {
            (&BYTE_DIVISORS, "local ephemeral storage")
        }
        _ if huge_pages => (&BYTE_DIVISORS, "hugepages"),
        _ => return,
    };
    let known = divisors.iter().any(|text| text.parse::<Quantity>().ok() == Some(divisor));
    if !known {
        let values = match divisors {
            ["1m", "1"] => "1m and 1".to_owned(),
            more => more.join(", "),
        };
        let detail =
            format!("only divisor's values {values} are supported with the {kind} resource");
        errors.invalid(&here, resource, detail);
    }
}

/// A key of a ConfigMap or a Secret.
fn key_ref(name: &str, key: &str, at: &Place<'_>, errors: &mut Errors) {
    errors.invalid_each(&at.field("name"), name, names::dns_subdomain(name));
    if key.is_empty() {
        errors.required(&at.field("key"), "");
    } else {
        errors.invalid_each(&at.field("key"), key, names::config_map_key(key));
    }
}

fn file_key_ref(selector: &FileKeySelector, at: &Place<'_>, errors: &mut Errors) {
    let FileKeySelector { key, path, volume_name, optional: _ } = selector;
    if key.is_empty() {
        errors.required(&at.field("key"), "");
    } else {
        errors.invalid_each(&at.field("key"), key, names::environment_variable(key));
    }
    if volume_name.is_empty() {
        errors.required(&at.field("volumeName"), "");
    } else {
        errors.invalid_each(&at.field("volumeName"), volume_name, names::dns_label(volume_name));
    }
    if path.is_empty() {
        errors.required(&at.field("path"), "");
    } else {
        paths::no_backsteps(path, &at.field("path"), errors);
    }
}

pub(super) fn env_from(sources: &[EnvFromSource], at: &Place<'_>, errors: &mut Errors) {
    for (index, source) in sources.iter().enumerate() {
        let here = at.index(index);
        if let Some(prefix) = some_text(&source.prefix) {
            let wrong = names::environment_variable(prefix);
            errors.invalid_each(&here.field("prefix"), prefix, wrong);
        }
        let references = [
            ("configMapRef", source.config_map_ref.as_ref().map(|reference| &reference.name)),
            ("secretRef", source.secret_ref.as_ref().map(|reference| &reference.name)),
        ];
        let mut named = 0;
        for (field, name) in references {
            let Some(name) = name else { continue };
            named += 1;
            let at = here.field(field);
            if name.is_empty() {
                errors.required(&at.field("name"), "");
            } else {
                // As upstream, which reads the name as one still to be completed.
                errors.invalid_each(&at.field("name"), name, names::dns_subdomain_prefix(name));
            }
        }
        // Printed without the index, as Kubernetes prints it, but found with it.
        let here = here.unprinted();
        match named {
            0 => errors.invalid(&here, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(&here, "", "may not have more than one field specified at a time"),
        }
    }
}
