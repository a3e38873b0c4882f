//! What is a workload's own: its metadata, and what its controller reads besides the template.
//!
//! Rules: `pkg/apis/apps/validation` and `pkg/apis/core/validation`. No controller is here to heed
//! any of it, but what every cluster refuses is a slip. A name is told to be wrong where it stands,
//! though some rules are those of the labels and host names that are made of it.

use k8s_openapi::api::apps::v1::{DaemonSetSpec, DeploymentSpec, ReplicaSetSpec, StatefulSetSpec};
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationControllerSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::absent::some_text;
use super::metadata::{NOT_NEGATIVE, not_negative, object_meta};
use super::names;
use crate::field::{Errors, FieldError, Place};
use crate::manifest::WorkloadKind;

/// A CronJob's Jobs have its name, a dash and a time of ten digits.
const MOST_CRON_JOB_NAME: usize = 52;

/// Every rule that the metadata of a workload breaks; `pod_name` is that of its Pod.
pub(crate) fn workload_metadata(
    kind: WorkloadKind,
    metadata: &ObjectMeta,
    pod_name: &str,
) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let at = Place::top("metadata");
    object_meta(metadata, &at, &mut errors);
    let Some(name) = some_text(&metadata.name) else {
        return errors.into_vec();
    };
    if errors.len() > 0 {
        return errors.into_vec();
    }
    let at = at.field("name");
    match kind {
        WorkloadKind::CronJob if name.len() > MOST_CRON_JOB_NAME => {
            errors.invalid(&at, name, names::at_most(MOST_CRON_JOB_NAME));
        }
        WorkloadKind::Job => errors.invalid_each(&at, name, names::label_value(name)),
        // The host name of the Pod, which is longer by its number.
        WorkloadKind::StatefulSet if names::dns_label(name).is_empty() => {
            let suffix = pod_name.len().saturating_sub(name.len());
            if !names::dns_label(pod_name).is_empty() {
                errors.invalid(&at, name, names::at_most(names::MOST_LABEL - suffix));
            }
        }
        WorkloadKind::StatefulSet => errors.invalid_each(&at, name, names::dns_label(name)),
        WorkloadKind::CronJob
        | WorkloadKind::DaemonSet
        | WorkloadKind::Deployment
        | WorkloadKind::PodTemplate
        | WorkloadKind::ReplicaSet
        | WorkloadKind::ReplicationController => {}
    }
    errors.into_vec()
}

pub(crate) fn deployment(spec: &DeploymentSpec) -> Vec<FieldError> {
    /// What is waited for by default.
    const PROGRESS_DEADLINE: i32 = 600;
    let mut errors = Errors::default();
    let at = Place::top("spec");
    let numbers = [
        ("replicas", spec.replicas.map(i64::from)),
        ("minReadySeconds", spec.min_ready_seconds.map(i64::from)),
        ("revisionHistoryLimit", spec.revision_history_limit.map(i64::from)),
        ("progressDeadlineSeconds", spec.progress_deadline_seconds.map(i64::from)),
    ];
    not_negative(&at, &numbers, &mut errors);
    let deadline = spec.progress_deadline_seconds.unwrap_or(PROGRESS_DEADLINE);
    if deadline <= spec.min_ready_seconds.unwrap_or(0) {
        let detail = "must be greater than minReadySeconds";
        errors.invalid(&at.field("progressDeadlineSeconds"), deadline, detail);
    }
    if let Some(strategy) = &spec.strategy {
        let at = at.field("strategy");
        let rolling = strategy.rolling_update.as_ref();
        let rolling_at = at.field("rollingUpdate");
        match some_text(&strategy.type_) {
            Some("Recreate") if rolling.is_some() => {
                let detail = "may not be specified when strategy `type` is 'Recreate'";
                errors.forbidden(&rolling_at, detail);
            }
            Some("Recreate") => {}
            None | Some("RollingUpdate") => {
                let (surge, unavailable) = rolling
                    .map(|rolling| (rolling.max_surge.as_ref(), rolling.max_unavailable.as_ref()))
                    .unwrap_or_default();
                let unavailable_at = rolling_at.field("maxUnavailable");
                amount(unavailable, &unavailable_at, &mut errors);
                amount(surge, &rolling_at.field("maxSurge"), &mut errors);
                if is_zero(unavailable) && is_zero(surge) {
                    let detail = "may not be 0 when `maxSurge` is 0";
                    errors.invalid(&unavailable_at, value(unavailable), detail);
                }
            }
            Some(other) => {
                errors.unsupported(&at.field("type"), other, &["Recreate", "RollingUpdate"]);
            }
        }
    }
    deadline_of_pods(Some(&spec.template), WorkloadKind::ReplicaSet, &at, &mut errors);
    errors.into_vec()
}

pub(crate) fn replica_set(spec: &ReplicaSetSpec) -> Vec<FieldError> {
    replicas(
        spec.replicas,
        spec.min_ready_seconds,
        spec.template.as_ref(),
        WorkloadKind::ReplicaSet,
    )
}

pub(crate) fn replication_controller(spec: &ReplicationControllerSpec) -> Vec<FieldError> {
    let kind = WorkloadKind::ReplicationController;
    replicas(spec.replicas, spec.min_ready_seconds, spec.template.as_ref(), kind)
}

fn replicas(
    replicas: Option<i32>,
    min_ready_seconds: Option<i32>,
    template: Option<&PodTemplateSpec>,
    kind: WorkloadKind,
) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let at = Place::top("spec");
    let numbers = [
        ("replicas", replicas.map(i64::from)),
        ("minReadySeconds", min_ready_seconds.map(i64::from)),
    ];
    not_negative(&at, &numbers, &mut errors);
    deadline_of_pods(template, kind, &at, &mut errors);
    errors.into_vec()
}

