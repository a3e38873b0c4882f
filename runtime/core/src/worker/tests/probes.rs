//! Probes and hooks: when they are made, and what follows from them.

use std::time::Duration;

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
async fn a_hook_for_the_start_holds_the_next_container_back() {
    let hooked = json!({
        "name": "web",
        "lifecycle": { "postStart": { "sleep": { "seconds": 3 } } },
        "readinessProbe": { "tcpSocket": { "port": 80 }, "periodSeconds": 1 },
    });
    let script = serves().hook(Hook::PostStart, 3, Ok(())).answers(Readiness, [YES]);
    let pod = PodScript::new()
        .add("containers", hooked, script)
        .container("other", serves())
        .stopped_after(4)
        .await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s image other
    0s   | Pending; other ContainerCreating; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s   ~ other: Pulled: Container image "other.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Pending; other ContainerCreating; web running
    0s hook web: PostStart
    3s hook web: PostStart done
    3s probe web: Readiness? yes
    3s start other #0
    3s   ~ other: Created: Container created
    3s   ~ other: Started: Container started
    3s   | Running; other running, ready; web running, ready
    4s probe web: Readiness? yes
    4s stop web within 30s
    4s stop other within 30s
    4s   ~ web: Killing: Stopping container web
    4s   ~ other: Killing: Stopping container other
    4s   | Failed; other Error 143; web Error 143
    4s teardown
    4s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_hook_for_the_start_that_fails_ends_the_container() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "postStart": { "httpGet": { "port": 80 } } } });
    let script = serves().hook(Hook::PostStart, 1, Err("connection refused"));
    let pod = PodScript::new().with("restartPolicy", "Never").add("containers", hooked, script);
    insta::assert_snapshot!(pod.trace().await, @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running
    0s hook web: PostStart
    1s hook web: PostStart done
    1s stop web within 30s
    1s   ~ web: !FailedPostStartHook: PostStartHook failed: connection refused
    1s   ~ web: Killing: FailedPostStartHook
    1s teardown
    1s   | Failed; web Error 143
    1s over, exit code 143
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_hook_for_the_end_is_a_part_of_the_grace_period() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "preStop": { "sleep": { "seconds": 4 } } } });
    let deaf = Script::runs([Guest::serves().deaf()]);
    let pod = PodScript::new()
        .with("terminationGracePeriodSeconds", 10)
        .add("containers", hooked, deaf.hook(Hook::PreStop, 4, Ok(())))
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
     0s   | Running; web running, ready
     1s   ~ web: Killing: Stopping container web
     1s hook web: PreStop
     5s hook web: PreStop done
     5s stop web within 6s
    11s kill web
    11s teardown
    11s   | Failed; web Error 137
    11s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_takes_too_long_leaves_two_seconds_for_the_guest() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "preStop": { "sleep": { "seconds": 60 } } } });
    let deaf = Script::runs([Guest::serves().deaf()]);
    let pod = PodScript::new()
        .with("terminationGracePeriodSeconds", 10)
        .add("containers", hooked, deaf.hook(Hook::PreStop, 60, Ok(())))
        .stopped_after(1)
        .await;
    insta::assert_snapshot!(pod.deeds(), @r"
     0s sandbox
     0s image web
     0s start web #0
     1s hook web: PreStop
    11s stop web within 2s
    13s kill web
    13s teardown
    13s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn a_failing_hook_for_the_end_is_told_and_the_end_goes_on() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "preStop": { "httpGet": { "port": 80 } } } });
    let script = serves().hook(Hook::PreStop, 1, Err("no answer"));
    let pod = PodScript::new().add("containers", hooked, script).stopped_after(1).await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running, ready
    1s   ~ web: Killing: Stopping container web
    1s hook web: PreStop
    2s hook web: PreStop done
    2s stop web within 29s
    2s   ~ web: !FailedPreStopHook: PreStopHook failed: no answer
    2s teardown
    2s   | Failed; web Error 143
    2s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn hooks_for_the_end_are_called_together_and_sidecars_told_last() {
    let hooks = json!({ "preStop": { "sleep": { "seconds": 2 } } });
    let sidecar = json!({ "name": "proxy", "restartPolicy": "Always", "lifecycle": hooks });
    let app = json!({ "name": "app", "lifecycle": hooks });
    let pod = PodScript::new()
        .add("initContainers", sidecar, serves().hook(Hook::PreStop, 2, Ok(())))
        .add(
            "containers",
            app,
            Script::runs([Guest::serves().lingers(3, 0)]).hook(Hook::PreStop, 2, Ok(())),
        )
        .stopped_after(1)
        .await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image proxy
    0s start proxy #0
    0s image app
    0s start app #0
    1s hook proxy: PreStop
    1s hook app: PreStop
    3s hook proxy: PreStop done
    3s hook app: PreStop done
    3s stop app within 28s
    6s stop proxy within 25s
    6s teardown
    6s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_ends_by_itself_gets_no_hook_for_its_end() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "preStop": { "sleep": { "seconds": 2 } } } });
    let script = Script::runs([Guest::exits(1, 0)]).hook(Hook::PreStop, 2, Ok(()));
    let pod = PodScript::new().with("restartPolicy", "Never").add("containers", hooked, script);
    let mut pod = pod.start();
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    1s teardown
    1s over, exit code 0
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
async fn without_a_grace_period_no_hook_is_called() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "preStop": { "sleep": { "seconds": 2 } } } });
    let script = serves().hook(Hook::PreStop, 2, Ok(()));
    let mut pod = PodScript::new().add("containers", hooked, script).start();
    pod.pass(1).await;
    pod.handle.stop(Some(Duration::ZERO)).await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    1s stop web within 2s
    1s teardown
    1s over, exit code 130
    ");
}
