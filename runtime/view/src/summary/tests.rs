//! READY, STATUS and RESTARTS as `kubectl get pods` prints them.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::summary;

const NOW: &str = "2026-01-01T00:01:00Z";

fn columns(pod: Value) -> String {
    let pod: Pod = serde_json::from_value(pod).unwrap();
    let summary = summary(&pod, NOW.parse().unwrap());
    format!("{}/{} {} {}", summary.ready, summary.total, summary.status, summary.restarts)
}

fn pod(init: &[Value], app: &[Value], phase: &str) -> Value {
    let specs = |statuses: &[Value]| {
        statuses
            .iter()
            .map(|status| {
                let mut spec = json!({ "name": status["name"] });
                if status["sidecar"] == true {
                    spec["restartPolicy"] = json!("Always");
                }
                spec
            })
            .collect::<Vec<_>>()
    };
    let mut init_statuses = init.to_vec();
    for status in &mut init_statuses {
        status.as_object_mut().unwrap().remove("sidecar");
    }
    json!({
        "metadata": { "name": "p" },
        "spec": { "initContainers": specs(init), "containers": specs(app) },
        "status": {
            "phase": phase,
            "initContainerStatuses": init_statuses,
            "containerStatuses": app,
        },
    })
}

fn container(name: &str, state: Value) -> Value {
    let ready = state.get("running").is_some();
    json!({
        "name": name, "image": "", "imageID": "", "restartCount": 0, "ready": ready,
        "state": state,
    })
}

fn waiting(reason: &str) -> Value {
    json!({ "waiting": { "reason": reason } })
}

fn ended(code: i32, reason: &str) -> Value {
    json!({ "terminated": { "exitCode": code, "reason": reason } })
}

fn running() -> Value {
    json!({ "running": {} })
}

#[test]
fn init_containers_speak_until_they_are_done() {
    let waits = || container("app", waiting("PodInitializing"));
    let table = [
        (vec![container("a", waiting("PodInitializing"))], "0/1 Init:0/1 0"),
        (vec![container("a", running())], "0/1 Init:0/1 0"),
        (vec![container("a", ended(1, "Error"))], "0/1 Init:Error 0"),
        (vec![container("a", ended(3, ""))], "0/1 Init:ExitCode:3 0"),
        (
            vec![container("a", json!({ "terminated": { "exitCode": 137, "signal": 9 } }))],
            "0/1 Init:Signal:9 0",
        ),
        (vec![container("a", waiting("CrashLoopBackOff"))], "0/1 Init:CrashLoopBackOff 0"),
        (vec![container("a", ended(0, "Completed")), container("b", running())], "0/1 Init:1/2 0"),
    ];
    for (init, expected) in table {
        assert_eq!(columns(pod(&init, &[waits()], "Pending")), expected);
    }
    let done = [container("a", ended(0, "Completed"))];
    assert_eq!(columns(pod(&done, &[waits()], "Pending")), "0/1 PodInitializing 0");
}

#[test]
fn the_first_app_container_that_is_not_well_has_the_last_word() {
    let table = [
        (vec![container("a", running())], "1/1 Running 0"),
        (vec![container("a", waiting("ContainerCreating"))], "0/1 ContainerCreating 0"),
        (
            vec![container("a", waiting("CrashLoopBackOff")), container("b", ended(1, "Error"))],
            "0/2 CrashLoopBackOff 0",
        ),
        (vec![container("a", ended(1, "Error")), container("b", running())], "1/2 Error 0"),
        (vec![container("a", ended(0, "Completed")), container("b", running())], "1/2 NotReady 0"),
        (vec![container("a", ended(7, ""))], "0/1 ExitCode:7 0"),
    ];
    for (app, expected) in table {
        assert_eq!(columns(pod(&[], &app, "Running")), expected);
    }
}

#[test]
fn a_started_sidecar_is_counted_among_the_ready() {
    let mut sidecar = container("proxy", running());
    sidecar["sidecar"] = json!(true);
    sidecar["started"] = json!(true);
    assert_eq!(columns(pod(&[sidecar], &[container("a", running())], "Running")), "2/2 Running 0");
}

#[test]
fn the_pods_own_reason_comes_first_and_deletion_last() {
    let mut evicted = pod(&[], &[], "Failed");
    evicted["status"]["reason"] = json!("Evicted");
    assert_eq!(columns(evicted.clone()), "0/0 Evicted 0");
    evicted["metadata"]["deletionTimestamp"] = json!(NOW);
    assert_eq!(columns(evicted), "0/0 Evicted 0");

    let mut stopping = pod(&[], &[container("a", running())], "Running");
    stopping["metadata"]["deletionTimestamp"] = json!(NOW);
    assert_eq!(columns(stopping), "1/1 Terminating 0");
}

#[test]
fn restarts_say_how_long_ago() {
    let mut crashed = container("a", waiting("CrashLoopBackOff"));
    crashed["restartCount"] = json!(3);
    crashed["lastState"] = json!({
        "terminated": { "exitCode": 1, "finishedAt": "2026-01-01T00:00:40Z" }
    });
    assert_eq!(columns(pod(&[], &[crashed], "Running")), "0/1 CrashLoopBackOff 3 (20s ago)");
}

