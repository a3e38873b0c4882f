//! What `wasmpod info` tells of this machine.

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{World, guest};

fn info(world: &World) -> Value {
    let result = world.wasmpod(["info", "-o", "json"]).finish();
    assert_eq!(result.code, 0, "{result}");
    serde_json::from_str(&result.stdout).expect("it is JSON")
}

#[test]
fn it_tells_what_a_pod_would_find() {
    let world = World::new();
    let found = info(&world);
    assert_eq!(found["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(found["engine"]["name"], "wasmtime");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("Linux has it");
    assert_eq!(found["host"]["kernel"], kernel.trim());
    let root = world.root();
    assert_eq!(found["store"]["root"], root.to_str().expect("UTF-8"));
    assert_eq!(found["pods"]["running"], 0);
    assert_eq!(found["cpuSharing"]["by"], "requests");
    // Either there is a place, or a reason.
    let cgroup = &found["cgroup"];
    assert_eq!(cgroup["usable"], !cgroup["below"].as_array().expect("a list").is_empty());
    assert!(cgroup["usable"] == true || cgroup["problem"].is_string(), "{cgroup}");

    let pod = world.pod("ticking", &[("main", &guest("kuard"))]);
    let pod = world.wasmpod(["run", &pod, "-o", "json"]).start();
    pod.wait_for_status("it runs", |status| status["phase"] == "Running");
    let found = info(&world);
    assert_eq!(found["pods"]["running"], 1);
    assert!(found["store"]["cacheBytes"].as_u64().is_some_and(|bytes| bytes > 0), "{found}");
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
    assert_eq!(info(&world)["pods"]["running"], 0);
}

#[test]
fn it_is_readable_without_a_flag() {
    let world = World::new();
    let result = world.wasmpod(["info"]).finish();
    assert_eq!(result.code, 0, "{result}");
    for line in ["engine:", "  name: wasmtime", "cgroup:", "store:", "pods:", "  running: 0"] {
        assert!(result.stdout.lines().any(|printed| printed == line), "{line}: {result}");
    }
    assert_eq!(world.wasmpod(["info", "-o", "xml"]).finish().code, 125);
}

#[test]
fn a_small_address_space_is_told_as_it_is() {
    let world = World::new();
    let small = world.wasmpod(["info", "-o", "json"]).after("ulimit -v 20000000").finish();
    let found: Value = serde_json::from_str(&small.stdout).expect("it is JSON");
    assert_eq!(found["engine"]["httpInstances"], "on demand", "{small}");
}
