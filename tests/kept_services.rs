//! Services that stay: kept as objects, announced by a process of their own.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::{Running, World, eventually, free_port, guest, request};
use crate::services::{service, toolbox, write};

impl World {
    /// The process of this world's Services, if there is one.
    fn service_process(&self) -> Option<Pid> {
        let root = format!("WASMPOD_ROOT={}\0", self.root().display());
        let processes = std::fs::read_dir("/proc").expect("it is mounted");
        processes.filter_map(Result::ok).find_map(|entry| {
            let contains = |file: &str, part: &str| {
                let bytes = std::fs::read(entry.path().join(file)).unwrap_or_default();
                bytes.windows(part.len()).any(|window| window == part.as_bytes())
            };
            let is_it = contains("cmdline", "\0service-process\0") && contains("environ", &root);
            Pid::from_raw(entry.file_name().to_str()?.parse().ok().filter(|_| is_it)?)
        })
    }

    #[track_caller]
    fn kill_service_process(&self) {
        let process = eventually("the process of Services", || self.service_process());
        kill_process(process, Signal::KILL).expect("it can be killed");
        eventually("its end", || (self.service_process() != Some(process)).then_some(()));
    }

    /// What `jsonpath` finds in a Service.
    #[track_caller]
    fn of_service(&self, name: &str, jsonpath: &str) -> String {
        self.does(["get", "service", name, "-o", &format!("jsonpath={jsonpath}")])
    }

    #[track_caller]
    fn node_port(&self, name: &str) -> u16 {
        self.of_service(name, "{.spec.ports[0].nodePort}").parse().expect("a port")
    }
}

/// A server that says when it is not ready, by a port of the host.
fn kuard(name: &str, host_port: u16) -> Value {
    let probe = json!({ "httpGet": { "path": "/ready", "port": "http" },
                        "periodSeconds": 1, "failureThreshold": 1 });
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": { "app": "kuard" } },
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "containers": [{
                "name": "kuard",
                "image": guest("kuard"),
                "ports": [{ "name": "http", "containerPort": 8080, "hostPort": host_port }],
                "readinessProbe": probe,
            }],
        },
    })
}

/// Who answers at a node port: none where nobody does.
fn who(port: u16) -> Option<String> {
    let answer = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: kuard\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    name_in(&answer.ok()?)
}

fn name_in(answer: &str) -> Option<String> {
    let name = ["kuard-blue", "kuard-green"].iter().find(|name| answer.contains(**name))?;
    Some((*name).to_owned())
}

/// Twenty answers of `ask`, each name once.
fn all_who(ask: impl Fn() -> Option<String>) -> Vec<String> {
    let mut names: Vec<String> =
        (0..20).map(|_| ask().unwrap_or_else(|| "nobody".to_owned())).collect();
    names.sort();
    names.dedup();
    names
}

#[track_caller]
fn wait_for_ready(world: &World, name: &str, is_ready: bool) {
    let condition = format!("--for=condition=Ready={is_ready}");
    world.does(["wait", &condition, "pod", name, "--timeout=200s"]);
}

