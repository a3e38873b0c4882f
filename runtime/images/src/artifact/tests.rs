//! Images as the tools of the field push them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const OCI: &str = "application/vnd.oci.image.config.v1+json";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const SPIN: &str = "application/vnd.fermyon.spin.application.v1+config";
const SPIN_WASM: &str = "application/vnd.wasm.content.layer.v1+wasm";
const SPIN_FILE: &str = "application/vnd.wasm.content.layer.v1+data";

fn digest(number: usize) -> String {
    format!("sha256:{number:064x}")
}

/// A manifest whose layers have the digests 1, 2, …
fn manifest(config: &str, layers: &[&str]) -> Value {
    let layers: Vec<Value> = (1..)
        .zip(layers)
        .map(|(number, media_type)| {
            json!({ "mediaType": media_type, "digest": digest(number), "size": number })
        })
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": config, "digest": digest(0), "size": 2 },
        "layers": layers,
    })
}

fn read(manifest: &Value, document: &Value) -> Result<Image, ArtifactError> {
    let manifest = Manifest::decode(&serde_json::to_vec(manifest).unwrap())?;
    manifest.image(&serde_json::to_vec(document).unwrap())
}

#[track_caller]
fn refusal(manifest: &Value, document: &Value) -> String {
    read(manifest, document).unwrap_err().to_string()
}

fn container(platform: &str, config: &Value, diff_ids: usize) -> Value {
    let (os, architecture) = platform.split_once('/').unwrap();
    let diff_ids: Vec<String> = (101..).take(diff_ids).map(digest).collect();
    json!({
        "os": os,
        "architecture": architecture,
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    })
}

fn sizes(image: &Image) -> Vec<u64> {
    image.blobs().iter().map(|blob| blob.size()).collect()
}

#[test]
fn artifacts_of_all_ages_run() {
    for (config, layer) in [
        ("application/vnd.wasm.config.v0+json", "application/wasm"),
        ("application/vnd.wasm.config.v1+json", SPIN_WASM),
        (
            "application/vnd.module.wasm.config.v1+json",
            "application/vnd.module.wasm.content.layer.v1+wasm",
        ),
        ("application/vnd.oci.empty.v1+json", "application/wasm"),
    ] {
        let image = read(&manifest(config, &[layer]), &json!({})).unwrap();
        assert_eq!(image.layout, Layout::Artifact, "{config}");
        assert!(matches!(&image.program, Program::Blob(blob) if blob.size() == 1), "{config}");
        assert_eq!(image.command.argv(&[], &["-v".to_owned()]).unwrap(), ["main.wasm", "-v"]);
    }
}

#[test]
fn an_artifact_is_called_what_its_file_was() {
    let mut manifest = manifest("application/vnd.wasm.config.v0+json", &["application/wasm"]);
    manifest["layers"][0]["annotations"] =
        json!({ "org.opencontainers.image.title": "target/hello.wasm" });
    let image = read(&manifest, &json!({})).unwrap();
    assert_eq!(image.command.entrypoint, ["hello.wasm"]);
}

