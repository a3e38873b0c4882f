//! Services as a user meets them: a port of the host, a name inside Pods, ready Pods behind both.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{World, checkout, eventually, free_port, guest, request};

pub(crate) fn service(name: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name }, "spec": spec })
}

/// A Pod with label `app` that runs the toolbox once.
pub(crate) fn toolbox(name: &str, words: &[&str]) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": { "app": name } },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 2,
            "containers": [{ "name": "main", "image": guest("toolbox"), "args": words }],
        },
    })
}

pub(crate) fn write(world: &World, name: &str, objects: &[Value]) -> String {
    let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
    world.file(name, texts.join("\n---\n"))
}

/// Asks a port of the host again and again, and keeps who answered.
struct Traffic {
    answers: Arc<Mutex<Vec<Result<String, String>>>>,
    over: Arc<AtomicBool>,
    caller: std::thread::JoinHandle<()>,
}

impl Traffic {
    fn begin(port: u16) -> Self {
        let answers: Arc<Mutex<Vec<_>>> = Arc::default();
        let over = Arc::new(AtomicBool::new(false));
        let caller = std::thread::spawn({
            let (answers, over) = (Arc::clone(&answers), Arc::clone(&over));
            move || {
                while !over.load(Ordering::Relaxed) {
                    let answer = ask(port);
                    answers.lock().expect("no thread panics with it").push(answer);
                }
            }
        });
        Self { answers, over, caller }
    }

    /// Waits until all of so many answers in a row, from now on, are as wanted.
    fn wait_for(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        const IN_A_ROW: usize = 20;
        let from = self.answers.lock().expect("no thread panics with it").len();
        eventually(what, || {
            let answers = self.answers.lock().expect("no thread panics with it");
            let names: Vec<String> = answers[from..].iter().flatten().cloned().collect();
            names.windows(IN_A_ROW).any(&wanted).then_some(())
        });
    }

    /// Those that failed.
    fn end(self) -> Vec<String> {
        self.over.store(true, Ordering::Relaxed);
        self.caller.join().expect("the caller does not panic");
        let mut answers = self.answers.lock().expect("no thread panics with it");
        answers.drain(..).filter_map(Result::err).collect()
    }
}

/// Who answers a request, by the name on its page.
fn ask(port: u16) -> Result<String, String> {
    let answer = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: kuard\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    let answer = answer.map_err(|error| error.to_string())?;
    let names = ["kuard-blue", "kuard-green"];
    let name = names.iter().find(|name| answer.contains(&format!("on {name}")));
    match name {
        Some(name) if answer.starts_with("HTTP/1.1 200") => Ok((*name).to_owned()),
        _ => Err(answer),
    }
}

