//! The host's cgroup round a Pod, where this machine lets us have one.
//!
//! What only version 2 has is tried where that is: `tests/cgroup2-vm` makes such a machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Signal, kill_process};

use crate::harness::{PodText, Running, World, eventually, guest};

const ROOT: &str = "/sys/fs/cgroup";

/// The process of the only Pod of a command with `--cgroup`: its child.
fn pod_process(command: &Running) -> Option<u32> {
    let id = command.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    children.ok()?.split_whitespace().next()?.parse().ok()
}

/// The folders of a running Pod's cgroup; none as long as it has none.
fn folders(command: &Running) -> Vec<PathBuf> {
    folders_of(pod_process(command).unwrap_or_else(|| command.id()))
}

fn folders_of(process: u32) -> Vec<PathBuf> {
    let entered = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let below = path.strip_prefix('/').filter(|path| path.contains("wasmpod/"))?;
        let is_a_pods = below.rsplit('/').next()?.starts_with("pod");
        // Version 2 has no controllers in its line and no folder for each.
        is_a_pods.then(|| Path::new(ROOT).join(controllers).join(below))
    };
    let text = std::fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
    text.lines().filter_map(entered).collect()
}

/// The same, once it has entered all of them: of version 1 there are two, one after the other.
fn entered(command: &Running) -> Vec<PathBuf> {
    eventually("the Pod's cgroup", || {
        let folders = folders(command);
        let is_there = if is_v2() { folders.len() == 1 } else { folders.len() == 2 };
        is_there.then_some(folders)
    })
}

/// The file with the most memory that a Pod may have.
fn memory_bound() -> &'static str {
    if is_v2() { "memory.max" } else { "memory.limit_in_bytes" }
}

/// Fills the memory of a cgroup, as if the host's side of its Pod had grown: nothing that a guest can do
/// gets there.
fn fill(folders: &[PathBuf]) {
    let is_bounded = |folder: &&PathBuf| folder.join(memory_bound()).exists();
    let folder = folders.iter().find(is_bounded).expect("it is bounded");
    // The first to be ended, where only one is.
    let eat = format!(
        "echo 1000 > /proc/$$/oom_score_adj; echo $$ > {}/cgroup.procs; exec tail /dev/zero",
        folder.display()
    );
    let eater = Command::new("sh").args(["-c", &eat]).status().expect("sh(1) is there");
    assert!(!eater.success(), "the kernel ended it");
}

fn is_v2() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

fn may_make_cgroups() -> bool {
    let roots = ["cpu/tasks", "cgroup.subtree_control"];
    let is_writable =
        |path: &&str| std::fs::File::options().write(true).open(Path::new(ROOT).join(path)).is_ok();
    let may = roots.iter().any(is_writable);
    if !may {
        eprintln!("skipped: this user may not make cgroups here");
    }
    may
}

fn has_v2_for_root() -> bool {
    let has = is_v2() && may_make_cgroups();
    if !has {
        eprintln!("skipped: no machine of version 2 (tests/cgroup2-vm makes one)");
    }
    has
}

fn read(folders: &[PathBuf], file: &str) -> Option<String> {
    let mut found =
        folders.iter().filter_map(|folder| std::fs::read_to_string(folder.join(file)).ok());
    found.next().map(|text| text.trim().to_owned())
}

fn ticking(world: &World) -> String {
    PodText::new("bounded")
        .container("main", &guest("toolbox"), &["tick", "20"])
        .with("resources: {requests: {cpu: 250m}, limits: {cpu: 500m, memory: 64Mi}}")
        .write(world)
}

fn start(world: &World) -> Running {
    let pod = world.wasmpod(["run", "--cgroup", &ticking(world)]).start();
    pod.wait_for("tick");
    pod
}

fn stop(pod: Running) {
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
}

