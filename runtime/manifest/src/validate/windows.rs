//! Fields that belong to one operating system: `windowsOptions`, and what a Pod that names its
//! system may not have.

use k8s_openapi::api::core::v1::{
    Container, PodSecurityContext, PodSpec, SecurityContext, WindowsSecurityContextOptions,
};

use super::absent::list;
use super::names;
use crate::field::{Errors, Place};

const MOST_SPEC_KIB: usize = 64;
const MOST_DOMAIN: usize = 256;
const MOST_USER: usize = 104;
const NOT_FOR_WINDOWS: &str = "cannot be set for a windows pod";

pub(super) fn options(
    options: &WindowsSecurityContextOptions,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    if let Some(name) = options.gmsa_credential_spec_name.as_deref() {
        let wrong = names::dns_subdomain(name);
        errors.invalid_each(&at.field("gmsaCredentialSpecName"), name, wrong);
    }
    if let Some(spec) = options.gmsa_credential_spec.as_deref() {
        let at = at.field("gmsaCredentialSpec");
        if spec.is_empty() {
            errors.invalid(&at, spec, "gmsaCredentialSpec cannot be an empty string");
        } else if spec.len() > MOST_SPEC_KIB * 1024 {
            let detail = format!("gmsaCredentialSpec size must be under {MOST_SPEC_KIB} KiB");
            errors.invalid(&at, spec, detail);
        }
    }
    if let Some(name) = options.run_as_user_name.as_deref() {
        let at = at.field("runAsUserName");
        for detail in user_name(name) {
            errors.invalid(&at, name, format!("runAsUserName{detail}"));
        }
    }
}

fn user_name(name: &str) -> Vec<&'static str> {
    if name.is_empty() {
        return vec![" cannot be an empty string"];
    }
    if name.contains(|letter: char| letter.is_ascii_control()) {
        return vec![" cannot contain control characters"];
    }
    let (domain, user) = match name.split_once('\\') {
        Some((_, rest)) if rest.contains('\\') => {
            return vec![" cannot contain more than one backslash"];
        }
        Some((domain, user)) => (Some(domain), user),
        None => (None, name),
    };
    let mut wrong = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= MOST_DOMAIN) {
        wrong.push("'s Domain length must be under 256 characters");
    }
    if domain.is_some_and(|domain| !is_net_bios(domain) && !is_dns(domain)) {
        wrong.push("'s Domain doesn't match the NetBios nor the DNS format");
    }
    if user.is_empty() {
        wrong.push("'s User cannot be empty");
    } else if user.len() > MOST_USER {
        wrong.push("'s User length must not be longer than 104 characters");
    }
    if !user.is_empty() && user.chars().all(|letter| matches!(letter, '.' | ' ')) {
        wrong.push("'s User cannot contain only periods or spaces");
    }
    if user.contains(|letter: char| r#""/\:;|=,+*?<>@[]"#.contains(letter)) {
        wrong.push(r#"'s User cannot contain the following characters: "/\:;|=,+*?<>@[]"#);
    }
    wrong
}