#[test]
fn ready_pods_alone_get_the_traffic_of_a_service_that_is_kept() {
    let world = World::new();
    let (blue, green) = (free_port(), free_port());
    let shop = service(
        "shop",
        &json!({ "type": "NodePort", "selector": { "app": "kuard" },
                 "ports": [{ "port": 80, "targetPort": "http" }] }),
    );
    // A Pod finds a Service that comes in the same file by its variables.
    let reader =
        toolbox("reader", &["http-get", "http://$(SHOP_SERVICE_HOST):$(SHOP_SERVICE_PORT)/"]);
    let mut reader = reader;
    reader["spec"]["restartPolicy"] = json!("OnFailure");
    let objects = [
        reader,
        kuard("kuard-blue", blue),
        toolbox("client", &["idle"]),
        kuard("kuard-green", green),
        shop,
    ];
    let told = world.does(["apply", "-f", &write(&world, "shop.yaml", &objects)]);
    assert!(told.starts_with("service/shop created\n"), "Pods come behind: {told}");
    let node_port = world.node_port("shop");
    let table = world.does(["get", "svc", "-o", "wide"]);
    let row: Vec<&str> = table.lines().nth(1).expect("a row").split_whitespace().collect();
    let address = world.of_service("shop", "{.spec.clusterIP}");
    let ports = format!("80:{node_port}/TCP");
    let expected = ["shop", "NodePort", &address, "<none>", &ports];
    assert_eq!((&row[..5], row[6]), (&expected[..], "app=kuard"), "{table}");
    for pod in ["kuard-blue", "kuard-green", "client"] {
        wait_for_ready(&world, pod, true);
    }
    let by_name = || {
        let get = ["exec", "client", "--", "toolbox.wasm", "http-get", "http://shop:80/"];
        name_in(&world.wasmpod(get).finish().stdout)
    };
    assert_eq!(all_who(|| who(node_port)), ["kuard-blue", "kuard-green"]);
    assert_eq!(all_who(by_name), ["kuard-blue", "kuard-green"]);
    let reader =
        ["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/reader", "--timeout=300s"];
    world.does(reader);
    assert!(world.does(["logs", "reader"]).contains("kuard-"));

    request(blue, "PUT /ready/api HTTP/1.1", "{\"failNext\": -1}");
    wait_for_ready(&world, "kuard-blue", false);
    assert_eq!(all_who(|| who(node_port)), ["kuard-green"]);
    assert_eq!(all_who(by_name), ["kuard-green"]);
    let endpoints = |world: &World| {
        let text = world.does(["describe", "svc", "shop"]);
        let line = text.lines().find(|line| line.starts_with("Endpoints:")).map(str::to_owned);
        line.expect("a line of endpoints").split_whitespace().nth(1).map(str::to_owned)
    };
    let green_at =
        world.does(["get", "pod", "kuard-green", "-o", "jsonpath={.status.podIP}"]) + ":8080";
    assert_eq!(endpoints(&world), Some(green_at));
    request(green, "PUT /ready/api HTTP/1.1", "{\"failNext\": -1}");
    wait_for_ready(&world, "kuard-green", false);
    assert_eq!(all_who(|| who(node_port)), ["nobody"]);
    assert_eq!(endpoints(&world), None);
    request(blue, "PUT /ready/api HTTP/1.1", "{\"failNext\": 0}");
    wait_for_ready(&world, "kuard-blue", true);
    assert_eq!(all_who(|| who(node_port)), ["kuard-blue"]);

    assert_eq!(world.does(["delete", "svc", "shop"]), "service \"shop\" deleted\n");
    assert!(TcpStream::connect(("127.0.0.1", node_port)).is_err(), "nobody listens any more");
    assert_eq!(by_name(), None);
    eventually("the end of the process", || world.service_process().is_none().then_some(()));
    let left = ["services.lock", "services.log", "services.sock"];
    let left = left.map(|name| world.root().join("processes").join(name));
    eventually("no files are left", || left.iter().all(|file| !file.exists()).then_some(()));
}

#[test]
fn whoever_comes_next_brings_services_back_as_they_were() {
    let world = World::new();
    let spec =
        json!({ "type": "NodePort", "selector": { "app": "back" }, "ports": [{ "port": 80 }] });
    let objects = [
        service("back", &spec),
        toolbox("back", &["http-serve", "0.0.0.0:80", "here"]),
        toolbox("client", &["idle"]),
    ];
    world.does(["apply", "-f", &write(&world, "back.yaml", &objects)]);
    for pod in ["back", "client"] {
        wait_for_ready(&world, pod, true);
    }
    let (address, port) = (world.of_service("back", "{.spec.clusterIP}"), world.node_port("back"));
    assert!(request(port, "GET / HTTP/1.1", "").contains("here"));
    world.kill_service_process();
    // The node port goes to somebody else meanwhile.
    let thief = eventually("the port is free", || TcpListener::bind(("0.0.0.0", port)).ok());
    world.does(["get", "services"]);
    let url = format!("http://{address}:80/");
    let by_address = ["exec", "client", "--", "toolbox.wasm", "http-get", &url];
    let back = eventually("its address", || {
        let got = world.wasmpod(by_address).finish();
        got.stdout.contains("here").then_some(got.stdout)
    });
    assert!(back.contains("here"));
    let warning = format!("service \"back\": cannot listen on node port {port}");
    eventually("its Event", || {
        let text = world.does(["describe", "service", "back"]);
        (text.contains(&warning) && text.contains("Warning")).then_some(())
    });
    drop(thief);
    assert!(request(port, "GET / HTTP/1.1", "").contains("here"), "it is tried again");
    assert_eq!(world.of_service("back", "{.spec.clusterIP}"), address);
    // Without a Service nothing comes back.
    world.kill_service_process();
    world.does(["delete", "svc", "back"]);
    eventually("no process", || world.service_process().is_none().then_some(()));
}

