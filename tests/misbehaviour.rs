//! Guests that do wrong: their own container ends or is held back, the neighbour goes on, the status
//! says why.

use std::fmt::Write as _;

use crate::harness::{Finished, World, free_port, guest, request};
use rustix::process::Signal;

/// A Pod of one container that does this deed of the toolbox, and of a neighbour that lives a second.
fn beside_a_neighbour(name: &str, words: &[&str], more: &str) -> String {
    let (toolbox, words) = (guest("toolbox"), serde_json::to_string(words).expect("text is JSON"));
    let mut manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  \
         terminationGracePeriodSeconds: 1\n  containers:\n  - name: neighbour\n    \
         image: {toolbox}\n    args: [sleep, \"1\"]\n  - name: wrong\n    image: {toolbox}\n    \
         args: {words}\n"
    );
    if !more.is_empty() {
        writeln!(manifest, "    {more}").expect("a String takes every line");
    }
    manifest
}

#[track_caller]
fn run_beside_a_neighbour(words: &[&str], more: &str) -> Finished {
    let world = World::new();
    let file = world.file("wrong.yaml", beside_a_neighbour("wrong", words, more));
    let result = world.wasmpod(["run", &file]).finish();
    assert!(result.stdout.contains("slept"), "the neighbour did not go on\n{result}");
    result
}

const LIMIT: &str = "resources: {limits: {memory: 64Mi}}";

#[test]
fn a_trap_ends_its_container_alone() {
    let result = run_beside_a_neighbour(&["trap"], "");
    assert_eq!(result.code, 134, "{result}");
    assert!(result.stderr.contains("unreachable"), "{result}");
}

#[test]
fn a_panic_ends_its_container_alone() {
    let result = run_beside_a_neighbour(&["panic"], "");
    assert_eq!(result.code, 134, "{result}");
}

#[test]
fn endless_recursion_ends_its_container_alone() {
    let result = run_beside_a_neighbour(&["recurse"], "");
    assert_eq!(result.code, 134, "{result}");
}

#[test]
fn endless_allocation_meets_the_limit_and_goes_on() {
    let result = run_beside_a_neighbour(&["allocate"], LIMIT);
    assert_eq!(result.code, 0, "{result}");
    let taken = result.stdout.split("took ").nth(1).and_then(|rest| rest.split(' ').next());
    let taken: u32 = taken.and_then(|text| text.parse().ok()).unwrap_or(0);
    assert!((32..=64).contains(&taken), "took {taken} MiB of 64\n{result}");
}

#[test]
fn a_failed_allocation_that_aborts_ends_its_container_alone() {
    let result = run_beside_a_neighbour(&["allocate-and-abort"], LIMIT);
    assert_eq!(result.code, 134, "{result}");
}

#[test]
fn a_hundred_thousand_sockets_do_no_harm() {
    let result = run_beside_a_neighbour(&["sockets", "100000"], LIMIT);
    stopped_at_a_limit(&result, "sockets are open, then:");
}

#[test]
fn a_hundred_thousand_files_do_no_harm() {
    let result = run_beside_a_neighbour(&["open-files", "/tmp", "100000"], LIMIT);
    stopped_at_a_limit(&result, "files are open, then:");
}

/// Either the guest was told in time, or it ended and the status says at which limit.
#[track_caller]
fn stopped_at_a_limit(result: &Finished, told: &str) {
    match result.code {
        0 => assert!(result.stdout.contains(told), "{result}"),
        134 => assert!(result.stderr.contains("limit exceeded"), "{result}"),
        _ => panic!("{result}"),
    }
}

#[test]
fn one_line_of_64_mebibytes_passes() {
    let result = run_beside_a_neighbour(&["endless-line", "64"], "");
    assert_eq!(result.code, 0, "{}", result.code);
    let length = result.stdout.bytes().filter(|byte| *byte == b'x').count();
    assert!(length >= 64 << 20, "{length} bytes came out");
}

