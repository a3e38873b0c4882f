//! A machine short of memory: who goes, what is said of it, and who is left alone.

use rustix::process::Signal;

use crate::harness::{PodText, Running, World, guest};

const NODE: [&str; 2] = ["--node-memory", "512Mi"];

/// Runs a Pod that requests and holds so much, in MiB.
fn holding(world: &World, name: &str, request: u32, held: &str, words: &[&str]) -> Running {
    let mut pod = PodText::new(name).restart_policy("OnFailure").container(
        name,
        &guest("toolbox"),
        &["hold", held],
    );
    if request > 0 {
        pod = pod.with(&format!("resources: {{requests: {{memory: {request}Mi}}}}"));
    }
    let file = pod.write(world);
    let all: Vec<&str> = ["run", &file, "-o", "json"].into_iter().chain(NODE).collect();
    world.wasmpod(all.into_iter().chain(words.iter().copied())).start()
}

fn is_running(status: &serde_json::Value) -> bool {
    status["phase"] == "Running"
}

fn restarts(status: &serde_json::Value) -> i64 {
    status["containerStatuses"][0]["restartCount"].as_i64().unwrap_or(0)
}

fn interrupt(pod: Running) {
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn the_container_furthest_above_its_request_goes_and_starts_again() {
    let world = World::new();
    let modest = holding(&world, "modest", 200, "150", &[]);
    modest.wait_for("holding");
    let small = holding(&world, "small", 10, "30", &[]);
    small.wait_for("holding");
    let greedy = holding(&world, "greedy", 50, "300", &[]);
    let status = greedy.wait_for_status("it has gone and come back", |status| {
        restarts(status) == 1 && is_running(status)
    });
    let last = &status["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&137.into(), &"OOMKilled".into()), "{last}");
    let message = last["message"].as_str().expect("it says why");
    assert!(message.starts_with("The node was low on resource: memory. Threshold quantity: 100Mi"));
    assert!(message.contains("Container greedy was using"), "{message}");
    assert!(message.contains("request is 50Mi, has larger consumption of memory. "), "{message}");
    greedy.wait_for_line(&["\"event\"", "Evicted", "Warning", "low on resource"]);
    interrupt(greedy);
    for pod in [modest, small] {
        pod.signal(Signal::INT);
        let result = pod.finish();
        assert!(!result.stdout.contains("OOMKilled"), "{result}");
    }
}

#[test]
fn the_kubelets_way_ends_the_pod() {
    let world = World::new();
    let modest = holding(&world, "modest", 200, "150", &["--eviction", "pod"]);
    modest.wait_for("holding");
    let greedy = holding(&world, "greedy", 50, "300", &["--eviction", "pod"]);
    let result = greedy.finish();
    assert_ne!(result.code, 0, "{result}");
    for part in ["\"phase\":\"Failed\"", "\"reason\":\"Evicted\"", "Container greedy was using"] {
        assert!(result.stdout.contains(part), "`{part}` is missing\n{result}");
    }
    interrupt(modest);
}

#[test]
fn the_next_process_watches_when_the_first_one_is_killed() {
    let world = World::new();
    let first = holding(&world, "first", 10, "5", &[]);
    first.wait_for("holding");
    let modest = holding(&world, "modest", 200, "150", &[]);
    modest.wait_for("holding");
    first.signal(Signal::KILL);
    first.finish();
    let greedy = holding(&world, "greedy", 50, "300", &[]);
    greedy.wait_for_status("it has gone", |status| restarts(status) == 1);
    interrupt(greedy);
    interrupt(modest);
}

#[test]
fn a_threshold_is_checked_at_once() {
    let world = World::new();
    let file = world.pod("pod", &[("main", &guest("hello"))]);
    let result = world.wasmpod(["run", &file, "--eviction-hard", "100Mi"]).finish();
    assert_eq!(result.code, 125, "{result}");
    assert!(result.stderr.contains("memory.available<100Mi"), "{result}");
}
