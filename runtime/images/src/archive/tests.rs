//! What is saved is loaded as what it was, here and by others, and what is hostile not at all.

use std::error::Error as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ArchiveError, Loaded, load, save};
use crate::digest::Digest;
use crate::layout::{Collection, Layout};
use crate::pack::{Form, Pack};
use crate::reference::Reference;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

struct World {
    folder: TempDir,
    layout: Layout,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::open(&folder.path().join("images")).unwrap();
        Self { folder, layout }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Packs an image and gives it this name.
    fn image(&self, name: &str, form: Form) -> Digest {
        let module = self.folder.path().join("hello.wasm");
        fs::write(&module, MODULE).unwrap();
        let pin = self.layout.pin("test").unwrap();
        let manifest = Pack::new(module).form(form).write(&mut &pin).unwrap();
        let digest = Digest::of(&manifest).unwrap();
        self.layout.name(&reference(name), &digest, None).unwrap();
        digest
    }

    fn save(&self, names: &[&str]) -> Vec<u8> {
        let names: Vec<_> = names.iter().map(|name| reference(name)).collect();
        let mut archive = Vec::new();
        save(&self.layout, &names, &mut archive).unwrap();
        archive
    }

    fn load(&self, archive: &[u8]) -> Result<Vec<Loaded>, ArchiveError> {
        load(&self.layout.pin("load").unwrap(), archive)
    }

    /// The text of the failure, of which nothing stays.
    #[track_caller]
    fn failure(archive: &[u8]) -> String {
        let world = Self::new();
        let error = world.load(archive).unwrap_err();
        let names = |folder: &Path| -> Vec<_> {
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
        };
        assert_eq!(names(world.folder.path()), ["images"]);
        assert_eq!(names(&world.layout.folder().join("ingest")), [""; 0]);
        assert_eq!(world.layout.images().unwrap(), []);
        world.layout.collect(&Collection::Unreferenced).unwrap();
        assert_eq!(names(&world.layout.folder().join("blobs/sha256")), [""; 0]);
        error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
    }
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn loaded(name: &str, digest: &Digest) -> Loaded {
    let name = Some(reference(name).with_default_tag());
    Loaded { name, digest: digest.clone() }
}

/// An archive of these files; a size may be other than that of the content.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn blob(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::sha256(bytes).hex())
}

fn describe(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::sha256(bytes), "size": bytes.len() })
}

/// An archive of one image with this config.
fn image_of(config_type: &str, config: &[u8], name: &str) -> Vec<u8> {
    let manifest = json!({
        "schemaVersion": 2,
        "config": describe(config_type, config),
        "layers": [describe("application/wasm", MODULE)],
    });
    let manifest = manifest.to_string();
    let mut entry = describe("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes());
    entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    let index = json!({ "schemaVersion": 2, "manifests": [entry] }).to_string();
    tar(&[
        (&blob(config), config),
        (&blob(MODULE), MODULE),
        (&blob(manifest.as_bytes()), manifest.as_bytes()),
        ("index.json", index.as_bytes()),
    ])
}

#[test]
fn images_are_carried_from_one_layout_to_another() {
    let (ours, theirs) = (World::new(), World::new());
    let artifact = ours.image("kuard:blue", Form::Artifact);
    let container = ours.image("ghcr.io/acme/site:1", Form::Container);
    let archive = ours.save(&["kuard:blue", "ghcr.io/acme/site:1"]);
    assert_eq!(ours.save(&["kuard:blue", "ghcr.io/acme/site:1"]), archive);
    let expected = [loaded("kuard:blue", &artifact), loaded("ghcr.io/acme/site:1", &container)];
    assert_eq!(theirs.load(&archive).unwrap(), expected);
    for digest in [artifact, container] {
        theirs.layout.verify_image(&digest).unwrap();
    }
    // Once more, and packed.
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&archive).unwrap();
    assert_eq!(theirs.load(&packed.finish().unwrap()).unwrap(), expected);
    assert_eq!(theirs.layout.images().unwrap().len(), 2);
}

#[test]
fn what_is_not_there_is_not_saved() {
    let world = World::new();
    let error = save(&world.layout, &[reference("kuard")], Vec::new()).unwrap_err();
    insta::assert_snapshot!(error, @"image docker.io/library/kuard:latest: not found");
    let digest = world.image("kuard", Form::Artifact);
    // Somebody has changed a blob behind our back.
    fs::write(world.layout.blob_path(&Digest::sha256(MODULE)), b"\0asm\x02\0\0\0").unwrap();
    let error = save(&world.layout, &[reference("kuard")], Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("unexpected digest"), "{error}");
    assert!(world.layout.has(&digest));
}

#[test]
fn a_name_is_what_its_author_meant() {
    let config = "application/vnd.wasm.config.v0+json";
    for (written, expected) in [
        ("docker.io/library/kuard:blue", "kuard:blue"),
        ("acme/kuard", "acme/kuard:latest"),
        ("kuard:blue", "kuard:blue"),
        // All that skopeo may be told.
        ("Blue", "localhost/blue:latest"),
    ] {
        let loaded = World::new().load(&image_of(config, b"{}", written)).unwrap();
        assert_eq!(loaded[0].name, Some(reference(expected)), "{written}");
    }
}

