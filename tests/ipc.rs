//! Message queues and shared segments: of POSIX and of System V, as calls and as files, for guests of WASI
//! 0.1 and 0.2.

use rustix::process::Signal;

use crate::harness::{Finished, PodText, World, guest, guest_of_0_1};

/// The program that takes steps, for each WASI.
fn programs() -> [String; 2] {
    [guest_of_0_1("toolbox"), guest("toolbox")]
}

/// Takes the steps in one container, and compares what each comes to: `STEP: ANSWER` of `expected`.
#[track_caller]
fn check(expected: &[&str]) {
    for program in programs() {
        check_in(PodText::new("p"), &program, expected);
    }
}

#[track_caller]
fn check_in(pod: PodText, program: &str, expected: &[&str]) -> Finished {
    let world = World::new();
    let file = steps(pod, "box", program, expected).write(&world);
    let result = world.wasmpod(["run", &file]).finish();
    assert_eq!(lines(&result), expected, "{program}\n{result}");
    result
}

/// A container that takes the steps of these lines.
fn steps(pod: PodText, name: &str, program: &str, expected: &[&str]) -> PodText {
    let steps = expected.iter().map(|line| line.split_once(':').map_or(*line, |(step, _)| step));
    let words: Vec<&str> = ["ipc"].into_iter().chain(steps).collect();
    pod.container(name, program, &words)
}

/// What containers said, without their names.
fn lines(result: &Finished) -> Vec<&str> {
    let said = |line: &'_ str| -> usize { line.find("| ").map_or(0, |bar| bar + 2) };
    result.stdout.lines().map(|line| line[said(line)..].trim_end()).collect()
}

/// Init containers that do these deeds one after the other, and a container that does the last one.
fn deeds(pod: PodText, deeds: &[(&str, &[&str])]) -> PodText {
    let item = |(number, (program, words)): (usize, &(&str, &[&str]))| {
        format!("{{name: c{number}, image: {program:?}, args: {words:?}}}")
    };
    let (last, first) = deeds.split_last().expect("there is one");
    let first: Vec<String> = first.iter().enumerate().map(item).collect();
    pod.spec(&format!("initContainers: [{}]", first.join(", "))).container("last", last.0, last.1)
}

#[test]
fn queues_are_those_of_posix() {
    check(&[
        "queue q /jobs never: NotFound",
        "queue q /jobs missing: ok",
        "queue r /jobs always: Exists",
        "queue r jobs never: ok",
        "status r: 0 of 10, 0 bytes, 8192 each",
        "send q 3 three none: ok",
        "send r 32767 most none: ok",
        "send q 3 four none: ok",
        "send q 32768 more none: Invalid",
        "send q 0  none: ok",
        "status q: 4 of 10, 13 bytes, 8192 each",
        "unlink /jobs: ok",
        "unlink /jobs: NotFound",
        "queue s /jobs never: NotFound",
        "receive r none: 32767 most",
        "receive r none: 3 three",
        "receive r 1: 3 four",
        "receive r endless: 0",
        "receive r none: WouldBlock",
        "receive r 20: TimedOut",
        "queue s /jobs always 2 4: ok",
        "send s 0 12345 endless: MessageSize",
        "flood s 4 3: 2, WouldBlock",
        "send s 0 1 20: TimedOut",
        "queue t /t always 11 4: Invalid",
        "queue t /t always 1 8193: Invalid",
        "queue t /t always 0 4: Invalid",
    ]);
}

#[test]
fn keyed_queues_are_those_of_system_v() {
    check(&[
        "keyed q 7 never: NotFound",
        "keyed q 7 always: ok",
        "keyed r 7 missing: ok",
        "put q 3 a none: ok",
        "put q 1 b none: ok",
        "put q 2 c none: ok",
        "put q 0 d none: Invalid",
        "take r 2 none: 2 c",
        "take r -5 none: 1 b",
        "take r 9 none: NoMessage",
        "take r 9 20: TimedOut",
        "take r 0 endless: 3 a",
        "keyed private 0 never: ok",
        "keyed other 0 never: ok",
        "put private 1 x none: ok",
        "take other 0 none: NoMessage",
        "remove r: ok",
        "put q 1 x none: Removed",
        "keyed q 7 never: NotFound",
    ]);
}

