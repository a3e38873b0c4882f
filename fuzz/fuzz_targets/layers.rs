//! Any bytes as the layers of an image: nothing is written outside the root.
//!
//! The first byte says what the rest is. A tar header has a sum that chance does not hit, so with `e`
//! the rest is a line for each entry, `<kind><path> <link>`, and an empty line begins another layer.

#![no_main]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;
use oci_spec::image::{Descriptor, Digest, MediaType};
use tar::{EntryType, Header};
use wasmpod_images::artifact::{Layer, Packing};
use wasmpod_images::rootfs::{Limits, unpack};

const LIMITS: Limits = Limits { bytes: 1 << 20, entries: 256, depth: 16, ratio: 250 };

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else { return };
    let (packing, blobs) = match how {
        b't' => (Packing::None, vec![rest.to_vec()]),
        b'g' => (Packing::Gzip, vec![rest.to_vec()]),
        b'z' => (Packing::Zstd, vec![rest.to_vec()]),
        b'e' => (Packing::None, archives(rest)),
        _ => return,
    };
    let world = tempfile::tempdir().expect("there is room");
    let root = world.path().join("root");
    fs::create_dir(&root).expect("it is new");
    fs::write(world.path().join("outside"), "untouched").expect("there is room");
    let layers: Vec<Layer> = (0..blobs.len()).map(|number| layer(number, packing)).collect();
    let open =
        |blob: &Descriptor| Ok(blobs[usize::try_from(blob.size()).expect("made so")].as_slice());
    let _ = unpack(&layers, open, &root, LIMITS);
    assert_eq!(fs::read(world.path().join("outside")).expect("it is still there"), b"untouched");
    assert_eq!(fs::read_dir(world.path()).expect("it is ours").count(), 2);
    check(&root, 0);
});

/// The blob's number is its size: nobody here looks at either.
fn layer(number: usize, packing: Packing) -> Layer {
    let digest: Digest = format!("sha256:{number:064x}").parse().expect("64 digits");
    let blob = Descriptor::new(MediaType::ImageLayer, number as u64, digest);
    Layer::Archive { blob: Box::new(blob), packing, diff_id: None }
}

fn archives(lines: &[u8]) -> Vec<Vec<u8>> {
    let mut archives = vec![Vec::new()];
    for line in lines.split(|byte| *byte == b'\n') {
        match (line.split_first(), archives.last_mut()) {
            (Some((kind, names)), Some(archive)) => entry(archive, *kind, names),
            _ => archives.push(Vec::new()),
        }
    }
    archives
}

fn entry(archive: &mut Vec<u8>, kind: u8, names: &[u8]) {
    let mut names = names.splitn(2, |byte| *byte == b' ');
    let mut header = Header::new_gnu();
    let put = |field: &mut [u8], name: &[u8]| {
        let length = name.len().min(field.len());
        field[..length].copy_from_slice(&name[..length]);
    };
    put(&mut header.as_old_mut().name, names.next().unwrap_or_default());
    put(&mut header.as_old_mut().linkname, names.next().unwrap_or_default());
    header.set_entry_type(match kind {
        b'd' => EntryType::Directory,
        b'l' => EntryType::Symlink,
        b'h' => EntryType::Link,
        b'f' => EntryType::Fifo,
        _ => EntryType::Regular,
    });
    header.set_size(0);
    header.set_mode(0o7777);
    header.set_cksum();
    archive.extend_from_slice(header.as_bytes());
}

fn check(folder: &Path, depth: usize) {
    for entry in fs::read_dir(folder).expect("its owner may read it") {
        let entry = entry.expect("nobody else is here");
        let metadata = entry.metadata().expect("it is there");
        if metadata.is_symlink() {
            let target = fs::read_link(entry.path()).expect("it is a link");
            let mut height = Some(depth);
            for part in target.components() {
                height = match (part, height) {
                    (Component::Normal(_), Some(height)) => Some(height + 1),
                    (Component::ParentDir, Some(height)) => height.checked_sub(1),
                    (Component::CurDir, height) => height,
                    _ => None,
                };
            }
            assert!(height.is_some(), "{} leads out", target.display());
            continue;
        }
        assert_eq!(metadata.permissions().mode() & 0o7000, 0);
        if metadata.is_dir() {
            check(&entry.path(), depth + 1);
        }
    }
}
