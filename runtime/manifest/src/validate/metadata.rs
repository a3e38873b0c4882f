//! `metadata` of any object.
//!
//! Rule: apimachinery's `pkg/api/validation/objectmeta.go`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::absent::{list, some_text};
use super::names;
use crate::field::{Errors, Place};

/// All annotations of an object together may not be larger, keys included.
const MOST_ANNOTATION_BYTES: usize = 256 * 1024;

/// Finalizers that need no domain before their name.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// Of a kind whose names are subdomains of DNS, as most are.
pub(super) fn object_meta(metadata: &ObjectMeta, at: &Place<'_>, errors: &mut Errors) {
    object_meta_named(metadata, names::dns_subdomain, at, errors);
}

/// Of a kind whose names have the form that `form` checks.
pub(super) fn object_meta_named(
    metadata: &ObjectMeta,
    form: fn(&str) -> Vec<String>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let before = errors.len();
    let prefix = some_text(&metadata.generate_name);
    if let Some(prefix) = prefix {
        errors.invalid_each(&at.field("generateName"), prefix, names::prefix(prefix, form));
    }
    let wrong_prefix = prefix.filter(|_| errors.len() > before);
    match some_text(&metadata.name) {
        // Made from it, and wrong with it.
        Some(name) if wrong_prefix.is_some_and(|prefix| name.starts_with(prefix)) => {}
        Some(name) => errors.invalid_each(&at.field("name"), name, form(name)),
        None if prefix.is_some() => {}
        None => errors.required(&at.field("name"), "name or generateName is required"),
    }
    if let Some(namespace) = some_text(&metadata.namespace) {
        errors.invalid_each(&at.field("namespace"), namespace, names::dns_label(namespace));
    }
    if let Some(generation) = metadata.generation.filter(|generation| *generation < 0) {
        errors.invalid(&at.field("generation"), generation, NOT_NEGATIVE);
    }
    labels(metadata.labels.as_ref(), &at.field("labels"), errors);
    annotations(metadata.annotations.as_ref(), &at.field("annotations"), errors);
    owner_references(list(&metadata.owner_references), &at.field("ownerReferences"), errors);
    finalizers(list(&metadata.finalizers), &at.field("finalizers"), errors);
}

/// What is said of a number below 0 where none may be.
pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";

/// Numbers of which none may be below 0.
pub(super) fn not_negative(
    at: &Place<'_>,
    numbers: &[(&'static str, Option<i64>)],
    errors: &mut Errors,
) {
    for (field, number) in numbers {
        if let Some(number) = number.filter(|number| *number < 0) {
            errors.invalid(&at.field(field), number, NOT_NEGATIVE);
        }
    }
}

/// Labels, or anything else of their form, such as a nodeSelector.
pub(super) fn labels(
    labels: Option<&BTreeMap<String, String>>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    for (key, value) in labels.into_iter().flatten() {
        // Printed without the key, as Kubernetes prints it, but found with it.
        let at = at.key(key).unprinted();
        errors.invalid_each(&at, key, names::qualified_name(key));
        errors.invalid_each(&at, value, names::label_value(value));
    }
}

pub(super) fn annotations(
    annotations: Option<&BTreeMap<String, String>>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let mut bytes = 0;
    for (key, value) in annotations.into_iter().flatten() {
        // The rule is that of labels, but for case.
        let wrong = names::qualified_name(&key.to_lowercase());
        errors.invalid_each(&at.key(key).unprinted(), key, wrong);
        bytes += key.len() + value.len();
    }
    if bytes > MOST_ANNOTATION_BYTES {
        errors.too_long(at, MOST_ANNOTATION_BYTES);
    }
}

fn owner_references(references: &[OwnerReference], at: &Place<'_>, errors: &mut Errors) {
    let mut controller: Option<String> = None;
    for (index, reference) in references.iter().enumerate() {
        let here = at.index(index);
        let OwnerReference { api_version, kind, name, uid, .. } = reference;
        if api_version.rsplit('/').next().unwrap_or_default().is_empty() {
            let detail = "version must not be empty";
            errors.invalid(&here.field("apiVersion"), api_version.as_str(), detail);
        }
        let texts = [("kind", kind), ("name", name), ("uid", uid)];
        for (field, text) in texts {
            if text.is_empty() {
                errors.invalid(&here.field(field), text.as_str(), "must not be empty");
            }
        }
        if api_version == "v1" && kind == "Event" {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            errors.invalid(&here, kind.as_str(), detail);
        }
        if reference.controller == Some(true) {
            let this = format!("{kind}/{name}");
            match &controller {
                Some(first) => {
                    let detail = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in \
                         references for {first} and {this}"
                    );
                    errors.invalid(&here.unprinted(), this.as_str(), detail);
                }
                None => controller = Some(this),
            }
        }
    }
}

fn finalizers(finalizers: &[String], at: &Place<'_>, errors: &mut Errors) {
    for (index, finalizer) in finalizers.iter().enumerate() {
        let here = at.index(index);
        errors.invalid_each(&here.unprinted(), finalizer, names::qualified_name(finalizer));
        if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer.as_str()) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&here, finalizer.as_str(), detail);
        }
    }
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.invalid(at, finalizers.to_vec(), detail);
    }
}
