//! Queues and segments as a module of WASI 0.1 may call for them, rightly and wrongly.

use super::*;

/// What a module imports of the IPC, and a name and two buffers in its one page.
const IMPORTS: &str = r#"
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasmpod:ipc/queues" "open" (func $open (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasmpod:ipc/queues" "send" (func $send (param i32 i32 i32 i32 i64) (result i32)))
    (import "wasmpod:ipc/queues" "receive" (func $receive (param i32 i32 i32 i32 i64) (result i32)))
    (import "wasmpod:ipc/queues" "status" (func $status (param i32 i32) (result i32)))
    (import "wasmpod:ipc/queues" "unlink" (func $unlink (param i32 i32) (result i32)))
    (import "wasmpod:ipc/queues" "close" (func $close (param i32) (result i32)))
    (import "wasmpod:ipc/keyed-queues" "get" (func $get (param i32 i32) (result i32)))
    (import "wasmpod:ipc/keyed-queues" "send" (func $put (param i32 i64 i32 i32 i64) (result i32)))
    (import "wasmpod:ipc/keyed-queues" "receive"
        (func $take (param i32 i64 i32 i32 i32 i64) (result i32)))
    (import "wasmpod:ipc/segments" "open" (func $segment (param i32 i32 i32) (result i32)))
    (import "wasmpod:ipc/segments" "size" (func $size (param i32) (result i64)))
    (import "wasmpod:ipc/segments" "set_size" (func $set_size (param i32 i64) (result i32)))
    (import "wasmpod:ipc/segments" "read" (func $read (param i32 i64 i32 i32) (result i32)))
    (import "wasmpod:ipc/segments" "write" (func $write (param i32 i64 i32 i32) (result i32)))
    (import "wasmpod:ipc/segments" "compare_and_swap32"
        (func $swap (param i32 i64 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_pwrite"
        (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_allocate" (func $fd_allocate (param i32 i64 i64) (result i32)))
    (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $fd_size (param i32 i64) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir"
        (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_unlink_file"
        (func $path_unlink (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "q/../q")
    ;; A list of one buffer of four bytes, one that lies outside, one of a part of each.
    (data (i32.const 16) "\40\00\00\00\04\00\00\00")
    (data (i32.const 24) "\f0\ff\ff\ff\04\00\00\00")
    (data (i32.const 32) "\40\00\00\00\ff\ff\ff\ff")
    (data (i32.const 64) "abcd")
    ;; Subscriptions: to a clock of an hour, to read and write 5, to read 6; to a short clock, to read 5.
    (data (i32.const 4096) "\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\a0\b8\30\46\03")
    (data (i32.const 4144) "\02\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\05")
    (data (i32.const 4192) "\03\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\05")
    (data (i32.const 4240) "\04\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\06")
    (data (i32.const 4288) "\05\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\01")
    (data (i32.const 4336) "\06\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\05")
"#;

/// Makes the calls, each with the answer that it should have.
async fn calls(checks: &[(&str, i32)]) {
    let world = World::new();
    let check = |(number, (call, answer)): (usize, &(&str, i32))| {
        let number = number + 1;
        format!(
            "(if (i32.ne {call} (i32.const {answer})) (then (call $exit (i32.const {number}))))"
        )
    };
    let checks_text: Vec<String> = checks.iter().enumerate().map(check).collect();
    let checks_text = checks_text.join("\n");
    let exit =
        world.exit(&format!(r#"(module {IMPORTS} (func (export "_start") {checks_text}))"#)).await;
    let failed = usize::from(exit.code).checked_sub(1).and_then(|number| checks.get(number));
    assert_eq!((exit.code, failed), (0, None), "{exit:?}");
}

const BADF: i32 = 8;
const FAULT: i32 = 21;
const INVAL: i32 = 28;
const MSGSIZE: i32 = 35;
const NAME_TOO_LONG: i32 = 37;
const ACCES: i32 = 2;
const AGAIN: i32 = 6;
const SPIPE: i32 = 70;

#[tokio::test]
async fn a_module_that_calls_for_what_cannot_be_gets_errnos() {
    const OPEN: &str =
        "(call $open (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0))";
    calls(&[
        ("(call $open (i32.const -1) (i32.const 9) (i32.const 1) (i32.const 0) (i32.const 0))", -FAULT),
        ("(call $open (i32.const 0) (i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0))", -NAME_TOO_LONG),
        ("(call $open (i32.const 0) (i32.const 6) (i32.const 1) (i32.const 0) (i32.const 0))", -ACCES),
        ("(call $open (i32.const 0) (i32.const 1) (i32.const 7) (i32.const 0) (i32.const 0))", -INVAL),
        ("(call $open (i32.const 0) (i32.const 1) (i32.const 1) (i32.const -1) (i32.const -1))", -INVAL),
        (OPEN, 0),
        (OPEN, 1),
        ("(call $send (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0) (i64.const -1))", -MSGSIZE),
        ("(call $send (i32.const 0) (i32.const -1) (i32.const 8) (i32.const 0) (i64.const -1))", -FAULT),
        ("(call $send (i32.const 0) (i32.const 64) (i32.const 4) (i32.const -1) (i64.const -1))", -INVAL),
        ("(call $send (i32.const 9) (i32.const 64) (i32.const 4) (i32.const 0) (i64.const -1))", -BADF),
        ("(call $send (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 5) (i64.const -1))", 0),
        // A message that cannot be delivered stays.
        ("(call $receive (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 96) (i64.const -1))", -FAULT),
        ("(call $receive (i32.const 0) (i32.const -1) (i32.const 8192) (i32.const 96) (i64.const -1))", -FAULT),
        ("(call $receive (i32.const 0) (i32.const 100) (i32.const 8192) (i32.const -2) (i64.const -1))", -FAULT),
        ("(call $receive (i32.const 0) (i32.const 100) (i32.const 8191) (i32.const 96) (i64.const -1))", -MSGSIZE),
        ("(call $status (i32.const 0) (i32.const -8))", -FAULT),
        ("(call $status (i32.const 1) (i32.const 112))", 0),
        ("(i32.load (i32.const 120))", 1),
        ("(call $receive (i32.const 1) (i32.const 100) (i32.const 8192) (i32.const 96) (i64.const -1))", 4),
        ("(i32.load (i32.const 96))", 5),
        ("(call $receive (i32.const 1) (i32.const 100) (i32.const 8192) (i32.const 96) (i64.const 0))", -AGAIN),
        ("(call $unlink (i32.const -1) (i32.const 1))", -FAULT),
        ("(call $close (i32.const 7))", -BADF),
        ("(call $close (i32.const 0))", 0),
        ("(call $close (i32.const 0))", -BADF),
        ("(call $get (i32.const 5) (i32.const 1))", 0),
        ("(call $put (i32.const 0) (i64.const 1) (i32.const 0) (i32.const -1) (i64.const -1))", -INVAL),
        ("(call $put (i32.const 0) (i64.const -1) (i32.const 64) (i32.const 4) (i64.const -1))", -INVAL),
        ("(call $put (i32.const 1) (i64.const 1) (i32.const 64) (i32.const 4) (i64.const -1))", -BADF),
        ("(call $take (i32.const 0) (i64.const 0) (i32.const -1) (i32.const 4) (i32.const 96) (i64.const -1))", -FAULT),
    ])
    .await;
    let negative = |call: &str| call.replace("OFFSET", "(i64.const -1)");
    calls(&[
        ("(call $segment (i32.const 0) (i32.const 1) (i32.const 1))", 0),
        (&negative("(call $set_size (i32.const 0) OFFSET)"), -INVAL),
        ("(call $set_size (i32.const 0) (i64.const 8))", 0),
        (&negative("(call $read (i32.const 0) OFFSET (i32.const 64) (i32.const 4))"), -INVAL),
        (&negative("(call $write (i32.const 0) OFFSET (i32.const 64) (i32.const 4))"), -INVAL),
        ("(call $read (i32.const 0) (i64.const 0) (i32.const -1) (i32.const 4))", -FAULT),
        ("(call $write (i32.const 0) (i64.const 0) (i32.const 64) (i32.const -1))", -FAULT),
        ("(call $write (i32.const 0) (i64.const 0) (i32.const 64) (i32.const 4))", 4),
        (
            "(call $swap (i32.const 0) (i64.const 4) (i32.const 0) (i32.const 1) (i32.const -1))",
            -FAULT,
        ),
        ("(call $swap (i32.const 0) (i64.const 4) (i32.const 0) (i32.const 1) (i32.const 96))", 0),
        (
            &negative(
                "(call $swap (i32.const 0) OFFSET (i32.const 0) (i32.const 1) (i32.const 96))",
            ),
            -INVAL,
        ),
        ("(i32.wrap_i64 (call $size (i32.const 0)))", 8),
        ("(i32.wrap_i64 (call $size (i32.const 3)))", -BADF),
    ])
    .await;
}

const NON_BLOCKING: i32 = 4;

/// Opens a file to read and write. Without mounts 3 is `/dev/mqueue` and 4 `/dev/shm`.
fn open(folder: i32, path: i32, length: i32, flags: i32) -> String {
    format!(
        "(call $path_open (i32.const {folder}) (i32.const 0) (i32.const {path}) (i32.const {length}) \
         (i32.const 1) (i64.const 66) (i64.const 0) (i32.const {flags}) (i32.const 96))"
    )
}

#[tokio::test]
async fn a_module_that_treats_its_files_so_gets_errnos_too() {
    calls(&[
        ("(call $prestat (i32.const 3) (i32.const 96))", 0),
        ("(call $prestat (i32.const 4) (i32.const 96))", 0),
        ("(call $prestat (i32.const 5) (i32.const 96))", BADF),
        (&open(3, -1, 9, 0), FAULT),
        (&open(3, 0, -1, 0), NAME_TOO_LONG),
        (&open(3, 0, 6, NON_BLOCKING), 0),
        ("(i32.load (i32.const 96))", 5),
        (&open(4, 0, 1, 0), 0),
        ("(i32.load (i32.const 96))", 6),
        ("(call $fd_write (i32.const 5) (i32.const 16) (i32.const 1) (i32.const 96))", 0),
        ("(call $fd_write (i32.const 5) (i32.const 24) (i32.const 1) (i32.const 96))", FAULT),
        ("(call $fd_write (i32.const 5) (i32.const 32) (i32.const 1) (i32.const 96))", MSGSIZE),
        ("(call $fd_write (i32.const 5) (i32.const -4) (i32.const 1) (i32.const 96))", FAULT),
        ("(call $fd_write (i32.const 5) (i32.const 16) (i32.const -1) (i32.const 96))", INVAL),
        ("(call $fd_pwrite (i32.const 5) (i32.const 16) (i32.const 1) (i64.const 0) (i32.const 96))", SPIPE),
        ("(call $fd_seek (i32.const 5) (i64.const 0) (i32.const 0) (i32.const 96))", SPIPE),
        ("(call $fd_size (i32.const 5) (i64.const 0))", INVAL),
        ("(call $fd_read (i32.const 5) (i32.const 16) (i32.const 1) (i32.const 96))", 0),
        ("(i32.load (i32.const 96))", 4),
        ("(call $fd_read (i32.const 5) (i32.const 16) (i32.const 1) (i32.const 96))", AGAIN),
        ("(call $fd_write (i32.const 6) (i32.const 32) (i32.const 1) (i32.const 96))", FAULT),
        ("(call $fd_pwrite (i32.const 6) (i32.const 16) (i32.const 1) (i64.const -1) (i32.const 96))", INVAL),
        ("(call $fd_pwrite (i32.const 6) (i32.const 16) (i32.const 1) (i64.const 9) (i32.const 96))", 0),
        ("(call $fd_seek (i32.const 6) (i64.const -1) (i32.const 0) (i32.const 96))", INVAL),
        ("(call $fd_seek (i32.const 6) (i64.const 0) (i32.const 2) (i32.const 96))", 0),
        ("(i32.load (i32.const 96))", 13),
        ("(call $fd_size (i32.const 6) (i64.const -1))", INVAL),
        ("(call $fd_allocate (i32.const 6) (i64.const 0) (i64.const -1))", INVAL),
        ("(call $fd_allocate (i32.const 6) (i64.const 9223372036854775807) (i64.const 1))", INVAL),
        ("(call $fd_readdir (i32.const 4) (i32.const -1) (i32.const 1000) (i64.const 0) (i32.const 96))", FAULT),
        ("(call $fd_readdir (i32.const 4) (i32.const 256) (i32.const 1000) (i64.const 0) (i32.const 96))", 0),
        ("(i32.load (i32.const 96))", 76),
        ("(call $fd_readdir (i32.const 6) (i32.const 256) (i32.const 1000) (i64.const 0) (i32.const 96))", 54),
        ("(call $fd_renumber (i32.const 6) (i32.const 5))", 0),
        ("(call $fd_pwrite (i32.const 5) (i32.const 16) (i32.const 1) (i64.const 0) (i32.const 96))", 0),
        ("(call $fd_write (i32.const 6) (i32.const 16) (i32.const 1) (i32.const 96))", BADF),
        ("(call $fd_close (i32.const 5))", 0),
        ("(call $fd_write (i32.const 5) (i32.const 16) (i32.const 1) (i32.const 96))", BADF),
        ("(call $path_unlink (i32.const 4) (i32.const 0) (i32.const 1))", 0),
        ("(call $path_unlink (i32.const 4) (i32.const 0) (i32.const 1))", 44),
        ("(call $path_unlink (i32.const 3) (i32.const 0) (i32.const 1))", 0),
    ])
    .await;
}

/// The subscriptions of [`IMPORTS`] from one on, so many of them.
fn poll(from: i32, count: i32) -> String {
    let at = 4096 + 48 * (from - 1);
    format!("(call $poll (i32.const {at}) (i32.const 8192) (i32.const {count}) (i32.const 96))")
}

#[tokio::test]
async fn a_module_polls_its_files_with_clocks() {
    const COUNT: &str = "(i32.load (i32.const 96))";
    const FIRST: &str = "(i32.load (i32.const 8192))";
    const SECOND: &str = "(i32.load (i32.const 8224))";
    const BYTES: &str = "(i32.load (i32.const 8208))";
    calls(&[
        (&open(3, 0, 1, 0), 0),
        (&open(4, 0, 1, 0), 0),
        ("(call $fd_pwrite (i32.const 6) (i32.const 16) (i32.const 1) (i64.const 0) (i32.const 96))", 0),
        // In an empty queue there is room, and nothing to read until the clock is over.
        (&poll(1, 3), 0),
        (COUNT, 1),
        (FIRST, 3),
        (&poll(5, 2), 0),
        (COUNT, 1),
        (FIRST, 5),
        (&poll(4, 1), 0),
        (COUNT, 1),
        (FIRST, 4),
        (BYTES, 4),
        ("(call $fd_write (i32.const 5) (i32.const 16) (i32.const 1) (i32.const 96))", 0),
        (&poll(1, 2), 0),
        (COUNT, 1),
        (FIRST, 2),
        (&poll(1, 4), 0),
        (COUNT, 3),
        (FIRST, 2),
        (SECOND, 3),
        // A number that nothing has fails the call.
        ("(call $fd_close (i32.const 6))", 0),
        (&poll(1, 4), BADF),
        // A folder is not waited for.
        ("(call $fd_renumber (i32.const 4) (i32.const 5))", 0),
        (&poll(1, 2), BADF),
    ])
    .await;
}
