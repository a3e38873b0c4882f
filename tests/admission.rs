//! Room on the machine: who has to wait, what is said meanwhile, and who is next.

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{PodText, Running, World, eventually, guest};

const NODE: [&str; 2] = ["--node-memory", "512Mi"];

/// A Pod that requests so much memory, in MiB, and idles.
fn idle(world: &World, name: &str, mib: u32, spec: &str) -> String {
    let resources = format!("resources: {{requests: {{memory: {mib}Mi}}}}");
    let pod = PodText::new(name).spec(spec).container(name, &guest("toolbox"), &["idle"]);
    pod.with(&resources).write(world)
}

fn start(world: &World, file: &str) -> Running {
    world.wasmpod(["run", file].into_iter().chain(NODE)).start()
}

/// Runs the Pod and waits until its container does.
fn started(world: &World, name: &str, mib: u32) -> Running {
    let pod = start(world, &idle(world, name, mib, ""));
    pod.wait_for_line(&[name, "| idle"]);
    pod
}

/// Runs a Pod for which there is no room, and waits until that is said.
fn refused(world: &World, name: &str, mib: u32, spec: &str) -> Running {
    let pod = start(world, &idle(world, name, mib, spec));
    pod.wait_for("FailedScheduling: 0/1 nodes are available: 1 Insufficient memory.");
    pod
}

fn is_running(pod: &Running) -> bool {
    pod.look(|stdout, _| stdout.contains("| idle"))
}

fn interrupt(pod: Running) {
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

fn condition(status: &Value) -> Option<&Value> {
    let conditions = status["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == "PodScheduled")
}

#[test]
fn a_pod_waits_until_there_is_room_for_it() {
    let world = World::new();
    let first = started(&world, "first", 300);
    let file = idle(&world, "second", 300, "");
    let second = world.wasmpod(["run", &file, "-o", "json"].into_iter().chain(NODE)).start();
    let waiting = second.wait_for_status("it has no place", |status| {
        condition(status).is_some_and(|condition| condition["status"] == "False")
    });
    let scheduled = condition(&waiting).expect("just seen");
    assert_eq!(waiting["phase"], "Pending", "{waiting}");
    assert_eq!(scheduled["reason"], "Unschedulable", "{waiting}");
    assert_eq!(
        scheduled["message"], "0/1 nodes are available: 1 Insufficient memory.",
        "{waiting}"
    );
    assert!(waiting["startTime"].is_null(), "nobody has taken it on: {waiting}");
    // What asks for nothing, or for what is left, has its place at once.
    let small = started(&world, "small", 200);
    let modest = world.pod("modest", &[("modest", &guest("hello"))]);
    let modest = world.wasmpod(["run", &modest].into_iter().chain(NODE)).finish();
    assert_eq!(modest.code, 0, "{modest}");

    interrupt(first);
    let running = second.wait_for_status("it runs", |status| status["phase"] == "Running");
    assert_eq!(condition(&running).expect("it is told")["status"], "True", "{running}");
    interrupt(small);
    interrupt(second);
}

#[test]
fn those_that_wait_have_their_turn_by_priority_and_then_by_age() {
    let world = World::new();
    let first = started(&world, "first", 400);
    let old = refused(&world, "old", 400, "");
    let young = refused(&world, "young", 400, "");
    let urgent = refused(&world, "urgent", 400, "priority: 10");
    interrupt(first);
    urgent.wait_for("| idle");
    assert!(!is_running(&old) && !is_running(&young));
    interrupt(urgent);
    old.wait_for("| idle");
    assert!(!is_running(&young));
    interrupt(old);
    young.wait_for("| idle");
    interrupt(young);
}

#[test]
fn a_pod_that_is_killed_makes_room_and_leaves_nothing() {
    let world = World::new();
    let first = started(&world, "first", 300);
    let waiting = refused(&world, "waiting", 300, "");
    // One that waits, too, must not hold up the others.
    waiting.signal(Signal::KILL);
    assert_eq!(waiting.finish().code, -9);
    let second = refused(&world, "second", 300, "");
    first.signal(Signal::KILL);
    assert_eq!(first.finish().code, -9);
    second.wait_for("| idle");
    interrupt(second);
    for folder in [world.root().join("node/pods"), world.path().join("wasmpod")] {
        let left: Vec<_> = std::fs::read_dir(&folder)
            .expect("it is there")
            .map(|entry| entry.expect("readable").file_name())
            // On a busy machine a start counts as computing, and what Pods tell each other about it stays.
            .filter(|name| name != "busy")
            .collect();
        assert!(left.is_empty(), "{}: {left:?}", folder.display());
    }
}

#[test]
fn what_can_never_fit_waits_and_says_so_and_can_be_ended() {
    let world = World::new();
    let pod = PodText::new("huge")
        .container("huge", &guest("toolbox"), &["idle"])
        .with("resources: {requests: {cpu: 3, memory: 1Gi}}")
        .write(&world);
    let words = ["run", &pod, "--node-cpu", "2"].into_iter().chain(NODE);
    let pod = world.wasmpod(words).start();
    pod.wait_for("0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.");
    interrupt(pod);
}

#[test]
fn the_pods_of_one_file_count_like_all_others() {
    let world = World::new();
    let pod = |name: &str| {
        let pod = PodText::new(name).container("main", &guest("toolbox"), &["sleep", "0.1"]);
        pod.with("resources: {requests: {memory: 300Mi}}").text()
    };
    let file = world.file("pods.yaml", [pod("one"), pod("two"), pod("three")].join("---\n"));
    let result = world.wasmpod(["run", &file].into_iter().chain(NODE)).finish();
    assert_eq!(result.code, 0, "{result}");
    assert_eq!(result.stdout.matches("slept").count(), 3, "{result}");
    assert!(result.stderr.contains("1 Insufficient memory."), "{result}");
}

#[test]
fn the_environment_says_what_a_machine_has_and_nonsense_is_refused() {
    let world = World::new();
    let file = idle(&world, "idle", 300, "");
    let pod = world.wasmpod(["run", &file]).env("WASMPOD_NODE_MEMORY", "256Mi").start();
    pod.wait_for("1 Insufficient memory.");
    interrupt(pod);
    for (flag, value, advice) in [
        ("--node-memory", "1Gb", "`512Mi` or `8Gi`"),
        ("--node-memory", "-1Gi", "more than 0"),
        ("--node-cpu", "0", "`4` or `1500m`"),
    ] {
        let assigned = format!("{flag}={value}");
        let result = world.wasmpod(["run", &file, &assigned]).finish();
        assert_eq!(result.code, 125, "{result}");
        assert!(result.stderr.contains(advice), "{result}");
    }
    let result = world.wasmpod(["run", &file]).env("WASMPOD_NODE_CPU", "many").finish();
    assert_eq!(result.code, 125, "{result}");
    assert!(result.stderr.contains("--node-cpu"), "{result}");
}

#[test]
fn a_pod_that_settles_has_a_socket_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let pod = started(&world, "pod", 100);
    let socket = eventually("the socket of the Pod", || {
        let entries = std::fs::read_dir(world.path().join("wasmpod")).ok()?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        paths.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "api"))
    });
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    eventually("its mode", || (mode(&socket) == 0o600).then_some(()));
    assert_eq!(mode(socket.parent().expect("in a folder")), 0o700);
    interrupt(pod);
    assert!(!socket.exists());
}
