//! Hooks: when they are called, what waits for them, and what follows when they fail.

use std::time::Duration;

use serde_json::json;

use super::scripted::{Guest, PodScript, Script};
use crate::lifecycle::Hook;
use crate::lifecycle::ProbeAnswer;
use crate::lifecycle::ProbeKind::{Liveness, Readiness};

const YES: ProbeAnswer = ProbeAnswer::Success;

fn serves() -> Script {
    Script::runs([Guest::serves()])
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

#[tokio::test(start_paused = true)]
async fn a_failed_probe_ends_the_container_with_its_hook() {
    let hooked = json!({
        "name": "web",
        "lifecycle": { "preStop": { "sleep": { "seconds": 2 } } },
        "livenessProbe": { "tcpSocket": { "port": 80 }, "periodSeconds": 5, "failureThreshold": 1 },
    });
    let deaf = Script::runs([Guest::serves().deaf()])
        .hook(Hook::PreStop, 2, Ok(()))
        .answers(Liveness, [ProbeAnswer::Failure("connection refused".to_owned())]);
    let mut pod = PodScript::new()
        .with("restartPolicy", "Never")
        .with("terminationGracePeriodSeconds", 10)
        .add("containers", hooked, deaf)
        .start();
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
     0s sandbox
     0s image web
     0s start web #0
     5s probe web: Liveness? no
     5s hook web: PreStop
     7s hook web: PreStop done
     7s stop web within 8s
    15s kill web
    15s teardown
    15s over, exit code 137
    ");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_ends_during_its_hook_is_not_waited_for() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "preStop": { "sleep": { "seconds": 20 } } } });
    let script = Script::runs([Guest::exits(3, 0)]).hook(Hook::PreStop, 20, Ok(()));
    let pod = PodScript::new().add("containers", hooked, script).stopped_after(1).await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    1s hook web: PreStop
    3s teardown
    3s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn a_kill_waits_for_no_hook_and_no_guest() {
    let hooked =
        json!({ "name": "web", "lifecycle": { "preStop": { "sleep": { "seconds": 20 } } } });
    let script = Script::runs([Guest::serves().deaf()]).hook(Hook::PreStop, 20, Ok(()));
    let mut pod = PodScript::new().add("containers", hooked, script).start();
    pod.pass(1).await;
    pod.handle.stop(None).await;
    pod.pass(1).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image web
    0s start web #0
    1s hook web: PreStop
    2s kill web
    2s teardown
    2s over, exit code 130
    ");
}
