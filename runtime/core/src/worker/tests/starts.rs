//! From nothing to running: the order of start, and what goes wrong on the way.

use serde_json::json;

use super::scripted::{Guest, PodScript, Script, is_running, no_image};
use crate::lifecycle::{Exit, ImageErrorKind, Outcome, SandboxError, StartError};

#[tokio::test(start_paused = true)]
async fn one_container_runs_to_its_end_without_a_timer() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .container("hello", Script::runs([Guest::exits(0, 0)]));
    insta::assert_snapshot!(pod.trace().await, @r#"
    0s sandbox
    0s image hello
    0s   | Pending; hello ContainerCreating
    0s   ~ hello: Pulled: Container image "hello.wasm" already present on machine
    0s start hello #0
    0s   ~ hello: Created: Container created
    0s   ~ hello: Started: Container started
    0s   | Running; hello running, ready
    0s teardown
    0s   | Succeeded; hello Completed 0
    0s over, exit code 0
    "#);
}

#[tokio::test(start_paused = true)]
async fn init_containers_run_one_by_one_then_the_app_containers_together() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .init("fetch", Script::runs([Guest::exits(2, 0)]))
        .init("unpack", Script::runs([Guest::exits(3, 0)]))
        .container("slow", Script::runs([Guest::exits(1, 0)]).image_takes(4))
        .container("fast", Script::runs([Guest::exits(5, 0)]));
    insta::assert_snapshot!(pod.trace().await, @r#"
     0s sandbox
     0s image fetch
     0s   | Pending; fetch PodInitializing; unpack PodInitializing; fast PodInitializing; slow PodInitializing
     0s   ~ fetch: Pulled: Container image "fetch.wasm" already present on machine
     0s start fetch #0
     0s   ~ fetch: Created: Container created
     0s   ~ fetch: Started: Container started
     0s   | Pending; fetch running; unpack PodInitializing; fast PodInitializing; slow PodInitializing
     2s image unpack
     2s   | Pending; fetch Completed 0, ready; unpack PodInitializing; fast PodInitializing; slow PodInitializing
     2s   ~ unpack: Pulled: Container image "unpack.wasm" already present on machine
     2s start unpack #0
     2s   ~ unpack: Created: Container created
     2s   ~ unpack: Started: Container started
     2s   | Pending; fetch Completed 0, ready; unpack running; fast PodInitializing; slow PodInitializing
     5s image slow
     5s image fast
     5s   | Pending; fetch Completed 0, ready; unpack Completed 0, ready; fast PodInitializing; slow PodInitializing
     5s   ~ fast: Pulled: Container image "fast.wasm" already present on machine
     5s start fast #0
     5s   ~ fast: Created: Container created
     5s   ~ fast: Started: Container started
     5s   | Pending; fetch Completed 0, ready; unpack Completed 0, ready; fast running, ready; slow PodInitializing
     9s   ~ slow: Pulled: Container image "slow.wasm" already present on machine
     9s start slow #0
     9s   ~ slow: Created: Container created
     9s   ~ slow: Started: Container started
     9s   | Running; fetch Completed 0, ready; unpack Completed 0, ready; fast running, ready; slow running, ready
    10s   | Succeeded; fetch Completed 0, ready; unpack Completed 0, ready; fast Completed 0; slow Completed 0
    10s teardown
    10s over, exit code 0
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_init_container_that_fails_for_good_fails_the_pod() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .init("migrate", Script::runs([Guest::exits(1, 7)]))
        .container("web", Script::runs([Guest::serves()]));
    insta::assert_snapshot!(pod.trace().await, @r#"
    0s sandbox
    0s image migrate
    0s   | Pending; migrate PodInitializing; web PodInitializing
    0s   ~ migrate: Pulled: Container image "migrate.wasm" already present on machine
    0s start migrate #0
    0s   ~ migrate: Created: Container created
    0s   ~ migrate: Started: Container started
    0s   | Pending; migrate running; web PodInitializing
    1s teardown
    1s   | Failed; migrate Error 7; web PodInitializing
    1s over, exit code 7
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_init_container_is_tried_again_under_back_off() {
    for policy in ["Always", "OnFailure"] {
        let failing = Guest::exits(1, 1);
        let mut pod = PodScript::new()
            .with("restartPolicy", policy)
            .init(
                "migrate",
                Script::runs([failing.clone(), failing.clone(), failing, Guest::exits(1, 0)]),
            )
            .container("web", Script::runs([Guest::serves()]))
            .start();
        pod.wait_until(is_running).await;
        pod.handle.kill().await;
        pod.end().await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(pod.deeds(), @r"
             0s sandbox
             0s image migrate
             0s start migrate #0
             1s image migrate
             1s start migrate #1
            12s image migrate
            12s start migrate #2
            33s image migrate
            33s start migrate #3
            34s image web
            34s start web #0
            34s kill web
            34s teardown
            34s over, exit code 130
            ");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sidecars_start_in_order_stay_beside_and_end_last() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .sidecar("log", Script::runs([Guest::serves().lingers(1, 0)]).start_takes(2))
        .sidecar("proxy", Script::runs([Guest::serves().lingers(1, 0)]))
        .init("migrate", Script::runs([Guest::exits(3, 0)]))
        .container("job", Script::runs([Guest::exits(10, 0)]));
    insta::assert_snapshot!(pod.trace().await, @r#"
     0s sandbox
     0s image log
     0s   | Pending; log PodInitializing; proxy PodInitializing; migrate PodInitializing; job PodInitializing
     0s   ~ log: Pulled: Container image "log.wasm" already present on machine
     0s start log #0
     2s   ~ log: Created: Container created
     2s   ~ log: Started: Container started
     2s   | Pending; log running, ready; proxy PodInitializing; migrate PodInitializing; job PodInitializing
     2s image proxy
     2s   ~ proxy: Pulled: Container image "proxy.wasm" already present on machine
     2s start proxy #0
     2s   ~ proxy: Created: Container created
     2s   ~ proxy: Started: Container started
     2s   | Pending; log running, ready; proxy running, ready; migrate PodInitializing; job PodInitializing
     2s image migrate
     2s   ~ migrate: Pulled: Container image "migrate.wasm" already present on machine
     2s start migrate #0
     2s   ~ migrate: Created: Container created
     2s   ~ migrate: Started: Container started
     2s   | Pending; log running, ready; proxy running, ready; migrate running; job PodInitializing
     5s image job
     5s   | Pending; log running, ready; proxy running, ready; migrate Completed 0, ready; job PodInitializing
     5s   ~ job: Pulled: Container image "job.wasm" already present on machine
     5s start job #0
     5s   ~ job: Created: Container created
     5s   ~ job: Started: Container started
     5s   | Running; log running, ready; proxy running, ready; migrate Completed 0, ready; job running, ready
    15s stop proxy within 30s
    15s   ~ proxy: Killing: Stopping container proxy
    15s   | Running; log running, ready; proxy running, ready; migrate Completed 0, ready; job Completed 0
    16s stop log within 29s
    16s   ~ log: Killing: Stopping container log
    16s   | Running; log running, ready; proxy Completed 0; migrate Completed 0, ready; job Completed 0
    17s teardown
    17s   | Succeeded; log Completed 0; proxy Completed 0; migrate Completed 0, ready; job Completed 0
    17s over, exit code 0
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_missing_is_tried_again_under_back_off() {
    let mut pod = PodScript::new()
        .container(
            "web",
            Script::runs([Guest::serves()]).images([
                no_image(ImageErrorKind::Pull, "no such file"),
                no_image(ImageErrorKind::Pull, "no such file"),
                no_image(ImageErrorKind::Pull, "no such file"),
                Ok(()),
            ]),
        )
        .start();
    pod.wait_until(is_running).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
       0s sandbox
       0s image web
       0s   | Pending; web ContainerCreating
       0s   ~ web: !Failed: Failed to pull image "web.wasm": no such file
       0s   ~ web: !Failed: Error: ErrImagePull
       0s   | Pending; web ErrImagePull (no such file)
       1s   ~ web: BackOff: Back-off pulling image "web.wasm"
       1s   ~ web: !Failed: Error: ImagePullBackOff
       1s   | Pending; web ImagePullBackOff (Back-off pulling image "web.wasm": ErrImagePull: no such file)
      10s image web
      10s   ~ web: !Failed: Failed to pull image "web.wasm": no such file (x2)
      10s   ~ web: !Failed: Error: ErrImagePull (x2)
      10s   | Pending; web ErrImagePull (no such file)
      11s   ~ web: BackOff: Back-off pulling image "web.wasm" (x2)
      11s   ~ web: !Failed: Error: ImagePullBackOff (x2)
      11s   | Pending; web ImagePullBackOff (Back-off pulling image "web.wasm": ErrImagePull: no such file)
      30s image web
      30s   ~ web: !Failed: Failed to pull image "web.wasm": no such file (x3)
      30s   ~ web: !Failed: Error: ErrImagePull (x3)
      30s   | Pending; web ErrImagePull (no such file)
      31s   ~ web: BackOff: Back-off pulling image "web.wasm" (x3)
      31s   ~ web: !Failed: Error: ImagePullBackOff (x3)
      31s   | Pending; web ImagePullBackOff (Back-off pulling image "web.wasm": ErrImagePull: no such file)
    1m10s image web
    1m10s   ~ web: Pulled: Container image "web.wasm" already present on machine
    1m10s start web #0
    1m10s   ~ web: Created: Container created
    1m10s   ~ web: Started: Container started
    1m10s   | Running; web running, ready
    1m10s kill web
    1m10s   ~ web: Killing: Stopping container web
    1m10s teardown
    1m10s   | Failed; web Error 137
    1m10s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_may_not_be_pulled_is_looked_for_every_ten_seconds() {
    let absent = r#"Container image "web.wasm" is not present with pull policy of Never"#;
    let mut pod = PodScript::new()
        .container(
            "web",
            Script::runs([Guest::serves()]).images([
                no_image(ImageErrorKind::NeverPull, absent),
                no_image(ImageErrorKind::NeverPull, absent),
                Ok(()),
            ]),
        )
        .start();
    pod.wait_until(is_running).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
     0s sandbox
     0s image web
     0s   | Pending; web ContainerCreating
     0s   ~ web: !ErrImageNeverPull: Container image "web.wasm" is not present with pull policy of Never
     0s   ~ web: !Failed: Error: ErrImageNeverPull
     0s   | Pending; web ErrImageNeverPull (Container image "web.wasm" is not present with pull policy of Never)
    10s image web
    10s   ~ web: !ErrImageNeverPull: Container image "web.wasm" is not present with pull policy of Never (x2)
    10s   ~ web: !Failed: Error: ErrImageNeverPull (x2)
    20s image web
    20s   ~ web: Pulled: Container image "web.wasm" already present on machine
    20s start web #0
    20s   ~ web: Created: Container created
    20s   ~ web: Started: Container started
    20s   | Running; web running, ready
    20s kill web
    20s   ~ web: Killing: Stopping container web
    20s teardown
    20s   | Failed; web Error 137
    20s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_config_error_heals() {
    let missing = StartError::Config(r#"configmap "settings" not found"#.to_owned());
    let mut pod = PodScript::new()
        .container(
            "web",
            Script::runs([Guest::serves()]).starts([Err(missing.clone()), Err(missing), Ok(())]),
        )
        .start();
    pod.wait_until(is_running).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
     0s sandbox
     0s image web
     0s   | Pending; web ContainerCreating
     0s   ~ web: Pulled: Container image "web.wasm" already present on machine
     0s start web #0
     0s   ~ web: !Failed: Error: configmap "settings" not found
     0s   | Pending; web CreateContainerConfigError (configmap "settings" not found)
    10s image web
    10s   ~ web: Pulled: Container image "web.wasm" already present on machine (x2)
    10s start web #0
    10s   ~ web: !Failed: Error: configmap "settings" not found (x2)
    20s image web
    20s   ~ web: Pulled: Container image "web.wasm" already present on machine (x3)
    20s start web #0
    20s   ~ web: Created: Container created
    20s   ~ web: Started: Container started
    20s   | Running; web running, ready
    20s kill web
    20s   ~ web: Killing: Stopping container web
    20s teardown
    20s   | Failed; web Error 137
    20s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_is_missing_is_tried_again_soon() {
    let missing = SandboxError::Mount {
        volume: "data".to_owned(),
        message: "hostPath type check failed: /data is not a directory".to_owned(),
    };
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .sandboxes([Err(missing.clone()), Err(missing.clone()), Err(missing), Ok(())])
        .container("job", Script::runs([Guest::exits(1, 0)]));
    insta::assert_snapshot!(pod.trace().await, @r#"
       0s sandbox
       0s   ~ pod: !FailedMount: MountVolume.SetUp failed for volume "data" : hostPath type check failed: /data is not a directory
    500ms sandbox
    500ms   ~ pod: !FailedMount: MountVolume.SetUp failed for volume "data" : hostPath type check failed: /data is not a directory (x2)
     1.5s sandbox
     1.5s   ~ pod: !FailedMount: MountVolume.SetUp failed for volume "data" : hostPath type check failed: /data is not a directory (x3)
     3.5s sandbox
     3.5s image job
     3.5s   | Pending; job ContainerCreating
     3.5s   ~ job: Pulled: Container image "job.wasm" already present on machine
     3.5s start job #0
     3.5s   ~ job: Created: Container created
     3.5s   ~ job: Started: Container started
     3.5s   | Running; job running, ready
     4.5s teardown
     4.5s   | Succeeded; job Completed 0
     4.5s over, exit code 0
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_cannot_be_entered_counts_as_a_run() {
    let pod = PodScript::new().with("restartPolicy", "Never").container(
        "job",
        Script::runs([]).starts([Err(StartError::Run(Exit::start_error(
            "unknown import: `env.foo` has not been defined",
        )))]),
    );
    insta::assert_snapshot!(pod.trace().await, @r#"
    0s sandbox
    0s image job
    0s   | Pending; job ContainerCreating
    0s   ~ job: Pulled: Container image "job.wasm" already present on machine
    0s start job #0
    0s   ~ job: !Failed: Error: unknown import: `env.foo` has not been defined
    0s   | Failed; job StartError 128
    0s teardown
    0s over, exit code 128
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_task_of_ours_that_panics_is_a_failure_of_that_container_alone() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .container("good", Script::runs([Guest::exits(1, 0)]))
        .container("bad", Script::runs([Guest::panics()]))
        .start();
    let outcome = pod.outcome().await;
    assert_eq!(outcome, Outcome::Failed { container: "bad".to_owned(), code: 137 });
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_in_time_gives_the_exit_code() {
    let pod = PodScript::new()
        .with("restartPolicy", "Never")
        .container("late", Script::runs([Guest::exits(5, 5)]))
        .container("early", Script::runs([Guest::exits(2, 2)]))
        .container("fine", Script::runs([Guest::exits(1, 0)]))
        .start();
    let outcome = pod.outcome().await;
    assert_eq!(outcome, Outcome::Failed { container: "early".to_owned(), code: 2 });
}

#[tokio::test(start_paused = true)]
async fn a_pod_past_its_active_deadline_is_ended_and_fails() {
    let pod = PodScript::new()
        .with("activeDeadlineSeconds", 60)
        .with("terminationGracePeriodSeconds", 5)
        .container("polite", Script::runs([Guest::serves()]))
        .container("deaf", Script::runs([Guest::serves().deaf()]));
    insta::assert_snapshot!(pod.trace().await, @r#"
      0s sandbox
      0s image polite
      0s image deaf
      0s   | Pending; deaf ContainerCreating; polite ContainerCreating
      0s   ~ polite: Pulled: Container image "polite.wasm" already present on machine
      0s   ~ deaf: Pulled: Container image "deaf.wasm" already present on machine
      0s start polite #0
      0s start deaf #0
      0s   ~ polite: Created: Container created
      0s   ~ polite: Started: Container started
      0s   ~ deaf: Created: Container created
      0s   ~ deaf: Started: Container started
      0s   | Running; deaf running, ready; polite running, ready
    1m0s stop polite within 5s
    1m0s stop deaf within 5s
    1m0s   ~ pod: DeadlineExceeded: Pod was active on the node longer than the specified deadline
    1m0s   ~ polite: Killing: Stopping container polite
    1m0s   ~ deaf: Killing: Stopping container deaf
    1m0s   | Running; deaf running, ready; polite Error 143
    1m5s kill deaf
    1m5s teardown
    1m5s   | Failed (DeadlineExceeded: Pod was active on the node longer than the specified deadline); deaf Error 137; polite Error 143
    1m5s over, exit code 143
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_never_gets_its_image_also_meets_its_deadline() {
    let pod = PodScript::new().with("activeDeadlineSeconds", 15).container(
        "web",
        Script::runs([])
            .images([no_image(ImageErrorKind::InvalidName, "couldn't parse image name")]),
    );
    let outcome = pod.start().outcome().await;
    assert_eq!(outcome, Outcome::PodFailed);
}

#[tokio::test(start_paused = true)]
async fn containers_have_policies_of_their_own() {
    let mut pod = PodScript::new()
        .with("restartPolicy", "Never")
        .add(
            "containers",
            json!({ "name": "worker", "restartPolicy": "OnFailure" }),
            Script::runs([Guest::exits(1, 1), Guest::exits(1, 0)]),
        )
        .add(
            "containers",
            json!({ "name": "trainer", "restartPolicy": "Never", "restartPolicyRules": [
                { "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } },
            ] }),
            Script::runs([Guest::exits(1, 42), Guest::exits(1, 3)]),
        )
        .start();
    let outcome = pod.end().await.outcome;
    assert_eq!(outcome, Outcome::Failed { container: "trainer".to_owned(), code: 3 });
    insta::assert_snapshot!(pod.deeds(), @r"
    0s sandbox
    0s image worker
    0s image trainer
    0s start worker #0
    0s start trainer #0
    1s image worker
    1s image trainer
    1s start worker #1
    1s start trainer #1
    2s teardown
    2s over, exit code 3
    ");
}
