//! A Pod is containers that live together: one IP, one port space, one hostname, volumes.

use serde_json::{Value, json};

use crate::harness::{World, eventually, guest};

fn container(name: &str, words: &[&str]) -> Value {
    json!({ "name": name, "image": guest("toolbox"), "args": words })
}

#[test]
fn containers_of_a_pod_share_what_others_do_not_see() {
    let world = World::new();
    let mut a = container("a", &["http-serve", "0.0.0.0:8080", "from a"]);
    a["volumeMounts"] = json!([{ "name": "shared", "mountPath": "/a" }]);
    let mut b = container("b", &["idle"]);
    b["volumeMounts"] = json!([{ "name": "shared", "mountPath": "/b" }]);
    let late = container("late", &["listen", "0.0.0.0:8080"]);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "one" },
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "volumes": [{ "name": "shared", "emptyDir": {} }],
            "containers": [a, b, late],
        },
    });
    // JSON is as good as YAML.
    let file = world.file("pod.json", pod.to_string());
    assert_eq!(world.does(["apply", "-f", &file]), "pod/one created\n");

    let exec = |pod: &str, container: &str, words: &[&str]| {
        let mut all = vec!["exec", pod, "-c", container, "--", "toolbox.wasm"];
        all.extend(words);
        world.wasmpod(all).finish()
    };
    let get = ["http-get", "http://localhost:8080/"];
    eventually("an answer at localhost", || {
        exec("one", "b", &get).stdout.contains("from a").then_some(())
    });
    // The port is taken.
    eventually("the one that came too late", || {
        let pod = world.pod_object("one");
        let statuses = pod["status"]["containerStatuses"].as_array()?.clone();
        let late = statuses.into_iter().find(|status| status["name"] == "late")?;
        (late["restartCount"].as_i64()? > 0).then_some(())
    });
    let words = world.does(["logs", "one", "-c", "late", "-p"]);
    assert!(words.to_lowercase().contains("in use"), "{words}");

    for name in ["a", "b"] {
        let variables = exec("one", name, &["env"]).stdout;
        assert!(variables.contains("HOSTNAME=one\n"), "{variables}");
    }
    exec("one", "a", &["write", "/a/x", "hello"]);
    assert_eq!(exec("one", "b", &["read", "/b/x"]).stdout, "hello\n");

    // Each container has an account of its own.
    let used = world.does(["top", "pods", "--containers"]);
    for name in ["a ", "b "] {
        assert!(used.lines().any(|line| line.contains(name)), "{used}");
    }

    // Another Pod has another address, hostname and loopback.
    let other = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "two" },
        "spec": {
            "terminationGracePeriodSeconds": 2,
            "containers": [container("a", &["http-serve", "0.0.0.0:8080", "from two"]),
                           container("b", &["idle"])],
        },
    });
    world.does(["apply", "-f", &world.file("two.json", other.to_string()), "--wait"]);
    let ip = |name: &str| world.pod_object(name)["status"]["podIP"].clone();
    assert_ne!(ip("one"), ip("two"));
    assert!(exec("two", "b", &["env"]).stdout.contains("HOSTNAME=two\n"));
    eventually("its own loopback", || {
        exec("two", "b", &get).stdout.contains("from two").then_some(())
    });
    let by_name = ["http-get", "http://one:8080/"];
    assert!(exec("two", "b", &by_name).stdout.contains("from a"));
    assert_ne!(exec("two", "b", &["read", "/b/x"]).code, 0, "its files are its own");
}
