//! Whether a container that has ended starts again.
//!
//! The back-off decides when; the Pod's end decides that nothing does. Here is the rule alone:
//!
//! | policy | code 0 | another code |
//! |---|---|---|
//! | Always | yes | yes |
//! | OnFailure | no | yes |
//! | Never | no | no |
//!
//! One that was ended because a probe or the hook for its start had failed counts as a failure.
//! An init container that succeeded is done whatever policy and rules say; a sidecar always starts
//! again. `restartPolicyRules` come before the policy, in order; the first that matches restarts the
//! container, or with it all others of the Pod. A run that was ended for such a restart of all, or
//! because its container has another definition, always starts again.
//!
//! Rule: Pod `spec.restartPolicy` and the container fields of the same names; KEP-5532 for the
//! restart of all containers.

use super::exit::{Exit, ExitReason};
use super::spec::{
    ContainerSpec, ExitCodeOperator, RestartAction, RestartPolicy, RestartRule, Role,
};

/// Whether `container` should run again after it ended with `exit`.
pub fn restarts(container: &ContainerSpec, exit: &Exit) -> bool {
    if exit.makes_way || exit.reason == ExitReason::RestartingAllContainers {
        return true;
    }
    if container.role == Role::Init && exit.is_success() {
        return false;
    }
    if matching_action(container, exit).is_some() {
        return true;
    }
    match container.restart_policy {
        RestartPolicy::Always => true,
        RestartPolicy::OnFailure => exit.unwell || !exit.is_success(),
        RestartPolicy::Never => false,
    }
}

/// Whether all containers of the Pod should run again after `container` ended with `exit`.
pub fn restarts_all(container: &ContainerSpec, exit: &Exit) -> bool {
    matching_action(container, exit) == Some(RestartAction::RestartAllContainers)
}

fn matching_action(container: &ContainerSpec, exit: &Exit) -> Option<RestartAction> {
    container.restart_rules.iter().find(|rule| rule_matches(rule, exit)).map(|rule| rule.action)
}

fn rule_matches(rule: &RestartRule, exit: &Exit) -> bool {
    let listed = rule.codes.contains(&i32::from(exit.code));
    match rule.operator {
        ExitCodeOperator::In => listed,
        ExitCodeOperator::NotIn => !listed,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ResourceRequirements;

    use super::*;

    fn container(role: Role, restart_policy: RestartPolicy) -> ContainerSpec {
        ContainerSpec {
            name: "c".to_owned(),
            image: "c.wasm".to_owned(),
            role,
            restart_policy,
            restart_rules: Vec::new(),
            probes: Vec::new(),
            post_start: false,
            pre_stop: false,
            resources: ResourceRequirements::default(),
        }
    }

    #[test]
    fn the_matrix_of_policy_role_and_code() {
        use RestartPolicy::{Always, Never, OnFailure};
        let table = [
            (Role::App, Always, true, true),
            (Role::App, OnFailure, false, true),
            (Role::App, Never, false, false),
            (Role::Init, Always, false, true),
            (Role::Init, OnFailure, false, true),
            (Role::Init, Never, false, false),
            (Role::Sidecar, Always, true, true),
        ];
        for (role, policy, after_success, after_failure) in table {
            let container = container(role, policy);
            assert_eq!(restarts(&container, &Exit::completed()), after_success, "{container:?}");
            for failure in [
                Exit::with_code(1),
                Exit::out_of_memory("limit"),
                Exit::killed(),
                Exit::start_error("no such import"),
            ] {
                assert_eq!(restarts(&container, &failure), after_failure, "{container:?}");
            }
        }
    }

    #[test]
    fn who_is_ended_for_a_failed_probe_has_failed_whatever_its_code() {
        let exit = Exit { unwell: true, ..Exit::completed() };
        for (policy, again) in [
            (RestartPolicy::Always, true),
            (RestartPolicy::OnFailure, true),
            (RestartPolicy::Never, false),
        ] {
            assert_eq!(restarts(&container(Role::App, policy), &exit), again, "{policy:?}");
        }
    }

    #[test]
    fn rules_come_before_the_policy() {
        let mut container = container(Role::App, RestartPolicy::Never);
        let rule = |action, operator, code| RestartRule { action, operator, codes: vec![code] };
        container.restart_rules = vec![rule(RestartAction::Restart, ExitCodeOperator::In, 42)];
        assert!(restarts(&container, &Exit::with_code(42)));
        assert!(!restarts_all(&container, &Exit::with_code(42)));
        assert!(!restarts(&container, &Exit::with_code(1)));

        container.restart_rules = vec![rule(RestartAction::Restart, ExitCodeOperator::NotIn, 1)];
        assert!(restarts(&container, &Exit::with_code(2)));
        assert!(restarts(&container, &Exit::completed()));
        assert!(!restarts(&container, &Exit::with_code(1)));
    }

    #[test]
    fn an_init_container_that_succeeded_is_done_whatever_its_rules_say() {
        let mut container = container(Role::Init, RestartPolicy::Never);
        container.restart_rules = vec![RestartRule {
            action: RestartAction::Restart,
            operator: ExitCodeOperator::NotIn,
            codes: vec![1],
        }];
        assert!(!restarts(&container, &Exit::completed()));
        assert!(restarts(&container, &Exit::with_code(2)));
        assert!(!restarts(&container, &Exit::with_code(1)));
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let rule = |action, code| RestartRule {
            action,
            operator: ExitCodeOperator::In,
            codes: vec![code],
        };
        let mut container = container(Role::App, RestartPolicy::Never);
        container.restart_rules = vec![
            rule(RestartAction::Restart, 1),
            rule(RestartAction::RestartAllContainers, 1),
            rule(RestartAction::RestartAllContainers, 2),
        ];
        assert!(!restarts_all(&container, &Exit::with_code(1)));
        assert!(restarts_all(&container, &Exit::with_code(2)));
        assert!(restarts(&container, &Exit::with_code(2)));
        assert!(!restarts(&container, &Exit::with_code(3)));
        assert!(restarts(&container, &Exit::restarting_all()));
    }
}
