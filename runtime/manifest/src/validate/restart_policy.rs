//! `restartPolicy` of the Pod, and `restartPolicy` with its rules of one container.

use k8s_openapi::api::core::v1::{Container, ContainerRestartRule};

use super::absent::{list, some_text};
use crate::field::{Errors, Place};

const POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];
const MOST_RULES: usize = 20;
const MOST_EXIT_CODES: usize = 255;

pub(super) fn pod(policy: &str, at: &Place<'_>, errors: &mut Errors) {
    if policy.is_empty() {
        errors.required(at, "");
    } else if !POLICIES.contains(&policy) {
        errors.unsupported(at, policy, &POLICIES);
    }
}

/// Of an app or init container, at `at`. A sidecar may have rules too: it restarts in any case, but
/// a rule of it can restart the whole Pod.
pub(super) fn container(container: &Container, at: &Place<'_>, errors: &mut Errors) {
    let rules = list(&container.restart_policy_rules);
    let policy_at = at.field("restartPolicy");
    match some_text(&container.restart_policy) {
        None if rules.is_empty() => return,
        None => {
            errors.required(&policy_at, "must specify restartPolicy when restart rules are used")
        }
        Some(policy) if !POLICIES.contains(&policy) => {
            errors.unsupported(&policy_at, policy, &POLICIES);
        }
        Some(_) => {}
    }
    let rules_at = at.field("restartPolicyRules");
    if rules.len() > MOST_RULES {
        errors.too_many(&rules_at, rules.len(), MOST_RULES);
    }
    for (index, rule) in rules.iter().enumerate() {
        self::rule(rule, &rules_at.index(index), errors);
    }
}

pub(super) fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn rule(rule: &ContainerRestartRule, at: &Place<'_>, errors: &mut Errors) {
    if !matches!(rule.action.as_str(), "Restart" | "RestartAllContainers") {
        let known = &["Restart", "RestartAllContainers"];
        errors.unsupported(&at.field("action"), &rule.action, known);
    }
    let at = at.field("exitCodes");
    let Some(exit_codes) = &rule.exit_codes else {
        return errors.required(&at, "must be specified");
    };
    if !matches!(exit_codes.operator.as_str(), "In" | "NotIn") {
        errors.unsupported(&at.field("operator"), &exit_codes.operator, &["In", "NotIn"]);
    }
    let values = list(&exit_codes.values);
    if values.len() > MOST_EXIT_CODES {
        errors.too_many(&at.field("values"), values.len(), MOST_EXIT_CODES);
    }
}
