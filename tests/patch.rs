//! `wasmpod patch`: fields of objects, changed as kubectl changes them.

use serde_json::{Value, json};

use crate::harness::{PodText, World, guest};

fn label(world: &World, name: &str) -> Value {
    world.pod_object("web")["metadata"]["labels"][name].clone()
}

#[test]
fn a_pod_is_patched_in_each_of_three_ways() {
    let world = World::new();
    let pod = PodText::new("web").metadata("labels: {app: web}").container(
        "main",
        &guest("toolbox"),
        &["idle"],
    );
    let file = pod.write(&world);
    world.does(["apply", "-f", &file]);
    world.wait_for_row("web", "1/1 Running 0");

    let tier = r#"{"metadata":{"labels":{"tier":"front"}}}"#;
    assert_eq!(world.does(["patch", "pod", "web", "-p", tier]), "pod/web patched\n");
    assert_eq!(world.does(["patch", "pod/web", "-p", tier]), "pod/web patched (no change)\n");
    assert_eq!(label(&world, "tier"), "front");

    let merge = "metadata:\n  labels:\n    tier: null\n";
    let merge = world.file("merge.yaml", merge);
    let words = ["patch", "-f", &file, "--type", "merge", "--patch-file", &merge];
    assert_eq!(world.does(words), "pod/web patched\n");
    assert_eq!((label(&world, "tier"), label(&world, "app")), (Value::Null, json!("web")));

    let operations = r#"[{"op":"replace","path":"/metadata/labels/app","value":"db"}]"#;
    let words = ["patch", "pod", "web", "--type=json", "-p", operations];
    let dry = world.does(words.into_iter().chain(["--dry-run=client", "-o", "json"]));
    let dry: Value = serde_json::from_str(&dry).expect("JSON");
    assert_eq!(dry["metadata"]["labels"]["app"], "db");
    assert_eq!(label(&world, "app"), "web");
    let dry = world.does(words.into_iter().chain(["--dry-run"]));
    assert_eq!(dry, "pod/web patched (dry run)\n");
    assert_eq!(world.does(words.into_iter().chain(["-o", "name"])), "pod/web\n");
    assert_eq!(label(&world, "app"), "db");

    // By the name that its kind gives the elements of a list.
    let containers = r#"{"spec":{"containers":[{"name":"main","stdin":true}]}}"#;
    let refused = world.refuses(["patch", "pod", "web", "-p", containers]);
    assert!(refused.stderr.contains("pod updates may not change fields other than"), "{refused}");
}

#[test]
fn what_cannot_be_patched_is_told_as_kubectl_tells_it() {
    let world = World::new();
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n";
    world.does(["apply", "-f", &world.file("settings.yaml", settings)]);
    let colour = r#"{"data":{"colour":"red"}}"#;
    let patched = world.does(["patch", "configmaps", "settings", "--type=merge", "-p", colour]);
    assert_eq!(patched, "configmap/settings patched\n");
    for (words, expected) in [
        ("pod nobody -p {}", "Error from server (NotFound): pods \"nobody\" not found\n"),
        (
            "configmap settings",
            "error: must specify --patch or --patch-file containing the contents of the patch\n",
        ),
        ("configmap settings -p []", "the patch is no JSON object"),
        ("configmap settings --type=json -p {}", "the patch is no list of operations"),
        ("configmap settings --subresource=resize -p {}", "only Pods do"),
    ] {
        let told = world.refuses(["patch"].into_iter().chain(words.split(' ')));
        assert!(told.stderr.contains(expected), "{words}: {told}");
    }
    let told = world.wasmpod(["patch", "configmap", "settings", "-p", "{"]).finish();
    assert!(told.code == 125 && told.stderr.contains("--patch:1:"), "{told}");
}
