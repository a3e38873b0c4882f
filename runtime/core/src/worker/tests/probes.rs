//! Probes: when they are made, and what follows from them.

use serde_json::{Value, json};

use super::scripted::{Guest, PodScript, Script};
use crate::lifecycle::ProbeKind::{Liveness, Readiness, Startup};
use crate::lifecycle::{Hook, ProbeAnswer};

const YES: ProbeAnswer = ProbeAnswer::Success;

fn no() -> ProbeAnswer {
    ProbeAnswer::Failure("HTTP probe failed with statuscode: 503".to_owned())
}

/// So many times no, then yes for ever.
fn no_times(times: usize) -> Vec<ProbeAnswer> {
    std::iter::repeat_n(no(), times).chain([YES]).collect()
}

/// A container with a probe of each kind that is named, every so many seconds.
fn probed(probes: &[(&str, Value)]) -> Value {
    let mut container = json!({ "name": "web" });
    for (name, probe) in probes {
        container[*name] = probe.clone();
        container[*name]["httpGet"] = json!({ "port": 80 });
    }
    container
}

fn serves() -> Script {
    Script::runs([Guest::serves()])
}

#[tokio::test(start_paused = true)]
async fn the_third_failure_of_liveness_restarts_the_container() {
    let container = probed(&[("livenessProbe", json!({ "periodSeconds": 10 }))]);
    let answers = [YES, no(), YES, no(), no(), no(), YES];
    let pod = PodScript::new().add("containers", container, serves().answers(Liveness, answers));
    let pod = pod.stopped_after(65).await;
    insta::assert_snapshot!(pod.trace(), @r#"
      0s sandbox
      0s image web
      0s   | Pending; web ContainerCreating
      0s   ~ web: Pulled: Container image "web.wasm" already present on machine
      0s start web #0
      0s   ~ web: Created: Container created
      0s   ~ web: Started: Container started
      0s   | Running; web running, ready
     10s probe web: Liveness? yes
     20s probe web: Liveness? no
     20s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503
     30s probe web: Liveness? yes
     40s probe web: Liveness? no
     40s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503 (x2)
     50s probe web: Liveness? no
     50s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503 (x3)
    1m0s probe web: Liveness? no
    1m0s stop web within 30s
    1m0s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503 (x4)
    1m0s   ~ web: Killing: Container web failed liveness probe, will be restarted
    1m0s image web
    1m0s   | Running; web Error 143
    1m0s   ~ web: Pulled: Container image "web.wasm" already present on machine (x2)
    1m0s start web #1
    1m0s   ~ web: Created: Container created (x2)
    1m0s   ~ web: Started: Container started (x2)
    1m0s   | Running; web running, ready, restarts 1
    1m5s stop web within 30s
    1m5s   ~ web: Killing: Stopping container web
    1m5s teardown
    1m5s   | Failed; web Error 143, restarts 1
    1m5s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn under_policy_never_a_container_that_fails_its_probe_stays_ended() {
    let container = probed(&[(
        "livenessProbe",
        json!({ "periodSeconds": 5, "failureThreshold": 1, "terminationGracePeriodSeconds": 3 }),
    )]);
    let deaf = Script::runs([Guest::serves().deaf()]);
    let pod = PodScript::new().with("restartPolicy", "Never").add(
        "containers",
        container,
        deaf.answers(Liveness, [no()]),
    );
    insta::assert_snapshot!(pod.trace().await, @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running, ready
    5s probe web: Liveness? no
    5s stop web within 3s
    5s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503
    5s   ~ web: Killing: Container web failed liveness probe
    8s kill web
    8s teardown
    8s   | Failed; web Error 137
    8s over, exit code 137
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_ends_well_for_a_failed_probe_has_failed() {
    let container =
        probed(&[("livenessProbe", json!({ "periodSeconds": 5, "failureThreshold": 1 }))]);
    let polite = Script::runs([Guest::serves().lingers(1, 0), Guest::exits(1, 0)]);
    let mut pod = PodScript::new()
        .with("restartPolicy", "OnFailure")
        .add("containers", container, polite.answers(Liveness, [no()]))
        .start();
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    5s probe web: Liveness? no
    5s stop web within 30s
    6s image web
    6s start web #1
    7s teardown
    7s over, exit code 0
    ");
}

#[tokio::test(start_paused = true)]
async fn readiness_comes_and_goes_and_never_restarts() {
    let probe = json!({ "periodSeconds": 2, "failureThreshold": 2, "successThreshold": 2 });
    let container = probed(&[("readinessProbe", probe)]);
    let answers = [no(), YES, YES, no(), YES, no(), no(), YES, YES];
    let pod = PodScript::new().add("containers", container, serves().answers(Readiness, answers));
    let pod = pod.stopped_after(17).await;
    insta::assert_snapshot!(pod.trace(), @r#"
     0s sandbox
     0s image web
     0s   | Pending; web ContainerCreating
     0s   ~ web: Pulled: Container image "web.wasm" already present on machine
     0s start web #0
     0s   ~ web: Created: Container created
     0s   ~ web: Started: Container started
     0s   | Running; web running
     0s probe web: Readiness? no
     0s   ~ web: !Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503
     2s probe web: Readiness? yes
     4s probe web: Readiness? yes
     4s   | Running; web running, ready
     6s probe web: Readiness? no
     6s   ~ web: !Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (x2)
     8s probe web: Readiness? yes
    10s probe web: Readiness? no
    10s   ~ web: !Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (x3)
    12s probe web: Readiness? no
    12s   ~ web: !Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (x4)
    12s   | Running; web running
    14s probe web: Readiness? yes
    16s probe web: Readiness? yes
    16s   | Running; web running, ready
    17s stop web within 30s
    17s   ~ web: Killing: Stopping container web
    17s teardown
    17s   | Failed; web Error 143
    17s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn until_the_startup_probe_succeeds_no_other_is_asked() {
    let container = probed(&[
        ("startupProbe", json!({ "periodSeconds": 3, "failureThreshold": 5 })),
        ("livenessProbe", json!({ "periodSeconds": 10 })),
        ("readinessProbe", json!({ "periodSeconds": 10 })),
    ]);
    let script =
        serves().answers(Startup, no_times(3)).answers(Liveness, [YES]).answers(Readiness, [YES]);
    let pod = PodScript::new().add("containers", container, script).stopped_after(25).await;
    insta::assert_snapshot!(pod.trace(), @r#"
     0s sandbox
     0s image web
     0s   | Pending; web ContainerCreating
     0s   ~ web: Pulled: Container image "web.wasm" already present on machine
     0s start web #0
     0s   ~ web: Created: Container created
     0s   ~ web: Started: Container started
     0s   | Running; web running
     3s probe web: Startup? no
     3s   ~ web: !Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 503
     6s probe web: Startup? no
     6s   ~ web: !Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 503 (x2)
     9s probe web: Startup? no
     9s   ~ web: !Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 503 (x3)
    12s probe web: Startup? yes
    12s probe web: Readiness? yes
    12s   | Running; web running, ready
    20s probe web: Liveness? yes
    22s probe web: Readiness? yes
    25s stop web within 30s
    25s   ~ web: Killing: Stopping container web
    25s teardown
    25s   | Failed; web Error 143
    25s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_startup_probe_that_never_succeeds_restarts_the_container() {
    let probe = json!({ "periodSeconds": 1, "failureThreshold": 2, "initialDelaySeconds": 5 });
    let container = probed(&[("startupProbe", probe)]);
    let script = serves().answers(Startup, no_times(2));
    let pod = PodScript::new().add("containers", container, script).stopped_after(20).await;
    insta::assert_snapshot!(pod.trace(), @r#"
     0s sandbox
     0s image web
     0s   | Pending; web ContainerCreating
     0s   ~ web: Pulled: Container image "web.wasm" already present on machine
     0s start web #0
     0s   ~ web: Created: Container created
     0s   ~ web: Started: Container started
     0s   | Running; web running
     5s probe web: Startup? no
     5s   ~ web: !Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 503
     6s probe web: Startup? no
     6s stop web within 30s
     6s   ~ web: !Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 503 (x2)
     6s   ~ web: Killing: Container web failed startup probe, will be restarted
     6s image web
     6s   | Running; web Error 143
     6s   ~ web: Pulled: Container image "web.wasm" already present on machine (x2)
     6s start web #1
     6s   ~ web: Created: Container created (x2)
     6s   ~ web: Started: Container started (x2)
     6s   | Running; web running, restarts 1
    11s probe web: Startup? yes
    11s   | Running; web running, ready, restarts 1
    20s stop web within 30s
    20s   ~ web: Killing: Stopping container web
    20s teardown
    20s   | Failed; web Error 143, restarts 1
    20s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_cannot_be_made_does_not_count() {
    let container =
        probed(&[("livenessProbe", json!({ "periodSeconds": 1, "failureThreshold": 1 }))]);
    let answers = [ProbeAnswer::Error("port admin not found".to_owned()), YES];
    let pod = PodScript::new()
        .add("containers", container, serves().answers(Liveness, answers))
        .stopped_after(3)
        .await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running, ready
    1s probe web: Liveness? cannot tell
    1s   ~ web: !Unhealthy: Liveness probe errored: port admin not found
    2s probe web: Liveness? yes
    3s probe web: Liveness? yes
    3s stop web within 30s
    3s   ~ web: Killing: Stopping container web
    3s teardown
    3s   | Failed; web Error 143
    3s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_holds_the_next_back_until_its_startup_probe_succeeds() {
    let mut sidecar = probed(&[("startupProbe", json!({ "periodSeconds": 1 }))]);
    sidecar["restartPolicy"] = json!("Always");
    let mut pod = PodScript::new()
        .add("initContainers", sidecar, serves().answers(Startup, no_times(2)))
        .container("app", Script::runs([Guest::exits(1, 0)]))
        .with("restartPolicy", "Never")
        .start();
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    1s probe web: Startup? no
    2s probe web: Startup? no
    3s probe web: Startup? yes
    3s image app
    3s start app #0
    4s stop web within 30s
    4s teardown
    4s over, exit code 0
    ");
}

#[tokio::test(start_paused = true)]
async fn while_a_pod_ends_only_readiness_is_asked() {
    let every = json!({ "periodSeconds": 1, "failureThreshold": 1 });
    let container = probed(&[("livenessProbe", every.clone()), ("readinessProbe", every)]);
    let script = Script::runs([Guest::serves().lingers(3, 0)])
        .answers(Liveness, [YES])
        .answers(Readiness, [YES, YES, no()]);
    let pod = PodScript::new().add("containers", container, script).stopped_after(1).await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running
    0s probe web: Readiness? yes
    0s   | Running; web running, ready
    1s probe web: Liveness? yes
    1s probe web: Readiness? yes
    1s stop web within 30s
    1s   ~ web: Killing: Stopping container web
    2s probe web: Readiness? no
    2s   ~ web: !Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503
    2s   | Running; web running
    3s probe web: Readiness? no
    3s   ~ web: !Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (x2)
    4s teardown
    4s   | Succeeded; web Completed 0
    4s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn the_first_tick_is_after_the_start_and_the_delay() {
    let every = json!({ "periodSeconds": 2, "initialDelaySeconds": 5 });
    let container = probed(&[("livenessProbe", every.clone()), ("readinessProbe", every)]);
    let script = serves().start_takes(1).answers(Liveness, [YES]).answers(Readiness, [YES]);
    let pod = PodScript::new().add("containers", container, script).stopped_after(9).await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    6s probe web: Liveness? yes
    7s probe web: Readiness? yes
    8s probe web: Liveness? yes
    9s probe web: Readiness? yes
    9s stop web within 30s
    9s teardown
    9s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn a_startup_probe_waits_for_the_tick_after_the_hook() {
    let mut container = probed(&[("startupProbe", json!({ "periodSeconds": 2 }))]);
    container["lifecycle"] = json!({ "postStart": { "sleep": { "seconds": 3 } } });
    let script = serves().hook(Hook::PostStart, 3, Ok(())).answers(Startup, [YES]);
    let pod = PodScript::new().add("containers", container, script).stopped_after(5).await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    0s hook web: PostStart
    3s hook web: PostStart done
    4s probe web: Startup? yes
    5s stop web within 30s
    5s teardown
    5s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn each_run_is_judged_by_its_own_answers() {
    let container = probed(&[
        ("livenessProbe", json!({ "periodSeconds": 1, "failureThreshold": 2 })),
        ("readinessProbe", json!({ "periodSeconds": 1, "initialDelaySeconds": 1 })),
    ]);
    let script = serves().answers(Liveness, [YES, no(), no(), no(), YES]).answers(Readiness, [YES]);
    let pod = PodScript::new().add("containers", container, script).stopped_after(5).await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running
    1s probe web: Liveness? yes
    1s probe web: Readiness? yes
    1s   | Running; web running, ready
    2s probe web: Liveness? no
    2s probe web: Readiness? yes
    2s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503
    3s probe web: Liveness? no
    3s probe web: Readiness? yes
    3s stop web within 30s
    3s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503 (x2)
    3s   ~ web: Killing: Container web failed liveness probe, will be restarted
    3s image web
    3s   | Running; web Error 143
    3s   ~ web: Pulled: Container image "web.wasm" already present on machine (x2)
    3s start web #1
    3s   ~ web: Created: Container created (x2)
    3s   ~ web: Started: Container started (x2)
    3s   | Running; web running, restarts 1
    4s probe web: Liveness? no
    4s probe web: Readiness? yes
    4s   ~ web: !Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503 (x3)
    4s   | Running; web running, ready, restarts 1
    5s probe web: Liveness? yes
    5s probe web: Readiness? yes
    5s stop web within 30s
    5s   ~ web: Killing: Stopping container web
    5s teardown
    5s   | Failed; web Error 143, restarts 1
    5s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_warning_counts_as_a_success_and_is_told() {
    let container = probed(&[("readinessProbe", json!({ "periodSeconds": 1 }))]);
    let warning = ProbeAnswer::Warning("Probe terminated redirects".to_owned());
    let pod = PodScript::new()
        .add("containers", container, serves().answers(Readiness, [warning, YES]))
        .stopped_after(1)
        .await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running
    0s probe web: Readiness? yes, but
    0s   ~ web: !ProbeWarning: Readiness probe warning: Probe terminated redirects
    0s   | Running; web running, ready
    1s probe web: Readiness? yes
    1s stop web within 30s
    1s   ~ web: Killing: Stopping container web
    1s teardown
    1s   | Failed; web Error 143
    1s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn the_grace_of_a_probe_is_two_seconds_at_least_and_the_pods_by_default() {
    for (own, pods, told, killed) in [(1, 30, 2, 7), (4, 30, 4, 9), (0, 6, 6, 11)] {
        let mut probe = json!({ "periodSeconds": 5, "failureThreshold": 1 });
        if own > 0 {
            probe["terminationGracePeriodSeconds"] = json!(own);
        }
        let deaf = Script::runs([Guest::serves().deaf()]).answers(Liveness, [no()]);
        let mut pod = PodScript::new()
            .with("restartPolicy", "Never")
            .with("terminationGracePeriodSeconds", pods)
            .add("containers", probed(&[("livenessProbe", probe)]), deaf)
            .start();
        pod.end().await;
        let deeds = pod.deeds();
        assert!(deeds.contains(&format!("stop web within {told}s")), "{deeds}");
        assert!(deeds.contains(&format!("{killed}s kill web")), "{deeds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_is_looked_after_while_one_before_it_starts_again() {
    let every = json!({ "periodSeconds": 1, "failureThreshold": 1 });
    let mut second = probed(&[("startupProbe", json!({ "periodSeconds": 4 }))]);
    second["livenessProbe"] = every.clone();
    second["livenessProbe"]["tcpSocket"] = json!({ "port": 80 });
    second["restartPolicy"] = json!("Always");
    let mut pod = PodScript::new()
        .sidecar("first", Script::runs([Guest::exits(1, 1), Guest::exits(1, 1), Guest::serves()]))
        .add(
            "initContainers",
            second,
            serves().answers(Startup, [YES]).answers(Liveness, [YES, no(), YES]),
        )
        .container("app", Script::runs([Guest::exits(1, 0)]))
        .with("restartPolicy", "Never")
        .start();
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
     0s sandbox
     0s image first
     0s start first #0
     0s image web
     0s start web #0
     1s image first
     1s start first #1
     4s probe web: Startup? yes
     4s probe web: Liveness? yes
     5s probe web: Liveness? no
     5s stop web within 30s
    12s image first
    12s start first #2
    12s image web
    12s start web #1
    16s probe web: Startup? yes
    16s probe web: Liveness? yes
    16s image app
    16s start app #0
    17s probe web: Liveness? yes
    17s stop web within 30s
    17s stop first within 30s
    17s teardown
    17s over, exit code 0
    ");
}