#[test]
fn a_pod_without_status_is_no_panic() {
    assert_eq!(columns(json!({})), "0/0  0");
}

#[test]
fn who_has_completed_beside_others_leaves_the_word_to_readiness() {
    let app = [container("a", ended(0, "Completed")), container("b", running())];
    for (ready, expected) in [("True", "1/2 Running 0"), ("False", "1/2 NotReady 0")] {
        let mut pod = pod(&[], &app, "Running");
        pod["status"]["conditions"] = json!([{ "type": "Ready", "status": ready }]);
        assert_eq!(columns(pod), expected);
    }
    // Nobody runs any more: the work is done.
    let done = [container("a", ended(0, "Completed")), container("b", ended(0, "Completed"))];
    assert_eq!(columns(pod(&[], &done, "Succeeded")), "0/2 Completed 0");
}

#[test]
fn an_end_without_a_reason_shows_its_signal_or_its_code() {
    let signal = json!({ "terminated": { "exitCode": 137, "signal": 9 } });
    let reason = json!({ "terminated": { "exitCode": 137, "signal": 9, "reason": "OOMKilled" } });
    for (state, expected) in [
        (signal, "0/1 Signal:9 0"),
        (reason, "0/1 OOMKilled 0"),
        (ended(7, ""), "0/1 ExitCode:7 0"),
    ] {
        assert_eq!(columns(pod(&[], &[container("a", state)], "Running")), expected);
    }
}

#[test]
fn who_waits_without_a_reason_says_nothing() {
    let app = [container("a", json!({ "waiting": {} }))];
    assert_eq!(columns(pod(&[], &app, "Pending")), "0/1 Pending 0");
    let init = [container("i", json!({ "waiting": {} }))];
    assert_eq!(columns(pod(&init, &app, "Pending")), "0/1 Init:0/1 0");
}

#[test]
fn a_sidecar_speaks_until_it_has_started() {
    let sidecar = |state: Value, started: bool| {
        let mut sidecar = container("proxy", state);
        sidecar["sidecar"] = json!(true);
        sidecar["started"] = json!(started);
        sidecar
    };
    let app = [container("a", waiting("PodInitializing"))];
    let unready = {
        let mut unready = sidecar(running(), true);
        unready["ready"] = json!(false);
        unready
    };
    for (sidecar, expected) in [
        (sidecar(running(), false), "0/2 Init:0/1 0"),
        (sidecar(waiting("CrashLoopBackOff"), false), "0/2 Init:CrashLoopBackOff 0"),
        (sidecar(ended(1, "Error"), false), "0/2 Init:Error 0"),
        (sidecar(running(), true), "1/2 PodInitializing 0"),
        (unready, "0/2 PodInitializing 0"),
    ] {
        assert_eq!(columns(pod(&[sidecar], &app, "Pending")), expected);
    }
    // Once the Pod is initialized the app containers count too, and the sidecar keeps the word.
    let crashed = sidecar(waiting("CrashLoopBackOff"), false);
    let mut pod = pod(&[crashed], &[container("a", running())], "Running");
    pod["status"]["conditions"] = json!([{ "type": "Initialized", "status": "True" }]);
    assert_eq!(columns(pod), "1/2 Init:CrashLoopBackOff 0");
}

#[test]
fn restarts_of_init_containers_count_while_they_are_at_work() {
    let restarted = |name: &str, state: Value, count: i32, sidecar: bool| {
        let mut container = container(name, state);
        container["restartCount"] = json!(count);
        container["sidecar"] = json!(sidecar);
        container["started"] = json!(sidecar);
        container
    };
    let app = |state: Value| {
        let mut app = container("a", state);
        app["restartCount"] = json!(5);
        [app]
    };
    let sidecar = || restarted("proxy", running(), 2, true);
    let init = |state: Value| restarted("setup", state, 3, false);
    let at_work = pod(&[sidecar(), init(running())], &app(waiting("PodInitializing")), "Pending");
    assert_eq!(columns(at_work), "1/2 Init:1/2 5");
    let done = pod(&[sidecar(), init(ended(0, "Completed"))], &app(running()), "Running");
    assert_eq!(columns(done), "2/2 Running 7");
}

#[test]
fn a_gate_has_the_first_word() {
    let mut gated = pod(&[], &[], "Pending");
    gated["status"]["conditions"] =
        json!([{ "type": "PodScheduled", "status": "False", "reason": "SchedulingGated" }]);
    assert_eq!(columns(gated), "0/0 SchedulingGated 0");
}

#[test]
fn on_a_lost_node_nobody_knows_whether_it_stops() {
    let mut lost = pod(&[], &[container("a", running())], "Running");
    lost["metadata"]["deletionTimestamp"] = json!(NOW);
    lost["status"]["reason"] = json!("NodeLost");
    assert_eq!(columns(lost), "1/1 Unknown 0");
}