#[test]
fn a_pod_has_its_shares_and_bounds_and_leaves_nothing_behind() {
    if !may_make_cgroups() {
        return;
    }
    let world = World::new();
    let pod = start(&world);
    let memory = |folders: &[PathBuf]| {
        read(folders, "memory.limit_in_bytes").or_else(|| read(folders, "memory.max"))
    };
    let folders = entered(&pod);
    let quota = read(&folders, "cpu.cfs_quota_us").or_else(|| read(&folders, "cpu.max"));
    assert!(quota.is_some_and(|quota| quota.starts_with("70000")));
    let is_ours = |folder: &PathBuf| folder.to_string_lossy().contains("wasmpod/burstable/pod");
    assert!(folders.iter().all(is_ours), "{folders:?}");
    let compiling: Vec<PathBuf> = folders.iter().map(|folder| beside(folder)).collect();
    for folders in [&folders, &compiling] {
        match read(folders, "cpu.weight") {
            Some(weight) => assert_eq!(weight, "35"),
            None => assert_eq!(read(folders, "cpu.shares").as_deref(), Some("256")),
        }
    }
    let bound = Some((192 << 20).to_string());
    assert_eq!(memory(&folders), bound, "64Mi and what the process itself needs");
    assert_ne!(memory(&compiling), bound, "a compiler may take more");
    stop(pod);
    let left = folders.iter().chain(&compiling).filter(|folder| folder.exists()).count();
    assert_eq!(left, 0, "{folders:?}");
}

/// Where what compiles for a Pod is.
fn beside(pod: &Path) -> PathBuf {
    pod.with_file_name(pod.file_name().expect("a name").to_string_lossy().replacen(
        "pod",
        "compiling",
        1,
    ))
}

#[test]
fn what_a_killed_command_leaves_is_removed_by_the_next() {
    if !may_make_cgroups() {
        return;
    }
    let world = World::new();
    let killed = start(&world);
    let left = entered(&killed);
    // The Pod's process dies with the one that was to watch over it.
    killed.signal(Signal::KILL);
    killed.finish();
    assert!(left.iter().all(|folder| folder.exists()), "{left:?}");
    let next = start(&world);
    eventually("what the killed one has left is gone", || {
        left.iter().all(|folder| !folder.exists()).then_some(())
    });
    stop(next);
}

#[test]
fn who_started_a_pod_removes_the_cgroup_of_a_killed_one() {
    if !may_make_cgroups() {
        return;
    }
    let world = World::new();
    let command = start(&world);
    let left = entered(&command);
    let process = pod_process(&command).expect("it runs");
    let killed = Command::new("kill").args(["-KILL", &process.to_string()]).status();
    assert!(killed.expect("kill(1) is there").success());
    let result = command.finish();
    assert_eq!(result.code, 137, "{result}");
    assert!(!result.stderr.contains("OOMKilled"), "{result}");
    eventually("its cgroup is gone", || left.iter().all(|folder| !folder.exists()).then_some(()));
}

#[test]
fn a_pod_that_the_kernel_ends_for_its_memory_is_named() {
    if !may_make_cgroups() {
        return;
    }
    let world = World::new();
    // Without a limit of its own the engine would let it grow; the Pod's holds it in the kernel.
    let file = PodText::new("hungry")
        .spec("resources: {limits: {memory: 16Mi}}")
        .container("main", &guest("toolbox"), &["tick", "20"])
        .write(&world);
    let command = world.wasmpod(["run", "--cgroup", &file]).start();
    command.wait_for("tick");
    let folders = entered(&command);
    assert_eq!(read(&folders, memory_bound()), Some((144 << 20).to_string()));
    fill(&folders);
    if is_v2() {
        // All of it or nothing (`memory.oom.group`).
        let result = command.finish();
        assert_eq!(result.code, 137, "{result}");
        let words = "pod/hungry: OOMKilled by the kernel: the Pod's cgroup reached 144Mi";
        assert!(result.stderr.contains(words), "{result}");
    } else {
        stop(command);
    }
}

