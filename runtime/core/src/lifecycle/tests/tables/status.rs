//! The status as a whole, and what it means to whoever waited for the Pod.

use std::time::Duration;

use super::Is::{Again, Done, New, Up};
use super::{observed, spec, wall};
use crate::lifecycle::{EndCause, Ending, PodFailure, RunState, outcome, status};

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
