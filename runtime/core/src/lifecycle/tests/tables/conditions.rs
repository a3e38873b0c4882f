//! The conditions: reasons, messages, and when their times move.

use k8s_openapi::api::core::v1::{PodCondition, PodStatus};

use super::Is::{self, Again, Done, New, Starting, Up};
use super::{observed, spec, start, wall};
use crate::lifecycle::{Action, Admission, Event, Observed, Spec, status};

/// The conditions of a status, a line each.
fn describe(status: &PodStatus) -> String {
    let lines = status.conditions.iter().flatten().map(|condition| {
        let mut line = format!("{} {}", condition.type_, condition.status);
        for text in [&condition.reason, &condition.message].into_iter().flatten() {
            line.push_str(": ");
            line.push_str(text);
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn conditions(spec: &Spec, states: &[Is]) -> String {
    describe(&status(spec, &observed(spec, states), None, wall(0)))
}

#[test]
fn conditions_of_a_pod_that_initializes() {
    let spec = spec("Always", 2, 0, 2);
    insta::assert_snapshot!(conditions(&spec, &[Done(0), Up, New, New]), @r"
    PodReadyToStartContainers True
    Initialized False: ContainersNotInitialized: containers with incomplete status: [i1]
    Ready False: ContainersNotReady: containers with unready status: [a0 a1]
    ContainersReady False: ContainersNotReady: containers with unready status: [a0 a1]
    PodScheduled True
    ");
}

#[test]
fn conditions_of_a_pod_that_is_partly_ready() {
    let spec = spec("Always", 1, 1, 3);
    insta::assert_snapshot!(conditions(&spec, &[Done(0), Starting, Up, Again(1), New]), @r"
    PodReadyToStartContainers True
    Initialized True
    Ready False: ContainersNotReady: containers with unready status: [s0 a1 a2]
    ContainersReady False: ContainersNotReady: containers with unready status: [s0 a1 a2]
    PodScheduled True
    ");
}

#[test]
fn conditions_of_a_ready_pod() {
    let spec = spec("Always", 1, 1, 2);
    insta::assert_snapshot!(conditions(&spec, &[Done(0), Up, Up, Up]), @r"
    PodReadyToStartContainers True
    Initialized True
    Ready True
    ContainersReady True
    PodScheduled True
    ");
}

#[test]
fn conditions_of_a_completed_pod() {
    let spec = spec("Never", 1, 0, 1);
    insta::assert_snapshot!(conditions(&spec, &[Done(0), Done(0)]), @r"
    PodReadyToStartContainers True
    Initialized True: PodCompleted
    Ready False: PodCompleted
    ContainersReady False: PodCompleted
    PodScheduled True
    ");
}

#[test]
fn conditions_of_a_failed_pod() {
    let spec = spec("Never", 1, 0, 1);
    insta::assert_snapshot!(conditions(&spec, &[Done(1), New]), @r"
    PodReadyToStartContainers True
    Initialized False: ContainersNotInitialized: containers with incomplete status: [i0]
    Ready False: PodFailed
    ContainersReady False: PodFailed
    PodScheduled True
    ");
}

#[test]
fn conditions_before_there_is_a_sandbox() {
    let spec = spec("Always", 0, 0, 1);
    let observed = Observed::new(&spec, start());
    insta::assert_snapshot!(describe(&status(&spec, &observed, None, wall(0))), @r"
    PodReadyToStartContainers False
    Initialized True
    Ready False: ContainersNotReady: containers with unready status: [a0]
    ContainersReady False: ContainersNotReady: containers with unready status: [a0]
    PodScheduled True
    ");
}

#[test]
fn readiness_gates_ask_for_conditions_that_others_set() {
    let mut spec = spec("Always", 0, 0, 1);
    spec.readiness_gates = vec!["example.com/a".to_owned(), "example.com/b".to_owned()];
    let gate = |type_: &str, status: &str| PodCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        ..PodCondition::default()
    };
    let observed = observed(&spec, &[Up]);
    let with = |gates: Vec<PodCondition>| {
        let before = PodStatus { conditions: Some(gates), ..PodStatus::default() };
        describe(&status(&spec, &observed, Some(&before), wall(0)))
    };
    insta::assert_snapshot!(with(vec![gate("example.com/b", "False")]), @r#"
    example.com/b False
    PodReadyToStartContainers True
    Initialized True
    Ready False: ReadinessGatesNotReady: corresponding condition of pod readiness gate "example.com/a" does not exist., the status of pod readiness gate "example.com/b" is not "True", but False
    ContainersReady True
    PodScheduled True
    "#);
    insta::assert_snapshot!(
        with(vec![gate("example.com/a", "True"), gate("example.com/b", "True")]),
        @r"
    example.com/a True
    example.com/b True
    PodReadyToStartContainers True
    Initialized True
    Ready True
    ContainersReady True
    PodScheduled True
    "
    );
}

#[test]
fn a_condition_keeps_its_time_until_it_flips() {
    let spec = spec("Always", 0, 0, 2);
    let times = |status: &PodStatus| -> Vec<i64> {
        let conditions = status.conditions.iter().flatten();
        conditions.map(|c| c.last_transition_time.as_ref().unwrap().0.as_second()).collect()
    };
    let first = status(&spec, &observed(&spec, &[Up, New]), None, wall(10));
    assert_eq!(times(&first), [10, 10, 10, 10, 10]);
    // Another container is unready: the message changes, the status does not.
    let second = status(&spec, &observed(&spec, &[Again(1), Up]), Some(&first), wall(20));
    assert_ne!(second, first);
    assert_eq!(times(&second), [10, 10, 10, 10, 10]);
    let third = status(&spec, &observed(&spec, &[Up, Up]), Some(&second), wall(30));
    assert_eq!(times(&third), [10, 10, 30, 30, 10]);
    assert_eq!(status(&spec, &observed(&spec, &[Up, Up]), Some(&third), wall(40)), third);
}

#[test]
fn a_pod_without_a_place_says_that_and_nothing_else() {
    let mut spec = spec("Always", 1, 0, 1);
    spec.admission = Admission::Asked;
    let now = start();
    let mut observed = Observed::new(&spec, now);
    let first = status(&spec, &observed, None, wall(0));
    assert_eq!(first.conditions, None);
    observed.begin(&spec, &Action::Schedule { refusal: None }, now);
    let message = "0/1 nodes are available: 1 Insufficient cpu.".to_owned();
    observed.apply(&spec, Event::Unschedulable { message }, now);
    let refused = status(&spec, &observed, Some(&first), wall(5));
    insta::assert_snapshot!(describe(&refused), @"PodScheduled False: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.");
    assert_eq!(refused.phase.as_deref(), Some("Pending"));
    assert_eq!((&refused.start_time, &refused.container_statuses), (&None, &None));
    observed.begin(&spec, &Action::Schedule { refusal: None }, now);
    observed.apply(&spec, Event::Scheduled { node: "here".to_owned() }, now);
    let scheduled = status(&spec, &observed, Some(&refused), wall(9));
    assert!(describe(&scheduled).ends_with("PodScheduled True"));
    let condition = scheduled.conditions.unwrap().pop().unwrap();
    assert_eq!(condition.last_transition_time.unwrap().0, wall(9));
}
