//! Probes of real guests, as a user sees them: in Events, restarts and readiness.

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{PodText, World, free_port, guest, guest_of_0_1, request};

/// The kuard guest under probes that are quick to judge.
fn kuard(world: &World, probes: &str) -> String {
    let image = guest("kuard");
    world.file(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: kuard }}\nspec:\n  \
             terminationGracePeriodSeconds: 2\n  containers:\n  - name: kuard\n    \
             image: {image}\n    ports: [{{ name: http, containerPort: 8080 }}]\n{probes}"
        ),
    )
}

fn is_ready(status: &Value) -> bool {
    status["containerStatuses"][0]["ready"] == Value::Bool(true)
}

#[test]
fn a_guest_that_says_it_is_not_well_is_restarted() {
    let world = World::new();
    let port = free_port();
    let file = kuard(
        &world,
        "    livenessProbe:\n      httpGet: { path: /healthy, port: http }\n      \
         periodSeconds: 1\n      failureThreshold: 3\n",
    );
    let pod =
        world.wasmpod(["run", &file, "--verbose", "--publish", &format!("{port}:8080")]).start();
    request(port, "PUT /healthy/api HTTP/1.1", "{\"failNext\": -1}");
    pod.wait_for("Liveness probe failed: HTTP probe failed with statuscode: 500");
    pod.wait_for("Container kuard failed liveness probe, will be restarted");
    // The next run knows nothing of the switch.
    pod.wait_until("the container has started again", |_, told| {
        told.matches("Container started").count() == 2
    });
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_guest_that_is_not_ready_is_shown_so_and_left_alone() {
    let world = World::new();
    let port = free_port();
    let file = kuard(
        &world,
        "    readinessProbe:\n      httpGet: { path: /ready, port: http }\n      \
         periodSeconds: 1\n      failureThreshold: 1\n",
    );
    let pod =
        world.wasmpod(["run", &file, "-o", "json", "--publish", &format!("{port}:8080")]).start();
    let status = pod.wait_for_status("it is ready", is_ready);
    assert_eq!(status["containerStatuses"][0]["restartCount"], 0, "{status}");
    request(port, "PUT /ready/api HTTP/1.1", "{\"failNext\": 2}");
    pod.wait_until("it is not ready for a while, and then is again", |stdout, _| {
        let lines = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let statuses = lines.filter(|line| line["type"] == "status");
        let mut seen: Vec<bool> = statuses.map(|line| is_ready(&line["status"])).collect();
        seen.dedup();
        seen.ends_with(&[true, false, true])
    });
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_guest_that_never_listens_fails_its_startup_probe() {
    let world = World::new();
    let image = guest("toolbox");
    let file = world.file(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: silent }}\nspec:\n  \
             restartPolicy: Never\n  terminationGracePeriodSeconds: 1\n  containers:\n  \
             - name: silent\n    image: {image}\n    args: [sleep, \"600\"]\n    startupProbe:\n      \
             tcpSocket: {{ port: 80 }}\n      periodSeconds: 1\n      failureThreshold: 2\n"
        ),
    );
    let result = world.wasmpod(["run", &file, "--verbose"]).finish();
    assert_eq!(result.code, 137, "{result}");
    assert!(result.stderr.contains("Startup probe failed: dial tcp 10."), "{result}");
    assert!(result.stderr.contains(":80: connect: connection refused"), "{result}");
    assert!(result.stderr.contains("Container silent failed startup probe"), "{result}");
    assert!(!result.stderr.contains("will be restarted"), "{result}");
}

/// A Pod of one toolbox with these lines in its container.
fn toolbox(world: &World, arguments: &str, lines: &str) -> String {
    let image = guest("toolbox");
    world.file(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: tools }}\nspec:\n  \
             terminationGracePeriodSeconds: 2\n  containers:\n  - name: tools\n    \
             image: {image}\n    args: {arguments}\n{lines}"
        ),
    )
}

