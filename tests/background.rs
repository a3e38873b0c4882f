//! Pods that stay when the command has ended: `apply`, `get`, `describe`, `logs`, `wait`, `delete`.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{
    Finished, PodText, World, eventually, free_port, guest, guest_of_0_1, request,
};

impl World {
    /// Runs a verb to its end; it must succeed.
    #[track_caller]
    pub(crate) fn does<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> String {
        let told = self.wasmpod(words).finish();
        assert_eq!(told.code, 0, "{told}");
        told.stdout
    }

    /// Runs a verb to its end; it must fail.
    #[track_caller]
    pub(crate) fn refuses<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Finished {
        let told = self.wasmpod(words).finish();
        assert_eq!(told.code, 1, "{told}");
        told
    }

    pub(crate) fn pod_object(&self, name: &str) -> Value {
        serde_json::from_str(&self.does(["get", "pod", name, "-o", "json"])).expect("JSON")
    }

    /// The row of a Pod in `get pods`, without its age.
    fn row(&self, name: &str) -> Option<String> {
        let table = self.does(["get", "pods"]);
        let row = table.lines().find(|line| line.starts_with(&format!("{name} ")))?;
        let cells: Vec<&str> = row.split_whitespace().collect();
        Some(cells[1..cells.len() - 1].join(" "))
    }

    #[track_caller]
    pub(crate) fn wait_for_row(&self, name: &str, row: &str) {
        eventually(&format!("{name}: {row}"), || self.row(name).filter(|found| found == row));
    }

    /// The process of the only Pod of this world.
    pub(crate) fn pod_process(&self) -> Pid {
        let root = self.root().display().to_string();
        eventually("the Pod's process", || {
            let processes = std::fs::read_dir("/proc").ok()?;
            processes.filter_map(Result::ok).find_map(|entry| {
                let id: i32 = entry.file_name().to_str()?.parse().ok()?;
                let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
                let environment = std::fs::read(entry.path().join("environ")).ok()?;
                let environment = String::from_utf8_lossy(&environment);
                let is_ours = line.contains("background-pod") && environment.contains(&root);
                is_ours.then(|| Pid::from_raw(id)).flatten()
            })
        })
    }
}

fn idle(world: &World, name: &str, policy: &'static str) -> String {
    PodText::new(name)
        .restart_policy(policy)
        .container("main", &guest("toolbox"), &["idle"])
        .write(world)
}

#[test]
fn a_pod_stays_until_it_is_deleted() {
    let world = World::new();
    let file = idle(&world, "web", "Always");
    assert_eq!(world.does(["apply", "-f", &file]), "pod/web created\n");
    world.wait_for_row("web", "1/1 Running 0");
    assert_eq!(world.does(["apply", "-f", &file]), "pod/web unchanged\n");
    assert_eq!(world.does(["wait", "--for=condition=Ready", "pod/web"]), "pod/web condition met\n");
    eventually("its log", || Some(()).filter(|()| world.does(["logs", "web"]) == "idle\n"));
    let description = world.does(["describe", "pod", "web"]);
    for part in ["Status:       Running\n", "  Normal  Started"] {
        assert!(description.contains(part), "{part:?} in\n{description}");
    }
    assert_eq!(world.does(["get", "pods", "-o", "name"]), "pod/web\n");

    assert_eq!(world.does(["delete", "pod", "web"]), "pod \"web\" deleted\n");
    let nothing = world.wasmpod(["get", "pods"]).finish();
    assert_eq!(nothing.stderr, "No resources found in default namespace.\n", "{nothing}");
    let gone = world.refuses(["get", "pod", "web"]);
    assert_eq!(gone.stderr, "Error from server (NotFound): pods \"web\" not found\n");
    for folder in ["pods", "processes", "logs/pods"] {
        let left = std::fs::read_dir(world.root().join(folder)).expect("it was made");
        let left: Vec<_> = left.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
        assert!(left.iter().all(|name| name == ".spare"), "{folder}: {left:?}");
    }
}

#[test]
fn one_that_ends_can_still_be_read() {
    let world = World::new();
    let file = world.pod("once", &[("main", &guest("hello"))]);
    world.does(["apply", "-f", &file]);
    world.wait_for_row("once", "0/1 Completed 0");
    let log = world.does(["logs", "once"]);
    assert!(log.contains("Hello"), "{log}");
    let pod = world.pod_object("once");
    assert_eq!(pod["status"]["phase"], "Succeeded", "{pod}");
    assert_eq!(world.does(["delete", "-f", &file]), "pod \"once\" deleted\n");
}

