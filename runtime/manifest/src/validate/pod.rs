//! A Pod as a whole: `metadata`, then `spec` field by field.

use k8s_openapi::api::core::v1::{EvictionResponder, Pod, PodResourceClaim, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::absent::{list, some_text, text};
use super::container::Surroundings;
use super::{
    affinity, annotations, containers, dns, metadata, names, ports, resources, restart_policy,
    scheduling, security_context, volumes, windows,
};
use crate::field::{Errors, FieldError, Place};

/// Every rule that `pod` breaks.
///
/// Expects the defaults filled in ([`crate::defaults::apply`]): a field that they set is
/// required here.
pub fn pod(pod: &Pod) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let at = Place::top("metadata");
    metadata::object_meta(&pod.metadata, &at, &mut errors);
    let spec_at = Place::top("spec");
    match &pod.spec {
        Some(spec) => {
            annotations::of_pod(&pod.metadata, spec, &at.field("annotations"), &mut errors);
            self::spec(spec, &pod.metadata, &spec_at, &mut errors);
        }
        None => errors.required(&spec_at.field("containers"), ""),
    }
    errors.into_vec()
}

fn spec(spec: &PodSpec, metadata: &ObjectMeta, at: &Place<'_>, errors: &mut Errors) {
    if spec.termination_grace_period_seconds.is_none() {
        errors.required(&at.field("terminationGracePeriodSeconds"), "");
    }
    let volumes_at = at.field("volumes");
    let mountable = volumes::volumes(list(&spec.volumes), metadata, &volumes_at, errors);
    let claims = list(&spec.resource_claims);
    resource_claims(claims, &at.field("resourceClaims"), errors);

    let surroundings = Surroundings {
        volumes: mountable,
        claims: claims
            .iter()
            .map(|claim| claim.name.as_str())
            .filter(|name| !name.is_empty())
            .collect(),
        grace_period: spec.termination_grace_period_seconds,
        restart_policy: text(&spec.restart_policy),
        os: spec.os.as_ref().map(|os| os.name.as_str()),
        host_users: spec.host_users != Some(false),
    };
    containers::containers(spec, &surroundings, at, errors);
    containers::init_containers(spec, &surroundings, at, errors);
    containers::ephemeral_containers(spec, &surroundings, at, errors);
    resources::pod(spec, &at.field("resources"), errors);

    if spec.host_network == Some(true) {
        ports::host_network(&spec.containers, &at.field("containers"), errors);
    }
    restart_policy::pod(text(&spec.restart_policy), &at.field("restartPolicy"), errors);
    dns::policy(spec, at, errors);
    metadata::labels(spec.node_selector.as_ref(), &at.field("nodeSelector"), errors);
    security_context::pod(spec, at, errors);
    if let Some(affinity) = &spec.affinity {
        affinity::affinity(affinity, &at.field("affinity"), errors);
    }
    dns::config(spec, at, errors);
    scheduling::readiness_gates(list(&spec.readiness_gates), &at.field("readinessGates"), errors);
    scheduling::scheduling_gates(
        list(&spec.scheduling_gates),
        &at.field("schedulingGates"),
        errors,
    );
    scheduling::topology_spread(
        list(&spec.topology_spread_constraints),
        &at.field("topologySpreadConstraints"),
        errors,
    );
    windows::host_process(spec, at, errors);
    host_users(spec, at, errors);
    dns::hostname_override(spec, at, errors);
    references(spec, at, errors);
    if let Some(seconds) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let detail = names::between(1, i32::MAX);
        errors.invalid(&at.field("activeDeadlineSeconds"), seconds, detail);
    }
    dns::hostname(spec, at, errors);
    scheduling::tolerations(list(&spec.tolerations), &at.field("tolerations"), errors);
    dns::host_aliases(list(&spec.host_aliases), &at.field("hostAliases"), errors);
    if let Some(policy) = spec.preemption_policy.as_deref() {
        preemption_policy(policy, &at.field("preemptionPolicy"), errors);
    }
    resources::overhead(spec.overhead.as_ref(), &at.field("overhead"), errors);
    windows::os(spec, at, errors);
    file_key_volumes(spec, at, errors);
    eviction_responders(list(&spec.eviction_responders), &at.field("evictionResponders"), errors);
    if some_text(&spec.node_name).is_some() && !list(&spec.scheduling_gates).is_empty() {
        let detail = "cannot be set until all schedulingGates have been cleared";
        errors.forbidden(&at.field("nodeName"), detail);
    }
    service_account_tokens(spec, &volumes_at, errors);
}

/// Names of other objects.
fn references(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    let names = [
        ("serviceAccountName", some_text(&spec.service_account_name)),
        ("nodeName", some_text(&spec.node_name)),
        ("priorityClassName", some_text(&spec.priority_class_name)),
        ("runtimeClassName", spec.runtime_class_name.as_deref()),
    ];
    for (field, name) in names {
        if let Some(name) = name {
            errors.invalid_each(&at.field(field), name, names::dns_subdomain(name));
        }
    }
    if let Some(group) = &spec.scheduling_group {
        let at = at.field("schedulingGroup");
        let at = at.field("podGroupName");
        match some_text(&group.pod_group_name) {
            Some(name) => errors.invalid_each(&at, name, names::dns_subdomain(name)),
            None => errors.required(&at, ""),
        }
    }
}

