//! The code that a large guest begins with, which is made quickly by another compiler than the rest.

use std::path::Path;

use crate::harness::{Finished, Invocation, PodText, World, eventually, guest, guest_of_0_1};

/// What it says.
const SAID: &str = "main | stdin false, stdout false, stderr false\n";

/// From this size on a guest is a large one.
const LARGE: usize = 8 << 20;

/// A cache of its own: what others have compiled must not be there.
fn run(world: &World, file: &str) -> Invocation {
    world.wasmpod(["run", file]).env("XDG_CACHE_HOME", cache(world).to_str().expect("UTF-8"))
}

fn cache(world: &World) -> std::path::PathBuf {
    world.path().join("cache")
}

/// The codes in the cache that better ones are to come for.
fn quick_codes(world: &World) -> usize {
    std::fs::read_dir(cache(world).join("wasmpod/code/quick")).into_iter().flatten().count()
}

/// The guest in `file` with a section behind it that says nothing, at great length.
fn enlarge(file: &str, large: &Path) {
    let mut wasm = std::fs::read(file).expect("it is built");
    let name_and_content = LARGE + 1;
    wasm.push(0);
    let mut rest = name_and_content;
    while rest >= 0x80 {
        wasm.push(u8::try_from(rest & 0x7f | 0x80).expect("seven bits and one"));
        rest >>= 7;
    }
    wasm.push(u8::try_from(rest).expect("seven bits"));
    // A name without a character.
    wasm.push(0);
    wasm.resize(wasm.len() + LARGE, b'x');
    std::fs::write(large, wasm).expect("there is room");
}

#[test]
fn a_large_guest_starts_with_it_and_has_better_code_later() {
    for image in [guest("toolbox"), guest_of_0_1("toolbox")] {
        let world = World::new();
        enlarge(&image, &world.path().join("large.wasm"));
        let pod = PodText::new("large").container("main", "./large.wasm", &["terminal"]);
        let file = pod.write(&world);
        let first = run(&world, &file).finish();
        assert_eq!((first.code, &*first.stdout), (0, SAID), "{first}");
        eventually("better code comes though the command has ended", || {
            (quick_codes(&world) == 0).then_some(())
        });
        let second = run(&world, &file).finish();
        assert_eq!((second.code, &*second.stdout), (0, SAID), "{second}");
    }
}

#[test]
fn who_trusts_one_compiler_only_says_so() {
    let world = World::new();
    enlarge(&guest("toolbox"), &world.path().join("large.wasm"));
    let pod = PodText::new("large").container("main", "./large.wasm", &["terminal"]);
    let file = pod.write(&world);
    let result = run(&world, &file).env("WASMPOD_FIRST_CODE", "optimised").finish();
    assert_eq!(result.code, 0, "{result}");
    assert_eq!(quick_codes(&world), 0);
    let refused = run(&world, &file).env("WASMPOD_FIRST_CODE", "best").finish();
    assert_eq!(refused.code, 125, "{refused}");
    let told = "WASMPOD_FIRST_CODE must be `quick` or `optimised`, not \"best\"";
    assert!(refused.stderr.contains(told), "{refused}");
}

/// What makes better code holds nothing of whoever started it.
#[test]
fn who_waits_for_the_end_of_a_command_does_not_wait_for_better_code() {
    let world = World::new();
    enlarge(&guest("toolbox"), &world.path().join("large.wasm"));
    let pod = PodText::new("large").container("main", "./large.wasm", &["terminal"]);
    let file = pod.write(&world);
    // Better code never has its turn.
    let locks = cache(&world).join("wasmpod/code/locks");
    std::fs::create_dir_all(&locks).expect("there is room");
    let turn = std::fs::File::create(locks.join("better")).expect("there is room");
    turn.lock().expect("a lock");

    let held = world.path().join("held");
    let preparation = format!("exec 9>'{}' && flock 9", held.display());
    let result = run(&world, &file).after(&preparation).finish();
    assert_eq!(result.code, 0, "{result}");
    assert_eq!(quick_codes(&world), 1);
    let held = std::fs::File::open(held).expect("it was made");
    eventually("the lock of the command is free", || held.try_lock().ok());
}

/// It is held to the same bounds, and ends for the same reasons.
#[test]
fn guests_that_misbehave_end_as_with_better_code() {
    let guests = [
        ("deep", "(func $f (export \"_start\") (call $f))"),
        ("trap", "(func (export \"_start\") (unreachable))"),
        ("outside", "(memory 1) (func (export \"_start\") (drop (i32.load (i32.const -1))))"),
        (
            "no-function",
            "(table 1 funcref) (func (export \"_start\") (call_indirect (i32.const 0)))",
        ),
        ("zero", "(func (export \"_start\") (drop (i32.div_s (i32.const 1) (i32.const 0))))"),
        ("spin", "(func (export \"_start\") (loop (br 0)))"),
        (
            "greedy",
            "(memory 1) (func (export \"_start\")
                (if (i32.ne (memory.grow (i32.const 1024)) (i32.const -1)) (then unreachable)))",
        ),
    ];
    let ends = |first_code: &str| -> Vec<String> {
        let world = World::new();
        let padding = "x".repeat(LARGE);
        let mut pod = PodText::new("bad").restart_policy("Never");
        for (name, text) in guests {
            let image = format!("./{name}.wat");
            world.file(&image, format!("(module (@custom \"padding\" \"{padding}\") {text})"));
            pod = pod
                .container(name, &image, &[])
                .with("resources: {limits: {memory: 32Mi, cpu: 100m}}");
        }
        let file = pod.spec("activeDeadlineSeconds: 20").spec("terminationGracePeriodSeconds: 1");
        let file = file.write(&world);
        let running = world
            .wasmpod(["run", &file, "-o", "json"])
            .env("XDG_CACHE_HOME", cache(&world).to_str().expect("UTF-8"))
            .env("WASMPOD_FIRST_CODE", first_code)
            .start();
        let status = running.wait_for_status("all but the one that spins have ended", |status| {
            let statuses = status["containerStatuses"].as_array();
            let ended = |status: &&serde_json::Value| status["state"]["terminated"].is_object();
            statuses.is_some_and(|all| all.iter().filter(ended).count() == guests.len() - 1)
        });
        if first_code == "quick" {
            assert!(quick_codes(&world) > 0, "nothing was made quickly");
        }
        let finished: Finished = running.finish_by(rustix::process::Signal::INT);
        assert_eq!(finished.code, 130, "{finished}");
        let statuses = status["containerStatuses"].as_array().expect("there are some");
        let end = |status: &serde_json::Value| {
            let ended = &status["state"]["terminated"];
            format!("{}: {} {}", status["name"], ended["exitCode"], ended["message"])
        };
        statuses.iter().map(end).collect()
    };
    assert_eq!(ends("quick"), ends("optimised"));
}