#[test]
fn segments_are_read_and_written_at_offsets() {
    check(&[
        "segment s /state missing: ok",
        "size s: 0",
        "write s 0 x: Invalid",
        "resize s 20: ok",
        "write s 16 last: ok",
        "write s 17 last: Invalid",
        "read s 14 100: \0\0last",
        "read s 20 1:",
        "swap s 4 0 7: 0",
        "swap s 4 0 8: 7",
        "swap s 6 0 8: Invalid",
        "swap s 20 0 8: Invalid",
        "swap64 s 8 0 18446744073709551615: 0",
        "swap64 s 8 18446744073709551615 0: 18446744073709551615",
        "unlink-segment state: ok",
        "segment t /state never: NotFound",
        "read s 16 4: last",
        "shared k 5 0 missing: Invalid",
        "shared k 5 8 missing: ok",
        "shared l 5 9 never: Invalid",
        "shared l 5 8 never: ok",
        "write k 0 12345678: ok",
        "write k 1 12345678: Invalid",
        "resize k 9: Invalid",
        "read l 0 9: 12345678",
        "remove-segment 5: ok",
        "remove-segment 5: NotFound",
    ]);
}

#[test]
fn names_and_sizes_that_cannot_be_are_errors() {
    let long = "x".repeat(256);
    let long = [
        format!("queue q {long} always: NameTooLong"),
        format!("segment q {long} always: NameTooLong"),
    ];
    let mut expected: Vec<&str> = long.iter().map(String::as_str).collect();
    expected.extend([
        "queue q /.. always: Access",
        "queue q ../../etc/passwd always: Access",
        "queue q / always: Invalid",
        "queue q a/b always: Access",
        "queue q q always 4294967295 4294967295: Invalid",
        "segment s ../etc/passwd missing: Access",
        "segment s s missing: ok",
        "resize s 18446744073709551615: Invalid",
        "resize s 9223372036854775807: NoSpace",
        "resize s 67108865: NoSpace",
        "resize s 67108864: ok",
        "write s 18446744073709551615 x: Invalid",
        "swap s 18446744073709551612 0 1: Invalid",
        "shared k 1 18446744073709551615 missing: Invalid",
        "unlink ..: Access",
        "unlink-segment ..: Access",
    ]);
    check(&expected);
}

#[test]
fn everything_has_a_bound() {
    check(&[
        "queues 1000000: 256, NoSpace",
        "segment s s missing: ok",
        "fill s 64: 64",
        "segment t t missing: ok",
        "resize t 1: ok",
        "write t 0 x: NoSpace",
        "keyed k 1 missing: ok",
        "unlink-segment s: ok",
        "close s: ok",
        "write t 0 x: ok",
    ]);
}

