//! Images as other tools make them.

use rustix::process::Signal;

use super::registry::Registry;
use super::{has, tool};
use crate::harness::{PodText, World, guest};

/// Has buildah make a container image out of nothing, and skopeo bring it to a registry.
fn build(world: &World, name: &str, copies: &[[&str; 2]], settings: &[&str]) {
    let store = ["--root", "containers", "--runroot", "running", "--storage-driver", "vfs"];
    let buildah = |words: &[&str]| tool(world, "buildah", &[&store, words].concat());
    let container = buildah(&["from", "scratch"]);
    let container = container.trim();
    for [from, to] in copies {
        buildah(&["copy", "--quiet", container, from, to]);
    }
    buildah(&[&["config"], settings, &[container]].concat());
    buildah(&["commit", "--quiet", container, "oci:built:1"]);
    let to = format!("docker://{name}");
    tool(world, "skopeo", &["copy", "--quiet", "--dest-tls-verify=false", "oci:built:1", &to]);
}

#[test]
fn a_container_image_for_webassembly_has_its_files_and_settings() {
    let Some(registry) = Registry::start() else { return };
    if !has("buildah") || !has("skopeo") {
        return;
    }
    let world = World::new();
    let name = registry.name("team/files:1");
    world.file("data.txt", "of the image\n");
    world.file("app.wasm", std::fs::read(guest("toolbox")).expect("the guest is there"));
    let settings = [
        "--os=wasi",
        "--arch=wasm",
        "--entrypoint=[\"/bin/app.wasm\"]",
        "--cmd=read /srv/data.txt",
        "--env=COLOUR=blue",
        "--workingdir=/srv",
    ];
    build(
        &world,
        &name,
        &[["app.wasm", "/bin/app.wasm"], ["data.txt", "/srv/data.txt"]],
        &settings,
    );

    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: files}}\nspec:\n  restartPolicy: Never\n  \
         containers:\n  - {{name: file, image: {name:?}}}\n  \
         - {{name: env, image: {name:?}, args: [env]}}\n  \
         - {{name: own, image: {name:?}, command: [./app.wasm, out, $(SAID)], workingDir: /bin, env: [{{name: SAID, value: by its own way}}]}}\n"
    );
    let result = world.wasmpod(["run", &world.file("files.yaml", pod)]).finish();
    assert_eq!(result.code, 0, "{result}");
    for part in ["of the image", "COLOUR=blue", "PWD=/srv", "by its own way"] {
        assert!(result.stdout.contains(part), "{part}: {result}");
    }
    let told = world.does(["inspect", &name]);
    for part in ["layout: a container image for WebAssembly\n", "kind: command-0.2\n"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_container_image_of_machine_code_is_refused_by_what_it_is() {
    let Some(registry) = Registry::start() else { return };
    if !has("buildah") || !has("skopeo") {
        return;
    }
    let world = World::new();
    let name = registry.name("team/linux:1");
    world.file("true", "#!/bin/sh\n");
    build(
        &world,
        &name,
        &[["true", "/bin/true"]],
        &["--os=linux", "--arch=amd64", "--entrypoint=[\"/bin/true\"]"],
    );
    let pulled = world.wasmpod(["pull", "-q", &name]).finish();
    assert_eq!(pulled.code, 1, "{pulled}");
    insta::assert_snapshot!(
        super::plain(&pulled.stderr, &registry.address),
        @r#"error: failed to pull and unpack image "registry/team/linux:1": it is a container image for linux/amd64 that starts "/bin/true", and runs machine code; wasmpod runs WebAssembly: build it for the platform wasi/wasm, or with an entrypoint that is a .wasm file"#
    );
    let file = PodText::new("linux").container("main", &name, &[]).write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for_line(&["linux/main: Failed: Failed to pull image", "WebAssembly"]);
    pod.finish_by(Signal::INT);
}
