//! Containers that end: who starts again, when, and what it looks like meanwhile.

use serde_json::json;

use super::scripted::{Guest, PodScript, Script, restarts};
use crate::lifecycle::{Exit, Outcome};

#[tokio::test(start_paused = true)]
async fn a_crashing_container_backs_off() {
    let mut pod = PodScript::new().container("web", Script::runs([Guest::exits(1, 1)])).start();
    pod.wait_until(|status| restarts(status) == 3).await;
    pod.handle.kill().await;
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
    12s image web
    12s   ~ web: Pulled: Container image "web.wasm" already present on machine (x3)
    12s start web #2
    12s   ~ web: Created: Container created (x3)
    12s   ~ web: Started: Container started (x3)
    12s   | Running; web running, ready, restarts 2
    13s   ~ web: !BackOff: Back-off restarting failed container web in pod p_default(u) (x2)
    13s   | Running; web CrashLoopBackOff (back-off 20s restarting failed container=web pod=p_default(u)), restarts 2
    33s image web
    33s   ~ web: Pulled: Container image "web.wasm" already present on machine (x4)
    33s start web #3
    33s   ~ web: Created: Container created (x4)
    33s   ~ web: Started: Container started (x4)
    33s   | Running; web running, ready, restarts 3
    33s kill web
    33s   ~ web: Killing: Stopping container web
    33s teardown
    33s   | Failed; web Error 137, restarts 3
    33s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn the_delay_grows_to_five_minutes_and_a_long_run_forgets() {
    let crash = Guest::exits(0, 1);
    let mut runs = vec![crash.clone(); 8];
    runs.extend([Guest::exits(601, 1), crash.clone(), crash]);
    let mut pod = PodScript::new().container("web", Script::runs(runs)).start();
    pod.wait_until(|status| restarts(status) == 11).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
        0s sandbox
        0s image web
        0s start web #0
        0s image web
        0s start web #1
       10s image web
       10s start web #2
       30s image web
       30s start web #3
     1m10s image web
     1m10s start web #4
     2m30s image web
     2m30s start web #5
     5m10s image web
     5m10s start web #6
    10m10s image web
    10m10s start web #7
    15m10s image web
    15m10s start web #8
    25m11s image web
    25m11s start web #9
    25m21s image web
    25m21s start web #10
    25m41s image web
    25m41s start web #11
    25m41s teardown
    25m41s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn each_delay_is_named_in_the_message() {
    let mut pod = PodScript::new().container("web", Script::runs([Guest::exits(0, 1)])).start();
    pod.wait_until(|status| restarts(status) == 7).await;
    pod.handle.kill().await;
    pod.end().await;
    let trace = pod.trace();
    let delays: Vec<&str> = trace
        .lines()
        .filter_map(|line| line.split_once("(back-off ")?.1.split_once(" restarting"))
        .map(|(delay, _)| delay)
        .collect();
    assert_eq!(delays, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s", "5m0s"], "{trace}");
}

#[tokio::test(start_paused = true)]
async fn under_always_a_success_is_started_again_too() {
    let mut pod = PodScript::new().container("web", Script::runs([Guest::exits(1, 0)])).start();
    pod.wait_until(|status| restarts(status) == 2).await;
    pod.handle.kill().await;
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
     1s   | Running; web Completed 0
     1s   ~ web: Pulled: Container image "web.wasm" already present on machine (x2)
     1s start web #1
     1s   ~ web: Created: Container created (x2)
     1s   ~ web: Started: Container started (x2)
     1s   | Running; web running, ready, restarts 1
     2s   ~ web: !BackOff: Back-off restarting failed container web in pod p_default(u)
     2s   | Running; web CrashLoopBackOff (back-off 10s restarting failed container=web pod=p_default(u)), restarts 1
    12s image web
    12s   ~ web: Pulled: Container image "web.wasm" already present on machine (x3)
    12s start web #2
    12s   ~ web: Created: Container created (x3)
    12s   ~ web: Started: Container started (x3)
    12s   | Running; web running, ready, restarts 2
    12s kill web
    12s   ~ web: Killing: Stopping container web
    12s teardown
    12s   | Failed; web Error 137, restarts 2
    12s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn on_failure_restarts_until_success() {
    let pod = PodScript::new()
        .with("restartPolicy", "OnFailure")
        .container(
            "job",
            Script::runs([
                Guest::exits(1, 1),
                Guest::exits(1, 0).ends_with(Exit::out_of_memory("memory limit of 64Mi")),
                Guest::exits(1, 0),
            ]),
        )
        .container("other", Script::runs([Guest::exits(2, 0)]));
    insta::assert_snapshot!(pod.trace().await, @r#"
     0s sandbox
     0s image job
     0s image other
     0s   | Pending; job ContainerCreating; other ContainerCreating
     0s   ~ job: Pulled: Container image "job.wasm" already present on machine
     0s   ~ other: Pulled: Container image "other.wasm" already present on machine
     0s start job #0
     0s start other #0
     0s   ~ job: Created: Container created
     0s   ~ job: Started: Container started
     0s   ~ other: Created: Container created
     0s   ~ other: Started: Container started
     0s   | Running; job running, ready; other running, ready
     1s image job
     1s   | Running; job Error 1; other running, ready
     1s   ~ job: Pulled: Container image "job.wasm" already present on machine (x2)
     1s start job #1
     1s   ~ job: Created: Container created (x2)
     1s   ~ job: Started: Container started (x2)
     1s   | Running; job running, ready, restarts 1; other running, ready
     2s   ~ job: !BackOff: Back-off restarting failed container job in pod p_default(u)
     2s   | Running; job CrashLoopBackOff (back-off 10s restarting failed container=job pod=p_default(u)), restarts 1; other Completed 0
    12s image job
    12s   ~ job: Pulled: Container image "job.wasm" already present on machine (x3)
    12s start job #2
    12s   ~ job: Created: Container created (x3)
    12s   ~ job: Started: Container started (x3)
    12s   | Running; job running, ready, restarts 2; other Completed 0
    13s teardown
    13s   | Succeeded; job Completed 0, restarts 2; other Completed 0
    13s over, exit code 0
    "#);
}

#[tokio::test(start_paused = true)]
async fn never_leaves_a_failure_alone_while_others_go_on() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .container("job", Script::runs([Guest::exits(1, 3)]))
        .container("other", Script::runs([Guest::exits(20, 0)]));
    insta::assert_snapshot!(pod.trace().await, @r#"
     0s sandbox
     0s image job
     0s image other
     0s   | Pending; job ContainerCreating; other ContainerCreating
     0s   ~ job: Pulled: Container image "job.wasm" already present on machine
     0s   ~ other: Pulled: Container image "other.wasm" already present on machine
     0s start job #0
     0s start other #0
     0s   ~ job: Created: Container created
     0s   ~ job: Started: Container started
     0s   ~ other: Created: Container created
     0s   ~ other: Started: Container started
     0s   | Running; job running, ready; other running, ready
     1s   | Running; job Error 3; other running, ready
    20s teardown
    20s   | Failed; job Error 3; other Completed 0
    20s over, exit code 3
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_that_crashes_starts_again_and_holds_nobody_up() {
    let mut pod = PodScript::new()
        .with("restartPolicy", "Never")
        .sidecar("proxy", Script::runs([Guest::exits(1, 1), Guest::exits(3, 1), Guest::serves()]))
        .container("job", Script::runs([Guest::exits(20, 0)]))
        .start();
    let outcome = pod.end().await.outcome;
    assert_eq!(outcome, Outcome::Succeeded);
    insta::assert_snapshot!(pod.deeds(), @r"
     0s sandbox
     0s image proxy
     0s start proxy #0
     0s image job
     0s start job #0
     1s image proxy
     1s start proxy #1
    14s image proxy
    14s start proxy #2
    20s stop proxy within 30s
    20s teardown
    20s over, exit code 0
    ");
}

#[tokio::test(start_paused = true)]
async fn a_day_of_crashing_passes_in_a_moment_and_twice_the_same() {
    let day = || async {
        let mut pod = PodScript::new().container("web", Script::runs([Guest::exits(7, 1)])).start();
        pod.pass(24 * 60 * 60).await;
        pod.handle.kill().await;
        pod.end().await;
        pod.trace()
    };
    let first = day().await;
    assert!(first.contains("start web #286"), "{first}");
    assert!(!first.contains("start web #287"), "{first}");
    assert_eq!(first, day().await);
}

#[tokio::test(start_paused = true)]
async fn a_rule_can_start_all_containers_again() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .init("setup", Script::runs([Guest::exits(1, 0)]))
        .container("web", Script::runs([Guest::exits(60, 0).lingers(5, 0)]))
        .add(
            "containers",
            json!({ "name": "watcher", "restartPolicy": "Never", "restartPolicyRules": [
                { "action": "RestartAllContainers",
                  "exitCodes": { "operator": "In", "values": [88] } },
            ] }),
            Script::runs([Guest::exits(10, 88), Guest::exits(1, 88), Guest::exits(2, 0)]),
        );
    insta::assert_snapshot!(pod.trace().await, @r#"
       0s sandbox
       0s image setup
       0s   | Pending; setup PodInitializing; watcher PodInitializing; web PodInitializing
       0s   ~ setup: Pulled: Container image "setup.wasm" already present on machine
       0s start setup #0
       0s   ~ setup: Created: Container created
       0s   ~ setup: Started: Container started
       0s   | Pending; setup running; watcher PodInitializing; web PodInitializing
       1s image web
       1s image watcher
       1s   | Pending; setup Completed 0, ready; watcher PodInitializing; web PodInitializing
       1s   ~ web: Pulled: Container image "web.wasm" already present on machine
       1s   ~ watcher: Pulled: Container image "watcher.wasm" already present on machine
       1s start web #0
       1s start watcher #0
       1s   ~ web: Created: Container created
       1s   ~ web: Started: Container started
       1s   ~ watcher: Created: Container created
       1s   ~ watcher: Started: Container started
       1s   | Running; setup Completed 0, ready; watcher running, ready; web running, ready
      11s kill web
      11s   ~ web: Killing: Stopping container web
      11s   | Running; setup Completed 0, ready; watcher Error 88; web running, ready
      11s image setup
      11s   | Running; setup RestartingAllContainers (The container is removed because RestartAllContainers in place); watcher RestartingAllContainers (The container is removed because RestartAllContainers in place); web RestartingAllContainers (The container is removed because RestartAllContainers in place)
      11s   ~ setup: Pulled: Container image "setup.wasm" already present on machine (x2)
      11s start setup #1
      11s   ~ setup: Created: Container created (x2)
      11s   ~ setup: Started: Container started (x2)
      11s   | Pending; setup running, restarts 1; watcher RestartingAllContainers (The container is removed because RestartAllContainers in place); web RestartingAllContainers (The container is removed because RestartAllContainers in place)
      12s image web
      12s image watcher
      12s   | Running; setup Completed 0, ready, restarts 1; watcher RestartingAllContainers (The container is removed because RestartAllContainers in place); web RestartingAllContainers (The container is removed because RestartAllContainers in place)
      12s   ~ web: Pulled: Container image "web.wasm" already present on machine (x2)
      12s   ~ watcher: Pulled: Container image "watcher.wasm" already present on machine (x2)
      12s start web #1
      12s start watcher #1
      12s   ~ web: Created: Container created (x2)
      12s   ~ web: Started: Container started (x2)
      12s   ~ watcher: Created: Container created (x2)
      12s   ~ watcher: Started: Container started (x2)
      12s   | Running; setup Completed 0, ready, restarts 1; watcher running, ready, restarts 1; web running, ready, restarts 1
      13s   ~ watcher: !BackOff: Back-off restarting failed container watcher in pod p_default(u)
      13s   | Running; setup Completed 0, ready, restarts 1; watcher CrashLoopBackOff (back-off 10s restarting failed container=watcher pod=p_default(u)), restarts 1; web running, ready, restarts 1
      23s kill web
      23s   ~ web: Killing: Stopping container web (x2)
      23s image setup
      23s   | Running; setup RestartingAllContainers (The container is removed because RestartAllContainers in place), restarts 1; watcher RestartingAllContainers (The container is removed because RestartAllContainers in place), restarts 1; web RestartingAllContainers (The container is removed because RestartAllContainers in place), restarts 1
      23s   ~ setup: Pulled: Container image "setup.wasm" already present on machine (x3)
      23s start setup #2
      23s   ~ setup: Created: Container created (x3)
      23s   ~ setup: Started: Container started (x3)
      23s   | Pending; setup running, restarts 2; watcher RestartingAllContainers (The container is removed because RestartAllContainers in place), restarts 1; web RestartingAllContainers (The container is removed because RestartAllContainers in place), restarts 1
      24s image web
      24s image watcher
      24s   | Running; setup Completed 0, ready, restarts 2; watcher RestartingAllContainers (The container is removed because RestartAllContainers in place), restarts 1; web RestartingAllContainers (The container is removed because RestartAllContainers in place), restarts 1
      24s   ~ web: Pulled: Container image "web.wasm" already present on machine (x3)
      24s   ~ watcher: Pulled: Container image "watcher.wasm" already present on machine (x3)
      24s start web #2
      24s start watcher #2
      24s   ~ web: Created: Container created (x3)
      24s   ~ web: Started: Container started (x3)
      24s   ~ watcher: Created: Container created (x3)
      24s   ~ watcher: Started: Container started (x3)
      24s   | Running; setup Completed 0, ready, restarts 2; watcher running, ready, restarts 2; web running, ready, restarts 2
      26s   | Running; setup Completed 0, ready, restarts 2; watcher Completed 0, restarts 2; web running, ready, restarts 2
    1m24s teardown
    1m24s   | Succeeded; setup Completed 0, ready, restarts 2; watcher Completed 0, restarts 2; web Completed 0, restarts 2
    1m24s over, exit code 0
    "#);
}
