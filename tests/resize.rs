//! `wasmpod patch pod NAME --subresource resize`: other resources for a Pod that runs.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Finished, PodText, Running, World, eventually, guest};

fn start(world: &World, pod: PodText) -> Running {
    let file = pod.write(world);
    let pod = world.wasmpod(["run", "-o", "json", &file]).start();
    pod.wait_for_status("it runs", |status| status["phase"] == "Running");
    pod
}

fn patch(world: &World, name: &str, container: &str, resources: &Value) -> Finished {
    let patch = json!({"spec": {"containers": [{"name": container, "resources": resources}]}});
    let patch = patch.to_string();
    let words = ["patch", "pod", name, "--subresource", "resize", "-p", &patch];
    // Its socket opens behind the start.
    eventually("the Pod's answer", || {
        let told = world.wasmpod(words).finish();
        (!told.stderr.contains("not found")).then_some(told)
    })
}

#[track_caller]
fn patched(world: &World, name: &str, container: &str, resources: &Value) {
    let told = patch(world, name, container, resources);
    assert_eq!((told.code, told.stdout.as_str()), (0, &*format!("pod/{name} patched\n")), "{told}");
}

/// The condition of that type in a status.
fn condition<'status>(status: &'status Value, name: &str) -> Option<&'status Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

fn has_condition(status: &Value, name: &str, reason: &str) -> bool {
    condition(status, name).is_some_and(|condition| condition["reason"] == reason)
}

/// Waits for the status in which the container has these resources and nothing is under way.
#[track_caller]
fn wait_until_resized(pod: &Running, resources: &Value) -> Value {
    pod.wait_for_status("the resources", |status| {
        status["containerStatuses"][0]["resources"] == *resources
            && condition(status, "PodResizePending").is_none()
            && condition(status, "PodResizeInProgress").is_none()
    })
}

