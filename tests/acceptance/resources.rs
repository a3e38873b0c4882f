//! Requests and limits.

use crate::harness::{PodText, World, eventually, guest};

#[test]
fn the_sum_of_requests_never_exceeds_the_machine() {
    let world = World::new();
    let pod = |name: &str| {
        PodText::new(name)
            .restart_policy("Always")
            .container("main", &guest("toolbox"), &["idle"])
            .with("resources: {requests: {cpu: 600m}}")
            .write(&world)
    };
    let apply = |name: &str| world.does(["apply", "-f", &pod(name), "--node-cpu", "1"]);
    apply("first");
    world.wait_for_row("first", "1/1 Running 0");
    apply("second");
    world.wait_for_row("second", "0/1 Pending 0");
    let told = eventually("why", || {
        let told = world.does(["describe", "pod", "second"]);
        told.contains("FailedScheduling").then_some(told)
    });
    assert!(told.contains("0/1 nodes are available: 1 Insufficient cpu."), "{told}");
    world.does(["delete", "pod", "first", "--now"]);
    world.wait_for_row("second", "1/1 Running 0");
}

#[test]
fn beyond_its_limit_a_guest_gets_no_more_memory_and_goes_on() {
    let world = World::new();
    let file = PodText::new("hungry")
        .container("main", &guest("toolbox"), &["allocate"])
        .with("resources: {limits: {memory: 256Mi}}")
        .write(&world);
    world.does(["apply", "-f", &file]);
    world.wait_for_row("hungry", "0/1 Completed 0");
    let log = world.does(["logs", "hungry"]);
    assert!(log.starts_with("took 25"), "{log}");
}