#[test]
fn a_pod_whose_process_was_killed_starts_again_by_its_policy() {
    let world = World::new();
    world.does(["apply", "-f", &idle(&world, "again", "Always")]);
    world.wait_for_row("again", "1/1 Running 0");
    eventually("its log", || Some(()).filter(|()| world.does(["logs", "again"]) == "idle\n"));
    kill_process(world.pod_process(), Signal::KILL).expect("it can be killed");
    let is_back = |row: &String| row.starts_with("1/1 Running 1 ");
    eventually("a second run", || world.row("again").filter(is_back));
    let pod = world.pod_object("again");
    let before = &pod["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!(before["exitCode"], 137, "{pod}");
    assert_eq!(before["reason"], "ContainerStatusUnknown", "{pod}");
    assert_eq!(world.does(["logs", "-p", "again"]), "idle\n");
    let description = world.does(["describe", "pod", "again"]);
    assert!(description.contains("SandboxChanged"), "{description}");
    world.does(["delete", "pod", "again", "--now"]);
}

#[test]
fn a_pod_that_never_restarts_has_failed_when_its_process_was_killed() {
    let world = World::new();
    world.does(["apply", "-f", &idle(&world, "once", "Never")]);
    world.wait_for_row("once", "1/1 Running 0");
    kill_process(world.pod_process(), Signal::KILL).expect("it can be killed");
    world.wait_for_row("once", "0/1 ContainerStatusUnknown 0");
    assert_eq!(world.pod_object("once")["status"]["phase"], "Failed");
}

#[test]
fn what_a_pod_refers_to_is_kept_too() {
    let world = World::new();
    let pod = PodText::new("env")
        .container("main", &guest("toolbox"), &["env"])
        .with("envFrom: [{configMapRef: {name: settings}}]")
        .text();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {COLOUR: blue}\n";
    let file = world.file("all.yaml", format!("{pod}---\n{map}"));
    let told = world.does(["apply", "-f", &file]);
    assert_eq!(told, "configmap/settings created\npod/env created\n");
    world.wait_for_row("env", "0/1 Completed 0");
    let log = world.does(["logs", "env"]);
    assert!(log.contains("COLOUR=blue"), "{log}");
    assert!(world.does(["get", "cm", "settings"]).contains("settings   1"));
    let exists = world.refuses(["create", "-f", &file]);
    assert!(exists.stderr.contains("(AlreadyExists): error when creating"), "{exists}");
}

#[test]
fn kubectls_words_for_what_is_not_there() {
    let world = World::new();
    for (words, expected) in [
        (&["logs", "web"][..], "Error from server (NotFound): pods \"web\" not found\n"),
        (&["get", "widgets"], "error: the server doesn't have a resource type \"widgets\"\n"),
        (&["delete", "pods"], "error: resource(s) were provided, but no name was specified\n"),
        (&["wait", "--for=delete", "x"], "error: the server doesn't have a resource type \"x\"\n"),
    ] {
        let told = world.refuses(words.iter().copied());
        assert_eq!(told.stderr, expected, "{words:?}: {told}");
    }
}

#[test]
fn commands_run_in_containers() {
    let world = World::new();
    let file = PodText::new("web")
        .container("main", &guest("toolbox"), &["idle"])
        .container("other", &guest_of_0_1("toolbox"), &["idle"])
        .write(&world);
    world.does(["apply", "-f", &file, "--wait"]);
    let told = world.wasmpod(["exec", "-i", "web", "--", "toolbox.wasm", "cat"]).input("typed");
    let told = told.finish();
    assert_eq!((told.code, told.stdout.as_str()), (0, "typed"), "{told}");
    assert_eq!(told.stderr, "Defaulted container \"main\" out of: main, other\n", "{told}");
    let failed = world.wasmpod(["exec", "web", "-c", "other", "--", "toolbox.wasm", "exit", "7"]);
    let failed = failed.finish();
    assert_eq!(failed.code, 7);
    assert!(failed.stderr.ends_with("command terminated with exit code 7\n"), "{failed}");
    let missing = world.wasmpod(["exec", "web", "-c", "other", "--", "nothing"]).finish();
    assert_eq!(missing.code, 127, "{missing}");
    let wrong = world.refuses(["exec", "web", "-c", "x", "--", "a"]);
    assert_eq!(wrong.stderr, "error: container x is not valid for pod web\n");
}

#[test]
fn a_port_of_the_host_leads_into_a_pod() {
    let world = World::new();
    let file = PodText::new("web")
        .container("main", &guest("http_tiny"), &[])
        .with("ports: [{containerPort: 8080, name: http}]")
        .write(&world);
    world.does(["apply", "-f", &file, "--wait"]);
    let port = free_port();
    let forward = format!("{port}:http");
    let forwarding = world.wasmpod(["port-forward", "pod/web", &forward]).start();
    forwarding.wait_for(&format!("Forwarding from 127.0.0.1:{port} -> 8080"));
    let answer = request(port, "GET / HTTP/1.1", "");
    assert!(answer.contains("200"), "{answer}");
    world.does(["delete", "pod", "web"]);
    let ended = forwarding.finish();
    assert_eq!(ended.code, 1, "{ended}");
    assert!(ended.stderr.contains("lost connection to pod"), "{ended}");
}

#[test]
fn files_are_copied_both_ways() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let file = PodText::new("web")
        .spec("volumes: [{name: data, emptyDir: {}}]")
        .container("main", &guest("toolbox"), &["idle"])
        .with("volumeMounts: [{name: data, mountPath: /data}]")
        .write(&world);
    world.does(["apply", "-f", &file, "--wait"]);
    let path = world.file("tree/sub/a", "content");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("sub/a", world.path().join("tree/link")).unwrap();
    world.does(["cp", "tree", "web:/data"]);
    world.does(["cp", "web:/data/tree", "back"]);
    let back = world.path().join("back");
    assert_eq!(std::fs::read_to_string(back.join("sub/a")).unwrap(), "content");
    let mode = std::fs::metadata(back.join("sub/a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(std::fs::read_link(back.join("link")).unwrap().to_str(), Some("sub/a"));
    world.does(["cp", "web:/data/tree/sub/a", "one.txt"]);
    assert_eq!(std::fs::read_to_string(world.path().join("one.txt")).unwrap(), "content");
    let missing = world.refuses(["cp", "web:/nothing", "x"]);
    assert!(missing.stderr.contains("/nothing"), "{missing}");
}

#[test]
fn objects_are_changed_by_other_verbs_too() {
    let world = World::new();
    let file = idle(&world, "web", "Always");
    world.does(["apply", "-f", &file, "--wait"]);
    assert_eq!(world.does(["label", "pod", "web", "tier=front"]), "pod/web labeled\n");
    assert_eq!(world.does(["get", "pods", "-l", "tier=front", "-o", "name"]), "pod/web\n");
    let kept = world.refuses(["label", "pod", "web", "tier=back"]);
    assert_eq!(
        kept.stderr,
        "error: 'tier' already has a value (front), and --overwrite is false\n"
    );
    assert_eq!(world.does(["annotate", "pod/web", "note=x"]), "pod/web annotated\n");
    // What others have set stays.
    assert_eq!(world.does(["apply", "-f", &file]), "pod/web unchanged\n");
    assert_eq!(world.pod_object("web")["metadata"]["annotations"]["note"], "x");
    assert_eq!(world.does(["label", "pod", "web", "tier-"]), "pod/web unlabeled\n");

    let edited = world
        .wasmpod(["edit", "pod", "web"])
        .env("EDITOR", "sed -i 's/^  name: web/  labels: {made: here}\\n  name: web/'")
        .finish();
    assert_eq!((edited.code, edited.stdout.as_str()), (0, "pod/web edited\n"), "{edited}");
    assert_eq!(world.pod_object("web")["metadata"]["labels"]["made"], "here");
    let unchanged = world.wasmpod(["edit", "pod", "web"]).env("EDITOR", "true").finish();
    assert_eq!(unchanged.stdout, "Edit cancelled, no changes made.\n", "{unchanged}");

    let text = std::fs::read_to_string(&file).unwrap();
    let other = world.file("other.yaml", text.replace("Always", "Never"));
    let refused = world.refuses(["apply", "-f", &other]);
    assert!(refused.stderr.contains("pod updates may not change fields other than"), "{refused}");
    assert_eq!(world.does(["replace", "--force", "-f", &other]), "pod/web replaced\n");
    assert_eq!(world.pod_object("web")["spec"]["restartPolicy"], "Never");

    let labelled = text.replace("name: web\n", "name: web\n  labels: {new: label}\n");
    let labelled = world.file("third.yaml", labelled.replace("Always", "Never"));
    let changes = world.refuses(["diff", "-f", &labelled]);
    assert!(changes.stdout.contains("+    new: label"), "{changes}");
    let told = world.does(["events", "--for", "pod/web"]);
    assert!(told.contains("Started"), "{told}");
    let used = world.does(["top", "pods"]);
    assert!(
        used.starts_with("NAME   CPU(cores)   MEMORY(bytes)") && used.contains("\nweb "),
        "{used}"
    );
}

#[test]
fn a_pod_that_is_typed_stays_as_with_kubectl() {
    let world = World::new();
    let image = guest("toolbox");
    let told = world.does(["run", "typed", "--image", &image, "--port", "80", "--", "idle"]);
    assert_eq!(told, "pod/typed created\n");
    world.wait_for_row("typed", "1/1 Running 0");
    assert_eq!(world.pod_object("typed")["spec"]["restartPolicy"], "Always");
    assert_eq!(world.does(["delete", "pod/typed", "--now"]), "pod \"typed\" deleted\n");
    let file = idle(&world, "file", "Always");
    assert_eq!(world.does(["run", "-d", &file]), "pod/file created\n");
    world.wait_for_row("file", "1/1 Running 0");
}

#[test]
fn a_pod_in_the_foreground_is_seen_and_deleted_too() {
    let world = World::new();
    let file = idle(&world, "seen", "Always");
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("idle");
    world.wait_for_row("seen", "1/1 Running 0");
    assert_eq!(world.does(["delete", "pod", "seen"]), "pod \"seen\" deleted\n");
    let ended = pod.finish();
    assert_ne!(ended.code, 125, "{ended}");
    assert!(world.row("seen").is_none());
}
