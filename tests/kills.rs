//! `kill -9` of wasmpod at any moment: nothing of the dead one is in the way of the next, and
//! nothing of it stays.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{PodText, World, eventually, free_port, guest};

/// From before the first folder is made, through the compiler, to a running guest.
const MOMENTS: [u64; 10] = [0, 2, 5, 10, 20, 40, 80, 160, 320, 640];

#[test]
fn the_same_command_runs_after_a_kill_at_any_moment() {
    let world = World::new();
    // A cache of its own: the first runs are killed while they compile.
    let cache = world.path().join("cache");
    let cache = cache.to_str().expect("UTF-8");
    let port = free_port();
    let file = PodText::new("again")
        .spec("volumes: [{name: memory, emptyDir: {medium: Memory}}, {name: data, emptyDir: {}}]")
        .container("web", &guest("hello"), &["once more"])
        .with(&format!("ports: [{{containerPort: 80, hostPort: {port}}}]"))
        .with("volumeMounts: [{name: memory, mountPath: /memory}, {name: data, mountPath: /data}]")
        .container("stays", &guest("toolbox"), &["idle"])
        .write(&world);
    for moment in MOMENTS {
        let pod = world.wasmpod(["run", &file]).env("XDG_CACHE_HOME", cache).start();
        // Not to wait for anything: the moment is what is tried.
        sleep(Duration::from_millis(moment));
        pod.signal(Signal::KILL);
        let result = pod.finish();
        assert_eq!(result.code, -9, "{result}");
    }
    let pod = world.wasmpod(["run", &file]).env("XDG_CACHE_HOME", cache).start();
    pod.wait_for("Hello, once more");
    pod.wait_for_line(&["stays", "idle"]);
    pod.signal(Signal::KILL);
    let result = pod.finish();
    assert!(!result.stderr.contains("Failed"), "{result}");

    let pod = world.wasmpod(["run", &file]).env("XDG_CACHE_HOME", cache).start();
    pod.wait_for_line(&["stays", "idle"]);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
    assert!(!result.stderr.contains("Failed"), "{result}");
    assert_eq!(entries(&world.root().join("pods")), Vec::<String>::new(), "{result}");
    no_process_is_left(&world);
}

#[test]
fn the_pods_of_a_file_end_with_the_process_that_started_them() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let port = free_port();
    let one = PodText::new("one")
        .container("web", &toolbox, &["listen", "0.0.0.0:80"])
        .with(&format!("ports: [{{containerPort: 80, hostPort: {port}}}]"))
        .text();
    let two = PodText::new("two").container("idle", &toolbox, &["idle"]).text();
    let file = world.file("pods.yaml", format!("{one}---\n{two}"));
    for _ in 0..2 {
        let pods = world.wasmpod(["run", &file]).start();
        pods.wait_for_line(&["one/web", "listening"]);
        pods.wait_for_line(&["two/idle", "idle"]);
        pods.signal(Signal::KILL);
        // Its output ends with the last of its Pods.
        let result = pods.finish();
        assert_eq!(result.code, -9, "{result}");
    }
    let pods = world.wasmpod(["run", &file]).start();
    pods.wait_for_line(&["one/web", "listening"]);
    pods.signal(Signal::INT);
    let result = pods.finish();
    assert_eq!(result.code, 130, "{result}");
    assert_eq!(entries(&world.root().join("pods")), Vec::<String>::new(), "{result}");
    let mut left = entries(&world.path().join("wasmpod"));
    // On a busy machine a start counts as computing, and what Pods tell each other about it stays.
    left.retain(|name| name != "busy");
    assert_eq!(left, Vec::<String>::new(), "{result}");
    no_process_is_left(&world);
}

/// All but what is kept on purpose.
fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.expect("readable").file_name().display().to_string());
    names.filter(|name| name != ".spare").collect()
}

/// A compiler, say, whose Pod was killed: it ends soon after.
#[track_caller]
fn no_process_is_left(world: &World) {
    let root = format!("WASMPOD_ROOT={}\0", world.root().display());
    let is_ours = |environment: &[u8]| {
        environment.windows(root.len()).any(|window| window == root.as_bytes())
    };
    eventually("the end of every process of this test", || {
        let processes = std::fs::read_dir("/proc").expect("it is mounted");
        let mut environments =
            processes.filter_map(|entry| std::fs::read(entry.ok()?.path().join("environ")).ok());
        (!environments.any(|environment| is_ours(&environment))).then_some(())
    });
}