#[test]
fn a_pod_in_the_background_that_the_kernel_ends_is_named_too() {
    if !may_make_cgroups() {
        return;
    }
    let world = World::new();
    let file = PodText::new("hungry")
        .restart_policy("Always")
        .container("main", &guest("toolbox"), &["idle"])
        .with("resources: {limits: {memory: 16Mi}}")
        .write(&world);
    world.does(["apply", "-f", &file, "--wait"]);
    let process = world.pod_process();
    let is_there = if is_v2() { 1 } else { 2 };
    let folders = eventually("the Pod's cgroup", || {
        let folders = folders_of(process.as_raw_nonzero().get().unsigned_abs());
        (folders.len() == is_there).then_some(folders)
    });
    fill(&folders);
    if !is_v2() {
        // Version 1 ends one process, and the one that has filled it was the first.
        kill_process(process, Signal::KILL).expect("it can be killed");
    }
    let pod = eventually("another run", || {
        let pod = world.pod_object("hungry");
        (pod["status"]["containerStatuses"][0]["restartCount"] == 1).then_some(pod)
    });
    let before = &pod["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!(
        (&before["reason"], &before["exitCode"]),
        (&"OOMKilled".into(), &137.into()),
        "{pod}"
    );
    let message = before["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("OOMKilled by the kernel: the Pod's cgroup reached"), "{pod}");
}

#[test]
fn the_bounds_of_the_kernel_follow_a_resize() {
    if !may_make_cgroups() {
        return;
    }
    let world = World::new();
    let file = PodText::new("grows")
        .container("main", &guest("toolbox"), &["tick", "20"])
        .with("resources: {limits: {memory: 16Mi}}")
        .write(&world);
    let command = world.wasmpod(["run", "--cgroup", &file]).start();
    command.wait_for("tick");
    let folders = entered(&command);
    let bound = |mib: u64| {
        eventually(&format!("a bound of {mib} MiB"), || {
            let bound = read(&folders, memory_bound());
            (bound == Some((mib << 20).to_string())).then_some(())
        });
    };
    let resize = |memory: &str| {
        let patch = format!(
            "{{\"spec\":{{\"containers\":[{{\"name\":\"main\",\"resources\":{{\"requests\":{{\"memory\":\"{memory}\"}},\"limits\":{{\"memory\":\"{memory}\"}}}}}}]}}}}"
        );
        let words = ["patch", "pod", "grows", "--subresource", "resize", "-p", &patch];
        eventually("the Pod's answer", || {
            world.wasmpod(words).finish().stdout.contains("patched").then_some(())
        });
    };
    bound(144);
    resize("64Mi");
    bound(192);
    stop(command);
}

#[test]
fn without_being_asked_a_pod_stays_where_it_was_started() {
    let world = World::new();
    let file = world.pod("ticking", &[("main", &guest("kuard"))]);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_status("it runs", |status| status["phase"] == "Running");
    assert_eq!(folders(&pod), Vec::<PathBuf>::new());
    stop(pod);
}

/// A cgroup as a service of systemd has one.
struct Unit(PathBuf);

impl Unit {
    fn new(name: &str) -> Self {
        let folder = Path::new(ROOT).join(format!("{name}.service"));
        std::fs::create_dir(&folder).expect("root may make it");
        Self(folder)
    }

    fn set(&self, file: &str, value: &str) {
        std::fs::write(self.0.join(file), value).expect("it takes the value");
    }

    fn enter(&self) -> String {
        format!("echo $$ > {}/cgroup.procs", self.0.display())
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let remove = format!("find {} -depth -type d -exec rmdir {{}} +", self.0.display());
        drop(Command::new("sh").args(["-c", &remove]).status());
    }
}

#[test]
fn a_pod_of_a_service_is_below_it_and_freezes_with_it() {
    if !has_v2_for_root() {
        return;
    }
    let world = World::new();
    let unit = Unit::new("web");
    unit.set("memory.max", "1073741824");
    let file = ticking(&world);
    let pod = world.wasmpod(["run", "--cgroup", &file]).after(&unit.enter()).start();
    pod.wait_for("tick");
    let folders = entered(&pod);
    assert!(folders[0].starts_with(unit.0.join("wasmpod/burstable")), "{folders:?}");
    assert_eq!(read(&folders, "memory.max"), Some((192 << 20).to_string()));
    assert_eq!(read(&folders, "memory.oom.group").as_deref(), Some("1"));
    let command = std::fs::read_to_string(format!("/proc/{}/cgroup", pod.id())).expect("it runs");
    assert_eq!(command.trim(), "0::/web.service/wasmpod/commands");

    let is_frozen = |wanted: &str| {
        eventually("it freezes or thaws", || {
            let events = read(&folders, "cgroup.events")?;
            events.lines().any(|line| line == format!("frozen {wanted}")).then_some(())
        });
    };
    let ticks = || pod.look(|stdout, _| stdout.matches("tick").count());
    unit.set("cgroup.freeze", "1");
    is_frozen("1");
    unit.set("cgroup.freeze", "0");
    is_frozen("0");
    let before = ticks();
    eventually("it goes on", || (ticks() > before).then_some(()));
    stop(pod);
    assert!(!folders[0].exists());
}

#[test]
fn beside_other_processes_a_pod_is_threaded_and_the_user_told() {
    if !has_v2_for_root() {
        return;
    }
    let world = World::new();
    let unit = Unit::new("shared");
    unit.set("memory.max", "1073741824");
    let file = ticking(&world);
    let mut other = Command::new("sleep").arg("1000").spawn().expect("sleep(1) is there");
    unit.set("cgroup.procs", &other.id().to_string());
    let pod = world.wasmpod(["run", "--cgroup", &file]).after(&unit.enter()).start();
    pod.wait_for("tick");
    pod.wait_for_line(&["note: the Pod's cgroup bounds no memory: other processes are in"]);
    let folder = eventually("a cgroup of the Pod", || {
        let classes = unit.0.join("wasmpod/burstable");
        let mut entries = std::fs::read_dir(classes).ok()?.flatten().map(|entry| entry.path());
        entries.find(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pod"))
        })
    });
    let folders = [folder];
    eventually("threads in it", || read(&folders, "cgroup.threads").filter(|ids| !ids.is_empty()));
    assert_eq!(read(&folders, "cgroup.type").as_deref(), Some("threaded"));
    assert_eq!(read(&folders, "cpu.weight").as_deref(), Some("35"));
    assert_eq!(read(&folders, "cpu.max").as_deref(), Some("70000 100000"));
    assert_eq!(read(&folders, "memory.max"), None);
    stop(pod);
    assert!(!folders[0].exists());
    other.kill().and_then(|()| other.wait()).expect("it is ours");
}

