//! What is packed is read again as what it was.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};

use oci_spec::image::{Descriptor, MediaType};
use serde_json::Value;

use super::{Blobs, Form, Pack};
use crate::artifact::{ExposedPort, Image, Layout, Manifest, Program, Protocol};
use crate::digest::Digest;
use crate::rootfs::{Limits, unpack};

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

#[derive(Default)]
struct Memory(HashMap<String, Vec<u8>>);

impl Memory {
    fn get(&self, blob: &Descriptor) -> &[u8] {
        &self.0[&blob.digest().to_string()]
    }

    fn json(&self, blob: &Descriptor) -> String {
        let value: Value = serde_json::from_slice(self.get(blob)).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    }

    fn image(&self, manifest: &Descriptor) -> Image {
        let manifest = Manifest::decode(self.get(manifest)).unwrap();
        manifest.image(self.get(manifest.document())).unwrap()
    }
}

impl Blobs for Memory {
    fn put(&mut self, media_type: MediaType, bytes: &[u8]) -> io::Result<Descriptor> {
        let digest = Digest::sha256(bytes);
        self.0.insert(digest.to_string(), bytes.to_vec());
        Ok(Descriptor::new(media_type, bytes.len() as u64, digest.to_oci()))
    }
}

/// A folder with a module, a component and some files.
fn workshop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("hello.wasm", MODULE);
    write("http.wasm", COMPONENT);
    fs::create_dir_all(folder.path().join("static/deep")).unwrap();
    write("static/index.html", b"<p>");
    write("static/deep/run.sh", b"#!");
    let runs = fs::Permissions::from_mode(0o700);
    fs::set_permissions(folder.path().join("static/deep/run.sh"), runs).unwrap();
    symlink("index.html", folder.path().join("static/link")).unwrap();
    folder
}

