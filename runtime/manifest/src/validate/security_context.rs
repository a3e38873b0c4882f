//! `securityContext` of a container and of a Pod.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Sysctl,
};
use serde_json::json;

use super::absent::{list, text};
use super::windows;
use super::{names, paths};
use crate::field::{Errors, Place};
use crate::sysctl::{self, OutOfRange};

const PROFILE_TYPES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
/// `PATH_MAX` without the zero at its end.
const MOST_PROFILE_PATH: usize = 4095;
const MOST_SYSCTL_NAME: usize = 253;

pub(super) fn container(
    context: &SecurityContext,
    host_users: bool,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    user_or_group(context.run_as_user, &at.field("runAsUser"), errors);
    user_or_group(context.run_as_group, &at.field("runAsGroup"), errors);
    if let Some(mount) = context.proc_mount.as_deref() {
        let at = at.field("procMount");
        if !matches!(mount, "Default" | "Unmasked") {
            errors.unsupported(&at, mount, &["Default", "Unmasked"]);
        }
        if mount == "Unmasked" && host_users {
            errors.invalid(&at, mount, "`hostUsers` must be false to use `Unmasked`");
        }
    }
    if let Some(profile) = &context.seccomp_profile {
        seccomp(profile, &at.field("seccompProfile"), errors);
    }
    if context.allow_privilege_escalation == Some(false) {
        let value = || serde_json::to_value(context).unwrap_or_else(|_| json!({}));
        if context.privileged == Some(true) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid(at, value(), detail);
        }
        let added = context.capabilities.as_ref().and_then(|own| own.add.as_ref());
        for capability in added.into_iter().flatten() {
            if capability == "CAP_SYS_ADMIN" {
                let detail = "cannot set `allowPrivilegeEscalation` to false and \
                              `capabilities.Add` CAP_SYS_ADMIN";
                errors.invalid(at, value(), detail);
            }
        }
    }
    if let Some(options) = &context.windows_options {
        windows::options(options, &at.field("windowsOptions"), errors);
    }
    if let Some(profile) = &context.app_armor_profile {
        app_armor(profile, &at.field("appArmorProfile"), errors);
    }
}

pub(super) fn pod(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        // Kubernetes keeps this field in the security context, and prints it there.
        let at = at.field("securityContext").unprinted();
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&at.field("shareProcessNamespace"), true, detail);
    }
    let Some(context) = &spec.security_context else {
        return;
    };
    let at = at.field("securityContext");
    user_or_group(context.fs_group, &at.field("fsGroup"), errors);
    user_or_group(context.run_as_user, &at.field("runAsUser"), errors);
    user_or_group(context.run_as_group, &at.field("runAsGroup"), errors);
    let groups = at.field("supplementalGroups");
    for (index, group) in list(&context.supplemental_groups).iter().enumerate() {
        user_or_group(Some(*group), &groups.index(index), errors);
    }
    sysctls(spec, list(&context.sysctls), &at.field("sysctls"), errors);
    choices(context, &at, errors);
    if let Some(profile) = &context.seccomp_profile {
        seccomp(profile, &at.field("seccompProfile"), errors);
    }
    if let Some(options) = &context.windows_options {
        windows::options(options, &at.field("windowsOptions"), errors);
    }
    if let Some(profile) = &context.app_armor_profile {
        app_armor(profile, &at.field("appArmorProfile"), errors);
    }
}

fn choices(context: &PodSecurityContext, at: &Place<'_>, errors: &mut Errors) {
    let choices: [(&str, &Option<String>, &[&str]); 3] = [
        ("fsGroupChangePolicy", &context.fs_group_change_policy, &["Always", "OnRootMismatch"]),
        ("supplementalGroupsPolicy", &context.supplemental_groups_policy, &["Merge", "Strict"]),
        ("seLinuxChangePolicy", &context.se_linux_change_policy, &["MountOption", "Recursive"]),
    ];
    for (field, choice, known) in choices {
        if let Some(choice) = choice.as_deref().filter(|choice| !known.contains(choice)) {
            errors.unsupported(&at.field(field), choice, known);
        }
    }
}