#[test]
fn a_change_leaves_alone_what_it_does_not_speak_of() {
    let world = World::new();
    let port = |node_port: Value| json!({ "port": 80, "nodePort": node_port });
    let of = |ports: Value| json!({ "type": "NodePort", "selector": { "app": "same" }, "ports": [ports] });
    let file = write(&world, "same.yaml", &[service("same", &of(port(Value::Null)))]);
    world.does(["apply", "-f", &file]);
    let (address, first) = (world.of_service("same", "{.spec.clusterIP}"), world.node_port("same"));
    assert_eq!(world.does(["apply", "-f", &file]), "service/same unchanged\n");
    world.does(["label", "svc", "same", "a=b"]);
    world.does(["replace", "-f", &file]);
    let now = (world.of_service("same", "{.spec.clusterIP}"), world.node_port("same"));
    assert_eq!(now, (address.clone(), first));
    let other = write(
        &world,
        "other.yaml",
        &[service(
            "same",
            &json!({ "clusterIP": "10.96.255.1", "selector": {}, "ports": [{ "port": 80 }] }),
        )],
    );
    let refused = world.refuses(["replace", "-f", &other]);
    let expected = "Service \"same\" is invalid: spec.clusterIPs[0]: Invalid value: [\"10.96.255.1\"]: \
                    may not change once set\n";
    assert!(refused.stderr.ends_with(expected), "{refused}");

    let edit = "sed -i 's/type: NodePort/type: ClusterIP/'";
    let edited = world.wasmpod(["edit", "svc", "same"]).env("EDITOR", edit).finish();
    assert_eq!(edited.stdout, "service/same edited\n", "{edited}");
    assert!(TcpStream::connect(("127.0.0.1", first)).is_err(), "it has no node port any more");
    assert_eq!(
        world.of_service("same", "{.spec.ports[0]}{.spec.clusterIP}"),
        format!("{{\"port\":80,\"protocol\":\"TCP\",\"targetPort\":80}}{address}")
    );
    let replaced = world.does(["replace", "--force", "-f", &file]);
    assert_eq!(replaced, "service/same replaced\n");
    assert_ne!(world.node_port("same"), 0);
}