#[test]
fn an_artifact_is_a_program_that_tells_what_it_is() {
    let folder = workshop();
    let mut blobs = Memory::default();
    let pack =
        Pack::new(folder.path().join("http.wasm")).label("org.opencontainers.image.version", "1");
    let manifest = pack.write(&mut blobs).unwrap();
    insta::assert_snapshot!(blobs.json(&manifest), @r#"
    {
      "annotations": {
        "org.opencontainers.image.version": "1"
      },
      "config": {
        "digest": "sha256:386a822cef2fd0055ba5a7cafe20201b8e04fad4c9753664b73c25626db90228",
        "mediaType": "application/vnd.wasm.config.v0+json",
        "size": 161
      },
      "layers": [
        {
          "annotations": {
            "org.opencontainers.image.title": "http.wasm"
          },
          "digest": "sha256:24eaf3439a60c96764c4f2c92a0a81b52bd4fe5d5b91f090184a0f6486b1bf29",
          "mediaType": "application/wasm",
          "size": 8
        }
      ],
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "schemaVersion": 2
    }
    "#);
    let decoded = Manifest::decode(blobs.get(&manifest)).unwrap();
    insta::assert_snapshot!(blobs.json(decoded.document()), @r#"
    {
      "architecture": "wasm",
      "created": "1970-01-01T00:00:00Z",
      "layerDigests": [
        "sha256:24eaf3439a60c96764c4f2c92a0a81b52bd4fe5d5b91f090184a0f6486b1bf29"
      ],
      "os": "wasip2"
    }
    "#);
    let image = blobs.image(&manifest);
    assert_eq!(image.command.entrypoint, ["http.wasm"]);
    let Program::Blob(program) = image.program else { panic!("a blob is the program") };
    assert_eq!(blobs.get(&program), COMPONENT);

    let module = Pack::new(folder.path().join("hello.wasm")).write(&mut blobs).unwrap();
    let module = Manifest::decode(blobs.get(&module)).unwrap();
    assert!(blobs.json(module.document()).contains("\"wasip1\""));
}

#[test]
fn a_container_image_has_files_and_a_command() {
    let folder = workshop();
    let mut blobs = Memory::default();
    let pack = Pack::new(folder.path().join("hello.wasm"))
        .form(Form::Container)
        .file(folder.path().join("static"), "/srv/static")
        .file(folder.path().join("static/index.html"), "etc/")
        .argument("--serve")
        .env("MODE", "a=b")
        .working_dir("/srv")
        .expose(ExposedPort { port: 8080, protocol: Protocol::Tcp })
        .label("who", "me")
        .source_date_epoch("1700000000")
        .unwrap();
    let manifest = pack.write(&mut blobs).unwrap();
    let decoded = Manifest::decode(blobs.get(&manifest)).unwrap();
    insta::assert_snapshot!(blobs.json(decoded.document()), @r#"
    {
      "architecture": "wasm",
      "config": {
        "Entrypoint": [
          "/hello.wasm",
          "--serve"
        ],
        "Env": [
          "MODE=a=b"
        ],
        "ExposedPorts": {
          "8080/tcp": {}
        },
        "Labels": {
          "who": "me"
        },
        "WorkingDir": "/srv"
      },
      "created": "2023-11-14T22:13:20Z",
      "history": [
        {
          "created": "2023-11-14T22:13:20Z",
          "created_by": "wasmpod image pack"
        }
      ],
      "os": "wasi",
      "rootfs": {
        "diff_ids": [
          "sha256:a0ff84e5bf47db5424dae5d47283ba76147444384143a488f7708ee227e7a788"
        ],
        "type": "layers"
      }
    }
    "#);

    let image = blobs.image(&manifest);
    assert_eq!((image.layout, &image.program), (Layout::Container, &Program::InRoot));
    assert_eq!(image.command.argv(&[], &[]).unwrap(), ["/hello.wasm", "--serve"]);
    let root = tempfile::tempdir().unwrap();
    let open = |blob: &_| Ok(blobs.get(blob));
    let unpacked = unpack(&image.layers, open, root.path(), Limits::default()).unwrap();
    assert_eq!(unpacked.notes, [""; 0]);
    assert_eq!(fs::read(root.path().join("hello.wasm")).unwrap(), MODULE);
    assert_eq!(fs::read(root.path().join("srv/static/link")).unwrap(), b"<p>");
    assert_eq!(fs::read(root.path().join("etc/index.html")).unwrap(), b"<p>");
    let script = fs::metadata(root.path().join("srv/static/deep/run.sh")).unwrap();
    assert_eq!(script.permissions().mode() & 0o777, 0o755);
}

#[test]
fn the_same_files_give_the_same_digest() {
    let digests = [1, 2].map(|age| {
        let folder = workshop();
        let file = fs::File::open(folder.path().join("static/index.html")).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(age)).unwrap();
        let pack = Pack::new(folder.path().join("hello.wasm"))
            .form(Form::Container)
            .file(folder.path().join("static"), "/static")
            .label("b", "2")
            .label("a", "1");
        pack.write(&mut Memory::default()).unwrap().digest().to_string()
    });
    assert_eq!(digests[0], digests[1]);
    insta::assert_snapshot!(digests[0], @"sha256:019065064a0c61fa7bc9b34a67c8bcd811114a04df46058d19a60e8f80fca9f1");
}

#[test]
fn what_cannot_be_packed_is_named() {
    let folder = workshop();
    let path = |name: &str| folder.path().join(name);
    let refusal = |pack: Pack| {
        let error = pack.write(&mut Memory::default()).unwrap_err();
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    };
    let container = || Pack::new(path("hello.wasm")).form(Form::Container);
    insta::assert_snapshot!(refusal(Pack::new(path("missing.wasm"))), @"cannot read FOLDER/missing.wasm");
    insta::assert_snapshot!(refusal(Pack::new(path("static/index.html"))), @r"FOLDER/static/index.html is not WebAssembly: it does not start with `\0asm`");
    insta::assert_snapshot!(refusal(Pack::new(path("hello.wasm")).file(path("static"), "/")), @"an artifact has no files: make a container image");
    insta::assert_snapshot!(refusal(Pack::new(path("hello.wasm")).env("A", "1")), @"an artifact has no variables: make a container image");
    insta::assert_snapshot!(refusal(container().file(path("static"), "../x")), @r#""../x" is no path within an image"#);
    insta::assert_snapshot!(refusal(container().file(path("http.wasm"), "hello.wasm")), @"two files are to be hello.wasm of the image");
    insta::assert_snapshot!(refusal(container().file(path("http.wasm"), "hello.wasm/x")), @"two files are to be hello.wasm of the image");
    insta::assert_snapshot!(refusal(container().env("A=B", "1")), @r#""A=B" is no name of a variable"#);
    let date = container().source_date_epoch("today").unwrap_err();
    insta::assert_snapshot!(date, @r#""today" is no SOURCE_DATE_EPOCH"#);
    insta::assert_snapshot!(refusal(container().file("/dev/null", "null")), @"/dev/null is neither a file, a folder nor a link");
}