/// A user or a group of Unix, which is what fits into 32 bits.
pub(super) fn user_or_group(id: Option<i64>, at: &Place<'_>, errors: &mut Errors) {
    if let Some(id) = id.filter(|id| u32::try_from(*id).is_err()) {
        errors.invalid(at, id, names::between(0, u32::MAX));
    }
}

fn sysctls(spec: &PodSpec, sysctls: &[Sysctl], at: &Place<'_>, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for (index, Sysctl { name, value }) in sysctls.iter().enumerate() {
        let item = at.index(index);
        if let Some((_, Err(OutOfRange(range)))) = sysctl::read(name, value) {
            let detail = names::between(*range.start(), *range.end());
            errors.invalid(&item.field("value"), value.as_str(), detail);
        }
        let at = item.field("name");
        if name.is_empty() {
            errors.required(&at, "");
        } else if !is_sysctl(name) {
            let segment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
            let detail = format!(
                "must have at most {MOST_SYSCTL_NAME} characters and match regex \
                 ^({segment}[\\./])*{segment}$"
            );
            errors.invalid(&at, name.as_str(), detail);
        } else if !seen.insert(name) {
            errors.duplicate(&at, name.as_str());
        }
        // Dots and slashes are interchangeable in a name.
        let name_with_dots = name.replace('/', ".");
        let ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."];
        if spec.host_network == Some(true) && name_with_dots.starts_with("net.") {
            errors.invalid(&at, name.as_str(), "may not be specified when 'hostNetwork' is true");
        } else if spec.host_ipc == Some(true)
            && (name_with_dots == "kernel.sem"
                || ipc.iter().any(|prefix| name_with_dots.starts_with(prefix)))
        {
            errors.invalid(&at, name.as_str(), "may not be specified when 'hostIPC' is true");
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let segment = |segment: &str| {
        let bytes = segment.as_bytes();
        bytes.iter().all(|byte| edge(*byte) || b"-_".contains(byte))
            && bytes.first().copied().is_some_and(edge)
            && bytes.last().copied().is_some_and(edge)
    };
    name.len() <= MOST_SYSCTL_NAME && name.split(['.', '/']).all(segment)
}

fn seccomp(profile: &SeccompProfile, at: &Place<'_>, errors: &mut Errors) {
    let kind = profile.type_.as_str();
    if kind.is_empty() {
        errors.required(&at.field("type"), "type is required when seccompProfile is set");
    } else if !PROFILE_TYPES.contains(&kind) {
        errors.unsupported(&at.field("type"), kind, &PROFILE_TYPES);
    }
    let path_at = at.field("localhostProfile");
    match (kind, profile.localhost_profile.as_deref()) {
        ("Localhost", None) => {
            errors.required(&path_at, "must be set when seccomp type is Localhost");
        }
        ("Localhost", Some(path)) => paths::local_descending(path, &path_at, errors),
        (_, None) => {}
        (_, Some(path)) => {
            errors.invalid(&path_at, path, "can only be set when seccomp type is Localhost");
        }
    }
}

fn app_armor(profile: &AppArmorProfile, at: &Place<'_>, errors: &mut Errors) {
    let path_at = at.field("localhostProfile");
    match profile.type_.as_str() {
        "Localhost" => {
            let path = text(&profile.localhost_profile);
            if path.trim().is_empty() && path.trim() == path {
                errors.required(&path_at, "must be set when AppArmor type is Localhost");
            } else if path.trim() != path {
                errors.invalid(&path_at, path, "must not be padded with whitespace");
            }
            if path.len() > MOST_PROFILE_PATH {
                errors.too_long(&path_at, MOST_PROFILE_PATH);
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if let Some(path) = profile.localhost_profile.as_deref() {
                errors.invalid(&path_at, path, "can only be set when AppArmor type is Localhost");
            }
        }
        "" => errors.required(&at.field("type"), "type is required when appArmorProfile is set"),
        other => errors.unsupported(&at.field("type"), other, &PROFILE_TYPES),
    }
}