fn stop(pod: Running) {
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

/// The CPU that the Pod's first container gets, in billionths of a core.
fn cpu(world: &World, name: &str) -> Option<u64> {
    let told = world.wasmpod(["stats", name, "--no-stream", "-o", "json"]).finish();
    let stats: Value = serde_json::from_str(told.stdout.lines().next()?).ok()?;
    stats["containers"][0]["cpu"]["usageNanoCores"].as_u64()
}

#[test]
fn a_spinner_gets_more_cpu_without_a_restart() {
    let world = World::new();
    let pod = PodText::new("spin")
        .container("main", &guest("toolbox"), &["spin"])
        .with("resources: {requests: {cpu: 50m}, limits: {cpu: 50m}}");
    let pod = start(&world, pod);
    let before = eventually("its use of CPU", || cpu(&world, "spin").filter(|used| *used > 0));
    assert!(before < 150_000_000, "{before}");

    let resources = json!({"limits": {"cpu": "4"}, "requests": {"cpu": "60m"}});
    patched(&world, "spin", "main", &resources);
    let status = wait_until_resized(&pod, &resources);
    assert_eq!(status["containerStatuses"][0]["allocatedResources"], json!({"cpu": "60m"}));
    assert_eq!(status["observedGeneration"], 2);
    eventually("more CPU", || cpu(&world, "spin").filter(|used| *used > 200_000_000));
    assert_eq!(status["containerStatuses"][0]["restartCount"], 0);

    let again = patch(&world, "spin", "main", &resources);
    assert_eq!(again.stdout, "pod/spin patched (no change)\n", "{again}");
    stop(pod);
}

#[test]
fn a_guest_that_was_denied_memory_gets_it() {
    let world = World::new();
    let pod = PodText::new("memory")
        .container("main", &guest("toolbox"), &["grow", "32"])
        .with("resources: {limits: {memory: 16Mi}}");
    let pod = start(&world, pod);
    pod.wait_for("denied");
    let resources = json!({"limits": {"memory": "64Mi"}, "requests": {"memory": "16Mi"}});
    patched(&world, "memory", "main", &json!({"limits": {"memory": "64Mi"}}));
    pod.wait_for("holding");
    let status = wait_until_resized(&pod, &resources);
    assert_eq!(status["containerStatuses"][0]["restartCount"], 0);

    // It holds more than it may from now on.
    patched(&world, "memory", "main", &json!({"limits": {"memory": "20Mi"}}));
    let status = pod.wait_for_status("the error", |status| {
        has_condition(status, "PodResizeInProgress", "Error")
    });
    let message = condition(&status, "PodResizeInProgress").unwrap()["message"].as_str().unwrap();
    let expected =
        "attempting to set container \"main\" memory limit (20971520) below current usage";
    assert!(message.contains(expected), "{message}");
    assert_eq!(status["containerStatuses"][0]["resources"], resources);
    patched(&world, "memory", "main", &json!({"limits": {"memory": "96Mi"}}));
    let resources = json!({"limits": {"memory": "96Mi"}, "requests": {"memory": "16Mi"}});
    wait_until_resized(&pod, &resources);
    stop(pod);
}

#[test]
fn what_the_machine_never_has_is_infeasible() {
    let world = World::new();
    let pod = PodText::new("large")
        .container("main", &guest("toolbox"), &["idle"])
        .with("resources: {requests: {cpu: 10m}}");
    let pod = start(&world, pod);
    patched(&world, "large", "main", &json!({"requests": {"cpu": "1000"}}));
    let status = pod.wait_for_status("the refusal", |status| {
        has_condition(status, "PodResizePending", "Infeasible")
    });
    let message = condition(&status, "PodResizePending").unwrap()["message"].as_str().unwrap();
    assert!(message.starts_with("Node didn't have enough capacity: "), "{message}");
    assert_eq!(
        status["containerStatuses"][0]["allocatedResources"],
        json!({"cpu": "10m"}),
        "it keeps what it has"
    );
    patched(&world, "large", "main", &json!({"requests": {"cpu": "20m"}}));
    wait_until_resized(&pod, &json!({"requests": {"cpu": "20m"}}));
    stop(pod);
}

#[test]
fn a_container_that_asks_for_it_starts_again() {
    let world = World::new();
    let pod = PodText::new("again")
        .restart_policy("OnFailure")
        .container("main", &guest("toolbox"), &["idle"])
        .with("resources: {requests: {memory: 8Mi}, limits: {memory: 32Mi}}")
        .with("resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]");
    let pod = start(&world, pod);
    patched(&world, "again", "main", &json!({"limits": {"memory": "48Mi"}}));
    let resources = json!({"limits": {"memory": "48Mi"}, "requests": {"memory": "8Mi"}});
    let status = wait_until_resized(&pod, &resources);
    assert_eq!(status["containerStatuses"][0]["restartCount"], 1, "{status}");
    stop(pod);
}

#[test]
fn what_may_not_change_is_refused_in_the_words_of_the_api() {
    let world = World::new();
    let pod = PodText::new("fixed")
        .container("main", &guest("toolbox"), &["idle"])
        .with("resources: {requests: {cpu: 10m}, limits: {cpu: 100m}}");
    let pod = start(&world, pod);
    for (resources, expected) in [
        (
            json!({"limits": null}),
            "The Pod \"fixed\" is invalid: spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
        ),
        (
            json!({"requests": {"cpu": "200m"}}),
            "spec.containers[0].resources.requests: Invalid value: \"200m\": must be less than or equal to cpu limit of 100m",
        ),
        (
            json!({"limits": {"ephemeral-storage": "1Gi"}}),
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}),
            "spec: Invalid value: \"Guaranteed\": Pod QOS Class may not change as a result of resizing",
        ),
    ] {
        let told = patch(&world, "fixed", "main", &resources);
        assert_eq!(told.code, 1, "{told}");
        assert!(told.stderr.contains(expected), "{expected}\n{told}");
    }
    for (words, expected) in [
        (["pod", "nobody", "--subresource=resize"], "pods \"nobody\" not found"),
        (["pod", "nobody", "--subresource=status"], "pods \"nobody\" not found"),
    ] {
        let told = world.wasmpod(["patch", "-p", "{}"].into_iter().chain(words)).finish();
        assert_eq!(told.code, 1, "{told}");
        assert!(told.stderr.contains(expected), "{expected}\n{told}");
    }
    stop(pod);
}
