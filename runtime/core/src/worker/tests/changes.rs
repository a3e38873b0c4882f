//! Containers that are given another image while their Pod runs.

use std::time::Duration;

use super::scripted::{Guest, PodScript, Script, no_image, restarts};
use crate::lifecycle::{ContainerIndex, ImageErrorKind, SpecChange};

fn image(name: &str) -> SpecChange {
    SpecChange { images: vec![(ContainerIndex(0), name.to_owned())], active_deadline: None }
}

#[tokio::test(start_paused = true)]
async fn a_container_with_another_image_makes_way_for_it_whatever_the_policy() {
    let mut pod = PodScript::new()
        .with("restartPolicy", "Never")
        .container("web", Script::runs([Guest::serves()]))
        .start();
    pod.wait_until(|status| status.phase.as_deref() == Some("Running")).await;
    pod.handle.change_spec(image("other.wasm")).await;
    pod.wait_until(|status| restarts(status) == 1).await;
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
    0s stop web within 30s
    0s   ~ web: Killing: Container web definition changed, will be restarted
    0s image web
    0s   | Running; web Error 143
    0s   ~ web: Pulled: Container image "other.wasm" already present on machine
    0s start web #1
    0s   ~ web: Created: Container created (x2)
    0s   ~ web: Started: Container started (x2)
    0s   | Running; web running, ready, restarts 1
    0s kill web
    0s   ~ web: Killing: Stopping container web
    0s teardown
    0s   | Failed; web Error 137, restarts 1
    0s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_had_is_not_waited_for_any_more() {
    let missing = no_image(ImageErrorKind::Pull, "absent");
    let web = Script::runs([Guest::serves()]).images([missing.clone(), missing, Ok(())]);
    let mut pod = PodScript::new().container("web", web).start();
    // In the middle of its back-off.
    pod.pass(15).await;
    pod.handle.change_spec(image("other.wasm")).await;
    pod.wait_until(|status| status.phase.as_deref() == Some("Running")).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
     0s sandbox
     0s image web
    10s image web
    15s image web
    15s start web #0
    15s kill web
    15s teardown
    15s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_being_prepared_of_the_old_image_is_called_off() {
    let web = Script::runs([Guest::serves()]).image_takes(10);
    let mut pod = PodScript::new().container("web", web).start();
    pod.pass(5).await;
    pod.handle.change_spec(image("other.wasm")).await;
    pod.wait_until(|status| status.phase.as_deref() == Some("Running")).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
     0s sandbox
     0s image web
     0s   | Pending; web ContainerCreating
     5s image web
    15s   ~ web: Pulled: Container image "other.wasm" already present on machine
    15s start web #0
    15s   ~ web: Created: Container created
    15s   ~ web: Started: Container started
    15s   | Running; web running, ready
    15s kill web
    15s   ~ web: Killing: Stopping container web
    15s teardown
    15s   | Failed; web Error 137
    15s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_set_later_counts_from_the_begin_of_the_pod() {
    let mut pod = PodScript::new().container("web", Script::runs([Guest::serves()])).start();
    pod.pass(30).await;
    let deadline = Some(Duration::from_secs(60));
    pod.handle.change_spec(SpecChange { images: Vec::new(), active_deadline: deadline }).await;
    pod.end().await;
    insta::assert_snapshot!(pod.deeds(), @r"
      0s sandbox
      0s image web
      0s start web #0
    1m0s stop web within 30s
    1m0s teardown
    1m0s over, exit code 143
    ");
}
