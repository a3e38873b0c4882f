//! What is a Job's or a CronJob's own, besides metadata and template.
//!
//! Rule: `pkg/apis/batch/validation`. Left alone: how a Job counts failures and successes
//! (`podFailurePolicy`, `successPolicy`), and whether a time zone exists.

use k8s_openapi::api::batch::v1::{CronJobSpec, JobSpec};

use super::absent::some_text;
use super::metadata::not_negative;
use super::schedule;
use crate::field::{Errors, FieldError, Place};

const COMPLETION_MODES: [&str; 2] = ["Indexed", "NonIndexed"];
const POD_REPLACEMENT_POLICIES: [&str; 2] = ["Failed", "TerminatingOrFailed"];
const CONCURRENCY_POLICIES: [&str; 3] = ["Allow", "Forbid", "Replace"];

/// Every rule that a Job breaks by what is its own.
pub(crate) fn job(spec: &JobSpec) -> Vec<FieldError> {
    let mut errors = Errors::default();
    self::spec(spec, &Place::top("spec"), &mut errors);
    errors.into_vec()
}

/// Every rule that a CronJob breaks by what is its own, that of its Jobs included.
pub(crate) fn cron_job(spec: &CronJobSpec) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let at = Place::top("spec");
    let schedule_at = at.field("schedule");
    match spec.schedule.as_str() {
        "" => errors.required(&schedule_at, ""),
        schedule => {
            let wrong = schedule::wrong(schedule);
            errors.invalid_each(&schedule_at, schedule, wrong.into_iter().collect());
        }
    }
    let seconds = spec.starting_deadline_seconds;
    not_negative(&at, &[("startingDeadlineSeconds", seconds)], &mut errors);
    if let Some(policy) = some_text(&spec.concurrency_policy)
        && !CONCURRENCY_POLICIES.contains(&policy)
    {
        errors.unsupported(&at.field("concurrencyPolicy"), policy, &CONCURRENCY_POLICIES);
    }
    let limits = [
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit.map(i64::from)),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit.map(i64::from)),
    ];
    not_negative(&at, &limits, &mut errors);
    if let Some(job) = &spec.job_template.spec {
        let at = at.field("jobTemplate");
        self::spec(job, &at.field("spec"), &mut errors);
    }
    errors.into_vec()
}

fn spec(spec: &JobSpec, at: &Place<'_>, errors: &mut Errors) {
    let numbers = [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ];
    not_negative(at, &numbers, errors);
    match spec.completion_mode.as_deref() {
        None | Some("NonIndexed") => {}
        // With neither of the two, both are 1 by default.
        Some("Indexed") if spec.completions.is_none() && spec.parallelism.is_some() => {
            errors.required(&at.field("completions"), "when completion mode is Indexed");
        }
        Some("Indexed") => {}
        Some(mode) => errors.unsupported(&at.field("completionMode"), mode, &COMPLETION_MODES),
    }
    if let Some(policy) = spec.pod_replacement_policy.as_deref()
        && !POD_REPLACEMENT_POLICIES.contains(&policy)
    {
        errors.unsupported(&at.field("podReplacementPolicy"), policy, &POD_REPLACEMENT_POLICIES);
    }
}