const NOBODY: &str = "65534";

/// Says so and spins.
const SPINS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\10\00\00\00\06\00\00\00spins\0a")
    (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
        (loop (br 0))))"#;

#[test]
fn a_plain_user_has_a_cgroup_below_one_that_was_given_to_him() {
    if !has_v2_for_root() {
        return;
    }
    let world = World::new();
    // Root's folders are closed to others.
    let image = world.file("spin.wat", SPINS);
    let file = PodText::new("spinning")
        .container("main", &image, &[])
        .with("resources: {requests: {cpu: 250m}, limits: {cpu: 500m, memory: 64Mi}}")
        .write(&world);
    let unit = Unit::new("user");
    let own = |path: &Path| {
        let owned = Command::new("chown").arg(NOBODY).arg(path).status();
        assert!(owned.expect("chown(1) is there").success());
    };
    own(world.path());
    let start = |enter: String| {
        let cache = world.path().join("cache");
        let command = world.wasmpod(["run", "--cgroup", &file]);
        let command = command.env("XDG_CACHE_HOME", cache.to_str().expect("UTF-8"));
        let become_user =
            format!("{enter} && exec setpriv --reuid {NOBODY} --clear-groups \"$0\" \"$@\"");
        command.after(&become_user).start()
    };
    // Not given yet.
    let pod = start(unit.enter());
    pod.wait_for_line(&[
        "note: there is no cgroup of the host for a Pod:",
        "is not this user's to change",
    ]);
    pod.wait_for("spins");
    stop(pod);

    for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
        own(&unit.0.join(file));
    }
    let pod = start(unit.enter());
    pod.wait_for("spins");
    let folders = entered(&pod);
    assert!(folders[0].starts_with(unit.0.join("wasmpod/burstable")), "{folders:?}");
    assert_eq!(read(&folders, "memory.max"), Some((192 << 20).to_string()));
    assert_eq!(read(&folders, "cpu.weight").as_deref(), Some("35"));
    stop(pod);
    assert!(!folders[0].exists());
}
