//! What `wasmpod run` reads and prints, and what ends it.

use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{PodText, Running, World, eventually, guest, guest_of_0_1};

/// A Pod that ends when its input does, which is what a stop looks like to a guest.
fn waiting_for_input(world: &World) -> String {
    PodText::new("polite")
        .container("reader", &guest("toolbox"), &["until-end-of-input"])
        .with("stdin: true")
        .write(world)
}

#[test]
fn ctrl_c_stops_gracefully() {
    let world = World::new();
    let file = waiting_for_input(&world);
    let pod = world.wasmpod(["run", &file, "--verbose"]).typed_input().start();
    pod.wait_for("Container started");
    pod.wait_for("waiting");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert!(result.stdout.contains("input ended"), "{result}");
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn sigterm_stops_gracefully() {
    let world = World::new();
    let file = waiting_for_input(&world);
    let pod = world.wasmpod(["run", &file, "--verbose"]).typed_input().start();
    pod.wait_for("Container started");
    pod.wait_for("waiting");
    pod.signal(Signal::TERM);
    let result = pod.finish();
    assert!(result.stdout.contains("input ended"), "{result}");
    assert_eq!(result.code, 143, "{result}");
}

#[test]
fn a_terminal_that_goes_away_stops_gracefully_unless_told_otherwise() {
    let world = World::new();
    let file = waiting_for_input(&world);
    let pod = world.wasmpod(["run", &file, "--verbose"]).hangup().typed_input().start();
    pod.wait_for("waiting");
    pod.signal(Signal::HUP);
    let result = pod.finish();
    assert!(result.stdout.contains("input ended"), "{result}");
    assert_eq!(result.code, 129, "{result}");

    let file =
        PodText::new("talks").container("talks", &guest("toolbox"), &["tick", "5"]).write(&world);
    let pod = world.wasmpod(["run", &file]).no_hangup().start();
    let ticks = |stdout: &str| stdout.lines().count();
    pod.wait_until("a tick", |stdout, _| ticks(stdout) > 0);
    pod.signal(Signal::HUP);
    let before = pod.look(|stdout, _| ticks(stdout));
    pod.wait_until("many more", |stdout, _| ticks(stdout) > before + 50);
    pod.signal(Signal::TERM);
    let result = pod.finish();
    assert_eq!(result.code, 143, "{result}");
}

/// The grace period is longer than any test waits.
#[test]
fn a_second_ctrl_c_ends_at_once() {
    let world = World::new();
    let file = PodText::new("stubborn")
        .spec("terminationGracePeriodSeconds: 86400")
        .container("spin", &guest("toolbox"), &["spin"])
        .write(&world);
    let pod = world.wasmpod(["run", &file, "--verbose"]).start();
    pod.wait_for("Container started");
    pod.wait_for("spinning");
    pod.signal(Signal::INT);
    pod.wait_for("Stopping container spin");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn standard_input_reaches_the_one_container_that_asks_for_it() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("reads")
        .container("cat", &toolbox, &["cat"])
        .with("stdin: true")
        .container("deaf", &toolbox, &["until-end-of-input"])
        .write(&world);
    let mut pod = world.wasmpod(["run", &file]).typed_input().start();
    pod.wait_for_line(&["deaf", "input ended"]);
    pod.type_in("first\n");
    pod.wait_for_line(&["cat", "first"]);
    pod.type_in("second\n");
    pod.wait_for_line(&["cat", "second"]);
    pod.end_input();
    let result = pod.finish();
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn two_that_would_read_standard_input_get_none_of_it() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("reads")
        .container("one", &toolbox, &["cat"])
        .with("stdin: true")
        .container("two", &toolbox, &["cat"])
        .with("stdin: true")
        .write(&world);
    let mut pod = world.wasmpod(["run", &file, "--verbose"]).typed_input().start();
    pod.wait_until("both run", |_, stderr| stderr.matches("Container started").count() == 2);
    pod.type_in("whose?\n");
    pod.signal(Signal::TERM);
    let result = pod.finish();
    assert_eq!(result.code, 143, "{result}");
    assert!(!result.stdout.contains("whose?"), "{result}");
    assert!(result.stderr.contains("`one` and `two` both have `stdin: true`"), "{result}");
}

#[test]
fn a_megabyte_goes_through_a_guest_unchanged() {
    let world = World::new();
    let bytes: Vec<u8> = (0..1_048_576_u32).map(|number| (number * 7 % 251) as u8).collect();
    let words = ["run", "cat", "-i", "--image", &guest("toolbox"), "--", "cat"];
    let result = world.wasmpod(words).input(bytes.clone()).finish();
    assert_eq!(result.code, 0, "{}", result.stderr);
    assert!(result.stdout_bytes == bytes, "{} bytes came back", result.stdout_bytes.len());
}

#[test]
fn every_line_of_json_output_is_an_object() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("told")
        .container("fails", &guest_of_0_1("toolbox"), &["exit", "3"])
        .container("bytes", &toolbox, &["raw", "00ff22410a5c"])
        .write(&world);
    let result = world.wasmpod(["run", &file, "-o", "json"]).finish();
    assert_eq!(result.code, 3, "{result}");
    let lines: Vec<Value> = result
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for (kind, fields) in [
        ("event", ["pod", "reason", "message", "severity"].as_slice()),
        ("status", &["pod", "status"]),
        ("log", &["pod", "container", "stream", "text", "partial"]),
    ] {
        let mut of_kind = lines.iter().filter(|line| line["type"] == kind).peekable();
        assert!(of_kind.peek().is_some(), "no {kind}\n{result}");
        for line in of_kind {
            for field in fields {
                assert!(!line[*field].is_null(), "{field} is missing in {line}");
            }
        }
    }
    let last = lines.iter().rfind(|line| line["type"] == "status").expect("there is one");
    assert_eq!(last["status"]["phase"], "Failed", "{last}");
    assert_eq!(result.stderr, "", "all is said in JSON");
}

