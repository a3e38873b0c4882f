//! Pods that are stopped while their guests are at work: nobody's request fails, and every guest learns
//! of it in its own way.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Finished, PodText, Running, World, free_port, guest, guest_of_0_1, request};

/// How the containers of a Pod ended, in the order of their names, by `--output json`.
#[track_caller]
fn exit_codes(result: &Finished) -> Vec<i64> {
    let lines = result.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut statuses = lines.filter(|line| line["type"] == "status");
    let last = statuses.next_back().expect("a status is told");
    let containers = last["status"]["containerStatuses"].as_array().expect("there are some");
    let code = |container: &Value| container["state"]["terminated"]["exitCode"].as_i64();
    containers.iter().map(|container| code(container).expect("it has ended")).collect()
}

#[track_caller]
fn wait_until_all_run(pod: &Running) {
    pod.wait_for_status("all run", |status| {
        let containers = status["containerStatuses"].as_array();
        containers.is_some_and(|all| all.iter().all(|one| !one["state"]["running"].is_null()))
    });
}

/// A guest says so, by `--output json`.
const WAITING: &str = "\"text\":\"waiting\"";

#[test]
fn requests_that_were_begun_are_answered_by_handlers_of_both_kinds() {
    for handler in ["http_toolbox", "http_toolbox_p3"] {
        let world = World::new();
        let file = PodText::new("web")
            .spec("terminationGracePeriodSeconds: 3600")
            .container("web", &guest(handler), &[])
            .with("ports: [{ containerPort: 8080 }]")
            .write(&world);
        let port = free_port();
        let publish = format!("{port}:8080");
        let pod = world.wasmpod(["run", &file, "-o", "json", "--publish", &publish]).start();
        assert!(request(port, "GET /hello HTTP/1.1", "").ends_with("hello\n"));
        // Each of them is answered by the stop itself.
        let waiting: Vec<_> = (0..3)
            .map(|_| thread::spawn(move || request(port, "GET /stop HTTP/1.1", "")))
            .collect();
        pod.wait_until("three requests wait", |stdout, _| stdout.matches(WAITING).count() == 3);
        pod.signal(Signal::INT);
        for answer in waiting {
            let answer = answer.join().expect("it is answered");
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{handler}: {answer}");
            assert!(answer.ends_with("SIGTERM, 60 min\n"), "{handler}: {answer}");
        }
        let result = pod.finish();
        assert_eq!(result.code, 130, "{handler}: {result}");
        assert_eq!(exit_codes(&result), [0], "{handler}: {result}");
    }
}

#[test]
fn a_server_by_sockets_answers_what_it_has_begun() {
    let world = World::new();
    let file = PodText::new("web")
        .spec("terminationGracePeriodSeconds: 3600")
        .container("web", &guest("graceful"), &[])
        .with("ports: [{ containerPort: 8080 }]")
        .write(&world);
    let port = free_port();
    let publish = format!("{port}:8080");
    let pod = world.wasmpod(["run", &file, "-o", "json", "--publish", &publish]).start();
    assert!(request(port, "GET /0 HTTP/1.1", "").ends_with("that took 0 ms\n"));
    let begun: Vec<TcpStream> = (0..4).map(|_| begin(port, "/1000")).collect();
    pod.signal(Signal::INT);
    pod.wait_for("told to stop by SIGTERM");
    for mut stream in begun {
        let mut body = String::new();
        stream.read_to_string(&mut body).expect("it is answered to its end");
        assert_eq!(body, "that took 1000 ms\n");
    }
    let result = pod.finish();
    assert!(result.stdout.contains("answered 5, goodbye"), "{result}");
    assert_eq!(result.code, 130, "{result}");
    assert_eq!(exit_codes(&result), [0], "{result}");
}

/// A request whose answer has begun: its head is here.
#[track_caller]
fn begin(port: u16, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is published");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is taken");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the answer begins");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&head));
    stream
}

#[test]
fn commands_of_each_kind_wait_for_their_stop() {
    let world = World::new();
    let file = PodText::new("waiting")
        .spec("terminationGracePeriodSeconds: 3600")
        .spec("os: { name: linux }")
        .container("old", &guest_of_0_1("toolbox"), &["await-stop"])
        .container("new", &guest("toolbox"), &["await-stop"])
        .with("lifecycle: { stopSignal: SIGQUIT }")
        .container("newest", &guest("stoppable_p3"), &["await-stop"])
        .container("called", &guest("stoppable_p3"), &[])
        .write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_until("all wait", |stdout, _| stdout.matches(WAITING).count() == 3);
    wait_until_all_run(&pod);
    pod.signal(Signal::INT);
    let result = pod.finish();
    for (container, said) in
        [("old", "stop, 60 min"), ("new", "SIGQUIT, 60 min"), ("newest", "SIGTERM, 60 min")]
    {
        let says = |line: &str| line.contains(said) && line.contains(&format!("\"{container}\""));
        assert!(result.stdout.lines().any(says), "{container}: {result}");
    }
    assert_eq!(result.stdout.matches("SIGTERM, 60 min").count(), 2, "{result}");
    assert_eq!(exit_codes(&result), [0; 4], "{result}");
}

#[test]
fn a_reactor_is_called_at_its_stop_and_who_cannot_be_called_is_told_so() {
    let world = World::new();
    let stoppable = r#"(func (export "wasmpod:lifecycle/stoppable#stop") (param i64))"#;
    let reactor = world.file("reactor.wat", format!("(module {stoppable})"));
    let deaf = format!("(module {stoppable} (func (export \"_start\") (loop $l (br $l))))");
    let deaf = world.file("deaf.wat", deaf);
    let file = PodText::new("called")
        .spec("terminationGracePeriodSeconds: 1")
        .container("reactor", &reactor, &[])
        .container("deaf", &deaf, &[])
        .write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_line(&["container \"deaf\"", "which is not called in a guest of its kind"]);
    wait_until_all_run(&pod);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(exit_codes(&result), [137, 0], "{result}");
}
