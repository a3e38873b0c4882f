//! The end that somebody asks for: grace, floors, second thoughts.

use std::time::Duration;

use serde_json::json;

use super::scripted::{Guest, PodScript, Script, is_running, no_image};
use crate::lifecycle::{
    ImageErrorKind, Outcome, PodFailure, PodFailureReason, ProbeAnswer, ProbeKind,
};

#[tokio::test(start_paused = true)]
async fn a_guest_that_ends_within_its_grace_keeps_its_code() {
    let mut pod = PodScript::new()
        .container("web", Script::runs([Guest::serves().lingers(3, 0)]))
        .container("worker", Script::runs([Guest::serves()]))
        .start();
    pod.wait_until(is_running).await;
    pod.pass(5).await;
    pod.note("somebody stops the Pod");
    pod.handle.stop(None).await;
    let finished = pod.end().await;
    assert_eq!(finished.outcome, Outcome::Interrupted);
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s image worker
    0s   | Pending; web ContainerCreating; worker ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s   ~ worker: Pulled: Container image "worker.wasm" already present on machine
    0s start web #0
    0s start worker #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   ~ worker: Created: Container created
    0s   ~ worker: Started: Container started
    0s   | Running; web running, ready; worker running, ready
    5s somebody stops the Pod
    5s stop web within 30s
    5s stop worker within 30s
    5s   ~ web: Killing: Stopping container web
    5s   ~ worker: Killing: Stopping container worker
    5s   | Running; web running, ready; worker Error 143
    8s teardown
    8s   | Failed; web Completed 0; worker Error 143
    8s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_ignores_the_stop_is_killed_when_its_grace_is_over() {
    let mut pod = PodScript::new()
        .with("terminationGracePeriodSeconds", 12)
        .container("web", Script::runs([Guest::serves().deaf()]))
        .start();
    pod.wait_until(is_running).await;
    pod.handle.interrupt().await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
     0s sandbox
     0s image web
     0s   | Pending; web ContainerCreating
     0s   ~ web: Pulled: Container image "web.wasm" already present on machine
     0s start web #0
     0s   ~ web: Created: Container created
     0s   ~ web: Started: Container started
     0s   | Running; web running, ready
     0s stop web within 12s
     0s   ~ web: Killing: Stopping container web
    12s kill web
    12s teardown
    12s   | Failed; web Error 137
    12s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn two_seconds_is_the_least_grace() {
    for grace in [0, 1, 2] {
        let mut pod = PodScript::new()
            .with("terminationGracePeriodSeconds", grace)
            .container("web", Script::runs([Guest::serves().deaf()]))
            .start();
        pod.wait_until(is_running).await;
        pod.handle.stop(None).await;
        pod.end().await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(pod.deeds(), @r"
            0s sandbox
            0s image web
            0s start web #0
            0s stop web within 2s
            2s kill web
            2s teardown
            2s over, exit code 130
            ");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_interrupt_kills() {
    let mut pod = PodScript::new()
        .container("web", Script::runs([Guest::serves().deaf()]))
        .container("late", Script::runs([Guest::serves().lingers(10, 0)]))
        .start();
    pod.wait_until(is_running).await;
    pod.handle.interrupt().await;
    pod.pass(3).await;
    pod.handle.interrupt().await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s image late
    0s   | Pending; late ContainerCreating; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s   ~ late: Pulled: Container image "late.wasm" already present on machine
    0s start web #0
    0s start late #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   ~ late: Created: Container created
    0s   ~ late: Started: Container started
    0s   | Running; late running, ready; web running, ready
    0s stop web within 30s
    0s stop late within 30s
    0s   ~ web: Killing: Stopping container web
    0s   ~ late: Killing: Stopping container late
    3s kill web
    3s kill late
    3s   | Failed; late Error 137; web Error 137
    3s teardown
    3s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_can_only_shorten() {
    let mut pod = PodScript::new().container("web", Script::runs([Guest::serves().deaf()])).start();
    pod.wait_until(is_running).await;
    let deletion = pod.handle.deletion();
    pod.handle.stop(None).await;
    pod.pass(3).await;
    assert_eq!(deletion.borrow().unwrap().timestamp.to_string(), "2026-01-01T00:00:30Z");
    pod.handle.stop(Some(Duration::from_secs(100))).await;
    pod.pass(3).await;
    assert_eq!(deletion.borrow().unwrap().timestamp.to_string(), "2026-01-01T00:00:30Z");
    pod.handle.stop(Some(Duration::from_secs(5))).await;
    pod.pass(1).await;
    assert_eq!(deletion.borrow().unwrap().timestamp.to_string(), "2026-01-01T00:00:11Z");
    assert_eq!(deletion.borrow().unwrap().grace, Duration::from_secs(5));
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
     0s sandbox
     0s image web
     0s start web #0
     0s stop web within 30s
    11s kill web
    11s teardown
    11s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_pod_shortens_an_end_that_has_begun() {
    let mut pod = PodScript::new()
        .add(
            "containers",
            json!({ "name": "web", "livenessProbe": {
                "tcpSocket": { "port": 80 }, "periodSeconds": 5, "failureThreshold": 1,
            } }),
            Script::runs([Guest::serves().deaf()])
                .answers(ProbeKind::Liveness, [ProbeAnswer::Failure("refused".to_owned())]),
        )
        .start();
    pod.pass(6).await;
    pod.handle.stop(Some(Duration::from_secs(3))).await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    5s probe web: Liveness? no
    5s stop web within 30s
    9s kill web
    9s teardown
    9s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn sidecars_are_told_last_and_all_is_over_two_seconds_after_the_grace() {
    let mut pod = PodScript::new()
        .with("terminationGracePeriodSeconds", 10)
        .sidecar("log", Script::runs([Guest::serves().deaf()]))
        .sidecar("proxy", Script::runs([Guest::serves().deaf()]))
        .container("web", Script::runs([Guest::serves().deaf()]))
        .start();
    pod.wait_until(is_running).await;
    pod.handle.stop(None).await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
     0s sandbox
     0s image log
     0s start log #0
     0s image proxy
     0s start proxy #0
     0s image web
     0s start web #0
     0s stop web within 10s
    10s kill web
    10s stop proxy within 2s
    12s kill proxy
    12s stop log within 0s
    12s kill log
    12s teardown
    12s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn a_stop_calls_off_what_has_not_started() {
    let mut pod = PodScript::new()
        .container("compiling", Script::runs([]).image_takes(60))
        .container("starting", Script::runs([]).start_takes(60))
        .container("absent", Script::runs([]).images([no_image(ImageErrorKind::Pull, "absent")]))
        .start();
    pod.pass(3).await;
    pod.handle.interrupt().await;
    let outcome = pod.end().await.outcome;
    assert_eq!(outcome, Outcome::Interrupted);
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image compiling
    0s image starting
    0s image absent
    0s   | Pending; absent ContainerCreating; compiling ContainerCreating; starting ContainerCreating
    0s   ~ starting: Pulled: Container image "starting.wasm" already present on machine
    0s   ~ absent: !Failed: Failed to pull image "absent.wasm": absent
    0s   ~ absent: !Failed: Error: ErrImagePull
    0s   | Pending; absent ErrImagePull (absent); compiling ContainerCreating; starting ContainerCreating
    0s start starting #0
    1s   ~ absent: BackOff: Back-off pulling image "absent.wasm"
    1s   ~ absent: !Failed: Error: ImagePullBackOff
    1s   | Pending; absent ImagePullBackOff (Back-off pulling image "absent.wasm": ErrImagePull: absent); compiling ContainerCreating; starting ContainerCreating
    3s teardown
    3s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_middle_of_a_back_off_starts_nothing_more() {
    let mut pod = PodScript::new()
        .with("initContainers", json!([]))
        .container("web", Script::runs([Guest::exits(1, 1)]))
        .start();
    pod.pass(5).await;
    pod.handle.stop(None).await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running, ready
    1s image web
    1s   | Running; web Error 1
    1s   ~ web: Pulled: Container image "web.wasm" already present on machine (x2)
    1s start web #1
    1s   ~ web: Created: Container created (x2)
    1s   ~ web: Started: Container started (x2)
    1s   | Running; web running, ready, restarts 1
    2s   ~ web: !BackOff: Back-off restarting failed container web in pod p_default(u)
    2s   | Running; web CrashLoopBackOff (back-off 10s restarting failed container=web pod=p_default(u)), restarts 1
    5s teardown
    5s   | Failed; web CrashLoopBackOff (back-off 10s restarting failed container=web pod=p_default(u)), restarts 1
    5s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_stops_the_pod_and_is_its_reason() {
    let mut pod =
        PodScript::new().container("web", Script::runs([Guest::serves().lingers(1, 0)])).start();
    pod.wait_until(is_running).await;
    pod.handle
        .fail(PodFailure {
            reason: PodFailureReason::Evicted,
            message: r#"Usage of EmptyDir volume "data" exceeds the limit "4Gi". "#.to_owned(),
        })
        .await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image web
    0s   | Pending; web ContainerCreating
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start web #0
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; web running, ready
    0s stop web within 2s
    0s   ~ pod: !Evicted: Usage of EmptyDir volume "data" exceeds the limit "4Gi". 
    0s   ~ web: Killing: Stopping container web
    1s teardown
    1s   | Failed (Evicted: Usage of EmptyDir volume "data" exceeds the limit "4Gi". ); web Completed 0
    1s over, exit code 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_takes_no_wishes_and_does_not_hang() {
    let mut pod = PodScript::new()
        .with("restartPolicy", "Never")
        .container("job", Script::runs([Guest::exits(1, 0)]))
        .start();
    let handle = pod.handle.clone();
    assert_eq!(pod.end().await.outcome, Outcome::Succeeded);
    for _ in 0..100 {
        handle.stop(None).await;
    }
    assert_eq!(handle.status().borrow().phase.as_deref(), Some("Succeeded"));
}

/// The stop and the end of the start come in one moment.
#[tokio::test(start_paused = true)]
async fn a_guest_whose_start_was_called_off_too_late_has_its_grace() {
    let mut pod = PodScript::new()
        .container("web", Script::runs([Guest::serves().lingers(3, 0)]).start_takes(5))
        .start();
    tokio::time::sleep(Duration::from_secs(5)).await;
    pod.handle.stop(None).await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    5s stop web within 30s
    8s teardown
    8s over, exit code 130
    ");
}
