//! Annotations that mean something to Kubernetes itself, or to who counts instructions here, and so
//! have rules.

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::absent::some_text;
use super::paths;
use crate::containers;
use crate::field::{Errors, Place};

const MIRROR_POD: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const FUEL: &str = "wasmpod.dev/fuel";
const APP_ARMOR_CONTAINER: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(super) fn of_pod(metadata: &ObjectMeta, spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    for (key, value) in metadata.annotations.iter().flatten() {
        let at = at.key(key);
        if key == MIRROR_POD && some_text(&spec.node_name).is_none() {
            let detail = "must set spec.nodeName if mirror pod annotation is set";
            errors.invalid(&at, value.as_str(), detail);
        }
        if key == DELETION_COST && !is_cost(value) {
            errors.invalid(&at, value.as_str(), "must be a 32bit integer");
        }
        if key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER) {
            seccomp(value, &at, errors);
        }
        if let Some(of) = key.strip_prefix(FUEL) {
            fuel(of, value, spec, &at, errors);
        }
        if let Some(container) = key.strip_prefix(APP_ARMOR_CONTAINER) {
            app_armor(container, value, spec, &at, errors);
        }
    }
}

fn is_cost(value: &str) -> bool {
    let padded = value.starts_with('+') || (value.starts_with('0') && value != "0");
    !padded && value.parse::<i32>().is_ok()
}

/// Of all containers (`of` is empty), or of one (`.web`).
fn fuel(of: &str, value: &str, spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let container = of.strip_prefix('.');
    if container.is_none() && !of.is_empty() {
        return;
    }
    if container.is_some_and(|name| !containers(spec).any(|other| other.name == name)) {
        errors.invalid(at, container.unwrap_or_default(), "container not found");
    }
    let value = value.trim();
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !value.parse::<u64>().is_ok_and(|units| units > 0) {
        errors.invalid(at, value, "must be a number of units of fuel, 1 or more");
    }
}

fn seccomp(profile: &str, at: &Place<'_>, errors: &mut Errors) {
    if matches!(profile, "runtime/default" | "docker/default" | "unconfined") {
        return;
    }
    match profile.strip_prefix("localhost/") {
        Some(path) => paths::local_descending(path, at, errors),
        None => errors.invalid(at, profile, "must be a valid seccomp profile"),
    }
}

fn app_armor(container: &str, profile: &str, spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    if !containers(spec).any(|other| other.name == container) {
        errors.invalid(at, container, "container not found");
    }
    let known = matches!(profile, "" | "runtime/default" | "unconfined");
    if !known && !profile.starts_with("localhost/") {
        let detail = format!("invalid AppArmor profile name: \"{profile}\"");
        errors.invalid(at, profile, detail);
    }
}
