//! Manifests that are not there, or hold nothing.

use crate::harness::World;

#[track_caller]
fn refused(world: &World, words: &[&str], parts: &[&str]) {
    let result = world.wasmpod(words.iter().copied()).finish();
    assert_eq!(result.code, 125, "{result}");
    assert_eq!(result.stdout, "", "{result}");
    for part in parts {
        assert!(result.stderr.contains(part), "`{part}` is missing\n{result}");
    }
    assert!(!world.root().exists(), "nothing was to be started\n{result}");
}

#[test]
fn a_missing_file_is_named() {
    let world = World::new();
    for words in [["run", "missing.yaml"], ["run", "-fmissing.yaml"], ["validate", "missing.yaml"]]
    {
        refused(&world, &words, &["error: missing.yaml: ", "no such file or folder"]);
    }
}

#[test]
fn a_folder_without_manifests_is_named() {
    let world = World::new();
    world.file("empty/notes.txt", "no manifest");
    refused(&world, &["run", "-f", "empty"], &["error: empty: ", "no manifests here"]);
}

#[test]
fn a_manifest_without_objects_is_named() {
    let world = World::new();
    for (name, text) in [
        ("nothing.yaml", ""),
        ("comment.yaml", "# later\n"),
        ("markers.yaml", "---\n---\n...\n"),
        ("null.yaml", "null\n"),
        ("nothing.json", ""),
    ] {
        let file = world.file(name, text);
        refused(&world, &["run", &file], &[&format!("error: {file}")]);
    }
}

#[test]
fn manifests_without_a_pod_are_named() {
    let world = World::new();
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
    let file = world.file("settings.yaml", text);
    refused(&world, &["run", &file], &[&format!("no Pod to run in {file}")]);
}

#[test]
fn empty_standard_input_is_named() {
    refused(&World::new(), &["run", "-"], &["<stdin>"]);
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_each_at_its_place() {
    let world = World::new();
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: Wrong_Name\nspec:\n  containers:\n  \
                - name: web\n    imagee: ./web.wasm\n    ports: [{containerPort: 99999}]\n";
    let file = world.file("wrong.yaml", text);
    refused(
        &world,
        &["run", &file],
        &[
            &format!("error: {file}:8:5: "),
            "imagee",
            "image",
            &format!("error: {file}:4:"),
            "Wrong_Name",
            &format!("error: {file}:9:"),
            "99999",
        ],
    );
}

#[test]
fn a_run_of_nothing_shows_a_first_manifest() {
    refused(&World::new(), &["run"], &["nothing to run", "kind: Pod", "wasmpod run pod.yaml"]);
}