#[test]
fn an_artifact_is_one_program() {
    let cncf = |layers| manifest("application/vnd.wasm.config.v0+json", layers);
    let none = json!({});
    insta::assert_snapshot!(refusal(&cncf(&[]), &none), @"the image has no layer of WebAssembly (`application/wasm`)");
    insta::assert_snapshot!(refusal(&cncf(&["application/wasm", "application/wasm"]), &none), @"the image has 2 layers of WebAssembly; known here are images with one");
    insta::assert_snapshot!(refusal(&cncf(&["application/wasm", TAR]), &none), @r#"layer 2 is of type "application/vnd.oci.image.layer.v1.tar+gzip", which a WebAssembly artifact does not have"#);
    let image = read(&cncf(&["application/wasm", "text/markdown"]), &none).unwrap();
    insta::assert_snapshot!(image.notes.join("\n"), @r#"layer 2 of type "text/markdown" is ignored"#);
}

#[test]
fn a_container_image_for_webassembly_runs_from_its_root() {
    let config = container(
        "wasi/wasm",
        &json!({
            "Entrypoint": ["/app.wasm"],
            "Cmd": ["--port", "80"],
            "Env": ["PATH=/bin", "A=1=2", "A=3", "nonsense", "=x"],
            "WorkingDir": "/srv",
            "User": "nobody",
            "ExposedPorts": { "8080/tcp": {}, "53/udp": {}, "80": {}, "0": {}, "x/tcp": {} },
            "Labels": { "who": "me" },
            "StopSignal": "SIGQUIT",
        }),
        2,
    );
    let zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
    let image = read(&manifest(OCI, &[TAR, zstd]), &config).unwrap();
    assert_eq!((image.layout, &image.program), (Layout::Container, &Program::InRoot));
    assert_eq!(image.command.argv(&[], &[]).unwrap(), ["/app.wasm", "--port", "80"]);
    let variables: Vec<String> =
        image.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(variables, ["PATH=/bin", "A=3"]);
    assert_eq!(image.working_dir.as_deref(), Some("/srv"));
    let ports: Vec<u16> = image.exposed_ports.iter().map(|exposed| exposed.port).collect();
    assert_eq!(ports, [53, 80, 8080]);
    assert_eq!(image.labels["who"], "me");
    let packings = image.layers.iter().map(|layer| match layer {
        Layer::Archive { packing, diff_id, .. } => {
            (*packing, diff_id.as_ref().unwrap().to_string())
        }
        Layer::File { .. } => panic!("no file of its own"),
    });
    let packings: Vec<(Packing, String)> = packings.collect();
    assert_eq!(packings, [(Packing::Gzip, digest(101)), (Packing::Zstd, digest(102))]);
    insta::assert_snapshot!(image.notes.join("\n"), @r#"
    USER "nobody" of the image is ignored: WebAssembly knows no users
    ENV "nonsense" of the image is ignored: it is not NAME=VALUE
    ENV "=x" of the image is ignored: it is not NAME=VALUE
    EXPOSE "0" of the image is ignored: it is no port
    EXPOSE "x/tcp" of the image is ignored: it is no port
    "#);
}

#[test]
fn docker_writes_null_and_its_own_types() {
    let docker = "application/vnd.docker.container.image.v1+json";
    let mut manifest = manifest(docker, &["application/vnd.docker.image.rootfs.diff.tar.gzip"]);
    manifest["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json");
    let config =
        json!({ "Entrypoint": null, "Cmd": ["/a.wasm"], "Env": null, "ExposedPorts": null });
    let image = read(&manifest, &container("wasi/wasm32", &config, 1)).unwrap();
    assert_eq!(image.command.argv(&[], &[]).unwrap(), ["/a.wasm"]);
    let bare = read(&manifest, &container("wasip1/wasm", &Value::Null, 1)).unwrap();
    assert_eq!(bare.command.argv(&[], &[]).unwrap_err().to_string(), "no command specified");
}

#[test]
fn a_container_image_may_have_its_program_as_a_layer() {
    let runwasi = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";
    for diff_ids in [1, 2] {
        let config = container("wasip1/wasm", &json!({}), diff_ids);
        let image = read(&manifest(OCI, &[runwasi, TAR]), &config).unwrap();
        assert_eq!(sizes(&image), [1, 2]);
        let Layer::Archive { diff_id: Some(diff_id), .. } = &image.layers[0] else {
            panic!("the archive has a digest")
        };
        assert_eq!(diff_id.to_string(), digest(100 + diff_ids));
    }
}

#[test]
fn a_linux_image_may_start_a_wasm_file() {
    let starts = |name: &str| container("linux/amd64", &json!({ "Cmd": [name] }), 1);
    let mut manifest = manifest(OCI, &[TAR]);
    for name in ["/app.wasm", "app.wasm#_start"] {
        assert_eq!(read(&manifest, &starts(name)).unwrap().layout, Layout::Compat, "{name}");
    }
    manifest["annotations"] = json!({ "module.wasm.image/variant": "compat-smart" });
    assert_eq!(read(&manifest, &starts("/app")).unwrap().layout, Layout::Compat);
}

#[test]
fn machine_code_is_refused_with_the_way_out() {
    let manifest = manifest(OCI, &[TAR]);
    let nginx = container("linux/amd64", &json!({ "Entrypoint": ["/docker-entrypoint.sh"] }), 1);
    insta::assert_snapshot!(refusal(&manifest, &nginx), @r#"it is a container image for linux/amd64 that starts "/docker-entrypoint.sh", and runs machine code; wasmpod runs WebAssembly: build it for the platform wasi/wasm, or with an entrypoint that is a .wasm file"#);
    let windows = container("windows/amd64", &json!({ "Cmd": ["a.wasm"] }), 1);
    insta::assert_snapshot!(refusal(&manifest, &windows), @r#"it is a container image for windows/amd64 that starts "a.wasm", and runs machine code; wasmpod runs WebAssembly: build it for the platform wasi/wasm, or with an entrypoint that is a .wasm file"#);
    let base = container("linux/arm64", &Value::Null, 1);
    insta::assert_snapshot!(refusal(&manifest, &base), @"it is a container image for linux/arm64 that starts nothing by itself, and runs machine code; wasmpod runs WebAssembly: build it for the platform wasi/wasm, or with an entrypoint that is a .wasm file");
}

#[test]
fn what_a_stranger_calls_things_is_shown_in_part() {
    let long = "A".repeat(1 << 20);
    let platform = container(&format!("{long}/{long}"), &json!({ "Cmd": ["/bin/sh"] }), 1);
    let unknown = json!({
        "id": "hello",
        "source": { "content_type": "application/wasm", "digest": format!("blake3:{long}") },
    });
    let manifests = manifest(OCI, &[SPIN_WASM, SPIN]);
    for refused in
        [refusal(&manifest(OCI, &[TAR]), &platform), refusal(&manifests, &spin(&unknown))]
    {
        assert!(refused.contains("AAA…") && refused.len() < 1000, "{}", refused.len());
    }
}

#[test]
fn what_is_no_image_is_called_by_its_name() {
    let wasm = container("wasi/wasm", &json!({}), 1);
    insta::assert_snapshot!(refusal(&manifest(OCI, &["application/vnd.x"]), &wasm), @r#"layer 1 is of type "application/vnd.x", which a container image for WebAssembly does not have"#);
    insta::assert_snapshot!(refusal(&manifest(OCI, &[TAR, TAR]), &wasm), @"the config has 1 `rootfs.diff_ids`, and the manifest 2 layers");
    insta::assert_snapshot!(refusal(&manifest("application/vnd.cncf.helm.config.v1+json", &[]), &wasm), @r#"the config is of type "application/vnd.cncf.helm.config.v1+json", which is neither a container's, nor one of WebAssembly, nor Spin's"#);
    let mut index = manifest(OCI, &[]);
    index["mediaType"] = json!("application/vnd.oci.image.index.v1+json");
    insta::assert_snapshot!(refusal(&index, &wasm), @r#"the manifest is of type "application/vnd.oci.image.index.v1+json", which is no image"#);
    insta::assert_snapshot!(refusal(&json!({ "schemaVersion": 1, "fsLayers": [] }), &wasm), @"the manifest has schema version 1; known here is 2: push the image again");
    insta::assert_snapshot!(refusal(&manifest(OCI, &[TAR; MOST_LAYERS + 1]), &wasm), @"the manifest has 501 layers; the most is 500");
    insta::assert_snapshot!(refusal(&json!({}), &wasm), @"the manifest cannot be read: missing field `schemaVersion` at line 1 column 2");
    let mut evil = manifest(OCI, &[TAR]);
    evil["layers"][0]["digest"] = json!("sha256:../../etc/passwd");
    insta::assert_snapshot!(refusal(&evil, &wasm), @"the manifest cannot be read: Invalid encoded value ../../etc/passwd at line 1 column 204");
    let long = vec![b' '; 5 << 20];
    insta::assert_snapshot!(Manifest::decode(&long).unwrap_err(), @"the manifest has 5242880 bytes; the most is 4194304");
}

fn spin(component: &Value) -> Value {
    json!({
        "spin_lock_version": 1,
        "triggers": [{
            "id": "trigger--hello",
            "trigger_type": "http",
            "trigger_config": { "component": "hello", "executor": null, "route": "/..." },
        }],
        "components": [component],
    })
}

fn hello() -> Value {
    json!({
        "id": "hello",
        "source": { "content_type": "application/wasm", "digest": digest(1) },
        "env": { "MODE": "test" },
        "files": [
            { "path": "static/index.html", "digest": digest(2) },
            { "path": "/a.txt", "inline": "aGVsbG8=", "digest": digest(9) },
            { "path": "empty", "digest": digest(3) },
        ],
    })
}

#[test]
fn a_spin_application_of_one_component_runs_with_its_files() {
    let mut new = manifest(OCI, &[SPIN_WASM, SPIN_FILE, SPIN_FILE, SPIN]);
    let mut old = manifest(SPIN, &[SPIN_WASM, SPIN_FILE, SPIN_FILE]);
    for (manifest, document) in [(&mut new, 4), (&mut old, 2)] {
        manifest["layers"][2]["annotations"] =
            json!({ "com.fermyon.spin.application.layer.isEmpty": "true" });
        let decoded = Manifest::decode(manifest.to_string().as_bytes()).unwrap();
        assert_eq!(decoded.document().size(), document);
        let image = decoded.image(spin(&hello()).to_string().as_bytes()).unwrap();
        assert_eq!(image.layout, Layout::Spin);
        assert_eq!(sizes(&image), [1, 2]);
        assert_eq!(image.env, [("MODE".to_owned(), "test".to_owned())]);
        let files: Vec<(&str, usize)> = image
            .layers
            .iter()
            .map(|layer| match layer {
                Layer::File { path, content: Content::Bytes(bytes) } => {
                    (path.to_str().unwrap(), bytes.len())
                }
                Layer::File { path, content: Content::Blob(_) } => (path.to_str().unwrap(), 99),
                Layer::Archive { .. } => panic!("no archive"),
            })
            .collect();
        assert_eq!(files, [("static/index.html", 99), ("a.txt", 5), ("empty", 0)]);
        assert_eq!(image.notes, [""; 0]);
    }
}

#[test]
fn a_spin_application_may_bring_its_files_in_an_archive() {
    let archive = "application/vnd.wasm.content.bundle.v1.tar+gzip";
    let manifest = manifest(OCI, &[SPIN_WASM, archive, SPIN]);
    let image = read(&manifest, &spin(&hello())).unwrap();
    assert_eq!(sizes(&image), [1, 2]);
    assert_eq!(image.layers.len(), 2, "the archive, and the file that is in the application");
}

#[test]
fn other_spin_applications_are_refused_by_name() {
    let manifest = manifest(OCI, &[SPIN_WASM, SPIN_FILE, SPIN_FILE, SPIN]);
    let refused = |edit: &dyn Fn(&mut Value)| {
        let mut application = spin(&hello());
        edit(&mut application);
        refusal(&manifest, &application)
    };
    insta::assert_snapshot!(refused(&|application| {
        let other = json!({ "id": "api", "source": {} });
        application["components"].as_array_mut().unwrap().push(other);
    }), @r#"the Spin application has 2 components ("hello", "api"); known here are applications of one HTTP component"#);
    insta::assert_snapshot!(refused(&|application| {
        application["triggers"][0]["trigger_type"] = json!("redis");
    }), @r#"the Spin application has a trigger of type "redis"; known here are applications of one HTTP component"#);
    insta::assert_snapshot!(refused(&|application| {
        application["triggers"][0]["trigger_config"]["executor"] = json!({ "type": "wagi" });
    }), @r#"the Spin application has an HTTP trigger with the executor "wagi"; known here are applications of one HTTP component"#);
    insta::assert_snapshot!(refused(&|application| {
        application["host_requirements"] = json!({ "local_service_chaining": "required" });
    }), @r#"the Spin application requires "local_service_chaining" of its host; known here are applications of one HTTP component"#);
    insta::assert_snapshot!(refused(&|application| {
        application["components"][0]["dependencies"] = json!({ "a:b/c": {} });
    }), @r#"the Spin application composes its component with "a:b/c"; known here are applications of one HTTP component"#);
    insta::assert_snapshot!(refused(&|application| {
        application["components"][0]["source"]["digest"] = json!(digest(77));
    }), @r#"the Spin application refers to sha256:000000000000000000000000000000000000000000000000000000000000004d for "hello", which the manifest does not have"#);
    insta::assert_snapshot!(refused(&|application| {
        application["components"][0]["files"][0]["path"] = json!("../../etc/passwd");
    }), @r#"the Spin application has a file "../../etc/passwd", which is no path within its root; known here are applications of one HTTP component"#);
}

#[test]
fn what_spin_would_provide_is_said_to_be_missing() {
    let manifest = manifest(OCI, &[SPIN_WASM, SPIN_FILE, SPIN_FILE, SPIN]);
    let mut application = spin(&hello());
    application["triggers"][0]["trigger_config"]["route"] = json!("/api/...");
    application["components"][0]["config"] = json!({ "token": "{{ token }}" });
    application["components"][0]["metadata"] = json!({ "key_value_stores": ["default"] });
    let image = read(&manifest, &application).unwrap();
    insta::assert_snapshot!(image.notes.join("\n"), @r#"
    route "/api/..." of the Spin application is ignored: its component gets all requests
    component "hello" of the Spin application uses variables of Spin, which are not provided
    component "hello" of the Spin application uses key-value stores, which are not provided
    "#);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(manifest: Vec<u8>, document: Vec<u8>) {
        if let Ok(manifest) = Manifest::decode(&manifest) {
            let _ = manifest.image(&document);
        }
        for known in [&[SPIN_WASM, SPIN][..], &[TAR]] {
            let manifest = Manifest::decode(self::manifest(OCI, known).to_string().as_bytes());
            let _ = manifest.unwrap().image(&document);
        }
    }
}
