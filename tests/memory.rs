//! What a container may have of the host's memory: to the page, together with its Pod, and by what the
//! host holds for it.

use rustix::process::Signal;

use crate::harness::{Finished, PodText, World, guest};

const MIB: u64 = 1024 * 1024;
const PAGE: u64 = 64 * 1024;

/// A module that grows by one page until it is denied, and exits with 0 if it has `pages` then.
fn greedy(memories: &str, grow: &str, size: &str, pages: u64) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            {memories}
            (func (export "_start")
                (block $denied (loop $more
                    {grow}
                    (br $more)))
                (call $exit (i64.ne {size} (i64.const {pages})))))"#
    )
}

fn run_module(module: &str, limits: &str) -> Finished {
    let world = World::new();
    world.file("guest.wat", module);
    let text = PodText::new("greedy").restart_policy("Never").container("bad", "./guest.wat", &[]);
    let file = text.with(limits).write(&world);
    world.wasmpod(["run", &file]).finish()
}

const LIMIT: &str = "resources: {limits: {memory: 256Mi}}";

#[test]
fn a_guest_has_its_limit_to_the_page() {
    let grow = "(br_if $denied (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))";
    let size = "(i64.extend_i32_u (memory.size))";
    let module = greedy(r#"(memory (export "memory") 1)"#, grow, size, 256 * MIB / PAGE);
    let result = run_module(&module, LIMIT);
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn a_guest_with_64_bit_addresses_has_its_limit_to_the_page() {
    let grow = "(br_if $denied (i64.eq (memory.grow (i64.const 1)) (i64.const -1)))";
    let module =
        greedy(r#"(memory (export "memory") i64 1)"#, grow, "(memory.size)", 256 * MIB / PAGE);
    let result = run_module(&module, LIMIT);
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn several_memories_have_one_limit_together() {
    let memories = r#"(memory (export "memory") 1) (memory $second 1)"#;
    let grow = "(br_if $denied (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
                (br_if $denied (i32.eq (memory.grow $second (i32.const 1)) (i32.const -1)))";
    let size = "(i64.extend_i32_u (i32.add (memory.size) (memory.size $second)))";
    let result = run_module(&greedy(memories, grow, size, 256 * MIB / PAGE), LIMIT);
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn a_table_counts_towards_the_limit() {
    // A million elements of eight bytes.
    let memories = r#"(memory (export "memory") 1) (table 1048576 funcref)"#;
    let grow = "(br_if $denied (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))";
    let size = "(i64.extend_i32_u (memory.size))";
    let result = run_module(&greedy(memories, grow, size, (256 - 8) * MIB / PAGE), LIMIT);
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn objects_on_the_heap_of_the_engine_count_towards_the_limit() {
    // Arrays of 1 MiB, all reachable: 64 of them are more than there is.
    let module = r#"(module
        (type $block (array (mut i8)))
        (type $blocks (array (mut (ref null $block))))
        (memory (export "memory") 1)
        (func (export "_start") (local $all (ref $blocks)) (local $index i32)
            (local.set $all (array.new_default $blocks (i32.const 64)))
            (loop $more
                (array.set $blocks (local.get $all) (local.get $index)
                    (array.new_default $block (i32.const 1048576)))
                (local.set $index (i32.add (local.get $index) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $index) (i32.const 64))))))"#;
    let result = run_module(module, "resources: {limits: {memory: 32Mi}}");
    assert_eq!(result.code, 134, "{result}");
    assert!(result.stderr.contains("memory limit of 33554432 bytes exceeded"), "{result}");
    let result = run_module(module, "resources: {limits: {memory: 256Mi}}");
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn a_limit_below_the_first_memory_says_both_numbers() {
    let module = r#"(module (memory (export "memory") 32) (func (export "_start")))"#;
    let result = run_module(module, "resources: {limits: {memory: 1Mi}}");
    assert_eq!(result.code, 128, "{result}");
    let said = "memory limit of 1048576 bytes exceeded: 0 bytes in use, 2097152 more asked for";
    assert!(result.stderr.contains(said), "{result}");
}

#[test]
fn a_shared_memory_is_refused_in_words() {
    let module = r#"(module (memory (export "memory") 1 2 shared) (func (export "_start")))"#;
    let result = run_module(module, LIMIT);
    assert_eq!(result.code, 128, "{result}");
    assert!(result.stderr.contains("shared memory, which is not supported"), "{result}");
}

#[test]
fn a_program_is_told_that_there_is_no_more() {
    let world = World::new();
    for guest in [guest("toolbox"), guest("toolbox").replace("wasm32-wasip2", "wasm32-wasip1")] {
        let file = PodText::new("asks")
            .restart_policy("Never")
            .container("asks", &guest, &["allocate"])
            .with("resources: {limits: {memory: 256Mi}}")
            .write(&world);
        let result = world.wasmpod(["run", &file]).finish();
        assert_eq!(result.code, 0, "{result}");
        let mib = result.stdout.split("took ").nth(1).and_then(|rest| rest.split(' ').next());
        let mib: u64 = mib.and_then(|mib| mib.parse().ok()).expect("it says how much");
        assert!((240..256).contains(&mib), "{result}");
    }
}

/// The host does not copy all that a guest of WASI 0.1 hands over at once: it does a part of it.
#[test]
fn a_large_write_is_done_in_part_and_a_large_read_of_chance_as_a_whole() {
    let module = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 256)
        (func (export "_start") (local $written i32)
            (i32.store (i32.const 0) (i32.const 64))
            (i32.store (i32.const 4) (i32.const 8388608))
            (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
                (then (call $exit (i32.const 1))))
            (local.set $written (i32.load (i32.const 8)))
            (if (i32.eqz (local.get $written)) (then (call $exit (i32.const 2))))
            (if (i32.gt_u (local.get $written) (i32.const 1048576))
                (then (call $exit (i32.const 3))))
            (if (call $random (i32.const 64) (i32.const 8388608))
                (then (call $exit (i32.const 4))))
            ;; The last eight of them are not all zero.
            (call $exit (i32.mul (i32.const 5) (i64.eqz (i64.load (i32.const 8388664)))))))"#;
    let result = run_module(module, LIMIT);
    assert_eq!(result.code, 0, "{result}");
}

/// Containers without a limit of their own share what the Pod has.
#[test]
fn the_pods_limit_holds_for_all_of_its_containers_together() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("shared")
        .spec("resources: {limits: {memory: 64Mi}}")
        .spec("volumes: [{name: shared, emptyDir: {}}]")
        .container("holds", &toolbox, &["hold", "40", "before", "/shared/held"])
        .with("volumeMounts: [{name: shared, mountPath: /shared}]")
        .container("asks", &toolbox, &["allocate", "after", "/shared/held"])
        .with("volumeMounts: [{name: shared, mountPath: /shared}]")
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for_line(&["holds", "holding"]);
    pod.wait_until("how much is left", |stdout, _| {
        let took = stdout.lines().rev().find_map(|line| line.split("took ").nth(1));
        let mib = took.and_then(|rest| rest.split(" MiB").next()).and_then(|mib| mib.parse().ok());
        mib.is_some_and(|mib: u64| (10..24).contains(&mib))
    });
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn memory_that_is_freed_and_taken_again_is_the_same() {
    let limits = "resources: {limits: {memory: 64Mi}}";
    let world = World::new();
    let file = PodText::new("frees")
        .restart_policy("OnFailure")
        .container("frees", &guest("toolbox"), &["allocate-and-free", "300"])
        .with(limits)
        .container("stays", &guest("toolbox"), &["sleep", "3600"])
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("all of it is free again");
    let peak = pod.peak_memory();
    assert!(peak < 64 * MIB + ABOVE, "{peak} bytes");
    pod.signal(Signal::INT);
    pod.signal(Signal::INT);
    pod.finish();
}

/// What the process may have above a container's limit, whatever the guest has its host hold.
const ABOVE: u64 = 16 * MIB;

/// The most memory of a Pod whose guest hoards, in bytes.
#[track_caller]
fn peak(kind: &[&str], limits: &str) -> (u64, String) {
    let world = World::new();
    let file = PodText::new("hoards")
        .container("hoards", &guest("hoarder"), kind)
        .with(limits)
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("holding ");
    let said = pod.look(|stdout, _| {
        stdout.lines().find(|line| line.contains("holding ")).unwrap_or_default().to_owned()
    });
    let peak = pod.peak_memory();
    pod.signal(Signal::INT);
    pod.signal(Signal::INT);
    pod.finish();
    (peak, said)
}

#[test]
fn what_the_host_holds_for_a_guest_is_within_its_limit() {
    const LIMIT: u64 = 32 * MIB;
    let limits = "resources: {limits: {memory: 32Mi}}";
    let (baseline, _) = peak(&["nothing"], limits);
    let mut report = String::new();
    let mut worst = 0;
    for kind in [
        &["sockets"][..],
        &["pipes"],
        &["tails"],
        &["backlog", "100000"],
        &["datagrams"],
        &["files", "1000"],
        &["reads", "1000"],
        &["writes", "1000"],
        &["pollables", "400"],
        &["bodies", "300"],
        &["requests", "40"],
        &["headers", "400"],
        &["random", "200"],
        &["names", "200"],
        &["line", "200"],
    ] {
        let (peak, said) = peak(kind, limits);
        let more = peak.saturating_sub(baseline);
        worst = worst.max(more);
        report += &format!("{:>12} {:>6} KiB  {said}\n", kind[0], more >> 10);
    }
    assert!(worst <= LIMIT + ABOVE, "{} KiB more than nothing needs:\n{report}", worst >> 10);
}