#[test]
fn the_pod_says_how_much_there_may_be() {
    let sysctl = |name: &str, value: &str| format!("{{name: {name}, value: {value:?}}}");
    let sysctls = [
        sysctl("fs.mqueue.queues_max", "2"),
        sysctl("fs.mqueue.msg_max", "3"),
        sysctl("fs.mqueue.msgsize_max", "200000"),
        sysctl("kernel.msgmnb", "4"),
        sysctl("kernel.shmmax", "8"),
    ];
    let pod = PodText::new("p")
        .metadata("annotations: {wasmpod.dev/shm-size: 1Mi}")
        .spec(&format!("securityContext: {{sysctls: [{}]}}", sysctls.join(", ")));
    let result = check_in(
        pod,
        &guest_of_0_1("toolbox"),
        &[
            "queue a a always 4 8: Invalid",
            "queue a a always 3 200000: ok",
            "status a: 0 of 3, 0 bytes, 200000 each",
            "queue b b always: ok",
            "status b: 0 of 3, 0 bytes, 8192 each",
            "queue c c always: NoSpace",
            "keyed k 1 always: ok",
            "put k 1 12345 none: Invalid",
            "put k 1 1234 none: ok",
            "shared s 1 9 always: Invalid",
            "shared s 1 8 always: ok",
            "segment t t always: ok",
            "fill t 1: 1",
            "segment u u always: ok",
            "resize u 1048577: NoSpace",
        ],
    );
    assert!(!result.stderr.contains("sysctls"), "{result}");

    let world = World::new();
    let bad = PodText::new("p")
        .metadata("annotations: {wasmpod.dev/shm-size: much, wasmpod.dev/shm-size.box: 1Mi}")
        .spec(&format!(
            "securityContext: {{sysctls: [{}, {}]}}",
            sysctl("fs.mqueue.msg_max", "none"),
            sysctl("net.core.somaxconn", "1"),
        ))
        .container("box", &guest("toolbox"), &["idle"])
        .write(&world);
    let result = world.wasmpod(["validate", &bad]).finish();
    for part in [
        "\"much\": must be a quantity of bytes such as 64Mi, not negative",
        "is of the whole Pod: wasmpod.dev/shm-size",
        "sysctls[0].value: Invalid value: \"none\": must be between 1 and 65536, inclusive",
    ] {
        assert!(result.stderr.contains(part), "`{part}` is missing\n{result}");
    }
}

#[test]
fn what_the_host_holds_is_memory_of_its_container() {
    for program in programs() {
        for words in [
            ["segment s s missing", "fill s 32"],
            ["queue q q missing 65536 8192", "flood q 8192 65536"],
        ] {
            let world = World::new();
            let sysctls = "sysctls: [{name: fs.mqueue.msg_max, value: \"65536\"}]";
            let pod = PodText::new("p").spec(&format!("securityContext: {{{sysctls}}}"));
            let pod = steps(pod, "poor", &program, &words);
            // Part of it is the program's own, and of what the host holds two MiB are free.
            let file = pod.with("resources: {limits: {memory: 12Mi}}").write(&world);
            let result = world.wasmpod(["run", &file]).finish();
            let said = lines(&result);
            assert!(said[1].starts_with(&format!("{}: ", words[1])), "{result}");
            assert!(said[1].ends_with(", OutOfMemory"), "{result}");
        }
    }
}

#[test]
fn all_containers_have_the_same_and_it_outlives_them() {
    let [old, new] = programs();
    let (old, new) = (old.as_str(), new.as_str());
    let world = World::new();
    let file = deeds(
        PodText::new("p"),
        &[
            (old, &["ipc", "queue q jobs always", "send q 1 low none", "send q 9 high none"]),
            (new, &["ipc", "segment s state always", "resize s 8", "write s 0 shared"]),
            (new, &["ipc", "queue q jobs never", "receive q none"]),
            (
                old,
                &[
                    "ipc",
                    "queue q jobs never",
                    "receive q none",
                    "segment s state never",
                    "read s 0 6",
                ],
            ),
        ],
    )
    .write(&world);
    let result = world.wasmpod(["run", &file]).finish();
    assert_eq!(result.code, 0, "{result}");
    let received: Vec<&str> =
        lines(&result).into_iter().filter(|line| line.starts_with("re")).collect();
    let expected =
        ["resize s 8: ok", "receive q none: 9 high", "receive q none: 1 low", "read s 0 6: shared"];
    assert_eq!(received, expected, "{result}");
}

#[test]
fn a_container_that_starts_again_finds_what_it_left() {
    let world = World::new();
    let steps = ["ipc", "segment s s missing", "resize s 16", "count s 1", "no such step"];
    let file = PodText::new("p")
        .restart_policy("OnFailure")
        .container("box", &guest_of_0_1("toolbox"), &steps)
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("count s 1: 1");
    pod.wait_for("count s 1: 2");
    pod.finish_by(Signal::INT);
}