#[test]
fn what_somebody_has_no_other_service_gets() {
    let world = World::new();
    let ports = |node_port: u16| json!([{ "port": 80, "nodePort": node_port }]);
    let fixed = |address: &str| json!({ "clusterIP": address, "ports": [{ "port": 80 }] });
    let running = |world: &World, name: &str, spec: &Value| -> Running {
        let objects = [service(name, spec), toolbox(&format!("pod-{name}"), &["idle"])];
        let file = write(world, &format!("run-{name}.yaml"), &objects);
        let running = world.wasmpod(["run", &file, "-o", "json"]).start();
        running.wait_for_status("it runs", |status| status["phase"] == "Running");
        running
    };
    let create = |name: &str, spec: &Value| {
        let file = write(&world, &format!("{name}.yaml"), &[service(name, spec)]);
        world.wasmpod(["create", "-f", &file]).finish()
    };
    let shown = running(&world, "shown", &fixed("10.96.7.7"));
    let same_name = create("shown", &fixed("10.96.7.8"));
    assert!(same_name.stderr.ends_with("services \"shown\" already exists\n"), "{same_name}");
    let same_address = create("address", &fixed("10.96.7.7"));
    let expected = "Service \"address\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.7.7\"]: \
                    failed to allocate IP 10.96.7.7: provided IP is already allocated\n";
    assert!(same_address.stderr.ends_with(expected), "{same_address}");
    shown.signal(Signal::INT);
    assert_eq!(shown.finish().code, 130);

    let taken = (30_000..32_768).find_map(|port| TcpListener::bind(("0.0.0.0", port)).ok());
    let taken = taken.expect("one of them is free");
    let port = taken.local_addr().expect("bound").port();
    let same_port = create("port", &json!({ "type": "NodePort", "ports": ports(port) }));
    let expected = format!(
        "Service \"port\" is invalid: spec.ports[0].nodePort: Invalid value: {port}: provided port is \
         already allocated"
    );
    assert!(same_port.stderr.contains(&expected), "{same_port}");
    let nothing = world.wasmpod(["get", "svc"]).finish();
    assert_eq!(nothing.stderr, "No resources found in default namespace.\n", "{nothing}");
    assert_eq!(world.service_process(), None);
    drop(taken);

    let kept = create("kept", &json!({ "type": "NodePort", "ports": [{ "port": 80 }] }));
    assert_eq!(kept.code, 0, "{kept}");
    let (address, port) = (world.of_service("kept", "{.spec.clusterIP}"), world.node_port("kept"));
    // Whether or not it is announced just now.
    world.kill_service_process();
    for (name, spec, why) in [
        ("kept", json!({ "ports": [{ "port": 80 }] }), "services \"kept\" already exists"),
        ("other", fixed(&address), "provided IP is already allocated"),
        (
            "other",
            json!({ "type": "NodePort", "ports": ports(port) }),
            "provided port is already allocated",
        ),
    ] {
        let objects = [service(name, &spec), toolbox("pod", &["idle"])];
        let refused = world.wasmpod(["run", &write(&world, "refused.yaml", &objects)]).finish();
        assert_eq!(refused.code, 125, "{refused}");
        assert!(refused.stderr.contains(why), "{refused}");
    }
}

#[test]
fn many_commands_at_once_give_nothing_away_twice() {
    let world = World::new();
    const COUNT: usize = 10;
    let files: Vec<String> = (0..COUNT)
        .map(|number| {
            let name = format!("many-{number}");
            let spec = json!({ "type": "NodePort", "ports": [{ "port": 80 }] });
            write(&world, &format!("{name}.yaml"), &[service(&name, &spec)])
        })
        .collect();
    let started: Vec<Running> =
        files.iter().map(|file| world.wasmpod(["apply", "-f", file]).start()).collect();
    for running in started {
        let told = running.finish();
        assert_eq!(told.code, 0, "{told}");
    }
    let list: Value =
        serde_json::from_str(&world.does(["get", "svc", "-o", "json"])).expect("JSON");
    let of = |pointer: &str| {
        let items = list["items"].as_array().expect("a list");
        let mut all: Vec<String> = items
            .iter()
            .map(|item| item.pointer(pointer).expect("it is given").to_string())
            .collect();
        all.sort();
        all.dedup();
        all.len()
    };
    assert_eq!((of("/spec/clusterIP"), of("/spec/ports/0/nodePort")), (COUNT, COUNT));
    let announced = std::fs::read_dir(world.root().join("network/services")).expect("it was made");
    assert_eq!(announced.filter_map(Result::ok).count(), COUNT);
    let deleted: Vec<Running> = (0..COUNT)
        .map(|number| world.wasmpod(["delete", "svc", &format!("many-{number}")]).start())
        .collect();
    for running in deleted {
        let told = running.finish();
        assert_eq!(told.code, 0, "{told}");
    }
    eventually("the end of the process", || world.service_process().is_none().then_some(()));
}
