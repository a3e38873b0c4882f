//! Images that are not there, or cannot be run: what a waiting container says, and what follows.

use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{PodText, Running, World, checkout, guest};

/// A core module that imports what no WASI has.
const UNKNOWN_IMPORT: &str =
    r#"(module (import "env" "foo" (func)) (memory (export "memory") 1) (func (export "_start")))"#;

/// A command that imports an interface which nobody provides.
const UNKNOWN_INTERFACE: &str = r#"
(component
  (import "acme:pumps/control@1.0.0" (instance (export "start" (func))))
  (core module $module (func (export "run") (result i32) (i32.const 0)))
  (core instance $core (instantiate $module))
  (func $run (result (result)) (canon lift (core func $core "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
"#;

/// The reason that the only container waits for, in one status.
fn waits_for(status: &Value) -> &str {
    status["containerStatuses"][0]["state"]["waiting"]["reason"].as_str().unwrap_or_default()
}

#[track_caller]
fn wait_for_reason(pod: &Running, reason: &str) -> Value {
    pod.wait_for_status(reason, |status| waits_for(status) == reason)
}

#[track_caller]
fn stop(pod: Running) {
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

/// As in Kubernetes the image is tried for again, whatever the restart policy says.
#[test]
fn a_missing_image_file_is_waited_for() {
    let world = World::new();
    let file =
        PodText::new("late").container("web", "./late.wasm", &["out", "here I am"]).write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    let status = wait_for_reason(&pod, "ErrImagePull");
    let message = status["containerStatuses"][0]["state"]["waiting"]["message"].as_str();
    assert!(message.is_some_and(|message| message.contains("late.wasm")), "{status}");
    assert_eq!(status["phase"], "Pending");
    let status = wait_for_reason(&pod, "ImagePullBackOff");
    let message = status["containerStatuses"][0]["state"]["waiting"]["message"].as_str();
    assert!(
        message
            .is_some_and(|message| message.starts_with("Back-off pulling image \"./late.wasm\"")),
        "{status}"
    );
    std::fs::copy(guest("toolbox"), world.path().join("late.wasm")).expect("the guest is there");
    pod.wait_for("here I am");
    let result = pod.finish();
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn an_image_that_no_file_stands_for_says_how_to_map_it() {
    let world = World::new();
    // Nobody listens there.
    let image = "127.0.0.1:1/web:1";
    for (policy, reason) in
        [("IfNotPresent", "RegistryUnavailable"), ("Never", "ErrImageNeverPull")]
    {
        let file = PodText::new("unmapped")
            .container("web", image, &[])
            .with(&format!("imagePullPolicy: {policy}"))
            .write(&world);
        let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
        let status = wait_for_reason(&pod, reason);
        let message = status["containerStatuses"][0]["state"]["waiting"]["message"].to_string();
        assert!(message.contains(image), "{message}");
        stop(pod);
        let pod = world.wasmpod(["run", &file]).start();
        pod.wait_for(&format!("--image-map {image}=FILE.wasm"));
        stop(pod);
    }
}

#[test]
fn a_reference_that_cannot_be_read_is_an_invalid_image_name() {
    let world = World::new();
    let file = PodText::new("odd").container("web", "registry.example/We b", &[]).write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    wait_for_reason(&pod, "InvalidImageName");
    stop(pod);
}

/// What each file is instead of a guest is in the event, and the container waits.
#[test]
fn files_that_are_no_guests_say_what_they_are() {
    let whole = std::fs::read(guest("toolbox")).expect("the guest is there");
    let cases: [(&str, &[u8], &str); 6] = [
        ("empty", b"", "the file is empty"),
        ("script", b"#!/bin/sh\necho hello\n", "it is a script"),
        ("program", b"\x7fELF\x02\x01\x01\0\0\0\0\0", "it is a native program"),
        ("header", &whole[..6], "ends within its header"),
        ("half", &whole[..whole.len() / 2], "broken or cut off"),
        ("future", b"\0asm\x63\0\0\0", "unknown version"),
    ];
    let world = World::new();
    let mut text = PodText::new("files");
    for (name, bytes, _) in &cases {
        world.file(&format!("{name}.wasm"), bytes);
        text = text.container(name, &format!("./{name}.wasm"), &[]);
    }
    let pod = world.wasmpod(["run", &text.write(&world)]).start();
    for (name, _, what) in &cases {
        pod.wait_for_line(&[
            &format!("files/{name}: Failed: Failed to pull image"),
            &format!("{name}.wasm"),
            what,
        ]);
    }
    stop(pod);
}

/// Machine code runs unchecked, so that none is taken from a manifest: not even our own.
#[test]
fn precompiled_code_is_refused() {
    let world = World::new();
    let file =
        PodText::new("first").container("once", &guest("toolbox"), &["exit", "0"]).write(&world);
    let result = world.wasmpod(["run", &file]).finish();
    assert_eq!(result.code, 0, "{result}");
    let code = some_machine_code();
    std::fs::copy(&code, world.path().join("stolen.cwasm")).expect("it is there");
    std::fs::copy(&code, world.path().join("stolen.wasm")).expect("it is there");
    let file = PodText::new("stolen")
        .container("named", "./stolen.cwasm", &[])
        .container("disguised", "./stolen.wasm", &[])
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    for name in ["named", "disguised"] {
        pod.wait_for_line(&[
            &format!("stolen/{name}: Failed: Failed to pull image"),
            "it is precompiled machine code",
        ]);
    }
    stop(pod);
}

/// The largest file of the cache that the tests share.
fn some_machine_code() -> PathBuf {
    let cache = checkout().join("target/test-cache/wasmpod/code/code");
    let entries = std::fs::read_dir(cache).expect("the first run has made it");
    let files = entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_file());
    files.max_by_key(|path| path.metadata().map_or(0, |it| it.len())).expect("it holds something")
}

#[test]
fn an_unknown_import_fails_the_start_and_is_named() {
    let world = World::new();
    world.file("foo.wat", UNKNOWN_IMPORT);
    world.file("pumps.wat", UNKNOWN_INTERFACE);
    for (image, name) in [("./foo.wat", "env::foo"), ("./pumps.wat", "acme:pumps/control@1.0.0")] {
        let file = PodText::new("linking").container("web", image, &[]).write(&world);
        let result = world.wasmpod(["run", &file]).finish();
        assert_eq!(result.code, 128, "{result}");
        let line = result.stderr.lines().find(|line| line.contains("(StartError)"));
        assert!(line.is_some_and(|line| line.contains(name)), "`{name}` is missing\n{result}");
    }
}

#[test]
fn an_unknown_import_is_tried_again_under_back_off() {
    let world = World::new();
    world.file("foo.wat", UNKNOWN_IMPORT);
    let file = PodText::new("again")
        .restart_policy("OnFailure")
        .container("web", "./foo.wat", &[])
        .write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    let status = wait_for_reason(&pod, "CrashLoopBackOff");
    let container = &status["containerStatuses"][0];
    let terminated = &container["lastState"]["terminated"];
    assert_eq!(terminated["reason"], "StartError", "{status}");
    assert_eq!(terminated["exitCode"], 128, "{status}");
    let message = terminated["message"].as_str().unwrap_or_default();
    assert!(message.contains("env::foo"), "{status}");
    assert_eq!(status["phase"], "Running", "{status}");
    stop(pod);
}

#[test]
fn a_program_without_anything_to_run_says_so() {
    let world = World::new();
    world.file("nothing.wat", "(module)");
    let file = PodText::new("nothing").container("web", "./nothing.wat", &[]).write(&world);
    let result = world.wasmpod(["run", &file]).finish();
    assert_eq!(result.code, 127, "{result}");
    assert!(result.stderr.contains("it exports nothing"), "{result}");
}

/// The compiler's process ends at its bound, and the Pod says why.
#[test]
fn a_module_that_is_made_to_be_slow_to_compile_ends_at_a_bound() {
    let world = World::new();
    let image = world.path().join("slow.wasm");
    std::fs::write(&image, slow_to_compile()).expect("there is room");
    let file =
        PodText::new("slow").container("web", &image.display().to_string(), &[]).write(&world);
    let pod =
        world.wasmpod(["run", &file, "-o", "json"]).env("WASMPOD_COMPILE_SECONDS", "1").start();
    let status = wait_for_reason(&pod, "ErrImagePull");
    let message = status["containerStatuses"][0]["state"]["waiting"]["message"].to_string();
    assert!(message.contains("it takes more than 1 seconds of CPU time"), "{message}");
    stop(pod);
}

/// One function with a thousand values that live to its end, in hundreds of thousands of steps.
fn slow_to_compile() -> Vec<u8> {
    const VALUES: usize = 1000;
    let mut steps = String::new();
    for step in 0..150_000_usize {
        let place = |factor: usize| step * factor % VALUES;
        steps += &format!(
            "(if (i64.eqz (local.tee {} (i64.xor (i64.mul (local.get {}) (local.get {})) (local.get {}))))\
             (then (local.set {} (local.get {}))))\n",
            place(17),
            place(7),
            place(13),
            place(31),
            place(7),
            place(13),
        );
    }
    let locals = "i64 ".repeat(VALUES);
    format!("(module (func (export \"_start\") (local {locals})\n{steps}))").into_bytes()
}