#[test]
fn quiet_is_what_the_containers_print_and_nothing_else() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("quiet")
        .spec("dnsPolicy: Default")
        .container("web", &toolbox, &["out", "only this"])
        .container("fails", &guest_of_0_1("toolbox"), &["exit", "5"])
        .write(&world);
    let result = world.wasmpod(["run", &file, "--quiet", "--log-prefix=never"]).finish();
    assert_eq!(result.code, 5, "{result}");
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("only this\n", ""), "{result}");
}

#[test]
fn without_prefix_the_bytes_come_through_and_the_streams_stay_apart() {
    let world = World::new();
    let toolbox = guest("toolbox");
    for (words, stdout, stderr) in [
        (["raw", "00ff0a8022"], b"\x00\xff\n\x80\x22".as_slice(), ""),
        (["err", "told apart"], b"", "told apart\n"),
    ] {
        let file = PodText::new("raw").container("web", &toolbox, &words).write(&world);
        let result = world.wasmpod(["run", &file, "--log-prefix=never"]).finish();
        assert_eq!(result.code, 0, "{result}");
        assert_eq!((result.stdout_bytes.as_slice(), result.stderr.as_str()), (stdout, stderr));
    }
}

/// `wasmpod run pod.yaml | head -1`: nobody is left to run for.
#[test]
fn a_reader_that_goes_away_ends_the_pod_quietly() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("piped")
        .spec("terminationGracePeriodSeconds: 86400")
        .container("talks", &toolbox, &["tick", "20"])
        .container("idle", &toolbox, &["idle"])
        .write(&world);
    for options in [["--log-prefix=auto"], ["--log-prefix=never"], ["--output=json"]] {
        let words = ["run", file.as_str()].into_iter().chain(options);
        let result = world.wasmpod(words).read_one_line().start().finish();
        assert_eq!(result.stdout.lines().count(), 1, "{result}");
        assert_eq!(result.stderr, "", "{result}");
        assert_eq!(result.code, 141, "{result}");
    }
}

/// A pager that waits for a key. What the Pod has printed waits for it, but not for ever.
#[test]
fn a_second_ctrl_c_has_no_patience_with_a_reader_that_has_stopped() {
    let world = World::new();
    // More than a pipe holds.
    let file = PodText::new("paged")
        .container("prints", &guest("toolbox"), &["flood", "9000"])
        .write(&world);
    for options in [["--log-prefix=auto"], ["--log-prefix=never"], ["--output=json"]] {
        let words = ["run", file.as_str()].into_iter().chain(options);
        let pod = world.wasmpod(words).unread_stdout().start();
        interrupt_once_logged(&world, pod, |log| log.ends_with(b" line 9000\n"));
    }
}

/// The same with everything in the pager, and a guest that would print for ever: nothing that
/// wasmpod has to say itself may keep it from stopping.
#[test]
fn a_reader_of_everything_that_has_stopped_holds_up_no_stop() {
    let world = World::new();
    let file = PodText::new("paged")
        .container("prints", &guest("toolbox"), &["flood", "1000000000"])
        .write(&world);
    for option in ["--log-prefix=auto", "--log-prefix=never", "--output=json", "--verbose"] {
        let pod = world.wasmpod(["run", &file, option]).errors_to_output().unread_stdout().start();
        // More than a pipe holds.
        interrupt_once_logged(&world, pod, |log| log.len() > 1 << 17);
    }
}

/// Interrupts `pod` once a log is as it should be, and sees it end; leaves no log behind.
fn interrupt_once_logged(world: &World, pod: Running, logged: impl Fn(&[u8]) -> bool) {
    eventually("the log of a container", || {
        let logs = walk(&world.root().join("logs/pods"));
        logs.iter().any(|log| logged(log)).then_some(())
    });
    let result = pod.finish_by(Signal::INT);
    assert_eq!(result.code, 130, "{result}");
    std::fs::remove_dir_all(world.root().join("logs")).expect("it is there");
}

/// A reader who keeps up must not keep wasmpod from anything else.
#[test]
fn ctrl_c_comes_through_a_flood_that_is_read() {
    let world = World::new();
    let file = PodText::new("loud")
        .container("prints", &guest("toolbox"), &["flood", "1000000000"])
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    interrupt_once_logged(&world, pod, |log| log.len() > 1 << 17);
}

/// The content of all files below a folder.
fn walk(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| match std::fs::read(entry.path()) {
            Ok(content) => vec![content],
            Err(_) => walk(&entry.path()),
        })
        .collect()
}

/// The first Ctrl-C may come while a guest is on its way: it never starts then, or ends at once.
#[test]
fn ctrl_c_at_any_moment_of_the_start_ends_it() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("early")
        .container("spin", &toolbox, &["spin"])
        .container("idle", &toolbox, &["idle"])
        .write(&world);
    for moment in [20, 30, 40, 50, 60, 80] {
        let pod = world.wasmpod(["run", &file]).start();
        // Not to wait for anything: the moment is what is tried.
        std::thread::sleep(std::time::Duration::from_millis(moment));
        pod.signal(Signal::INT);
        let result = pod.finish();
        // Before it listens for signals, the signal itself ends it.
        assert!([130, -2].contains(&result.code), "{result}");
    }
}
