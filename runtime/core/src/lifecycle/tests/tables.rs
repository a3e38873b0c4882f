//! Phase, conditions and status for containers in every state.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PodCondition, PodStatus};
use serde_json::{Value, json};

use super::super::container::{Ended, RunIdentity, RunState, Step, Waiting};
use super::super::event::{ImageInfo, ImageOrigin, Now, PodFailure};
use super::super::observed::{EndCause, Ending, Observed, SandboxState};
use super::super::running::{HookState, Running};
use super::super::{Exit, Phase, Spec, WaitingReason, outcome, phase, status};

/// The state of one container, in a word.
#[derive(Clone, Copy, Debug)]
enum Is {
    /// Not tried yet.
    New,
    /// Running.
    Up,
    /// Running, and its startup probe or hook is not done.
    Starting,
    /// Ended with this code.
    Done(i32),
    /// Waiting to start again after an end with this code.
    Again(i32),
}
use Is::{Again, Done, New, Starting, Up};

fn wall(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "any instant serves as the origin of a table")]
fn start() -> Now {
    Now { instant: Instant::now(), wall: wall(0) }
}

fn spec(policy: &str, inits: usize, sidecars: usize, apps: usize) -> Spec {
    let mut init: Vec<Value> = (0..inits).map(|n| json!({ "name": format!("i{n}") })).collect();
    init.extend(
        (0..sidecars).map(|n| json!({ "name": format!("s{n}"), "restartPolicy": "Always" })),
    );
    let app: Vec<Value> =
        (0..apps).map(|n| json!({ "name": format!("a{n}"), "image": "a.wasm" })).collect();
    let pod = json!({
        "metadata": { "name": "p", "uid": "u" },
        "spec": { "restartPolicy": policy, "initContainers": init, "containers": app },
    });
    Spec::new(&serde_json::from_value(pod).unwrap()).unwrap()
}

fn run() -> RunIdentity {
    let image = ImageInfo { id: "sha256:a".to_owned(), origin: ImageOrigin::Present };
    RunIdentity { id: Some("1".to_owned()), image }
}

fn ended(code: i32, now: Now) -> Ended {
    Ended {
        exit: Exit::with_code(code),
        run: run(),
        started_at: now.wall,
        finished_at: now.wall,
        finished: now.instant,
    }
}

fn observed(spec: &Spec, states: &[Is]) -> Observed {
    let now = start();
    let mut observed = Observed::new(spec, now);
    observed.sandbox = SandboxState::Ready;
    assert_eq!(observed.containers.len(), states.len());
    for (container, is) in observed.containers.iter_mut().zip(states) {
        container.latest = (!matches!(is, New)).then(run);
        container.has_begun = container.latest.is_some();
        match is {
            New => {}
            Up | Starting => {
                container.state = RunState::Running(Running {
                    started_at: now.wall,
                    since: now.instant,
                    post_start: HookState::Done,
                    started: matches!(is, Up).then_some(now.instant),
                    probers: Vec::new(),
                    stopping: None,
                });
            }
            Done(code) => {
                container.state =
                    RunState::Terminated { ended: ended(*code, now), step: Step::Nothing };
            }
            Again(code) => {
                container.last = Some(ended(*code, now));
                container.state = RunState::Waiting {
                    why: Waiting::because(WaitingReason::CrashLoopBackOff),
                    step: Step::Nothing,
                };
            }
        }
    }
    observed
}

#[test]
fn the_phase_of_app_containers() {
    use Phase::{Failed, Pending, Running, Succeeded};
    // The phase under Always, OnFailure and Never.
    let table: &[(&[Is], [Phase; 3])] = &[
        (&[New], [Pending, Pending, Pending]),
        (&[Up], [Running, Running, Running]),
        (&[Done(0)], [Running, Succeeded, Succeeded]),
        (&[Done(1)], [Running, Running, Failed]),
        (&[Again(1)], [Running, Running, Failed]),
        (&[Up, New], [Pending, Pending, Pending]),
        (&[Up, Again(1)], [Running, Running, Running]),
        (&[Done(0), New], [Pending, Pending, Pending]),
        (&[Done(0), Up], [Running, Running, Running]),
        (&[Done(0), Done(0)], [Running, Succeeded, Succeeded]),
        (&[Done(0), Done(1)], [Running, Running, Failed]),
        (&[Done(1), Done(1)], [Running, Running, Failed]),
    ];
    for (states, expected) in table {
        for (policy, expected) in ["Always", "OnFailure", "Never"].iter().zip(expected) {
            let spec = spec(policy, 0, 0, states.len());
            let observed = observed(&spec, states);
            assert_eq!(phase(&spec, &observed), *expected, "{policy} {states:?}");
        }
    }
}

