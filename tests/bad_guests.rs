//! Guests that misbehave: their own container ends or is held back, the one beside it goes on, and
//! the status says why.

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Finished, PodText, Running, World, eventually, guest};

const MIB: u64 = 1024 * 1024;

/// A Pod with the container `bad`, which does these words, and a healthy one beside it.
fn beside_a_healthy_one(name: &str, words: &[&str]) -> PodText {
    let toolbox = guest("toolbox");
    PodText::new(name)
        .container("healthy", &toolbox, &["tick", "20"])
        .container("bad", &toolbox, words)
}

#[track_caller]
fn start(world: &World, pod: PodText) -> Running {
    let pod = world.wasmpod(["run", &pod.write(world), "-o", "json"]).start();
    healthy_goes_on(&pod);
    pod
}

/// Waits until the healthy container has said something that it has not said yet.
#[track_caller]
fn healthy_goes_on(pod: &Running) {
    let said = |stdout: &str| stdout.lines().filter(|line| is_log(line, "healthy")).count();
    let before = pod.look(|stdout, _| said(stdout));
    pod.wait_until("more of the healthy container", |stdout, _| said(stdout) > before);
}

fn is_log(line: &str, container: &str) -> bool {
    line.contains(r#""type":"log""#) && line.contains(&format!(r#""container":"{container}""#))
}

/// The `state.terminated` of the container `bad`, once it is there.
#[track_caller]
fn wait_for_end(pod: &Running) -> Value {
    let end = |status: &Value| {
        let ended = &bad_one(status)?["state"]["terminated"];
        ended.is_object().then(|| ended.clone())
    };
    let status = pod.wait_for_status("the end of `bad`", |status| end(status).is_some());
    end(&status).expect("it was there")
}

fn bad_one(status: &Value) -> Option<&Value> {
    let statuses = status["containerStatuses"].as_array()?;
    statuses.iter().find(|container| container["name"] == "bad")
}

#[track_caller]
fn stop(pod: Running) -> Finished {
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
    result
}

#[track_caller]
fn ends_alone(name: &str, words: &[&str], code: u8, message: &str) {
    let world = World::new();
    let pod = start(&world, beside_a_healthy_one(name, words));
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], code, "{end}");
    assert_eq!(end["reason"], "Error", "{end}");
    assert!(end["message"].as_str().is_some_and(|text| text.contains(message)), "{end}");
    healthy_goes_on(&pod);
    stop(pod);
}

#[test]
fn a_trap_ends_its_own_container() {
    ends_alone("traps", &["trap"], 134, "unreachable");
}

#[test]
fn a_panic_ends_its_own_container() {
    ends_alone("panics", &["panic"], 134, "unreachable");
}

#[test]
fn recursion_without_end_ends_its_own_container() {
    ends_alone("recurses", &["recurse"], 134, "wasm trap");
}

/// Most compilers keep a stack of their own in the guest's memory, which ends first. This one has
/// none: it is the host's stack that must hold.
#[test]
fn recursion_on_the_hosts_stack_ends_its_own_container() {
    let world = World::new();
    let recurse = r#"(module (memory (export "memory") 1)
        (func $deeper (param i64) (result i64)
            (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))
        (func (export "_start") (drop (call $deeper (i64.const 0)))))"#;
    world.file("recurse.wat", recurse);
    let text = PodText::new("deep")
        .container("healthy", &guest("toolbox"), &["tick", "20"])
        .container("bad", "./recurse.wat", &[]);
    let pod = start(&world, text);
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], 134, "{end}");
    assert!(end["message"].to_string().contains("call stack exhausted"), "{end}");
    healthy_goes_on(&pod);
    stop(pod);
}

