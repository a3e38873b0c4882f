//! A PersistentVolumeClaim, by itself or as the template of an ephemeral volume.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate,
};

use super::absent::{list, some_text, text};
use super::label_selector::label_selector;
use super::{metadata, names, quantity};
use crate::field::{Errors, FieldError, Place};

const ACCESS_MODES: [&str; 4] =
    ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];

/// Every rule that `claim` breaks.
pub fn persistent_volume_claim(claim: &PersistentVolumeClaim) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&claim.metadata, &Place::top("metadata"), &mut errors);
    let empty = PersistentVolumeClaimSpec::default();
    spec(claim.spec.as_ref().unwrap_or(&empty), &Place::top("spec"), &mut errors);
    errors.into_vec()
}

pub(super) fn template(
    template: &PersistentVolumeClaimTemplate,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    if let Some(own) = &template.metadata {
        let at = at.field("metadata");
        metadata::annotations(own.annotations.as_ref(), &at.field("annotations"), errors);
        metadata::labels(own.labels.as_ref(), &at.field("labels"), errors);
        let set = [
            ("name", own.name.is_some()),
            ("generateName", own.generate_name.is_some()),
            ("namespace", own.namespace.is_some()),
            ("uid", own.uid.is_some()),
            ("finalizers", own.finalizers.is_some()),
            ("ownerReferences", own.owner_references.is_some()),
        ];
        for (field, _) in set.iter().filter(|(_, set)| *set) {
            errors.forbidden(&at.field(field), "cannot be set");
        }
    }
    spec(&template.spec, &at.field("spec"), errors);
}

fn spec(spec: &PersistentVolumeClaimSpec, at: &Place<'_>, errors: &mut Errors) {
    access_modes(list(&spec.access_modes), &at.field("accessModes"), errors);
    label_selector(spec.selector.as_ref(), &at.field("selector"), errors);
    storage(spec, &at.field("resources"), errors);
    let classes = [
        ("storageClassName", some_text(&spec.storage_class_name)),
        ("volumeAttributesClassName", some_text(&spec.volume_attributes_class_name)),
    ];
    for (field, name) in classes {
        if let Some(name) = name {
            errors.invalid_each(&at.field(field), name, names::dns_subdomain(name));
        }
    }
    if let Some(mode) = spec.volume_mode.as_deref().filter(|mode| !VOLUME_MODES.contains(mode)) {
        errors.unsupported(&at.field("volumeMode"), mode, &VOLUME_MODES);
    }
    data_sources(spec, at, errors);
}

fn access_modes(modes: &[String], at: &Place<'_>, errors: &mut Errors) {
    if modes.is_empty() {
        errors.required(at, "at least 1 access mode is required");
    }
    for (index, mode) in modes.iter().enumerate() {
        if !ACCESS_MODES.contains(&mode.as_str()) {
            // Printed without the index, as Kubernetes prints it, but found with it.
            errors.unsupported(&at.index(index).unprinted(), mode, &ACCESS_MODES);
        }
    }
    let alone = |mode: &String| mode == "ReadWriteOncePod";
    let other = |mode: &String| !alone(mode) && ACCESS_MODES.contains(&mode.as_str());
    if modes.iter().any(alone) && modes.iter().any(other) {
        errors.forbidden(at, "may not use ReadWriteOncePod with other access modes");
    }
}

fn storage(spec: &PersistentVolumeClaimSpec, at: &Place<'_>, errors: &mut Errors) {
    let requests = spec.resources.as_ref().and_then(|own| own.requests.as_ref());
    let here = at.field("requests").unprinted();
    let here = here.key("storage");
    let Some(written) = requests.and_then(|requests| requests.get("storage")) else {
        return errors.required(&here, "");
    };
    let Some(amount) = quantity::parsed(written, &here, errors) else {
        return;
    };
    if amount.is_negative() || amount.is_zero() {
        errors.invalid(&here, amount.to_string(), "must be greater than zero");
    }
}

fn data_sources(spec: &PersistentVolumeClaimSpec, at: &Place<'_>, errors: &mut Errors) {
    if let Some(source) = &spec.data_source {
        let at = at.field("dataSource");
        data_source(&source.name, &source.kind, text(&source.api_group), &at, errors);
    }
    let Some(reference) = &spec.data_source_ref else {
        return;
    };
    let reference_at = at.field("dataSourceRef");
    let group = text(&reference.api_group);
    data_source(&reference.name, &reference.kind, group, &reference_at, errors);
    let namespace = some_text(&reference.namespace);
    if let Some(namespace) = namespace {
        let wrong = names::dns_label(namespace);
        errors.invalid_each(&reference_at.field("namespace"), namespace, wrong);
    }
    let Some(source) = &spec.data_source else {
        return;
    };
    let same = source.api_group == reference.api_group
        && source.kind == reference.kind
        && source.name == reference.name;
    // Printed as the spec, as Kubernetes prints it, but found at the source.
    let source_at = at.field("dataSource").unprinted();
    if namespace.is_some() {
        let detail = "may not be specified when dataSourceRef.namespace is specified";
        errors.invalid(&source_at, "spec.dataSource", detail);
    } else if !same {
        errors.invalid(&source_at, "spec.dataSource", "must match dataSourceRef");
    }
}

fn data_source(name: &str, kind: &str, group: &str, at: &Place<'_>, errors: &mut Errors) {
    if name.is_empty() {
        errors.required(&at.field("name"), "");
    }
    if kind.is_empty() {
        errors.required(&at.field("kind"), "");
    }
    if group.is_empty() {
        if kind != "PersistentVolumeClaim" {
            let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            errors.invalid(at, kind, detail);
        }
    } else {
        errors.invalid_each(&at.field("apiGroup"), group, names::dns_subdomain(group));
    }
}