#[test]
fn the_phase_while_init_containers_are_at_work() {
    use Phase::{Failed, Pending, Running, Succeeded};
    let table: &[(&[Is], [Phase; 3])] = &[
        (&[New, New], [Pending, Pending, Pending]),
        (&[Up, New], [Pending, Pending, Pending]),
        (&[Done(1), New], [Pending, Pending, Failed]),
        (&[Again(1), New], [Pending, Pending, Failed]),
        (&[Done(0), New], [Pending, Pending, Pending]),
        (&[Done(0), Up], [Running, Running, Running]),
        (&[Done(0), Done(0)], [Running, Succeeded, Succeeded]),
    ];
    for (states, expected) in table {
        for (policy, expected) in ["Always", "OnFailure", "Never"].iter().zip(expected) {
            let spec = spec(policy, 1, 0, 1);
            let observed = observed(&spec, states);
            assert_eq!(phase(&spec, &observed), *expected, "{policy} {states:?}");
        }
    }
}

#[test]
fn sidecars_hold_the_phase_back_and_do_not_decide_it() {
    use Phase::{Pending, Running, Succeeded};
    let table: &[(&[Is], Phase)] = &[
        (&[New, New], Pending),
        (&[Starting, New], Pending),
        (&[Up, New], Pending),
        (&[Up, Up], Running),
        // It crashed after the app containers had begun.
        (&[Again(1), Up], Running),
        (&[Starting, Up], Running),
        // The work is done, and the sidecar has yet to be stopped.
        (&[Up, Done(0)], Running),
        (&[Done(143), Done(0)], Succeeded),
    ];
    for (states, expected) in table {
        let spec = spec("Never", 0, 1, 1);
        assert_eq!(phase(&spec, &observed(&spec, states)), *expected, "{states:?}");
    }
}

#[test]
fn a_pod_that_was_ended_is_judged_by_its_codes() {
    for (cause, states, expected) in [
        (EndCause::Requested, [Done(143), Done(0)], Phase::Failed),
        (EndCause::Requested, [Done(0), Done(0)], Phase::Succeeded),
        (EndCause::Requested, [Done(0), New], Phase::Pending),
        (EndCause::Requested, [Again(1), Done(0)], Phase::Failed),
        (EndCause::Failed(PodFailure::deadline_exceeded()), [Done(0), Done(0)], Phase::Failed),
        (EndCause::Failed(PodFailure::deadline_exceeded()), [New, New], Phase::Failed),
        // Nothing is final while something runs.
        (EndCause::Failed(PodFailure::deadline_exceeded()), [Up, Done(0)], Phase::Running),
        (EndCause::Requested, [Up, Done(0)], Phase::Running),
    ] {
        let spec = spec("Always", 0, 0, 2);
        let mut observed = observed(&spec, &states);
        observed.ending =
            Some(Ending { cause: cause.clone(), deadline: observed.started.instant, kill: false });
        assert_eq!(phase(&spec, &observed), expected, "{cause:?} {states:?}");
    }
}

