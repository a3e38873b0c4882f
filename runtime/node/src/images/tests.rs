//! Names, and what goes with the last of them.

use std::path::Path;

use wasmpod::image::Compiler;
use wasmpod::pod::Folders;
use wasmpod_images::reference::Reference;

use super::*;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn images(root: &Path) -> Images {
    Images::new(&Folders::find(Some(root)).unwrap())
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// An image whose program differs from others' by a custom section.
fn pack(images: &Images, root: &Path, name: &str) -> Reference {
    let module = root.join("app.wasm");
    let section = [&[0, u8::try_from(name.len() + 1).unwrap(), 0], name.as_bytes()].concat();
    std::fs::write(&module, [MODULE, &section].concat()).unwrap();
    images.pack(&Pack::new(&module), &reference(name)).unwrap()
}

fn names(images: &Images) -> Vec<String> {
    images.names().unwrap()
}

#[test]
fn who_only_looks_makes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let images = images(root.path());
    assert!(images.list().unwrap().is_empty() && names(&images).is_empty());
    assert_eq!(images.usage().unwrap(), ImagesUsage::default());
    assert_eq!(images.prune(Prune::Unused).unwrap(), Pruned::default());
    assert!(matches!(images.remove("a", Force::No), Err(Problem::NotFound(_))));
    assert!(matches!(images.tag("a", &reference("b")), Err(Problem::NotFound(_))));
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn an_image_goes_with_its_last_name() {
    let root = tempfile::tempdir().unwrap();
    let images = images(root.path());
    let digest = pack(&images, root.path(), "app:1").digest().unwrap().clone();
    pack(&images, root.path(), "other:1");
    images.tag(short_id(&digest), &reference("localhost/app")).unwrap();
    assert_eq!(names(&images), ["app:1", "other:1", "localhost/app:latest"]);

    let several = images.remove(short_id(&digest), Force::No).unwrap_err();
    assert!(matches!(several, Problem::SeveralNames { .. }), "{several}");
    let untagged = Removed::Untagged("app:1".to_owned());
    assert_eq!(images.remove("app:1", Force::No).unwrap(), [untagged]);
    let gone = images.remove(&digest.to_string(), Force::No).unwrap();
    assert_eq!(
        gone,
        [Removed::Untagged("localhost/app:latest".to_owned()), Removed::Deleted(digest)]
    );
    assert_eq!(names(&images), ["other:1"]);
}

#[test]
fn what_somebody_uses_stays_whatever_goes() {
    let root = tempfile::tempdir().unwrap();
    let images = images(root.path());
    let digest = pack(&images, root.path(), "used:1").digest().unwrap().clone();
    pack(&images, root.path(), "unused:1");
    let layout = images.open().unwrap();
    let pin = layout.pin("pod").unwrap();
    pin.take(&reference("used:1")).unwrap().unwrap();
    let in_use: Vec<bool> = images.list().unwrap().iter().map(|image| image.in_use).collect();
    assert_eq!(in_use, [false, true]);
    let usage = images.usage().unwrap();
    assert_eq!((usage.images, usage.in_use), (2, 1));
    assert!(usage.reclaimable > 0 && usage.reclaimable < usage.bytes, "{usage:?}");

    let would = images.would_prune(Prune::Unused).unwrap();
    assert_eq!(names(&images).len(), 2, "nothing has gone yet");
    let pruned = images.prune(Prune::Unused).unwrap();
    assert_eq!(pruned, would);
    assert_eq!(pruned.images[0].1, ["docker.io/library/unused:1"]);
    assert_eq!(pruned.images.len(), 1);

    assert!(matches!(images.remove("used:1", Force::No), Err(Problem::InUse(_))));
    let forced = images.remove("used:1", Force::Yes).unwrap();
    assert_eq!(forced, [Removed::Untagged("used:1".to_owned())]);
    assert!(layout.has(&digest), "the Pod has it");
    drop(pin);
    images.prune(Prune::Unnamed).unwrap();
    assert!(!layout.has(&digest));
}

#[test]
fn an_archive_brings_an_image_to_another_machine() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, other) = (images(here.path()), images(there.path()));
    pack(&one, here.path(), "app:1");
    let archive = here.path().join("app.tar");
    one.save_to(&[reference("app:1")], &archive).unwrap();
    let loaded = other.load(std::fs::File::open(&archive).unwrap()).unwrap();
    assert_eq!(loaded, ["app:1"]);
    assert_eq!(other.list().unwrap()[0].digest, one.list().unwrap()[0].digest);
    let missing = one.save_to(&[reference("no:1")], &archive).unwrap_err();
    assert_eq!(wasmpod::error::chain(&missing), "image docker.io/library/no:1: not found");
    assert!(archive.exists(), "the older one stays");
}

#[test]
fn an_image_tells_what_it_holds() {
    let root = tempfile::tempdir().unwrap();
    let images = images(root.path());
    let module = root.path().join("app.wasm");
    std::fs::write(&module, r#"(module (func (export "_start")))"#).unwrap();
    let file = Images::inspect_file(&module, &Compiler::InProcess).unwrap();
    assert_eq!(file.program.kind.as_deref(), Some("command-0.1"));
    let odd = root.path().join("odd.wat");
    let text = r#"(component
        (import "wasi:cli/stdin@0.2.6" (instance)) (import "wasi:clocks/types@0.3.0" (instance))
        (import "acme:pumps/control@1.0.0" (instance)) (import "wasi:nn/graph@0.2.0" (instance)))"#;
    std::fs::write(&odd, text).unwrap();
    let odd = Images::inspect_file(&odd, &Compiler::InProcess).unwrap();
    assert_eq!(odd.program.missing_imports, ["acme:pumps/control@1.0.0", "wasi:nn/graph@0.2.0"]);
    let pack = Pack::new(pack_module(root.path())).form(Form::Container).env("A", "b");
    images.pack(&pack.working_dir("/srv"), &reference("app")).unwrap();
    let image = images.inspect("app", &Compiler::InProcess).unwrap();
    assert_eq!(image.layout, "a container image for WebAssembly");
    assert_eq!((image.entrypoint, image.env), (vec!["/app2.wasm".into()], vec!["A=b".into()]));
    assert_eq!(image.program.kind.as_deref(), Some("reactor-module"));
    assert_eq!((image.layers.len(), image.working_dir.as_deref()), (1, Some("/srv")));
    let pruned = images.prune(Prune::Unused).unwrap();
    assert!(pruned.bytes > 4096, "its root as well: {pruned:?}");
    assert!(images.trees().unwrap().unwrap().images().unwrap().is_empty());
}

fn pack_module(root: &Path) -> std::path::PathBuf {
    let module = root.join("app2.wasm");
    std::fs::write(&module, MODULE).unwrap();
    module
}
