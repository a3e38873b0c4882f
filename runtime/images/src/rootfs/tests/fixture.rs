//! A world in which layers are unpacked, with something beside it that must stay as it is.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use oci_spec::image::{Descriptor, MediaType};
use tar::{EntryType, Header};

use super::super::{Limits, RootfsError, Unpacked, unpack};
use crate::artifact::{Layer, Packing};
use crate::digest::Digest;

/// A tar archive in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Archive(Vec<u8>);

impl Archive {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn entry(
        mut self,
        kind: EntryType,
        path: impl AsRef<[u8]>,
        link: impl AsRef<[u8]>,
        mode: u32,
        content: &[u8],
    ) -> Self {
        let mut header = Header::new_gnu();
        let put = |field: &mut [u8], value: &[u8]| {
            assert!(value.len() <= field.len(), "the name fits a header");
            field[..value.len()].copy_from_slice(value);
        };
        put(&mut header.as_old_mut().name, path.as_ref());
        put(&mut header.as_old_mut().linkname, link.as_ref());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn file(self, path: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, path, "", 0o644, content.as_bytes())
    }

    pub(super) fn folder(self, path: &str) -> Self {
        self.entry(EntryType::Directory, path, "", 0o755, b"")
    }

    pub(super) fn link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, target, 0o777, b"")
    }

    pub(super) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path, target, 0o644, b"")
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Layers, and the blobs that they are.
#[derive(Default)]
pub(super) struct Image {
    pub(super) layers: Vec<Layer>,
    blobs: Vec<(Digest, Vec<u8>)>,
}

impl Image {
    /// Of plain archives.
    pub(super) fn of(archives: &[Archive]) -> Self {
        let mut image = Self::default();
        for archive in archives {
            let bytes = archive.bytes();
            let diff_id = Digest::sha256(&bytes);
            image.add(bytes, Packing::None, Some(&diff_id));
        }
        image
    }

    pub(super) fn packed(blob: Vec<u8>, packing: Packing, diff_id: Option<&Digest>) -> Self {
        let mut image = Self::default();
        image.add(blob, packing, diff_id);
        image
    }

    fn add(&mut self, blob: Vec<u8>, packing: Packing, diff_id: Option<&Digest>) {
        let digest = Digest::sha256(&blob);
        let size = blob.len() as u64;
        let descriptor = Descriptor::new(MediaType::ImageLayer, size, digest.to_oci());
        let diff_id = diff_id.map(Digest::to_oci);
        self.layers.push(Layer::Archive { blob: Box::new(descriptor), packing, diff_id });
        self.blobs.push((digest, blob));
    }

    pub(super) fn open(&self, blob: &Descriptor) -> io::Result<&[u8]> {
        let digest = Digest::of(blob).unwrap();
        let found = self.blobs.iter().find(|(known, _)| *known == digest);
        found.map(|(_, blob)| blob.as_slice()).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

/// A folder with the root in it, and a file beside the root.
pub(super) struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        fs::write(folder.path().join("outside"), "untouched").unwrap();
        Self { folder }
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    #[track_caller]
    pub(super) fn unpack(&self, image: &Image, limits: Limits) -> Result<Unpacked, RootfsError> {
        let unpacked = unpack(&image.layers, |blob| image.open(blob), &self.root(), limits);
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["outside", "root"], "nothing is made outside");
        let outside = self.folder.path().join("outside");
        assert_eq!(fs::read_to_string(&outside).unwrap(), "untouched");
        unpacked
    }
}

/// What `archives` unpack to, a line for each name.
#[track_caller]
pub(super) fn listing(archives: &[Archive]) -> String {
    let world = World::new();
    world.unpack(&Image::of(archives), Limits::default()).unwrap();
    list(&world.root())
}

/// Why `archives` do not unpack.
#[track_caller]
pub(super) fn refusal(archives: &[Archive]) -> String {
    let world = World::new();
    chain(&world.unpack(&Image::of(archives), Limits::default()).unwrap_err())
}

pub(super) fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

pub(super) fn list(root: &Path) -> String {
    let mut lines = Vec::new();
    list_below(root, root, &mut lines);
    lines.join("\n")
}

fn list_below(root: &Path, folder: &Path, lines: &mut Vec<String>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_dir() {
            lines.push(format!("{mode:o} {name}/"));
            list_below(root, &path, lines);
        } else if metadata.is_symlink() {
            lines.push(format!("link {name} -> {}", fs::read_link(&path).unwrap().display()));
        } else {
            let content = fs::read_to_string(&path).unwrap();
            lines.push(format!("{mode:o} {name} {content:?}"));
        }
    }
}
