//! Where guests may go outside of their Pod.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::json;

use crate::harness::{World, guest};

/// A Pod whose guest sends a word to the host at `port` once it is answered.
fn caller(world: &World, words: &[&str]) -> String {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "caller"},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "caller", "image": guest("toolbox"), "args": words}],
        },
    });
    world.file("caller.json", pod.to_string())
}

#[test]
fn a_rule_opens_a_port_of_the_host_under_its_name() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("bound").port();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the guest calls");
        let mut question = String::new();
        stream.read_to_string(&mut question).expect("the guest sends text");
        write!(stream, "the host heard {question}").expect("the guest reads");
    });
    let file = caller(&world, &["tcp-send", &format!("host.wasmpod.internal:{port}"), "ping"]);
    let rule = format!("127.0.0.1:{port}");
    let result = world.wasmpod(["run", &file, "--allow-net", &rule]).finish();
    assert_eq!(result.code, 0, "{result}");
    assert!(result.stdout.contains("the host heard ping"), "{result}");
    answering.join().expect("the host answered");
}

#[test]
fn without_a_rule_the_host_is_closed() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("bound").port();
    let file = caller(&world, &["tcp-connect", &format!("host.wasmpod.internal:{port}")]);
    let result = world.wasmpod(["run", &file]).finish();
    assert_eq!(result.code, 1, "{result}");
    assert!(!result.stdout.contains("connected"), "{result}");
}
