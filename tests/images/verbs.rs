//! What somebody types who has to do with images, and what he sees.

use serde_json::Value;

use super::registry::Registry;
use super::{TINY, has, plain, table, tool};
use crate::harness::{PodText, World, guest};

/// The image `name`, made of a module that does nothing.
#[track_caller]
fn pack(world: &World, name: &str) -> String {
    world.does(["image", "pack", &world.file("tiny.wasm", TINY), "-t", name])
}

#[test]
fn an_image_is_packed_pushed_pulled_named_and_removed() {
    let Some(registry) = Registry::start() else { return };
    let world = World::new();
    let name = registry.name("team/tiny:1");
    let plain = |text: &str| plain(text, &registry.address);
    assert_eq!(world.does(["images"]), "REPOSITORY   TAG   IMAGE ID   CREATED   SIZE\n");
    assert_eq!(plain(&pack(&world, &name)), "registry/team/tiny@sha256:DIGEST\n");
    assert_eq!(plain(&world.does(["push", &name])), "registry/team/tiny@sha256:DIGEST\n");
    assert_eq!(
        plain(&world.does(["rmi", &name])),
        "Untagged: registry/team/tiny:1\nDeleted: sha256:DIGEST\n"
    );
    assert_eq!(world.does(["images", "-q"]), "");

    let pulled = world.wasmpod(["pull", &name]).finish();
    assert_eq!(pulled.code, 0, "{pulled}");
    assert_eq!(plain(&pulled.stdout), "registry/team/tiny@sha256:DIGEST\n");
    insta::assert_snapshot!(plain(&pulled.stderr), @r"
    Trying to pull registry/team/tiny:1...
    Copying blob ID__________ done
    Copying blob ID__________ done
    ");
    let quiet = world.wasmpod(["pull", "--quiet", &name]).finish();
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""), "{quiet}");

    world.does(["tag", &name, "tiny"]);
    insta::assert_snapshot!(table(&world.does(["images", "--digests"]), &registry.address), @r"
    REPOSITORY   TAG   DIGEST   IMAGE ID   CREATED   SIZE
    registry/team/tiny   1   sha256:DIGEST   ID__________   N/A   626B
    tiny   latest   sha256:DIGEST   ID__________   N/A   626B
    ");
    assert_eq!(plain(&world.does(["images", "-o", "name"])), "registry/team/tiny:1\ntiny:latest\n");
    let one = world.does(["images", "tiny", "-o", "json"]);
    let one: Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!(one[0]["names"], serde_json::json!(["docker.io/library/tiny:latest"]), "{one}");
    assert_eq!(one[0]["inUse"], false, "{one}");

    let id = world.does(["images", "-q"]);
    let several = world.wasmpod(["rmi", id.trim()]).finish();
    assert_eq!(several.code, 1, "{several}");
    assert!(several.stderr.contains("has several names: "), "{several}");
    insta::assert_snapshot!(plain(&world.does(["rmi", "tiny", &name])), @r"
    Untagged: tiny:latest
    Untagged: registry/team/tiny:1
    Deleted: sha256:DIGEST
    ");
    let gone = world.wasmpod(["rmi", "tiny"]).finish();
    assert_eq!((gone.code, gone.stderr.as_str()), (1, "error: image tiny: not found\n"));
}

#[test]
fn what_does_not_come_says_why() {
    let Some(registry) = Registry::start() else { return };
    let world = World::new();
    let missing = world.wasmpod(["pull", "-q", &registry.name("no/such:1")]).finish();
    assert_eq!(missing.code, 1, "{missing}");
    insta::assert_snapshot!(
        plain(&missing.stderr, &registry.address),
        @r#"error: failed to pull and unpack image "registry/no/such:1": failed to resolve reference "registry/no/such:1": registry/no/such:1: not found"#
    );
    let misspelt = world.wasmpod(["pull", "Kuard"]).finish();
    assert_eq!(misspelt.code, 125, "{misspelt}");
    assert!(misspelt.stderr.contains("must be lowercase"), "{misspelt}");
    let nothing = world.wasmpod(["push", &registry.name("no/such:1")]).finish();
    assert_eq!(nothing.code, 1, "{nothing}");
    insta::assert_snapshot!(
        plain(&nothing.stderr, &registry.address),
        @r#"error: failed to push image "registry/no/such:1": image registry/no/such:1: not found"#
    );
}

#[test]
fn inspect_tells_how_an_image_runs_and_what_its_program_wants() {
    let world = World::new();
    world.file("public/index.html", "hello");
    let module = world.file("tiny.wasm", TINY);
    let words = ["-t", "web:1", "-e", "MODE=fast", "-w", "/srv", "--arg=--serve", "--expose", "80"];
    let files = ["--label", "team=blue", "--", "public:/srv/public"];
    world.does(["image", "pack", &module].into_iter().chain(words).chain(files));
    let text = world.does(["inspect", "web:1"]);
    // When it got its name.
    let lines = text.lines().filter(|line| !line.starts_with("since: "));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(plain(&text, "…"), @r#"
    digest: sha256:DIGEST
    names:
    - docker.io/library/web:1
    registryDigests:
    - >-
      docker.io/library/web@sha256:DIGEST
    sizeBytes: 4899
    inUse: false
    layout: a container image for WebAssembly
    entrypoint:
    - /tiny.wasm
    - --serve
    cmd: []
    env:
    - MODE=fast
    workingDir: /srv
    exposedPorts:
    - 80/tcp
    labels:
      team: blue
    layers:
    - digest: sha256:DIGEST
      mediaType: application/vnd.oci.image.layer.v1.tar
      sizeBytes: 4096
    program:
      kind: command-0.1
      imports: []
      exports:
      - name: _start
        type: func
    "#);
    let component: Value =
        serde_json::from_str(&world.does(["inspect", &guest("hello"), "-o", "json"]))
            .expect("JSON");
    assert_eq!(component["program"]["kind"], "command-0.2", "{component}");
    let world_text = component["program"]["world"].as_str().unwrap_or_default();
    assert!(world_text.contains("\n  export wasi:cli/run@0.2."), "{world_text}");
    let script = world.file("script.wasm", "#!/bin/sh\n");
    let told = world.wasmpod(["inspect", &script]).finish();
    assert_eq!(told.code, 1, "{told}");
    assert!(told.stderr.contains("script.wasm: it is not WebAssembly"), "{told}");
}

#[test]
fn an_archive_carries_images_to_us_and_to_others() {
    if !has("skopeo") {
        return;
    }
    let (here, there) = (World::new(), World::new());
    pack(&here, "tiny:1");
    let archive = here.path().join("tiny.tar");
    let archive = archive.to_str().expect("UTF-8");
    here.does(["save", "tiny:1", "-o", archive]);
    assert_eq!(there.does(["load", "-i", archive]), "Loaded image: tiny:1\n");
    assert_eq!(here.does(["images", "-q"]), there.does(["images", "-q"]));
    let seen = tool(&here, "skopeo", &["inspect", "--raw", &format!("oci-archive:{archive}")]);
    assert!(seen.contains("application/vnd.wasm.config.v0+json"), "{seen}");
    // As a pipe, too.
    let piped = here.wasmpod(["save", "tiny:1"]).finish();
    let loaded = World::new();
    let result = loaded.wasmpod(["load"]).input(piped.stdout_bytes).finish();
    assert_eq!((result.code, result.stdout.as_str()), (0, "Loaded image: tiny:1\n"), "{result}");
    let missing = here.wasmpod(["save", "no:1", "-o", archive]).finish();
    assert_eq!(missing.code, 1, "{missing}");
}

#[test]
fn what_a_pod_uses_stays() {
    let world = World::new();
    world.does(["image", "pack", &guest("toolbox"), "-t", "used:1"]);
    pack(&world, "unused:1");
    let pod = PodText::new("user").container("main", "used:1", &["idle"]);
    world.does(["apply", "-f", &pod.with("imagePullPolicy: Never").write(&world)]);
    world.wait_for_row("user", "1/1 Running 0");

    let refused = world.wasmpod(["rmi", "used:1"]).finish();
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("image used:1 is in use by a Pod"), "{refused}");
    let would = world.does(["image", "prune", "--all", "--dry-run"]);
    assert!(would.contains("Would untag: docker.io/library/unused:1\n"), "{would}");
    assert!(!would.contains("used:1\nWould untag") && world.does(["images"]).contains("unused"));
    let parts = world.does(["system", "df"]);
    assert!(parts.lines().any(|line| line.starts_with("Images          2       1 ")), "{parts}");
    let pruned = world.does(["system", "prune", "--all", "--force"]);
    assert!(pruned.contains("Deleted Images\ndocker.io/library/unused:1\n"), "{pruned}");
    assert_eq!(world.does(["images", "-o", "name"]), "used:1\n");

    let forced = world.does(["rmi", "--force", "used:1"]);
    assert_eq!(forced, "Untagged: used:1\n");
    world.wait_for_row("user", "1/1 Running 0");
    world.does(["delete", "pod", "user"]);
    let freed = world.does(["image", "prune"]);
    assert!(freed.starts_with("Total reclaimed space: ") && !freed.ends_with(" 0B\n"), "{freed}");
}
