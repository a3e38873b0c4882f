//! Pods in the background follow what is changed: their image, what they refer to, their names.

use crate::harness::{PodText, World, eventually, guest};

fn config_map(world: &World, colour: &str) -> String {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {colour}}}\n"
    );
    world.file("settings.yaml", text)
}

fn secret(world: &World, word: &str) -> String {
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: key}}\nstringData: {{word: {word}}}\n"
    );
    world.file("key.yaml", text)
}

#[test]
fn files_of_config_maps_secrets_and_labels_follow_their_objects() {
    let world = World::new();
    world.does(["apply", "-f", &config_map(&world, "blue")]);
    world.does(["apply", "-f", &secret(&world, "one")]);
    let file = PodText::new("web")
        .metadata("labels: {tier: front}")
        .restart_policy("Always")
        .spec(
            "volumes: [{name: all, projected: {sources: [{configMap: {name: settings}}, \
             {secret: {name: key}}, {downwardAPI: {items: [{path: labels, \
             fieldRef: {fieldPath: metadata.labels}}]}}]}}]",
        )
        .container("main", &guest("toolbox"), &["idle"])
        .with("volumeMounts: [{name: all, mountPath: /all}]")
        .write(&world);
    world.does(["apply", "-f", &file, "--wait"]);
    let reads = |name: &str, expected: &str| {
        let path = format!("/all/{name}");
        eventually(&format!("{name}: {expected}"), || {
            let told = world.does(["exec", "web", "--", "toolbox.wasm", "read", &path]);
            (told.trim_end() == expected).then_some(())
        });
    };
    reads("colour", "blue");
    assert_eq!(
        world.does(["apply", "-f", &config_map(&world, "red")]),
        "configmap/settings configured\n"
    );
    reads("colour", "red");
    world.does(["apply", "-f", &secret(&world, "two")]);
    reads("word", "two");
    world.does(["label", "pod", "web", "tier=back", "--overwrite"]);
    reads("labels", "tier=\"back\"");
    // It has not started again for any of these.
    world.wait_for_row("web", "1/1 Running 0");
}

#[test]
fn a_pod_that_waits_for_a_config_map_starts_when_that_is_made() {
    let world = World::new();
    let file = PodText::new("env")
        .container("main", &guest("toolbox"), &["env"])
        .with("envFrom: [{configMapRef: {name: settings}}]")
        .write(&world);
    world.does(["apply", "-f", &file]);
    world.wait_for_row("env", "0/1 CreateContainerConfigError 0");
    world.does(["create", "-f", &config_map(&world, "green")]);
    world.wait_for_row("env", "0/1 Completed 0");
    assert!(world.does(["logs", "env"]).contains("colour=green"));
}

#[test]
fn another_image_starts_the_container_again() {
    let world = World::new();
    let pod = |image: &str| {
        PodText::new("web")
            .restart_policy("Always")
            .container("main", image, &["idle"])
            .container("other", &guest("toolbox"), &["idle"])
            .write(&world)
    };
    let other = world.path().join("other.wasm");
    std::fs::copy(guest("toolbox"), &other).expect("it can be copied");
    world.does(["apply", "-f", &pod(&guest("toolbox")), "--wait"]);
    let applied = world.does(["apply", "-f", &pod(other.to_str().expect("UTF-8"))]);
    assert_eq!(applied, "pod/web configured\n");
    let restarts = |pod: &serde_json::Value, place: usize| {
        let status = &pod["status"]["containerStatuses"][place];
        (status["restartCount"].as_i64(), status["image"].as_str().map(str::to_owned))
    };
    let pod = eventually("another run", || {
        let pod = world.pod_object("web");
        (restarts(&pod, 0).0 == Some(1)).then_some(pod)
    });
    assert_eq!(restarts(&pod, 0).1.as_deref(), other.to_str());
    assert_eq!(restarts(&pod, 1).0, Some(0), "{pod}");
    let told = world.does(["events", "--for", "pod/web"]);
    assert!(told.contains("Container main definition changed, will be restarted"), "{told}");
}

#[test]
fn pods_of_several_commands_reach_each_other_by_name() {
    let world = World::new();
    let server = PodText::new("server")
        .restart_policy("Always")
        .container("main", &guest("toolbox"), &["http-serve", "0.0.0.0:80", "hello"])
        .write(&world);
    world.does(["apply", "-f", &server, "--wait"]);
    let client = PodText::new("client")
        .restart_policy("Always")
        .container("main", &guest("toolbox"), &["idle"])
        .write(&world);
    world.does(["apply", "-f", &client, "--wait"]);
    let ip = world.pod_object("server")["status"]["podIP"].as_str().expect("it runs").to_owned();
    for host in ["server", "server.default", &ip] {
        let url = format!("http://{host}:80/");
        eventually(&url, || {
            let get = ["exec", "client", "--", "toolbox.wasm", "http-get", &url];
            let told = world.wasmpod(get).finish();
            told.stdout.contains("hello").then_some(())
        });
    }
}
