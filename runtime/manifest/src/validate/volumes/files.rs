//! Volumes made of files that Kubernetes writes: configMap, secret, downwardAPI.

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, DownwardAPIVolumeFile, DownwardAPIVolumeSource, KeyToPath,
    SecretVolumeSource,
};

use super::super::absent::{list, text};
use super::super::env::{self, Shown};
use super::super::{paths, security_context};
use crate::field::{Errors, Place};

const MOST_FILE_MODE: i32 = 0o777;

pub(super) fn config_map(source: &ConfigMapVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    if source.name.is_empty() {
        errors.required(&at.field("name"), "");
    }
    mode(source.default_mode, &at.field("defaultMode"), errors);
    user(source.default_user, &at.field("defaultUser"), errors);
    items(list(&source.items), &at.field("items"), errors);
}

pub(super) fn secret(source: &SecretVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    if text(&source.secret_name).is_empty() {
        errors.required(&at.field("secretName"), "");
    }
    mode(source.default_mode, &at.field("defaultMode"), errors);
    user(source.default_user, &at.field("defaultUser"), errors);
    items(list(&source.items), &at.field("items"), errors);
}

pub(super) fn downward_api(source: &DownwardAPIVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    mode(source.default_mode, &at.field("defaultMode"), errors);
    user(source.default_user, &at.field("defaultUser"), errors);
    downward_files(list(&source.items), at, errors);
}

/// `at` is the owner of `items`.
pub(super) fn downward_files(files: &[DownwardAPIVolumeFile], at: &Place<'_>, errors: &mut Errors) {
    // Printed without the items, as Kubernetes prints it, but found among them.
    let at = at.field("items").unprinted();
    for (index, file) in files.iter().enumerate() {
        downward_file(file, &at.index(index).unprinted(), errors);
    }
}

fn downward_file(file: &DownwardAPIVolumeFile, at: &Place<'_>, errors: &mut Errors) {
    if file.path.is_empty() {
        errors.required(&at.field("path"), "");
    }
    paths::local_non_reserved(&file.path, &at.field("path"), errors);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(selector), other) => {
            env::field_ref(selector, Shown::File, &at.field("fieldRef"), errors);
            if other.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.invalid(at, "resource", detail);
            }
        }
        (None, Some(selector)) => {
            env::resource_field_ref(selector, Shown::File, &at.field("resourceFieldRef"), errors);
        }
        (None, None) => {
            errors.required(at, "one of fieldRef and resourceFieldRef is required");
        }
    }
    mode(file.mode, &at.field("mode"), errors);
    user(file.user, &at.field("user"), errors);
}

pub(super) fn items(items: &[KeyToPath], at: &Place<'_>, errors: &mut Errors) {
    for (index, item) in items.iter().enumerate() {
        let at = at.index(index);
        if item.key.is_empty() {
            errors.required(&at.field("key"), "");
        }
        if item.path.is_empty() {
            errors.required(&at.field("path"), "");
        }
        paths::local_non_reserved(&item.path, &at.field("path"), errors);
        mode(item.mode, &at.field("mode"), errors);
        user(item.user, &at.field("user"), errors);
    }
}

pub(super) fn mode(mode: Option<i32>, at: &Place<'_>, errors: &mut Errors) {
    if let Some(mode) = mode.filter(|mode| !(0..=MOST_FILE_MODE).contains(mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.invalid(at, mode, detail);
        // Octal digits without the zero before them, or where that zero means nothing, as in JSON.
        if let Ok(meant) = i32::from_str_radix(&mode.to_string(), 8)
            && mode >= 600
            && meant <= MOST_FILE_MODE
        {
            errors.hint(format!("did you mean 0{mode}? In decimal that is {meant}"));
        }
    }
}

pub(super) fn user(user: Option<i64>, at: &Place<'_>, errors: &mut Errors) {
    security_context::user_or_group(user, at, errors);
}
