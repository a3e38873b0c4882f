//! What is removed, and what is not.

use std::fs;
use std::path::Path;

use serde_json::json;
use wasmpod::pod::Folders;
use wasmpod_objects::resource::{PERSISTENT_VOLUME_CLAIMS, PODS};
use wasmpod_objects::store::{Create, Origin};

use super::*;
use crate::background::{BackgroundPods, ProcessLock, Starter};

fn machine(root: &Path) -> BackgroundPods {
    let folders = Folders::find(Some(root)).unwrap();
    let starter = Starter {
        program: "/bin/false".into(),
        arguments: Vec::new(),
        pod: "pod",
        services: "services",
    };
    BackgroundPods::open(&folders, starter).unwrap()
}

fn make(pods: &BackgroundPods, name: &str, phase: &str, claim: &str) -> String {
    let pod = json!({
        "metadata": { "name": name },
        "spec": {
            "containers": [{ "name": "a", "image": "a.wasm" }],
            "volumes": [{ "name": "v", "persistentVolumeClaim": { "claimName": claim } }],
        },
        "status": { "phase": phase },
    });
    let create = Create { origin: Origin::Node, ..Create::default() };
    let made = pods.store().create(PODS, "default", pod, &create).unwrap();
    made["metadata"]["uid"].as_str().unwrap().to_owned()
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "x".repeat(8192)).unwrap();
}

#[test]
fn what_an_object_or_a_process_needs_stays() {
    let root = tempfile::tempdir().unwrap();
    let pods = machine(root.path());
    let runs = make(&pods, "runs", "Running", "of-runs");
    let over = make(&pods, "over", "Succeeded", "of-over");
    let claim = json!({ "metadata": { "name": "kept" }, "spec": {} });
    let node = Create { origin: Origin::Node, ..Create::default() };
    pods.store().create(PERSISTENT_VOLUME_CLAIMS, "default", claim, &node).unwrap();
    let lock = ProcessLock::try_take(pods.folders(), &runs).unwrap().unwrap();
    let logs =
        |uid: &str, name: &str| root.path().join(format!("logs/pods/default_{name}_{uid}/a/0.log"));
    let volume = |name: &str| root.path().join(format!("volumes/default/{name}/data/file"));
    let logs = [logs(&runs, "runs"), logs(&over, "over"), logs("gone", "gone")];
    let volumes = ["of-runs", "of-over", "kept", "old"].map(volume);
    logs.iter().chain(&volumes).for_each(|path| write(path));

    let parts = usage(&pods).unwrap();
    let part = |kind: Kind| *parts.iter().find(|part| part.kind == kind).unwrap();
    assert_eq!((part(Kind::Pods).total, part(Kind::Pods).active), (2, 1));
    assert_eq!((part(Kind::Logs).total, part(Kind::Logs).active), (3, 2));
    assert_eq!((part(Kind::Volumes).total, part(Kind::Volumes).active), (4, 1));
    for kind in [Kind::Logs, Kind::Volumes] {
        assert!(part(kind).reclaimable >= 8192 && part(kind).reclaimable < part(kind).bytes);
    }

    let there = || {
        let there = logs.iter().chain(&volumes).map(|path| path.exists());
        there.collect::<Vec<_>>()
    };
    let pruned = prune(&pods, Prune::default()).unwrap();
    assert!(pruned.problems.is_empty(), "{pruned:?}");
    assert_eq!(pruned.removed, [(Kind::Logs, "default_gone_gone".to_owned())]);
    assert!(pruned.bytes >= 8192, "{pruned:?}");
    assert_eq!(there(), [true, true, false, true, true, true, true]);

    let pruned = prune(&pods, Prune { all: false, volumes: true }).unwrap();
    assert_eq!(pruned.removed, [(Kind::Volumes, "default/old".to_owned())]);
    assert_eq!(there(), [true, true, false, true, true, true, false]);
    drop(lock);
}

#[tokio::test]
async fn a_reset_removes_what_is_ours_and_nothing_else() {
    let above = tempfile::tempdir().unwrap();
    let root = above.path().join("root");
    let folders = Folders::find(Some(&root)).unwrap();
    write(&root.join("objects/objects.db"));
    write(&root.join("processes/dead.lock"));
    write(&root.join("pods/dead/a.0/file"));
    write(&root.join("pods/dead.lock"));
    write(&root.join("notes.txt"));
    let elsewhere = above.path().join("elsewhere");
    write(&elsewhere.join("precious"));
    std::os::unix::fs::symlink(&elsewhere, root.join("volumes")).unwrap();

    let done = reset(&folders).await.unwrap();
    assert_eq!(done.ended, 0);
    assert_eq!(done.foreign, [root.join("notes.txt")]);
    assert!(done.bytes >= 4 * 8192, "{done:?}");
    assert!(elsewhere.join("precious").exists());
    fs::remove_file(root.join("notes.txt")).unwrap();
    reset(&folders).await.unwrap();
    assert!(!root.exists());
    reset(&folders).await.unwrap();
}

/// Locks that nobody answers for, as of a process that stands still.
#[tokio::test(start_paused = true)]
async fn a_reset_tells_which_process_does_not_end() {
    let root = tempfile::tempdir().unwrap();
    let folders = Folders::find(Some(root.path())).unwrap();
    let _lock = ProcessLock::try_take(&folders, "stuck").unwrap().unwrap();
    let error = reset(&folders).await.unwrap_err();
    assert!(error.to_string().ends_with("stuck.lock does not end"), "{error}");
}