#[test]
fn a_guest_that_spins_is_restarted_by_its_liveness_probe() {
    let world = World::new();
    let file = toolbox(
        &world,
        "[spin]",
        "    livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 }\n",
    );
    let pod = world.wasmpod(["run", &file, "--verbose"]).start();
    pod.wait_for("Container tools failed liveness probe, will be restarted");
    pod.wait_until("it has started again", |_, told| told.contains("Container started (x2)"));
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn guests_that_spin_are_ended_by_their_probes_while_a_neighbour_sleeps() {
    let world = World::new();
    let spins = guest("toolbox");
    let mut pod = PodText::new("spinning").restart_policy("Always");
    // More of them than the machine has cores, if it is a small one.
    for name in ["one", "two", "three"] {
        pod = pod.container(name, &spins, &["spin"]).with(
            "livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 }",
        );
    }
    let file = pod.container("sleeper", &spins, &["sleep", "60"]).write(&world);
    let pod = world.wasmpod(["run", &file, "--verbose"]).start();
    for name in ["one", "two", "three"] {
        pod.wait_for(&format!("Container {name} failed liveness probe, will be restarted"));
    }
    assert!(pod.look(|stdout, _| !stdout.contains("slept")), "a spinning guest was let be");
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

#[test]
fn a_command_that_is_not_there_says_what_is() {
    let world = World::new();
    let file = toolbox(
        &world,
        "[sleep, \"600\"]",
        "    readinessProbe: { exec: { command: [dog, /tmp/ready] }, periodSeconds: 1 }\n",
    );
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("Readiness probe failed: \"dog\": not found; the program exports");
    pod.wait_for("as \"toolbox.wasm\" it runs itself");
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

#[test]
fn a_probe_and_a_hook_find_the_tools_of_a_system() {
    let world = World::new();
    let file = toolbox(
        &world,
        "[sleep, \"600\"]",
        "    readinessProbe: { exec: { command: [cat, /tmp/ready] }, periodSeconds: 1, timeoutSeconds: 60 }\n    \
         lifecycle: { postStart: { exec: { command: [/bin/sh, -c, 'ls / | wc -l > /tmp/ready'] } } }\n",
    );
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_status("it is ready", is_ready);
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

#[test]
fn a_program_probes_itself_with_other_words() {
    let world = World::new();
    // Ready once the file is there, which the guest writes in the hook for its start.
    let file = toolbox(
        &world,
        "[sleep, \"600\"]",
        "    readinessProbe: { exec: { command: [toolbox.wasm, read, /tmp/ready] }, periodSeconds: 1 }\n    \
         lifecycle: { postStart: { exec: { command: [toolbox.wasm, write, /tmp/ready, well] } } }\n",
    );
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_status("it is ready", is_ready);
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

#[test]
fn a_guest_finds_a_file_when_it_is_to_stop() {
    let world = World::new();
    let file = toolbox(&world, "[await, /run/wasmpod/stop]", "    tty: false\n");
    let pod = world.wasmpod(["run", &file, "--verbose"]).start();
    pod.wait_for("Container started");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert!(result.stdout.contains("SIGTERM"), "{result}");
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn http_handlers_are_probed_as_any_server() {
    for handler in ["http_tiny", "http_tiny_p3"] {
        let world = World::new();
        let image = guest(handler);
        let file = world.file(
            "pod.yaml",
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{ name: handler }}\nspec:\n  containers:\n  \
                 - name: web\n    image: {image}\n    ports: [{{ name: http, containerPort: 8080 }}]\n    \
                 readinessProbe: {{ httpGet: {{ path: /, port: http }}, periodSeconds: 1 }}\n    \
                 livenessProbe: {{ tcpSocket: {{ port: http }}, periodSeconds: 1, failureThreshold: 1 }}\n"
            ),
        );
        let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
        pod.wait_for_status("it is ready", is_ready);
        pod.signal(Signal::INT);
        let result = pod.finish();
        assert_eq!(result.code, 130, "{handler}: {result}");
        // Readiness is asked at once, and may have come before it listened.
        assert!(!result.stdout.contains("Liveness probe failed"), "{handler}: {result}");
    }
}

/// What is to be seen of a container that is probed.
enum Verdict {
    Ready,
    /// An Event with these words.
    Unhealthy(&'static str),
}

/// A kind of guest under probes: how it is started, and what each probe asks for.
struct Kind {
    name: &'static str,
    image: String,
    /// For a listener on this port.
    arguments: fn(u16) -> Vec<String>,
    /// Paths of HTTP: well, badly and never answered.
    paths: [&'static str; 3],
    /// The first word of its commands.
    command: &'static str,
}

impl Kind {
    /// The rows of the table: a name, a probe, and the verdict.
    fn probes(&self, port: u16) -> Vec<(&'static str, String, Verdict)> {
        use Verdict::{Ready, Unhealthy};
        let [well, ill, silent] = self.paths;
        let http = |path| format!("httpGet: {{ path: {path}, port: {port} }}");
        let tcp = |port| format!("tcpSocket: {{ port: {port} }}");
        let grpc = |service| format!("grpc: {{ port: {port}, service: {service} }}");
        let exec = |word| format!("exec: {{ command: [{}, {word}] }}", self.command);
        vec![
            ("http-well", http(well), Ready),
            ("http-ill", http(ill), Unhealthy("HTTP probe failed with statuscode: 500")),
            (
                "http-silent",
                http(silent),
                Unhealthy("Client.Timeout exceeded while awaiting headers"),
            ),
            ("tcp-well", tcp(port), Ready),
            ("tcp-ill", tcp(1), Unhealthy("connect: connection refused")),
            ("grpc-well", grpc("well"), Ready),
            ("grpc-ill", grpc("ill"), Unhealthy("service unhealthy (responded with")),
            ("grpc-silent", grpc("silent"), Unhealthy("health rpc did not complete within 1s")),
            ("exec-well", exec("well"), Ready),
            ("exec-ill", exec("ill"), Unhealthy("Readiness probe failed: ill")),
            ("exec-silent", exec("silent"), Unhealthy("silent\" timed out after 1s")),
        ]
    }
}

#[test]
fn probes_of_each_kind_judge_guests_of_each_kind() {
    let by_address = |port: u16| vec!["serve".to_owned(), format!("0.0.0.0:{port}")];
    let by_path = ["/well", "/ill", "/silent"];
    let by_handler = ["/hello", "/trap", "/sleep/600000"];
    let handler = |name, image| Kind {
        name,
        image: guest(image),
        arguments: |_| Vec::new(),
        paths: by_handler,
        // A handler exports no functions but for its host: another program speaks for it.
        command: "/plugins/probed.wasm",
    };
    let kinds = [
        Kind {
            name: "command-0-1",
            image: guest_of_0_1("probed"),
            arguments: |_| vec!["serve".to_owned(), "fd:3".to_owned()],
            paths: by_path,
            command: "probed.wasm",
        },
        Kind {
            name: "command-0-2",
            image: guest("probed"),
            arguments: by_address,
            paths: by_path,
            command: "probed.wasm",
        },
        Kind {
            name: "command-0-3",
            image: guest("probed_p3"),
            arguments: by_address,
            paths: by_path,
            command: "probed_p3.wasm",
        },
        handler("http-0-2", "http_toolbox"),
        handler("http-0-3", "http_toolbox_p3"),
    ];
    for kind in kinds {
        let world = World::new();
        let plugins = world.path().join("plugins");
        std::fs::create_dir(&plugins).expect("the folder is new");
        std::fs::copy(guest("probed"), plugins.join("probed.wasm")).expect("it is there");
        let mut pod = PodText::new(kind.name)
            .spec(&format!("volumes: [{{ name: plugins, hostPath: {{ path: {plugins:?} }} }}]"));
        let mut expected = Vec::new();
        for port in 7000.. {
            let Some((name, probe, verdict)) = kind.probes(port).into_iter().nth(expected.len())
            else {
                break;
            };
            let arguments = (kind.arguments)(port);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            pod = pod
                .container(name, &kind.image, &arguments)
                .with(&format!("ports: [{{ containerPort: {port} }}]"))
                .with("volumeMounts: [{ name: plugins, mountPath: /plugins }]")
                .with(&format!("readinessProbe: {{ {probe}, periodSeconds: 1 }}"));
            expected.push((name, verdict));
        }
        let pod = world.wasmpod(["run", &pod.write(&world), "-o", "json"]).start();
        for (name, verdict) in &expected {
            match verdict {
                Verdict::Ready => {
                    pod.wait_for_status(&format!("{}: {name} is ready", kind.name), |status| {
                        let all = status["containerStatuses"].as_array();
                        let mut all = all.into_iter().flatten();
                        all.any(|one| one["name"] == *name && one["ready"] == true)
                    });
                }
                Verdict::Unhealthy(words) => {
                    pod.wait_until(&format!("{}: {name}: {words}", kind.name), |stdout, _| {
                        let lines = stdout.lines().filter_map(|line| line.parse::<Value>().ok());
                        let mut events = lines.filter(|line| line["container"] == *name);
                        events.any(|event| {
                            event["message"].as_str().is_some_and(|said| said.contains(words))
                        })
                    });
                }
            }
        }
        pod.signal(Signal::INT);
        assert_eq!(pod.finish().code, 130);
    }
}

/// A module of WASI 0.1 whose `_start` does nothing, in base64.
const NOTHING: &str = "AGFzbQEAAAABBAFgAAADAgEABwoBBl9zdGFydAAACgQBAgAL";

#[test]
fn a_probe_runs_a_program_from_a_config_map() {
    let world = World::new();
    let pod = PodText::new("tools")
        .spec("volumes: [{ name: plugins, configMap: { name: plugins } }]")
        .container("able", &guest("toolbox"), &["sleep", "600"])
        .with("env: [{ name: PATH, value: /plugins }]")
        .with("volumeMounts: [{ name: plugins, mountPath: /plugins }]")
        .with("readinessProbe: { exec: { command: [check] }, periodSeconds: 1 }")
        .container("broken", &guest("toolbox"), &["sleep", "600"])
        .with("volumeMounts: [{ name: plugins, mountPath: /plugins }]")
        .with("readinessProbe: { exec: { command: [/plugins/check.sh] }, periodSeconds: 1 }")
        .text();
    let file = world.file(
        "pod.yaml",
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: plugins }}\n\
             binaryData: {{ check.wasm: {NOTHING} }}\ndata: {{ check.sh: \"#!/usr/bin/perl\" }}\n---\n{pod}"
        ),
    );
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_status("it is ready", is_ready);
    pod.wait_for("/plugins/check.sh cannot be run: it is not WebAssembly");
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}