fn preemption_policy(policy: &str, at: &Place<'_>, errors: &mut Errors) {
    match policy {
        "PreemptLowerPriority" | "Never" => {}
        "" => errors.required(at, ""),
        other => errors.unsupported(at, other, &["PreemptLowerPriority", "Never"]),
    }
}

/// Users of its own do not go with namespaces of the host.
fn host_users(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    if spec.host_users != Some(false) {
        return;
    }
    let detail = "when `hostUsers` is false";
    let shared = [
        ("hostNetwork", spec.host_network),
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
    ];
    for (field, _) in shared.iter().filter(|(_, shared)| *shared == Some(true)) {
        errors.forbidden(&at.field(field), detail);
    }
    windows::each_container(spec, at, |container, at| {
        if !list(&container.volume_devices).is_empty() {
            errors.forbidden(&at.field("volumeDevices"), detail);
        }
    });
}

fn resource_claims(claims: &[PodResourceClaim], at: &Place<'_>, errors: &mut Errors) {
    let mut seen = std::collections::HashSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let at = at.index(index);
        let name = claim.name.as_str();
        if name.is_empty() {
            errors.required(&at.field("name"), "");
        } else if seen.insert(name) {
            errors.invalid_each(&at.field("name"), name, names::dns_label(name));
        } else {
            errors.duplicate(&at.field("name"), name);
        }
        let (object, template) = (&claim.resource_claim_name, &claim.resource_claim_template_name);
        let value = || serde_json::to_value(claim).unwrap_or_default();
        if object.is_some() && template.is_some() {
            let detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may \
                          be specified";
            errors.invalid(&at, value(), detail);
        }
        if object.is_none() && template.is_none() {
            let detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
            errors.invalid(&at, value(), detail);
        }
        let named = [("resourceClaimName", object), ("resourceClaimTemplateName", template)];
        for (field, name) in named {
            if let Some(name) = name {
                errors.invalid_each(&at.field(field), name, names::dns_subdomain(name));
            }
        }
    }
}

/// A `fileKeyRef` reads what an init container left in an emptyDir, nothing else.
fn file_key_volumes(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    windows::each_container(spec, at, |container, at| {
        let at = at.field("env");
        for (index, variable) in list(&container.env).iter().enumerate() {
            let source = variable.value_from.as_ref();
            let Some(selector) = source.and_then(|source| source.file_key_ref.as_ref()) else {
                continue;
            };
            let name = selector.volume_name.as_str();
            let at = at.index(index);
            let at = at.field("valueFrom");
            let at = at.field("fileKeyRef");
            let at = at.field("volumeName");
            match list(&spec.volumes).iter().find(|volume| volume.name == name) {
                None => errors.not_found(&at, name, ""),
                Some(volume) if volume.empty_dir.is_none() => {
                    errors.invalid(&at, name, "referenced volume must be of type emptyDir");
                }
                Some(_) => {}
            }
        }
    });
}

/// Rules from the field's description: upstream's code was not at hand.
fn eviction_responders(responders: &[EvictionResponder], at: &Place<'_>, errors: &mut Errors) {
    const MOST: usize = 10;
    const MOST_PRIORITY: i32 = 100_000;
    if responders.len() > MOST {
        errors.too_many(at, responders.len(), MOST);
    }
    let mut seen = std::collections::HashSet::new();
    for (index, EvictionResponder { name, priority }) in responders.iter().enumerate() {
        let at = at.index(index);
        let name_at = at.field("name");
        if name.is_empty() {
            errors.required(&name_at, "");
        } else if !name.contains('/') {
            let detail = "must be a domain-prefixed key (such as \"acme.io/foo\")";
            errors.invalid(&name_at, name.as_str(), detail);
        } else {
            errors.invalid_each(&name_at, name, names::qualified_name(name));
        }
        if !seen.insert(name) {
            errors.duplicate(&name_at, name.as_str());
        }
        if !(0..=MOST_PRIORITY).contains(priority) {
            let detail = names::between(0, MOST_PRIORITY);
            errors.invalid(&at.field("priority"), *priority, detail);
        }
    }
}

/// A token belongs to an account.
fn service_account_tokens(spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    if some_text(&spec.service_account_name).is_some() {
        return;
    }
    for (index, volume) in list(&spec.volumes).iter().enumerate() {
        let Some(projected) = &volume.projected else {
            continue;
        };
        let at = at.index(index);
        let at = at.field("projected");
        let at = at.field("sources");
        for (index, source) in list(&projected.sources).iter().enumerate() {
            if source.service_account_token.is_some() {
                let detail = "must not be specified when serviceAccountName is not set";
                errors.forbidden(&at.index(index).field("serviceAccountToken"), detail);
            }
        }
    }
}