#[test]
fn a_guest_at_its_memory_limit_is_refused_more() {
    let world = World::new();
    let text =
        beside_a_healthy_one("grows", &["allocate"]).with("resources: {limits: {memory: 32Mi}}");
    let pod = start(&world, text);
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], 0, "{end}");
    pod.wait_until("how much it took", |stdout, _| {
        let took = stdout.lines().find_map(|line| line.split("took ").nth(1));
        let mib = took.and_then(|rest| rest.split(" MiB").next()).and_then(|mib| mib.parse().ok());
        mib.is_some_and(|mib: u64| (16..=32).contains(&mib))
    });
    healthy_goes_on(&pod);
    stop(pod);
}

#[test]
fn a_guest_that_does_not_look_dies_at_its_memory_limit() {
    let world = World::new();
    let text = beside_a_healthy_one("aborts", &["allocate-and-abort"])
        .with("resources: {limits: {memory: 32Mi}}");
    let pod = start(&world, text);
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], 134, "{end}");
    let message = end["message"].as_str().unwrap_or_default();
    assert!(message.contains("memory limit of 33554432 bytes exceeded"), "{end}");
    healthy_goes_on(&pod);
    stop(pod);
}

#[test]
fn under_the_kernels_policy_a_guest_over_its_memory_limit_is_killed_and_restarted() {
    let world = World::new();
    let text = beside_a_healthy_one("grows", &["allocate"])
        .with("resources: {limits: {memory: 256Mi}}")
        .metadata("annotations: {wasmpod.dev/memory-policy: oomkill}")
        .restart_policy("OnFailure");
    let pod = start(&world, text);
    let status = pod.wait_for_status("it has started again", |status| {
        bad_one(status).is_some_and(|bad| bad["restartCount"].as_u64() > Some(0))
    });
    let last = &bad_one(&status).expect("it was there")["lastState"]["terminated"];
    assert_eq!(last["exitCode"], 137, "{status}");
    assert_eq!(last["reason"], "OOMKilled", "{status}");
    assert!(last["message"].to_string().contains("268435456 bytes"), "{status}");
    healthy_goes_on(&pod);
    stop(pod);
}

/// It only reserves, so that the test does not take from others what it is about to be refused.
#[test]
fn a_guest_without_a_limit_is_refused_in_the_end() {
    let world = World::new();
    let grow = r#"(module (memory (export "memory") 1) (func (export "_start")
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 256)) (i32.const -1))))
        unreachable))"#;
    world.file("grow.wat", grow);
    let text = PodText::new("unlimited")
        .container("healthy", &guest("toolbox"), &["tick", "20"])
        .container("bad", "./grow.wat", &[]);
    let pod = start(&world, text);
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], 134, "{end}");
    healthy_goes_on(&pod);
    stop(pod);
}

/// It computes and never looks up: the kill at the end of the grace period reaches it all the same.
#[test]
fn a_guest_that_ignores_its_stop_is_killed_after_its_grace() {
    let world = World::new();
    let pod = start(&world, beside_a_healthy_one("spins", &["spin"]));
    pod.wait_for("spinning");
    healthy_goes_on(&pod);
    pod.signal(Signal::INT);
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], 137, "{end}");
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

/// More spinning guests than the machine has cores, and the healthy one is still served.
#[test]
fn many_spinning_guests_leave_time_for_the_others() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let mut text = PodText::new("crowd").container("healthy", &toolbox, &["tick", "20"]);
    for number in 0..6 {
        text = text.container(&format!("spin-{number}"), &toolbox, &["spin"]);
    }
    let pod = start(&world, text);
    for number in 0..6 {
        pod.wait_until("all spin", |stdout, _| {
            stdout.lines().any(|line| is_log(line, &format!("spin-{number}")))
        });
    }
    healthy_goes_on(&pod);
    pod.signal(Signal::INT);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_guest_that_wants_all_sockets_gets_so_many() {
    let world = World::new();
    let pod = start(&world, beside_a_healthy_one("sockets", &["sockets", "100000"]));
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], 0, "{end}");
    pod.wait_for("sockets are open, then: ");
    healthy_goes_on(&pod);
    stop(pod);
}

