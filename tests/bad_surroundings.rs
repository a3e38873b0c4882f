//! What a Pod needs is taken, missing or full: it says so, tries again where Kubernetes does, and
//! runs once it can.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{PodText, World, guest, guest_of_0_1};

fn container<'status>(status: &'status Value, name: &str) -> &'status Value {
    let statuses = status["containerStatuses"].as_array().into_iter().flatten();
    statuses.into_iter().find(|container| container["name"] == name).unwrap_or(&Value::Null)
}

/// The second finds the port in use and is started again under back-off, while the first goes on.
#[test]
fn the_second_container_on_a_port_backs_off() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let file = PodText::new("clash")
        .restart_policy("Always")
        .spec("volumes: [{name: turns, emptyDir: {}}]")
        .container("first", &toolbox, &["listen", "0.0.0.0:7000", "before", "/turns/first"])
        .with("volumeMounts: [{name: turns, mountPath: /turns}]")
        .container("second", &toolbox, &["listen", "0.0.0.0:7000", "after", "/turns/first"])
        .with("volumeMounts: [{name: turns, mountPath: /turns}]")
        .write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_line(&["second", "error: Address in use"]);
    let status = pod.wait_for_status("the back-off of `second`", |status| {
        let waiting = &container(status, "second")["state"]["waiting"];
        waiting["reason"] == "CrashLoopBackOff"
    });
    let message = container(&status, "second")["state"]["waiting"]["message"].to_string();
    assert!(message.contains("back-off 10s restarting failed container=second"), "{message}");
    assert!(container(&status, "first")["state"]["running"].is_object(), "{status}");
    pod.wait_for_status("another try of `second`", |status| {
        container(status, "second")["restartCount"].as_u64() >= Some(2)
    });
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_host_port_that_is_taken_is_tried_for_again() {
    let world = World::new();
    let taken = TcpListener::bind("0.0.0.0:0").expect("a port is free");
    let port = taken.local_addr().expect("bound").port();
    let file = PodText::new("door")
        .container("web", &guest("toolbox"), &["out", "open at last"])
        .with(&format!("ports: [{{containerPort: 80, hostPort: {port}}}]"))
        .write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_line(&[
        "FailedCreatePodSandBox",
        &format!("cannot listen on host port 0.0.0.0:{port} (TCP) for port 80 of the Pod"),
        "in use",
    ]);
    let status = pod.wait_for_status("a status", |_| true);
    assert_eq!(status["phase"], "Pending", "{status}");
    assert_eq!(container(&status, "web")["state"]["waiting"]["reason"], "ContainerCreating");
    drop(taken);
    pod.wait_for("open at last");
    let result = pod.finish();
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn a_volume_whose_source_is_missing_is_tried_for_again() {
    let world = World::new();
    let source = world.path().join("data");
    let file = PodText::new("mounts")
        .spec(&format!(
            "volumes: [{{name: data, hostPath: {{path: {}, type: Directory}}}}]",
            source.display()
        ))
        .container("web", &guest("toolbox"), &["read", "/data/greeting"])
        .with("volumeMounts: [{name: data, mountPath: /data}]")
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for_line(&[
        "FailedMount: MountVolume.SetUp failed for volume \"data\" : ",
        source.to_str().expect("UTF-8"),
        "is not a directory",
    ]);
    world.file("new/greeting", "found\n");
    std::fs::rename(world.path().join("new"), &source).expect("the folder can be moved");
    pod.wait_for("found");
    let result = pod.finish();
    assert_eq!(result.code, 0, "{result}");
}

#[test]
fn a_missing_config_map_is_named_for_a_volume_and_for_the_environment() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let volume = PodText::new("volume")
        .spec("volumes: [{name: settings, configMap: {name: nowhere}}]")
        .container("web", &toolbox, &["env"])
        .with("volumeMounts: [{name: settings, mountPath: /settings}]")
        .write(&world);
    let environment = PodText::new("environment")
        .container("web", &toolbox, &["env"])
        .with("envFrom: [{configMapRef: {name: nowhere}}]")
        .write(&world);
    for (file, event) in [
        (
            volume,
            "FailedMount: MountVolume.SetUp failed for volume \"settings\" : configmap \"nowhere\" not found",
        ),
        (environment, "Failed: Error: configmap \"nowhere\" not found"),
    ] {
        let pod = world.wasmpod(["run", &file]).start();
        pod.wait_for(event);
        pod.signal(Signal::INT);
        let result = pod.finish();
        assert_eq!(result.code, 130, "{result}");
    }
}

/// A small file system of its own for the state of one test; only root can make one.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("the folder can be made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m,mode=700", "small"]).arg(folder);
        let mounted = mount.status().is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("SKIPPED: a full disk cannot be tried, only root may mount a small one");
        }
        mounted.then(|| Self { folder: folder.to_owned() })
    }

    /// Takes all the room there is.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.folder.join("ballast")).expect("it is empty");
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.folder.join("ballast")).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still open in it goes with its process.
        drop(Command::new("umount").arg("--lazy").arg(&self.folder).status());
    }
}

#[test]
fn a_guest_that_fills_the_disk_is_told_and_the_others_go_on() {
    let world = World::new();
    let Some(_disk) = SmallDisk::mount(&world.root()) else { return };
    // The libc of WASI 0.2 has no words for a full disk: to its guests it is an I/O error.
    let (old, new) = (guest_of_0_1("toolbox"), guest("toolbox"));
    let file = PodText::new("full")
        .spec("volumes: [{name: data, emptyDir: {}}]")
        .container("bad", &old, &["fill", "/data/large", "100"])
        .with("volumeMounts: [{name: data, mountPath: /data}]")
        .container("healthy", &new, &["tick", "20"])
        .write(&world);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_line(&["bad", "MiB: No space left on device"]);
    let status = pod.wait_for_status("the end of `bad`", |status| {
        container(status, "bad")["state"]["terminated"].is_object()
    });
    assert_eq!(container(&status, "bad")["state"]["terminated"]["exitCode"], 1, "{status}");
    let ticks = |stdout: &str| stdout.lines().filter(|line| line.contains("tick ")).count();
    let before = pod.look(|stdout, _| ticks(stdout));
    pod.wait_until("more ticks", |stdout, _| ticks(stdout) > before);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_pod_without_room_on_the_disk_waits_for_it() {
    let world = World::new();
    let Some(disk) = SmallDisk::mount(&world.root()) else { return };
    disk.fill();
    let file = PodText::new("room")
        .container("web", &guest("toolbox"), &["out", "room at last"])
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for_line(&["room/web: Failed: ", "No space left on device"]);
    disk.empty();
    pod.wait_for("room at last");
    let result = pod.finish();
    assert_eq!(result.code, 0, "{result}");
}
