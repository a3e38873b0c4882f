//! Deleting a Pod: its grace, and what stays.

use crate::harness::{PodText, World, eventually, guest};

#[test]
fn a_pod_terminates_and_takes_its_data_along_but_not_that_of_a_claim() {
    let world = World::new();
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: kept}\nspec: \
                 {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    world.does(["apply", "-f", &world.file("claim.yaml", claim)]);
    let pod = || {
        PodText::new("web")
            .restart_policy("Always")
            .spec("volumes: [{name: kept, persistentVolumeClaim: {claimName: kept}}, {name: own, emptyDir: {}}]")
            .container("main", &guest("toolbox"), &["idle"])
            .with("volumeMounts: [{name: kept, mountPath: /kept}, {name: own, mountPath: /own}]")
            .write(&world)
    };
    world.does(["apply", "-f", &pod(), "--wait"]);
    for file in ["/kept/x", "/own/x"] {
        world.does(["exec", "web", "--", "toolbox.wasm", "write", file, "data"]);
    }
    let deleting = world.wasmpod(["delete", "pods/web", "--grace-period=2"]).start();
    eventually("Terminating", || {
        let table = world.does(["get", "pods"]);
        table.contains("Terminating").then_some(())
    });
    let deleted = deleting.finish();
    assert_eq!(deleted.stdout, "pod \"web\" deleted\n", "{deleted}");

    world.does(["apply", "-f", &pod(), "--wait"]);
    let read =
        |file: &str| world.wasmpod(["exec", "web", "--", "toolbox.wasm", "read", file]).finish();
    assert_eq!(read("/kept/x").stdout, "data\n");
    assert_ne!(read("/own/x").code, 0);
}

#[test]
fn a_graceful_end_is_the_pods_own_choice_of_seconds() {
    let world = World::new();
    let file = PodText::new("web").container("main", &guest("toolbox"), &["idle"]).write(&world);
    world.does(["apply", "-f", &file, "--wait"]);
    assert_eq!(world.does(["delete", "-f", &file, "--wait=false"]), "pod \"web\" deleted\n");
    let pod = world.wasmpod(["get", "pod", "web", "-o", "json"]).finish();
    // It may be gone by now: two seconds are what its manifest gives it.
    if pod.code == 0 {
        let pod: serde_json::Value = serde_json::from_str(&pod.stdout).expect("JSON");
        assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 2, "{pod}");
    }
    eventually("its end", || {
        world.wasmpod(["get", "pod", "web"]).finish().code.ne(&0).then_some(())
    });
}

#[test]
fn a_pod_that_wants_no_grace_ends_too() {
    let world = World::new();
    let file = PodText::new("quick")
        .spec("terminationGracePeriodSeconds: 0")
        .restart_policy("Always")
        .container("main", &guest("toolbox"), &["idle"])
        .write(&world);
    world.does(["apply", "-f", &file, "--wait"]);
    assert_eq!(world.does(["delete", "-f", &file]), "pod \"quick\" deleted\n");
    assert!(std::fs::read_dir(world.root().join("pods")).is_ok_and(|pods| {
        pods.filter_map(Result::ok).all(|entry| entry.file_name() == ".spare")
    }));
}
