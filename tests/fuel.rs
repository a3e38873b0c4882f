//! Budgets of instructions.

use crate::harness::{PodText, World, guest};

/// Writes a line after every hundred thousand rounds of a loop, for ever.
const COUNTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\10\00\00\00\06\00\00\00round\0a")
    (func (export "_start") (local $round i32)
        (loop $forever
            (local.set $round (i32.add (local.get $round) (i32.const 1)))
            (br_if $forever (i32.rem_u (local.get $round) (i32.const 100000)))
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
            (br $forever))))"#;

#[test]
fn a_budget_ends_a_run_at_the_same_instruction_each_time_and_no_other() {
    let world = World::new();
    let image = world.file("counts.wat", COUNTS);
    let file = PodText::new("metered")
        .metadata("annotations: {wasmpod.dev/fuel.counts: \"30000000\"}")
        .container("counts", &image, &[])
        .container("other", &guest("hello"), &["without a budget"])
        .write(&world);
    let mut counted = Vec::new();
    for _ in 0..2 {
        let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
        let over = pod.wait_for_status("it is over", |status| status["phase"] == "Failed");
        let result = pod.finish();
        assert_eq!(result.code, 152, "{result}");
        assert!(result.stdout.contains("Hello, without a budget!"), "{result}");
        let statuses = over["containerStatuses"].as_array().expect("there are two");
        let ended = |name: &str| {
            let status =
                statuses.iter().find(|status| status["name"] == name).expect("it is there");
            status["state"]["terminated"].clone()
        };
        let metered = ended("counts");
        assert_eq!(metered["reason"], "FuelExhausted", "{metered}");
        assert_eq!(metered["exitCode"], 152);
        assert_eq!(metered["message"], "the budget of 30000000 units of fuel is used up");
        assert_eq!(ended("other")["exitCode"], 0);
        counted.push(result.stdout.matches("round").count());
    }
    assert!(counted[0] > 10 && counted[0] == counted[1], "{counted:?}");
}

#[test]
fn nonsense_for_a_budget_is_refused_before_anything_runs() {
    let world = World::new();
    let file = PodText::new("metered")
        .metadata("annotations: {wasmpod.dev/fuel: \"1e9\", wasmpod.dev/fuel.nobody: \"5\"}")
        .container("counts", "./counts.wat", &[])
        .write(&world);
    let result = world.wasmpod(["validate", &file]).finish();
    assert_eq!(result.code, 125, "{result}");
    assert!(result.stderr.contains("must be a number of units of fuel, 1 or more"), "{result}");
    assert!(result.stderr.contains("container not found"), "{result}");
}