#[test]
fn traffic_follows_readiness_and_no_request_fails() {
    let world = World::new();
    let (node, blue, green) = (free_port(), free_port(), free_port());
    // The range is that of Services: a free port of the host will not do.
    let node_port = 30_500 + node % 2_000;
    let example = checkout().join("guest-examples/kuard/service.yaml");
    let manifest = std::fs::read_to_string(example)
        .expect("the example is there")
        .replace("file:../target/wasm32-wasip2/release/kuard.wasm", &guest("kuard"))
        .replace("30080", &node_port.to_string())
        .replace("8081", &blue.to_string())
        .replace("8082", &green.to_string());
    let pods = world.wasmpod(["run", &world.file("service.yaml", manifest)]).start();
    pods.wait_for(&format!("service default/kuard: port 80 is port {node_port} of this host"));
    request(node_port, "GET / HTTP/1.1", "");

    let traffic = Traffic::begin(node_port);
    let (is_blue, is_green) =
        (|name: &String| name == "kuard-blue", |name: &String| name == "kuard-green");
    let both = |names: &[String]| names.iter().any(is_blue) && names.iter().any(is_green);
    traffic.wait_for("both answer", both);
    request(blue, "PUT /ready/api HTTP/1.1", "{\"failNext\": -1}");
    traffic.wait_for("only green answers", |names| names.iter().all(is_green));
    request(blue, "PUT /ready/api HTTP/1.1", "{\"failNext\": 0}");
    traffic.wait_for("both answer again", both);
    assert_eq!(traffic.end(), Vec::<String>::new(), "failed requests");
    pods.signal(Signal::INT);
    let result = pods.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_pod_of_another_command_finds_a_service_by_name_and_by_its_variables() {
    let world = World::new();
    let web = service("web", &json!({ "selector": { "app": "web" }, "ports": [{ "port": 80 }] }));
    let server = toolbox("web", &["http-serve", "0.0.0.0:80", "the web"]);
    let file = write(&world, "web.yaml", &[web, server]);
    let server = world.wasmpod(["run", &file, "-o", "json"]).start();
    server.wait_for_status("it is ready", |status| {
        status["containerStatuses"][0]["ready"] == Value::Bool(true)
    });
    for url in ["http://web:80/", "http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT)/"] {
        let client = write(&world, "client.yaml", &[toolbox("client", &["http-get", url])]);
        let result = world.wasmpod(["run", &client]).finish();
        assert!(result.stdout.contains("the web"), "{url}: {result}");
    }
    server.signal(Signal::INT);
    assert_eq!(server.finish().code, 130);
}

#[test]
fn a_headless_service_gives_its_pods_and_datagrams_find_back() {
    let world = World::new();
    let objects = [
        service(
            "echo",
            &json!({ "selector": { "app": "server" },
                     "ports": [{ "protocol": "UDP", "port": 53, "targetPort": 5353 }] }),
        ),
        service("all", &json!({ "clusterIP": "None", "selector": { "app": "server" } })),
        toolbox("server", &["udp-echo", "0.0.0.0:5353"]),
        toolbox("client", &["udp-send", "echo:53", "is anybody there"]),
    ];
    let pods = world.wasmpod(["run", &write(&world, "pods.yaml", &objects)]).start();
    pods.wait_for_line(&["client/main", "is anybody there"]);
    let look = write(&world, "look.yaml", &[toolbox("look", &["resolve", "all"])]);
    let result = world.wasmpod(["run", &look]).finish();
    assert!(result.stdout.contains("10.244."), "{result}");
    pods.signal(Signal::INT);
    assert_eq!(pods.finish().code, 130);
}

#[test]
fn names_and_ports_that_somebody_has_are_refused() {
    let world = World::new();
    let spec = json!({ "selector": { "app": "web" }, "ports": [{ "port": 80 }] });
    let objects = [service("web", &spec), toolbox("web", &["http-serve", "0.0.0.0:80", "web"])];
    let file = write(&world, "web.yaml", &objects);
    let first = world.wasmpod(["run", &file, "-o", "json"]).start();
    first.wait_for_status("it runs", |status| status["phase"] == "Running");
    let second = world.wasmpod(["run", &file]).finish();
    assert_eq!(second.code, 125, "{second}");
    assert!(second.stderr.contains("services \"web\" already exists"), "{second}");
    // Killed at once, it has withdrawn its Service all the same.
    first.signal(Signal::KILL);
    first.finish();
    let again = world.wasmpod(["run", &file, "-o", "json"]).start();
    again.wait_for_status("it runs", |status| status["phase"] == "Running");
    again.signal(Signal::INT);
    assert_eq!(again.finish().code, 130);

    let taken = (30_000..32_768).find_map(|port| TcpListener::bind(("0.0.0.0", port)).ok());
    let taken = taken.expect("one of them is free");
    let port = taken.local_addr().expect("bound").port();
    let spec = json!({ "type": "NodePort", "selector": { "app": "web" },
                       "ports": [{ "port": 80, "nodePort": port }] });
    let objects = [service("web", &spec), toolbox("web", &["http-serve", "0.0.0.0:80", "web"])];
    let result = world.wasmpod(["run", &write(&world, "taken.yaml", &objects)]).finish();
    assert_eq!(result.code, 125, "{result}");
    let expected = format!("service \"web\": cannot listen on node port {port}");
    assert!(result.stderr.contains(&expected), "{result}");
}
