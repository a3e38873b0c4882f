//! `wasmpod system`: what is on the disk, removing what nobody needs, and removing all.

use std::path::Path;

use serde_json::Value;

use crate::harness::{PodText, World, guest};

fn idle(world: &World, name: &str) {
    let pod = PodText::new(name).container("main", &guest("toolbox"), &["idle"]);
    world.does(["apply", "-f", &pod.write(world)]);
    world.wait_for_row(name, "1/1 Running 0");
}

fn ended(world: &World, name: &str) {
    let pod = PodText::new(name).container("main", &guest("toolbox"), &["out", "done"]);
    world.does(["apply", "-f", &pod.write(world)]);
    world.wait_for_row(name, "0/1 Completed 0");
}

/// What `system df` tells of a kind.
fn part(world: &World, kind: &str) -> Value {
    let parts = world.does(["system", "df", "-o", "json"]);
    let parts: Vec<Value> = serde_json::from_str(&parts).expect("JSON");
    parts.into_iter().find(|part| part["type"] == kind).unwrap_or_else(|| panic!("{kind}"))
}

/// What killed processes, and Pods long gone, have left.
fn leave(world: &World) {
    let text = "x".repeat(8192);
    world.file("state/pods/dead/main.0/file", &text);
    world.file("state/pods/dead.lock", "");
    world.file("state/logs/pods/default_gone_dead/main/0.log", &text);
    world.file("state/volumes/default/old/data/file", &text);
}

#[test]
fn what_is_there_is_shown_and_what_nobody_needs_is_removed() {
    let world = World::new();
    idle(&world, "runs");
    ended(&world, "over");
    leave(&world);
    // A link in the state folder leads nowhere that is ours.
    world.file("elsewhere/precious", "x");
    std::os::unix::fs::symlink(
        world.path().join("elsewhere"),
        world.root().join("volumes/default/link"),
    )
    .expect("it can be made");

    let table = world.does(["system", "df"]);
    assert!(table.starts_with("TYPE            TOTAL   ACTIVE   SIZE"), "{table}");
    let pods = part(&world, "Pods");
    assert_eq!((&pods["total"], &pods["active"]), (&2.into(), &1.into()), "{pods}");
    assert!(pods["reclaimableBytes"].as_u64() >= Some(8192), "{pods}");
    let logs = part(&world, "Logs");
    assert_eq!((&logs["total"], &logs["active"]), (&3.into(), &2.into()), "{logs}");
    assert!(part(&world, "Objects")["sizeBytes"].as_u64() > Some(0));

    // No answer is a no.
    let asked = world.does(["system", "prune"]);
    assert!(asked.contains("[y/N]") && !asked.contains("Total"), "{asked}");
    let asked = world.wasmpod(["system", "prune"]).input("n\n").finish();
    assert!(!asked.stdout.contains("Total") && world.root().join("pods/dead").exists(), "{asked}");

    let pruned = world.wasmpod(["system", "prune"]).input("y\n").finish();
    assert_eq!(pruned.code, 0, "{pruned}");
    assert!(pruned.stdout.contains("Deleted Logs\ndefault_gone_dead\n"), "{pruned}");
    assert!(pruned.stdout.contains("\nTotal reclaimed space: "), "{pruned}");
    let is_there = |path: &str| world.root().join(path).exists();
    assert!(!is_there("pods/dead") && !is_there("logs/pods/default_gone_dead"));
    assert!(is_there("volumes/default/old/data/file"), "data of volumes stays unless it is named");
    assert_eq!(world.does(["get", "pods", "-o", "name"]), "pod/over\npod/runs\n");
    assert_eq!(world.does(["logs", "over"]), "done\n");

    let pruned = world.does(["system", "prune", "--all", "--volumes", "--force"]);
    assert!(pruned.contains("Deleted Pods\ndefault/over\n"), "{pruned}");
    assert!(pruned.contains("Deleted Volumes\ndefault/old\n"), "{pruned}");
    assert_eq!(world.does(["get", "pods", "-o", "name"]), "pod/runs\n");
    world.wait_for_row("runs", "1/1 Running 0");
    assert!(!is_there("volumes/default/old") && world.path().join("elsewhere/precious").exists());
    let volumes = part(&world, "Volumes");
    assert_eq!(volumes["total"], 0, "{volumes}");
}

#[test]
fn pods_come_and_go_while_it_is_pruned() {
    let world = World::new();
    std::thread::scope(|scope| {
        let pruning = scope.spawn(|| {
            for _ in 0..10 {
                world.does(["system", "prune", "--force"]);
            }
        });
        for round in 0..3 {
            let name = format!("pod-{round}");
            ended(&world, &name);
            assert_eq!(world.does(["logs", &name]), "done\n");
        }
        pruning.join().expect("it does not fail");
    });
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[test]
fn a_reset_ends_every_pod_and_works_where_the_store_is_damaged() {
    let world = World::new();
    idle(&world, "behind");
    // It has a process of its own, which is no Pod.
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n\
                   spec: {selector: {app: web}, ports: [{port: 80}]}\n";
    world.does(["apply", "-f", &world.file("service.yaml", service)]);
    let file =
        PodText::new("watched").container("main", &guest("toolbox"), &["idle"]).write(&world);
    let watched = world.wasmpod(["run", &file]).start();
    watched.wait_for("idle");
    for file in ["objects.db", "objects.db-wal"] {
        world.file(&format!("state/objects/{file}"), "no database ".repeat(1000));
    }
    let told = world.wasmpod(["get", "pods"]).finish();
    assert!(told.code != 0 && told.stderr.contains("`wasmpod system reset`"), "{told}");

    world.file("state/notes.txt", "mine");
    let asked = world.wasmpod(["system", "reset"]).input("no\n").finish();
    assert!(asked.code == 0 && asked.stdout.contains("all Pods"), "{asked}");
    assert!(world.root().join("logs").exists());

    let reset = world.wasmpod(["system", "reset", "--force"]).finish();
    assert_eq!(reset.code, 0, "{reset}");
    assert!(reset.stdout.starts_with("2 Pods ended\nTotal reclaimed space: "), "{reset}");
    assert!(reset.stderr.contains("notes.txt is none of wasmpod's, and stays"), "{reset}");
    assert_ne!(watched.finish().code, 0);
    let left = std::fs::read_dir(world.root()).expect("it has a file").count();
    assert_eq!(left, 1);

    let nothing = world.wasmpod(["get", "pods"]).finish();
    assert_eq!(nothing.stderr, "No resources found in default namespace.\n", "{nothing}");
    std::fs::remove_file(world.root().join("notes.txt")).expect("it is there");
    world.does(["system", "reset", "-f"]);
    assert!(!world.root().exists() || is_empty(&world.root()));
}
