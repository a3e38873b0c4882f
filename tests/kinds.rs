//! Every kind of guest in one Pod, each reaching the others over the Pod's own loopback.

use std::fmt::Write as _;

use crate::harness::{World, guest, guest_of_0_1};
use rustix::process::Signal;

/// The manifest of a Pod, container by container.
struct Manifest(String);

impl Manifest {
    fn new(name: &str) -> Self {
        Self(format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  \
             terminationGracePeriodSeconds: 1\n  containers:\n"
        ))
    }

    /// A container with these arguments that declares this port, if it is not 0.
    fn container(mut self, name: &str, image: &str, arguments: &[&str], port: u16) -> Self {
        let arguments = serde_json::to_string(arguments).expect("text is JSON");
        writeln!(self.0, "  - name: {name}\n    image: {image}\n    args: {arguments}")
            .expect("a String takes every line");
        if port != 0 {
            writeln!(self.0, "    ports: [{{containerPort: {port}}}]")
                .expect("a String takes every line");
        }
        self
    }
}

#[test]
fn every_kind_of_guest_talks_to_every_other() {
    let (old, new) = (guest_of_0_1("toolbox"), guest("toolbox"));
    let (newest, handler, newest_handler) =
        (guest("toolbox_p3"), guest("http-hello"), guest("http_tiny_p3"));
    let servers = Manifest::new("kinds")
        .container("tcp-0-1", &old, &["accept", "3"], 7001)
        .container("tcp-0-2", &new, &["tcp-echo", "0.0.0.0:7002"], 0)
        .container("tcp-0-3", &newest, &["tcp-echo", "0.0.0.0:7003", "1000"], 0)
        .container("udp-0-2", &new, &["udp-echo", "0.0.0.0:7012"], 0)
        .container("udp-0-3", &newest, &["udp-echo", "0.0.0.0:7013", "1000"], 0)
        .container("http-0-2", &handler, &[], 7022)
        .container("http-0-3", &newest_handler, &[], 7023)
        .container("http-by-hand", &new, &["http-serve", "0.0.0.0:7024", "by hand\n"], 0)
        .container("reactor", &guest("reactor"), &[], 0);

    let mut manifest = servers;
    let mut awaited = Vec::new();
    for (from, image) in [("0-2", &new), ("0-3", &newest)] {
        for (to, port) in [("0-1", 7001), ("0-2", 7002), ("0-3", 7003)] {
            let said = format!("tcp from {from} to {to}");
            manifest = manifest.container(
                &format!("tcp-from-{from}-to-{to}"),
                image,
                &["tcp-send", &format!("127.0.0.1:{port}"), &said],
                0,
            );
            awaited.push(said);
        }
        for (to, port) in [("0-2", 7012), ("0-3", 7013)] {
            let said = format!("udp from {from} to {to}");
            manifest = manifest.container(
                &format!("udp-from-{from}-to-{to}"),
                image,
                &["udp-send", &format!("127.0.0.1:{port}"), &said],
                0,
            );
            awaited.push(said);
        }
    }
    let world = World::new();
    // Not every client waits for its server: one that was too early starts again.
    let text = manifest.0.replace("restartPolicy: Never", "restartPolicy: OnFailure");
    let pod = world.wasmpod(["run", &world.file("kinds.yaml", text)]).start();
    for line in awaited {
        pod.wait_for(&line);
    }
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn http_crosses_every_boundary_inside_a_pod() {
    let (new, newest) = (guest("toolbox"), guest("toolbox_p3"));
    let mut manifest = Manifest::new("web")
        .container("http-0-2", &guest("http-hello"), &[], 7022)
        .container("http-0-3", &guest("http_tiny_p3"), &[], 7023)
        .container("http-by-hand", &new, &["http-serve", "0.0.0.0:7024", "by hand\n"], 0);
    let servers = [("0-2", 7022), ("0-3", 7023), ("by-hand", 7024)];
    let clients = [
        ("sockets", new.clone(), Some("http-get")),
        ("wasi-0-2", guest("http-client"), None),
        ("wasi-0-3", newest, Some("http-get")),
    ];
    for (from, image, word) in &clients {
        for (to, port) in servers {
            let url = format!("http://localhost:{port}/");
            let arguments: Vec<&str> = word.iter().copied().chain([url.as_str()]).collect();
            manifest = manifest.container(&format!("from-{from}-to-{to}"), image, &arguments, 0);
        }
    }
    let world = World::new();
    // Not every client waits for its server: one that was too early starts again.
    let text = manifest.0.replace("restartPolicy: Never", "restartPolicy: OnFailure");
    let pod = world.wasmpod(["run", &world.file("web.yaml", text)]).start();
    for (from, ..) in &clients {
        for (to, answer) in [("0-2", "Hello from web"), ("0-3", "hello"), ("by-hand", "by hand")] {
            pod.wait_for_line(&[&format!("from-{from}-to-{to}"), answer]);
        }
    }
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

/// Both bind the same address; which of them is first is chance.
#[test]
fn two_containers_cannot_have_one_port() {
    let new = guest("toolbox");
    let manifest = Manifest::new("clash")
        .container("one", &new, &["listen", "0.0.0.0:7000"], 0)
        .container("other", &new, &["listen", "0.0.0.0:7000"], 0);
    let world = World::new();
    let pod = world.wasmpod(["run", &world.file("clash.yaml", manifest.0)]).start();
    pod.wait_for("listening");
    pod.wait_for("error: Address in use");
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn pods_have_loopbacks_of_their_own_and_reach_each_other_by_name() {
    let new = guest("toolbox");
    let server = |name: &str, body: &str| {
        Manifest::new(name).container(
            &format!("serve-{name}"),
            &new,
            &["http-serve", "0.0.0.0:7000", body],
            0,
        )
    };
    let one = server("one", "this is one\n");
    let two = server("two", "this is two\n");
    let asking = Manifest::new("three")
        .container("ask-one", &new, &["http-get", "http://one:7000/"], 0)
        .container("ask-two", &new, &["http-get", "http://two:7000/"], 0)
        .container("ask-nobody", &new, &["tcp-connect", "127.0.0.1:7000"], 0);
    let world = World::new();
    let file = world.file("pods.yaml", [one.0, two.0, asking.0].join("---\n"));
    let pods = world.wasmpod(["run", &file]).start();
    pods.wait_for_line(&["ask-one", "this is one"]);
    pods.wait_for_line(&["ask-two", "this is two"]);
    pods.wait_for_line(&["ask-nobody", "error: Connection refused"]);
    pods.signal(Signal::INT);
    let result = pods.finish();
    assert_eq!(result.code, 130, "{result}");
}
