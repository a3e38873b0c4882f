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
    insta::assert_snapshot!(pod.trace().await, @"");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_waits_for_its_place_can_be_ended_at_once() {
    let pod = PodScript::new()
        .places([(0, no_room("cpu"))])
        .container("web", Script::runs([Guest::serves()]));
    let pod = pod.stopped_after(3).await;
    insta::assert_snapshot!(pod.trace(), @"");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_can_have_no_place_has_failed() {
    let pod = PodScript::new()
        .places([(0, Err(PodFailure::rejected(&"no ledger")))])
        .container("web", Script::runs([Guest::serves()]));
    insta::assert_snapshot!(pod.trace().await, @"");
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
    insta::assert_snapshot!(pod.trace(), @"");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_evicted_has_a_second() {
    let pod =
        PodScript::new().container("web", Script::runs([Guest::serves().lingers(60, 0)])).start();
    pod.wait_until(is_running).await;
    pod.handle.fail(PodFailure::evicted("The node was low on resource: memory. ")).await;
    pod.pass(10).await;
    insta::assert_snapshot!(pod.trace(), @"");
    assert_eq!(pod.outcome().await, Outcome::Failed { container: "web".to_owned(), code: 137 });
}