#[test]
fn a_guest_that_spins_is_stopped_by_force() {
    let world = World::new();
    let file = world.file("spin.yaml", beside_a_neighbour("spin", &["spin"], ""));
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("spinning");
    // Beside it others get their turn.
    pod.wait_for("slept");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_grace_period() {
    let world = World::new();
    let manifest = beside_a_neighbour("spin", &["spin"], "")
        .replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 3600");
    let pod = world.wasmpod(["run", "--verbose", &world.file("spin.yaml", manifest)]).start();
    pod.wait_for("slept");
    pod.signal(Signal::INT);
    pod.wait_for_line(&["Killing", "wrong"]);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn an_unknown_import_is_named() {
    let world = World::new();
    let image = world
        .file("needy.wat", "(module (import \"env\" \"foo\" (func)) (func (export \"_start\")))");
    let result = world.wasmpod(["run", &world.pod("needy", &[("needy", &image)])]).finish();
    assert_eq!(result.code, 128, "{result}");
    assert!(result.stderr.contains("env") && result.stderr.contains("foo"), "{result}");
}

#[test]
fn an_unknown_interface_is_named() {
    let world = World::new();
    let image = world.file(
        "needy.wat",
        "(component (import \"acme:nowhere/thing@1.0.0\" (instance (export \"f\" (func)))))",
    );
    let result = world.wasmpod(["run", &world.pod("needy", &[("needy", &image)])]).finish();
    assert_eq!(result.code, 128, "{result}");
    assert!(result.stderr.contains("acme:nowhere/thing"), "{result}");
}

/// Kubernetes tries a bad image again and again, whatever the restart policy: so does wasmpod.
#[test]
fn what_is_no_image_keeps_its_container_waiting() {
    let world = World::new();
    let whole = std::fs::read(guest("toolbox")).expect("the guest is there");
    let images = [
        ("missing", String::from("/nowhere/at/all.wasm")),
        ("text", world.file("text.wasm", "this is no WebAssembly\n")),
        ("empty", world.file("empty.wasm", "")),
        ("half", world.file("half.wasm", &whole[..whole.len() / 2])),
    ];
    for (name, image) in images {
        let pod = world.wasmpod(["run", &world.pod(name, &[(name, &image)])]).start();
        pod.wait_for_line(&["Err", name]);
        pod.signal(Signal::INT);
        let result = pod.finish();
        assert_eq!(result.code, 130, "{name}: {result}");
        let file = image.rsplit('/').next().expect("a path has a last part");
        assert!(result.stderr.contains(file), "{name}: {result}");
    }
}

#[test]
fn nothing_to_run_is_an_error_that_names_it() {
    let world = World::new();
    std::fs::create_dir(world.path().join("hollow")).expect("the folder can be made");
    let empty = world.file("empty.yaml", "---\n# nothing\n---\n");
    for source in ["missing.yaml", "hollow", &empty] {
        let result = world.wasmpod(["run", "-f", source]).finish();
        assert_eq!(result.code, 125, "{source}: {result}");
        let name = source.rsplit('/').next().expect("a path has a last part");
        assert!(result.stderr.contains(name), "{source}: {result}");
    }
}

#[test]
fn a_host_port_that_is_taken_is_named() {
    let world = World::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("bound").port().to_string();
    let file = world.pod("late", &[("late", &guest("http-hello"))]);
    let pod = world.wasmpod(["run", &file, "--publish", &format!("127.0.0.1:{port}:8080")]).start();
    pod.wait_for(&port);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert!(result.stderr.contains("in use"), "{result}");
}

/// Nothing of a Pod that was killed is in the way of the next one: no port, no lock, no folder.
#[test]
fn after_kill_9_the_same_command_runs() {
    let world = World::new();
    let port = free_port();
    let manifest = beside_a_neighbour("phoenix", &["http-serve", "0.0.0.0:8080", "alive"], "");
    let file = world.file("phoenix.yaml", manifest);
    let publish = format!("127.0.0.1:{port}:8080");
    for _ in 0..3 {
        let pod = world.wasmpod(["run", &file, "--publish", &publish]).start();
        assert!(request(port, "GET / HTTP/1.1", "").ends_with("alive"));
        pod.signal(Signal::KILL);
        let result = pod.finish();
        assert_eq!(result.code, -9, "{result}");
    }
    let pod = world.wasmpod(["run", &file, "--publish", &publish]).start();
    assert!(request(port, "GET / HTTP/1.1", "").ends_with("alive"));
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}