fn is_net_bios(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(|letter: char| r#"\/:*?"<>|"#.contains(letter))
}

fn is_dns(domain: &str) -> bool {
    names::dns_subdomain(&domain.to_ascii_lowercase()).is_empty()
}

/// What the system that `spec.os` names does not have.
pub(super) fn os(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let Some(os) = &spec.os else { return };
    match os.name.as_str() {
        "" => errors.required(&at.field("os").field("name"), ""),
        "linux" => linux(spec, at, errors),
        "windows" => windows(spec, at, errors),
        other => {
            let at = at.field("os");
            // Printed as the object, as Kubernetes prints it, but found at its name.
            errors.unsupported(&at.field("name").unprinted(), other, &["linux", "windows"]);
        }
    }
}

fn linux(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let detail = "windows options cannot be set for a linux pod";
    if spec.security_context.as_ref().is_some_and(|own| own.windows_options.is_some()) {
        errors.forbidden(&at.field("securityContext").field("windowsOptions"), detail);
    }
    each_context(spec, at, |context, at| {
        if context.windows_options.is_some() {
            errors.forbidden(&at.field("windowsOptions"), detail);
        }
    });
}

fn windows(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let own = [
        ("hostUsers", spec.host_users.is_some()),
        ("hostPID", spec.host_pid == Some(true)),
        ("hostIPC", spec.host_ipc == Some(true)),
        ("shareProcessNamespace", spec.share_process_namespace.is_some()),
    ];
    forbid(&own, at, errors);
    if let Some(context) = &spec.security_context {
        pod_context(context, &at.field("securityContext"), errors);
    }
    each_context(spec, at, |context, at| {
        let set = [
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("capabilities", context.capabilities.is_some()),
            ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
            ("privileged", context.privileged.is_some()),
            ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
            ("procMount", context.proc_mount.is_some()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
        ];
        forbid(&set, at, errors);
    });
}

fn pod_context(context: &PodSecurityContext, at: &Place<'_>, errors: &mut Errors) {
    let set = [
        ("appArmorProfile", context.app_armor_profile.is_some()),
        ("seLinuxOptions", context.se_linux_options.is_some()),
        ("seccompProfile", context.seccomp_profile.is_some()),
        ("fsGroup", context.fs_group.is_some()),
        ("fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
        ("sysctls", !list(&context.sysctls).is_empty()),
        ("runAsUser", context.run_as_user.is_some()),
        ("runAsGroup", context.run_as_group.is_some()),
        ("supplementalGroups", context.supplemental_groups.is_some()),
        ("supplementalGroupsPolicy", context.supplemental_groups_policy.is_some()),
        ("seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
    ];
    forbid(&set, at, errors);
}

/// `hostProcess`: all containers of a Pod or none, and only on the host's network.
pub(super) fn host_process(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let own = |options: Option<&WindowsSecurityContextOptions>| options?.host_process;
    let pod = own(spec.security_context.as_ref().and_then(|own| own.windows_options.as_ref()));
    let (mut all, mut with) = (0, 0);
    each_container(spec, at, |container, at| {
        all += 1;
        let context = container.security_context.as_ref();
        let container = own(context.and_then(|own| own.windows_options.as_ref()));
        if let (Some(pod), Some(container)) = (pod, container)
            && pod != container
        {
            let detail =
                format!("pod hostProcess value must be identical if both are specified, was {pod}");
            let at = at.field("securityContext");
            let at = at.field("windowsOptions");
            errors.invalid(&at.field("hostProcess"), container, detail);
        }
        if container.or(pod) == Some(true) {
            with += 1;
        }
    });
    if with == 0 {
        return;
    }
    if with != all {
        let detail = "If pod contains any hostProcess containers then all containers must be \
                      HostProcess containers";
        errors.invalid(at, "", detail);
    }
    if spec.host_network != Some(true) {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.invalid(&at.field("hostNetwork"), false, detail);
    }
}

fn each_context(
    spec: &PodSpec,
    at: &Place<'_>,
    mut visit: impl FnMut(&SecurityContext, &Place<'_>),
) {
    each_container(spec, at, |container, at| {
        if let Some(context) = &container.security_context {
            visit(context, &at.field("securityContext"));
        }
    });
}

/// Ephemeral containers aside: a manifest cannot have any.
pub(super) fn each_container(
    spec: &PodSpec,
    at: &Place<'_>,
    mut visit: impl FnMut(&Container, &Place<'_>),
) {
    let lists = [("initContainers", list(&spec.init_containers)), ("containers", &spec.containers)];
    for (field, containers) in lists {
        let at = at.field(field);
        for (index, container) in containers.iter().enumerate() {
            visit(container, &at.index(index));
        }
    }
}

fn forbid(set: &[(&'static str, bool)], at: &Place<'_>, errors: &mut Errors) {
    for (field, _) in set.iter().filter(|(_, set)| *set) {
        errors.forbidden(&at.field(field), NOT_FOR_WINDOWS);
    }
}