#[test]
fn another_pod_has_its_own() {
    let world = World::new();
    let program = guest("toolbox");
    let first = steps(
        PodText::new("first"),
        "box",
        &program,
        &[
            "queue q jobs always",
            "segment s state always",
            "shared k 1 8 always",
            "keyed l 1 always",
            "receive q endless",
        ],
    );
    let first = world.wasmpod(["run", &first.write(&world)]).start();
    first.wait_for("keyed l 1 always: ok");
    let expected = [
        "queue q jobs never: NotFound",
        "segment s state never: NotFound",
        "shared k 1 8 never: NotFound",
        "keyed l 1 never: NotFound",
    ];
    let second = steps(PodText::new("second"), "box", &program, &expected).write(&world);
    let result = world.wasmpod(["run", &second]).finish();
    assert_eq!(lines(&result), expected, "{result}");
    first.finish_by(Signal::INT);
}

#[test]
fn a_lock_in_a_segment_holds_others_off() {
    let world = World::new();
    let [old, new] = programs();
    let expected = ["segment s s missing", "resize s 16", "count s 100"];
    let mut pod = PodText::new("p");
    for (name, program) in [("a", &old), ("b", &new), ("c", &old)] {
        pod = steps(pod, name, program, &expected);
    }
    let result = world.wasmpod(["run", &pod.write(&world)]).finish();
    assert_eq!(result.code, 0, "{result}");
    assert!(result.stdout.contains("count s 100: 300"), "{result}");
}

#[test]
fn the_stop_ends_a_wait() {
    for program in programs() {
        let world = World::new();
        let words = ["queue q q always", "receive q endless", "receive q 1"];
        let file = steps(PodText::new("p"), "box", &program, &words).write(&world);
        let pod = world.wasmpod(["run", &file]).start();
        pod.wait_for("queue q q always: ok");
        pod.signal(Signal::INT);
        let result = pod.finish();
        let expected =
            ["queue q q always: ok", "receive q endless: Interrupted", "receive q 1: TimedOut"];
        assert_eq!(lines(&result), expected, "{result}");
    }
}

#[test]
fn the_kill_ends_a_wait_too() {
    for program in programs() {
        let world = World::new();
        // After the first interruption it waits on, in the knowledge of the stop.
        let words = ["queue q q always 1 8", "receive q endless", "receive q endless"];
        let file = steps(PodText::new("p"), "box", &program, &words).write(&world);
        let pod = world.wasmpod(["run", &file]).start();
        pod.wait_for("queue q q always 1 8: ok");
        pod.signal(Signal::INT);
        pod.wait_for("receive q endless: Interrupted");
        pod.signal(Signal::INT);
        let result = pod.finish();
        assert!(result.stderr.contains("137"), "{result}");
    }
}

#[test]
fn queues_are_files_too() {
    let [old, new] = programs();
    for (one, other) in [(&old, &new), (&new, &old)] {
        let (one, other) = (one.as_str(), other.as_str());
        let world = World::new();
        let file = deeds(
            PodText::new("p"),
            &[
                (one, &["list", "/dev/mqueue"]),
                (one, &["write", "/dev/mqueue/jobs", "first"]),
                (other, &["append", "/dev/mqueue/jobs", "second"]),
                (one, &["list", "/dev/mqueue"]),
                (other, &["read", "/dev/mqueue/jobs"]),
                (one, &["ipc", "queue q /jobs never", "send q 5 urgent none", "status q"]),
                (one, &["messages", "/dev/mqueue/jobs", "2"]),
                (other, &["messages", "/dev/mqueue/jobs", "1"]),
                (other, &["remove", "/dev/mqueue/jobs"]),
                (one, &["ipc", "queue q /jobs never"]),
            ],
        )
        .write(&world);
        let result = world.wasmpod(["run", &file]).finish();
        assert_eq!(result.code, 0, "{result}");
        let expected = [
            "jobs file 80",
            "QSIZE:13         NOTIFY:0     SIGNO:0     NOTIFY_PID:0",
            "queue q /jobs never: ok",
            "send q 5 urgent none: ok",
            "status q: 3 of 10, 19 bytes, 8192 each",
            "<urgent>",
            "<first",
            ">",
            "<second",
            ">",
            "queue q /jobs never: NotFound",
        ];
        assert_eq!(lines(&result), expected, "{result}");
    }
}