#[test]
fn what_is_wrong_leaves_nothing() {
    let config = "application/vnd.wasm.config.v0+json";
    let good = image_of(config, b"{}", "kuard:blue");
    let wrong = {
        let mut archive = good.clone();
        let place = archive.windows(8).position(|window| window == MODULE).unwrap();
        archive[place + 4] = 7;
        archive
    };
    let linux = json!({ "os": "linux", "architecture": "amd64", "config": { "Cmd": ["/bin/sh"] } });
    let linux = {
        let config = linux.to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "config": describe("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            "layers": [],
        })
        .to_string();
        let entry = describe("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes());
        let index = json!({ "schemaVersion": 2, "manifests": [entry] }).to_string();
        tar(&[
            ("index.json", index.as_bytes()),
            (&blob(config.as_bytes()), config.as_bytes()),
            (&blob(manifest.as_bytes()), manifest.as_bytes()),
        ])
    };
    let huge = vec![b' '; 5 << 20];
    let lacking = json!([{ "Config": "0.json", "RepoTags": null, "Layers": [] }]).to_string();
    let digest = Digest::sha256(MODULE);
    let of_docker = json!([{
        "Config": format!("{}.json", digest.hex()), "RepoTags": ["a:1"], "Layers": []
    }])
    .to_string();
    let texts = [
        b"no archive, of whatever kind it may be: ".repeat(20),
        Vec::new(),
        tar(&[("../outside", b"x"), ("/etc/outside", b"x"), ("blobs/sha256/../../../x", b"x")]),
        good[..1536].to_vec(),
        good[..1540].to_vec(),
        wrong,
        image_of(config, b"{}", "No Name/"),
        image_of("application/vnd.cncf.helm.config.v1+json", b"{}", "chart:1"),
        linux,
        tar(&[("index.json", &huge)]),
        tar(&[("index.json", b"{")]),
        tar(&[("index.json", br#"{"schemaVersion":2,"manifests":[]}"#), ("manifest.json", b"[")]),
        tar(&[("manifest.json", lacking.as_bytes())]),
        tar(&[("manifest.json", of_docker.as_bytes())]),
    ]
    .map(|archive| World::failure(&archive));
    insta::assert_snapshot!(texts.join("\n"), @r#"
    cannot read the archive: a header whose sum is wrong
    it is no archive of images: it has neither an index.json (`podman save --format oci-archive`) nor a manifest.json (`docker save`)
    it is no archive of images: it has neither an index.json (`podman save --format oci-archive`) nor a manifest.json (`docker save`)
    cannot read the archive: it breaks off
    cannot read the archive: it breaks off
    unexpected digest sha256:f3adca16660fc3c15ad82d466ec8533b003cd43aa79de5358360453e5b23efc5, expected sha256:93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476
    index.json of the archive calls an image "No Name/": invalid reference format: "No Name" is not a registry's host name
    the image docker.io/library/chart:1 cannot run here: the config is of type "application/vnd.cncf.helm.config.v1+json", which is neither a container's, nor one of WebAssembly, nor Spin's
    the image sha256:875cc91ba6c063998c7e4da57cd9433cc6d768e740d9f6ebde72a9d876dfa46e cannot run here: it is a container image for linux/amd64 that starts "/bin/sh", and runs machine code; wasmpod runs WebAssembly: build it for the platform wasi/wasm, or with an entrypoint that is a .wasm file
    index.json of the archive has 5242880 bytes, more than 4194304
    index.json of the archive cannot be read: EOF while parsing an object at line 1 column 1
    manifest.json of the archive cannot be read: EOF while parsing a list at line 1 column 1
    manifest.json of the archive names the file "0.json", not by its digest: make it an OCI archive (`skopeo copy docker-archive:FILE oci-archive:FILE`)
    the archive lacks sha256:93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476
    "#);
}

#[test]
fn skopeo_reads_ours_and_we_read_what_it_writes() {
    let (ours, theirs) = (World::new(), World::new());
    let digest = ours.image("ghcr.io/acme/site:1", Form::Container);
    fs::write(ours.path("ours.tar"), ours.save(&["ghcr.io/acme/site:1"])).unwrap();
    let skopeo = |arguments: &[String]| {
        let output = Command::new("skopeo").arg("--insecure-policy").args(arguments).output();
        if output.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return false;
        }
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        true
    };
    let from = format!("oci-archive:{}:ghcr.io/acme/site:1", ours.path("ours.tar"));
    for to in ["oci-archive:FILE:site:2", "docker-archive:FILE:docker.io/acme/site:3"] {
        let file = ours.path(if to.starts_with("oci") { "oci.tar" } else { "docker.tar" });
        // To an OCI archive it would compress the layers, and give them other digests.
        let copy =
            ["copy", "--dest-oci-accept-uncompressed-layers", &from, &to.replace("FILE", &file)];
        if !skopeo(&copy.map(ToOwned::to_owned)) {
            // Not installed: apt-get install skopeo.
            return;
        }
    }
    let oci = theirs.load(&fs::read(ours.path("oci.tar")).unwrap()).unwrap();
    assert_eq!(oci, [loaded("site:2", &digest)]);
    let docker = theirs.load(&fs::read(ours.path("docker.tar")).unwrap()).unwrap();
    assert_eq!(docker[0].name, Some(reference("acme/site:3")));
    theirs.layout.verify_image(&docker[0].digest).unwrap();
}