#[test]
fn a_guest_that_wants_all_files_ends_at_its_limit() {
    let world = World::new();
    let pod = start(&world, beside_a_healthy_one("files", &["open-files", "/tmp", "100000"]));
    let end = wait_for_end(&pod);
    assert_eq!(end["exitCode"], 134, "{end}");
    let message = end["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("as many open files, sockets and streams as one container may"),
        "{end}"
    );
    healthy_goes_on(&pod);
    stop(pod);
}

/// More files than most shells allow a process: neither the neighbour, which opens one again and
/// again, nor a container that starts anew is the one without.
#[test]
fn a_guest_that_holds_many_files_leaves_enough_for_the_others() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("many")
        .restart_policy("OnFailure")
        .spec("volumes: [{name: scratch, emptyDir: {}}]")
        .container("holds", &toolbox, &["open-files", "/scratch", "1500"])
        .with("volumeMounts: [{name: scratch, mountPath: /scratch}]")
        .container("healthy", &toolbox, &["append-often", "/tmp/file", "1000"])
        .with("volumeMounts: [{name: scratch, mountPath: /scratch}]")
        .container("fails", &toolbox, &["fail-until", "/scratch/runs", "3"])
        .with("volumeMounts: [{name: scratch, mountPath: /scratch}]")
        .write(&world);
    let pod = world.wasmpod(["run", &file]).most_descriptors(1024).start();
    pod.wait_for_line(&["holds", "all 1500 files are open"]);
    pod.wait_for_line(&["healthy", "appended 1000 times"]);
    pod.wait_for_line(&["fails", "run 3 succeeds"]);
    stop(pod);
}

#[test]
fn a_line_of_64_mebibytes_comes_out_whole() {
    let world = World::new();
    let words =
        ["run", "long", "--attach", "--image", &guest("toolbox"), "--", "endless-line", "64"];
    let result = world.wasmpod(words).finish();
    assert_eq!((result.code, result.stderr.as_str()), (0, ""));
    let bytes = &result.stdout_bytes;
    assert_eq!(bytes.len(), (64 << 20) + 1);
    assert!(bytes.ends_with(b"x\n") && bytes.iter().filter(|byte| **byte != b'x').count() == 1);
}

/// A line that never ends neither fills the memory of the host nor its disk.
#[test]
fn an_endless_line_stays_within_its_log() {
    let world = World::new();
    let file = beside_a_healthy_one("endless", &["endless-line"]).write(&world);
    let pod = world.wasmpod(["run", &file]).discard_stdout().start();
    let (log, healthy) = (log_of(&world, "bad"), log_of(&world, "healthy"));
    // The first rotated file of five goes when the sixth is begun: 50 MiB are through then.
    let first = eventually("a rotated log", || rotated(&log).into_iter().next());
    eventually("the first rotated log is removed", || (!first.exists()).then_some(()));
    let memory = pod.peak_memory();
    assert!(memory < 256 * MIB, "it holds {memory} bytes");
    let size = size_of(log.parent().expect("in a folder"));
    assert!(size < 64 * MIB, "the logs have {size} bytes");
    let said = lines(&healthy);
    eventually("more of the healthy container", || (lines(&healthy) > said).then_some(()));
    pod.signal(Signal::INT);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

/// The log file of the first run of `container`, in the only Pod of this world.
#[track_caller]
fn log_of(world: &World, container: &str) -> PathBuf {
    let pods = world.root().join("logs/pods");
    eventually("the log of the container", || {
        let pod = std::fs::read_dir(&pods).ok()?.next()?.ok()?.path();
        Some(pod.join(container).join("0.log")).filter(|path| path.exists())
    })
}

fn rotated(log: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(log.parent().expect("in a folder")) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path != log).collect();
    files.sort();
    files
}

fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    // One may be removed while they are looked at.
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

fn lines(log: &Path) -> usize {
    std::fs::read_to_string(log).map_or(0, |text| text.lines().count())
}
