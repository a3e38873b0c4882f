//! The host's cgroup round a Pod, where this machine lets us have one.

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::harness::{PodText, Running, World, eventually, guest};

/// The folders of a running Pod's cgroup; none where the machine has no cgroups that we may make.
fn folders(pod: &Running) -> Vec<PathBuf> {
    let cgroups = format!("/proc/{}/cgroup", pod.id());
    let entered = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let below = path.strip_prefix('/')?.starts_with("wasmpod/").then_some(&path[1..])?;
        // Version 2 has no controllers in its line and no folder for each.
        Some(Path::new("/sys/fs/cgroup").join(controllers).join(below))
    };
    let text = std::fs::read_to_string(cgroups).expect("the process is there");
    text.lines().filter_map(entered).collect()
}

fn may_make_cgroups() -> bool {
    let roots = ["/sys/fs/cgroup/cpu/tasks", "/sys/fs/cgroup/cgroup.subtree_control"];
    let is_writable = |path: &&str| std::fs::File::options().write(true).open(path).is_ok();
    let may = roots.iter().any(is_writable);
    if !may {
        eprintln!("skipped: this user may not make cgroups here");
    }
    may
}

fn read(folders: &[PathBuf], file: &str) -> Option<String> {
    let mut found =
        folders.iter().filter_map(|folder| std::fs::read_to_string(folder.join(file)).ok());
    found.next().map(|text| text.trim().to_owned())
}

fn start(world: &World) -> Running {
    let pod = PodText::new("bounded")
        .container("main", &guest("toolbox"), &["tick", "20"])
        .with("resources: {requests: {cpu: 250m}, limits: {cpu: 500m, memory: 64Mi}}")
        .write(world);
    let pod = world.wasmpod(["run", "--cgroup", &pod]).start();
    pod.wait_for("tick");
    pod
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
    // Of version 1 there are two, entered one after the other.
    let folders = eventually("the Pod's cgroup", || {
        let folders = folders(&pod);
        let cpu = read(&folders, "cpu.cfs_quota_us").or_else(|| read(&folders, "cpu.max"));
        (cpu.is_some() && memory(&folders).is_some()).then_some(folders)
    });
    let quota = read(&folders, "cpu.cfs_quota_us").or_else(|| read(&folders, "cpu.max"));
    assert!(quota.is_some_and(|quota| quota.starts_with("70000")));
    let is_ours = |folder: &PathBuf| folder.to_string_lossy().contains("wasmpod/burstable/pod");
    assert!(folders.iter().all(is_ours), "{folders:?}");
    match read(&folders, "cpu.weight") {
        Some(weight) => assert_eq!(weight, "35"),
        None => assert_eq!(read(&folders, "cpu.shares").as_deref(), Some("256")),
    }
    assert_eq!(
        memory(&folders),
        Some((192 << 20).to_string()),
        "64Mi and what the process itself needs"
    );
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
    assert_eq!(folders.iter().filter(|folder| folder.exists()).count(), 0, "{folders:?}");

    let killed = start(&world);
    let left = eventually("the cgroup of the next one", || {
        let folders = self::folders(&killed);
        (!folders.is_empty()).then_some(folders)
    });
    killed.signal(Signal::KILL);
    killed.finish();
    assert!(left.iter().all(|folder| folder.exists()), "{left:?}");
    let next = start(&world);
    eventually("what the killed one has left is gone", || {
        left.iter().all(|folder| !folder.exists()).then_some(())
    });
    next.signal(Signal::INT);
    assert_eq!(next.finish().code, 130);
}

#[test]
fn without_being_asked_a_pod_stays_where_it_was_started() {
    let world = World::new();
    let file = world.pod("ticking", &[("main", &guest("kuard"))]);
    let pod = world.wasmpod(["run", &file, "-o", "json"]).start();
    pod.wait_for_status("it runs", |status| status["phase"] == "Running");
    assert_eq!(folders(&pod), Vec::<PathBuf>::new());
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}