pub(crate) fn stateful_set(spec: &StatefulSetSpec) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let at = Place::top("spec");
    if let Some(policy) = some_text(&spec.pod_management_policy)
        && policy != "OrderedReady"
        && policy != "Parallel"
    {
        let detail = "must be 'OrderedReady' or 'Parallel'";
        errors.invalid(&at.field("podManagementPolicy"), policy, detail);
    }
    if let Some(strategy) = &spec.update_strategy {
        let at = at.field("updateStrategy");
        let rolling_at = at.field("rollingUpdate");
        match (some_text(&strategy.type_), &strategy.rolling_update) {
            (None | Some("RollingUpdate"), Some(rolling)) => {
                let partition = rolling.partition.map(i64::from);
                not_negative(&rolling_at, &[("partition", partition)], &mut errors);
                let unavailable = rolling.max_unavailable.as_ref();
                amount(unavailable, &rolling_at.field("maxUnavailable"), &mut errors);
                if is_zero(unavailable) {
                    let at = rolling_at.field("maxUnavailable");
                    errors.invalid(&at, value(unavailable), "cannot be 0");
                }
            }
            (Some("OnDelete"), Some(rolling)) => {
                let value = serde_json::to_value(rolling).unwrap_or_default();
                let detail = "only allowed for updateStrategy 'RollingUpdate'";
                errors.invalid(&rolling_at, value, detail);
            }
            (None | Some("RollingUpdate" | "OnDelete"), None) => {}
            (Some(other), _) => {
                let detail = "must be 'RollingUpdate' or 'OnDelete'";
                errors.invalid(&at, json!({ "type": other }), detail);
            }
        }
    }
    if let Some(policy) = &spec.persistent_volume_claim_retention_policy {
        let at = at.field("persistentVolumeClaimRetentionPolicy");
        let policies = [("whenDeleted", &policy.when_deleted), ("whenScaled", &policy.when_scaled)];
        for (field, policy) in policies {
            if let Some(policy) =
                some_text(policy).filter(|policy| !["Delete", "Retain"].contains(policy))
            {
                errors.unsupported(&at.field(field), policy, &["Delete", "Retain"]);
            }
        }
    }
    let numbers = [
        ("replicas", spec.replicas.map(i64::from)),
        ("minReadySeconds", spec.min_ready_seconds.map(i64::from)),
        ("revisionHistoryLimit", spec.revision_history_limit.map(i64::from)),
    ];
    not_negative(&at, &numbers, &mut errors);
    if let Some(ordinals) = &spec.ordinals {
        let start = ordinals.start.map(i64::from);
        not_negative(&at.field("ordinals"), &[("start", start)], &mut errors);
    }
    deadline_of_pods(Some(&spec.template), WorkloadKind::StatefulSet, &at, &mut errors);
    errors.into_vec()
}

pub(crate) fn daemon_set(spec: &DaemonSetSpec) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let at = Place::top("spec");
    let numbers = [
        ("minReadySeconds", spec.min_ready_seconds.map(i64::from)),
        ("revisionHistoryLimit", spec.revision_history_limit.map(i64::from)),
    ];
    not_negative(&at, &numbers, &mut errors);
    if let Some(strategy) = &spec.update_strategy {
        let at = at.field("updateStrategy");
        match some_text(&strategy.type_) {
            None | Some("RollingUpdate") => {
                let rolling_at = at.field("rollingUpdate");
                if let Some(rolling) = &strategy.rolling_update {
                    let unavailable_at = rolling_at.field("maxUnavailable");
                    amount(rolling.max_unavailable.as_ref(), &unavailable_at, &mut errors);
                    let surge_at = rolling_at.field("maxSurge");
                    amount(rolling.max_surge.as_ref(), &surge_at, &mut errors);
                }
            }
            Some("OnDelete") => {}
            Some(other) => {
                errors.unsupported(&at.field("type"), other, &["OnDelete", "RollingUpdate"]);
            }
        }
    }
    deadline_of_pods(Some(&spec.template), WorkloadKind::DaemonSet, &at, &mut errors);
    errors.into_vec()
}

/// Pods that are kept running have no end.
fn deadline_of_pods(
    template: Option<&PodTemplateSpec>,
    kind: WorkloadKind,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let spec = template.and_then(|template| template.spec.as_ref());
    if spec.is_some_and(|spec| spec.active_deadline_seconds.is_some()) {
        let at = at.field("template");
        let at = at.field("spec");
        let detail = format!("activeDeadlineSeconds in {} is not Supported", kind.as_str());
        errors.forbidden(&at.field("activeDeadlineSeconds"), &detail);
    }
}

/// A number of Pods, or a share of them: `25%`.
fn amount(amount: Option<&IntOrString>, at: &Place<'_>, errors: &mut Errors) {
    match amount {
        Some(IntOrString::Int(number)) if *number < 0 => {
            errors.invalid(at, *number, NOT_NEGATIVE);
        }
        Some(IntOrString::String(text)) => errors.invalid_each(at, text, names::percent(text)),
        None | Some(IntOrString::Int(_)) => {}
    }
}

fn is_zero(amount: Option<&IntOrString>) -> bool {
    match amount {
        Some(IntOrString::Int(number)) => *number == 0,
        Some(IntOrString::String(text)) => {
            text.strip_suffix('%').is_some_and(|share| share.parse() == Ok(0))
        }
        None => false,
    }
}

fn value(amount: Option<&IntOrString>) -> serde_json::Value {
    match amount {
        Some(IntOrString::Int(number)) => (*number).into(),
        Some(IntOrString::String(text)) => text.as_str().into(),
        None => serde_json::Value::Null,
    }
}