#[test]
fn the_folder_of_queues_takes_nothing_else() {
    for program in programs() {
        for (words, part) in [
            (&["mkdir", "/dev/mqueue/folder"][..], "not permitted"),
            (&["write", "/dev/mqueue/../../etc/hosts", "x"], ""),
            (&["rename", "/dev/mqueue/jobs", "/dev/mqueue/other"], "not permitted"),
            (&["symlink", "/etc/hosts", "/dev/mqueue/link"], "not permitted"),
            (&["hardlink", "/etc/hosts", "/dev/mqueue/link"], "ross-device"),
            (&["rename", "/etc/hosts", "/dev/shm/hosts"], "ross-device"),
            (&["append", "/dev/mqueue/none/x", "x"], "ermission denied"),
        ] {
            let world = World::new();
            let file = PodText::new("p").container("box", &program, words).write(&world);
            let result = world.wasmpod(["run", &file]).finish();
            if part.is_empty() {
                // Which is below the root, by whatever way.
                continue;
            }
            assert_eq!(result.code, 1, "{words:?}\n{result}");
            assert!(result.stderr.contains(part), "{words:?}\n{result}");
        }
    }
}

#[test]
fn the_segments_are_the_files_of_dev_shm() {
    let [old, new] = programs();
    for (one, other) in [(&old, &new), (&new, &old)] {
        let (one, other) = (one.as_str(), other.as_str());
        let world = World::new();
        let file = deeds(
            PodText::new("p"),
            &[
                (one, &["write", "/dev/shm/state", "from a file"]),
                (other, &["append", "/dev/shm/state", "and another"]),
                (one, &["ipc", "segment s /state never", "size s", "read s 5 6", "write s 5 THE"]),
                (other, &["read", "/dev/shm/state"]),
                (one, &["mkdir", "/dev/shm/folder"]),
                (one, &["rename", "/dev/shm/state", "/dev/shm/folder/state"]),
                (other, &["list", "/dev/shm"]),
                (other, &["list", "/dev/shm/folder"]),
                (other, &["remove", "/dev/shm/folder/state"]),
                (one, &["list", "/dev/shm/folder"]),
            ],
        )
        .write(&world);
        let result = world.wasmpod(["run", &file]).finish();
        assert_eq!(result.code, 0, "{result}");
        let expected = [
            "segment s /state never: ok",
            "size s: 24",
            "read s 5 6: a file",
            "write s 5 THE: ok",
            "from THEile",
            "and another",
            "folder folder",
            "state file 24",
        ];
        assert_eq!(lines(&result), expected, "{result}");
    }
}

#[test]
fn dev_shm_is_full_at_its_size() {
    let (full, of_component) = ("No space left on device", "I/O error");
    for (program, error) in programs().iter().zip([full, of_component]) {
        let world = World::new();
        let file = PodText::new("p")
            .metadata("annotations: {wasmpod.dev/shm-size: 3Mi}")
            .container("box", program, &["fill", "/dev/shm/big", "4"])
            .write(&world);
        let result = world.wasmpod(["run", &file]).finish();
        assert_eq!(result.code, 1, "{result}");
        assert!(result.stderr.contains(&format!("after 3 MiB: {error}")), "{result}");
    }
}

#[test]
fn a_volume_takes_the_place_of_dev_shm() {
    let world = World::new();
    let file = PodText::new("p")
        .spec("volumes: [{name: shm, emptyDir: {medium: Memory}}]")
        .container("box", &guest("toolbox"), &["symlink", "target", "/dev/shm/link"])
        .with("volumeMounts: [{name: shm, mountPath: /dev/shm}]")
        .write(&world);
    let result = world.wasmpod(["run", &file]).finish();
    assert_eq!(result.code, 0, "{result}");
}
