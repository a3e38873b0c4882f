//! A Pod that has to ask for its place, and one whose memory the machine wants back.

use super::scripted::{Guest, PodScript, Script, is_running};
use crate::lifecycle::{Outcome, Placement, PodFailure};

fn no_room(of: &str) -> Result<Placement, PodFailure> {
    let message = format!("0/1 nodes are available: 1 Insufficient {of}.");
    Ok(Placement::Unschedulable { message })
}

fn room() -> Result<Placement, PodFailure> {
    Ok(Placement::Scheduled { node: "here".to_owned() })
}

#[tokio::test(start_paused = true)]
async fn a_pod_waits_for_its_place_and_its_deadline_begins_there() {
    let pod = PodScript::new()
        .with("activeDeadlineSeconds", 5)
        .places([(0, no_room("cpu")), (60, no_room("memory")), (60, room())])
        .container("web", Script::runs([Guest::serves()]));
    insta::assert_snapshot!(pod.trace().await, @r#"
      0s place?
      0s   ~ pod: !FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.
      0s   | Pending
      0s place? not because of: 0/1 nodes are available: 1 Insufficient cpu.
    1m0s   ~ pod: !FailedScheduling: 0/1 nodes are available: 1 Insufficient memory.
    1m0s place? not because of: 0/1 nodes are available: 1 Insufficient memory.
    2m0s   ~ pod: Scheduled: Successfully assigned default/p to here
    2m0s   | Pending; web ContainerCreating
    2m0s sandbox
    2m0s image web
    2m0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    2m0s start web #0
    2m0s   ~ web: Created: Container created
    2m0s   ~ web: Started: Container started
    2m0s   | Running; web running, ready
    2m5s stop web within 30s
    2m5s   ~ pod: DeadlineExceeded: Pod was active on the node longer than the specified deadline
    2m5s   ~ web: Killing: Stopping container web
    2m5s teardown
    2m5s   | Failed (DeadlineExceeded: Pod was active on the node longer than the specified deadline); web Error 143
    2m5s over, exit code 143
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_waits_for_its_place_can_be_ended_at_once() {
    let pod = PodScript::new()
        .places([(0, no_room("cpu"))])
        .container("web", Script::runs([Guest::serves()]));
    let pod = pod.stopped_after(3).await;
    insta::assert_snapshot!(pod.trace(), @r"
    0s place?
    0s   ~ pod: !FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.
    0s   | Pending
    0s place? not because of: 0/1 nodes are available: 1 Insufficient cpu.
    3s teardown
    3s over, exit code 130
    ");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_can_have_no_place_has_failed() {
    let pod = PodScript::new()
        .places([(0, Err(PodFailure::rejected(&"no ledger")))])
        .container("web", Script::runs([Guest::serves()]));
    insta::assert_snapshot!(pod.trace().await, @r"
    0s place?
    0s   ~ pod: !UnexpectedAdmissionError: Pod was rejected: no ledger
    0s   | Failed (UnexpectedAdmissionError: Pod was rejected: no ledger)
    0s teardown
    0s over, exit code 1
    ");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_has_to_give_its_memory_back_starts_again() {
    let mut pod = PodScript::new()
        .container("greedy", Script::runs([Guest::serves().deaf()]))
        .container("web", Script::runs([Guest::serves()]))
        .start();
    pod.wait_until(is_running).await;
    let message = "The node was low on resource: memory. ";
    assert!(pod.handle.out_of_memory("greedy", message.to_owned()).await);
    assert!(!pod.handle.out_of_memory("absent", message.to_owned()).await);
    pod.pass(1).await;
    pod.handle.kill().await;
    pod.end().await;
    insta::assert_snapshot!(pod.trace(), @r#"
    0s sandbox
    0s image greedy
    0s image web
    0s   | Pending; greedy ContainerCreating; web ContainerCreating
    0s   ~ greedy: Pulled: Container image "greedy.wasm" already present on machine
    0s   ~ web: Pulled: Container image "web.wasm" already present on machine
    0s start greedy #0
    0s start web #0
    0s   ~ greedy: Created: Container created
    0s   ~ greedy: Started: Container started
    0s   ~ web: Created: Container created
    0s   ~ web: Started: Container started
    0s   | Running; greedy running, ready; web running, ready
    0s kill greedy
    0s   ~ greedy: !Evicted: The node was low on resource: memory. 
    0s image greedy
    0s   | Running; greedy OOMKilled 137; web running, ready
    0s   ~ greedy: Pulled: Container image "greedy.wasm" already present on machine (x2)
    0s start greedy #1
    0s   ~ greedy: Created: Container created (x2)
    0s   ~ greedy: Started: Container started (x2)
    0s   | Running; greedy running, ready, restarts 1; web running, ready
    1s kill greedy
    1s kill web
    1s   ~ greedy: Killing: Stopping container greedy
    1s   ~ web: Killing: Stopping container web
    1s   | Failed; greedy Error 137, restarts 1; web Error 137
    1s teardown
    1s over, exit code 130
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_evicted_has_a_second() {
    let pod =
        PodScript::new().container("web", Script::runs([Guest::serves().lingers(60, 0)])).start();
    pod.wait_until(is_running).await;
    pod.handle.fail(PodFailure::evicted("The node was low on resource: memory. ")).await;
    pod.pass(10).await;
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
    0s   ~ pod: !Evicted: The node was low on resource: memory. 
    0s   ~ web: Killing: Stopping container web
    2s kill web
    2s teardown
    2s   | Failed (Evicted: The node was low on resource: memory. ); web Error 137
    "#);
    assert_eq!(pod.outcome().await, Outcome::Failed { container: "web".to_owned(), code: 137 });
}
