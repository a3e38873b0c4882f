//! `livenessProbe`, `readinessProbe` and `startupProbe`.

use k8s_openapi::api::core::v1::{Container, Probe};

use super::handler::handler;
use super::metadata::NOT_NEGATIVE;
use crate::field::{Errors, Place};

/// All three probes of a container that may have them.
///
/// `grace_period` is the Pod's, in seconds.
pub(super) fn probes(
    container: &Container,
    grace_period: Option<i64>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    if let Some(probe) = &container.liveness_probe {
        let at = at.field("livenessProbe");
        common(probe, grace_period, &at, errors);
        one_success(probe, &at, errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let at = at.field("readinessProbe");
        common(probe, grace_period, &at, errors);
        if let Some(seconds) = probe.termination_grace_period_seconds {
            let detail = "must not be set for readinessProbes";
            errors.invalid(&at.field("terminationGracePeriodSeconds"), seconds, detail);
        }
    }
    if let Some(probe) = &container.startup_probe {
        let at = at.field("startupProbe");
        common(probe, grace_period, &at, errors);
        one_success(probe, &at, errors);
    }
}

fn common(probe: &Probe, grace_period: Option<i64>, at: &Place<'_>, errors: &mut Errors) {
    handler(probe.into(), grace_period, at, errors);
    let numbers = [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ];
    for (field, number) in numbers {
        if let Some(number) = number.filter(|number| *number < 0) {
            errors.invalid(&at.field(field), number, NOT_NEGATIVE);
        }
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|seconds| *seconds <= 0) {
        let at = at.field("terminationGracePeriodSeconds");
        errors.invalid(&at, seconds, "must be greater than 0");
    }
}

/// A probe that restarts its container has nothing to count up.
fn one_success(probe: &Probe, at: &Place<'_>, errors: &mut Errors) {
    let threshold = probe.success_threshold.unwrap_or(1);
    if threshold != 1 {
        errors.invalid(&at.field("successThreshold"), threshold, "must be 1");
    }
}