#[test]
fn a_terminal_phase_stays() {
    let spec = spec("Never", 0, 0, 1);
    let mut observed = observed(&spec, &[Done(1)]);
    observed.ending = Some(Ending {
        cause: EndCause::Failed(PodFailure::deadline_exceeded()),
        deadline: observed.started.instant,
        kill: false,
    });
    let failed = status(&spec, &observed, None, wall(1));
    assert_eq!(failed.phase.as_deref(), Some("Failed"));
    observed.containers[0].state =
        RunState::Terminated { ended: ended(0, observed.started), step: Step::Nothing };
    observed.ending = None;
    let later = status(&spec, &observed, Some(&failed), wall(2));
    assert_eq!(later.phase, failed.phase);
    assert_eq!(later.reason.as_deref(), Some("DeadlineExceeded"));
    assert_eq!(later.message, failed.message);
}

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
fn the_status_of_a_pod_in_full() {
    let spec = spec("OnFailure", 1, 1, 2);
    let mut observed = observed(&spec, &[Done(0), Up, Again(1), Done(3)]);
    observed.containers[2].restart_count = 4;
    observed.addresses.pod_ips = vec!["10.0.0.7".parse().unwrap(), "fd00::7".parse().unwrap()];
    observed.addresses.host_ips = vec!["192.0.2.1".parse().unwrap()];
    let mut status = status(&spec, &observed, None, wall(0));
    status.conditions = None;
    insta::assert_snapshot!(serde_json::to_string_pretty(&status).unwrap(), @r#"
    {
      "containerStatuses": [
        {
          "containerID": "wasmpod://1",
          "image": "a.wasm",
          "imageID": "sha256:a",
          "lastState": {
            "terminated": {
              "containerID": "wasmpod://1",
              "exitCode": 1,
              "finishedAt": "1970-01-01T00:00:00Z",
              "reason": "Error",
              "startedAt": "1970-01-01T00:00:00Z"
            }
          },
          "name": "a0",
          "ready": false,
          "restartCount": 4,
          "started": false,
          "state": {
            "waiting": {
              "reason": "CrashLoopBackOff"
            }
          }
        },
        {
          "containerID": "wasmpod://1",
          "image": "a.wasm",
          "imageID": "sha256:a",
          "lastState": {},
          "name": "a1",
          "ready": false,
          "restartCount": 0,
          "started": false,
          "state": {
            "terminated": {
              "containerID": "wasmpod://1",
              "exitCode": 3,
              "finishedAt": "1970-01-01T00:00:00Z",
              "reason": "Error",
              "startedAt": "1970-01-01T00:00:00Z"
            }
          }
        }
      ],
      "hostIP": "192.0.2.1",
      "hostIPs": [
        {
          "ip": "192.0.2.1"
        }
      ],
      "initContainerStatuses": [
        {
          "containerID": "wasmpod://1",
          "image": "",
          "imageID": "sha256:a",
          "lastState": {},
          "name": "i0",
          "ready": true,
          "restartCount": 0,
          "started": false,
          "state": {
            "terminated": {
              "containerID": "wasmpod://1",
              "exitCode": 0,
              "finishedAt": "1970-01-01T00:00:00Z",
              "reason": "Completed",
              "startedAt": "1970-01-01T00:00:00Z"
            }
          }
        },
        {
          "containerID": "wasmpod://1",
          "image": "",
          "imageID": "sha256:a",
          "lastState": {},
          "name": "s0",
          "ready": true,
          "restartCount": 0,
          "started": true,
          "state": {
            "running": {
              "startedAt": "1970-01-01T00:00:00Z"
            }
          }
        }
      ],
      "phase": "Running",
      "podIP": "10.0.0.7",
      "podIPs": [
        {
          "ip": "10.0.0.7"
        },
        {
          "ip": "fd00::7"
        }
      ],
      "qosClass": "BestEffort",
      "startTime": "1970-01-01T00:00:00Z"
    }
    "#);
}

#[test]
fn outcomes_have_the_exit_code_of_the_first_failure_in_time() {
    let spec = spec("Never", 1, 0, 3);
    let mut all = observed(&spec, &[Done(0), Done(7), Done(3), Done(0)]);
    let early = all.started.instant;
    if let RunState::Terminated { ended, .. } = &mut all.containers[1].state {
        ended.finished = early + Duration::from_secs(1);
    }
    assert_eq!(outcome(&spec, &all).exit_code(), 3);
    assert_eq!(outcome(&spec, &observed(&spec, &[Done(5), New, New, New])).exit_code(), 5);
    let good = observed(&spec, &[Done(0), Done(0), Done(0), Done(0)]);
    assert_eq!(outcome(&spec, &good).exit_code(), 0);
    let mut stopped = good;
    stopped.ending = Some(Ending { cause: EndCause::Requested, deadline: early, kill: false });
    assert_eq!(outcome(&spec, &stopped).exit_code(), 130);
    stopped.ending = Some(Ending {
        cause: EndCause::Failed(PodFailure::deadline_exceeded()),
        deadline: early,
        kill: false,
    });
    assert_eq!(outcome(&spec, &stopped).exit_code(), 1);
}
