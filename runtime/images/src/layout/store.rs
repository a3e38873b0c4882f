//! A layout's blobs: where they are, and reading them.

use std::fs::{self, File, FileTimes};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use oci_spec::image::Descriptor;

use super::error::LayoutError;
use super::folder::{at, create_folder, make_private, open_private, replace};
use super::index::EMPTY_INDEX;
use super::limits::MOST_MANIFEST_BYTES;
use super::manifest::Manifest;
use crate::digest::{Algorithm, Digest, Hasher};

const OCI_LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// A layout on disk. Clones share it; so do other processes. All that it does blocks.
#[derive(Clone, Debug)]
pub struct Layout {
    root: Arc<Path>,
}

impl Layout {
    /// The layout in `folder`, which is made if it is missing.
    ///
    /// # Errors
    /// [`LayoutError::Unsafe`] when the folder is somebody else's or others may write to it,
    /// [`LayoutError::Damaged`] when it is a layout of another version.
    pub fn open(folder: &Path) -> Result<Self, LayoutError> {
        make_private(folder)?;
        let layout = Self { root: folder.into() };
        let marker = folder.join("oci-layout");
        let mut is_made = true;
        for part in [&layout.pin_folder(), &layout.index_file(), &marker] {
            is_made &= at(part, fs::exists(part))?;
        }
        if !is_made {
            layout.make(&marker)?;
        }
        let version = at(&marker, fs::read_to_string(&marker))?;
        let version: serde_json::Value = serde_json::from_str(&version).unwrap_or_default();
        match version.get("imageLayoutVersion").and_then(serde_json::Value::as_str) {
            Some(version) if version.starts_with("1.") => Ok(layout),
            _ => Err(LayoutError::Damaged {
                path: marker,
                problem: "it is no image layout of version 1".to_owned(),
            }),
        }
    }

    /// Makes what is missing.
    fn make(&self, marker: &Path) -> Result<(), LayoutError> {
        create_folder(&self.ingest_folder())?;
        create_folder(&self.blobs(Algorithm::Sha256))?;
        let _lock = self.lock_exclusively()?;
        // The index first: what has a marker is a layout and has an index.
        if !at(marker, fs::exists(self.index_file()))? {
            replace(&self.index_file(), EMPTY_INDEX.as_bytes())?;
        }
        if !at(marker, fs::exists(marker))? {
            replace(marker, OCI_LAYOUT.as_bytes())?;
        }
        // Last: where it is, all else is there.
        create_folder(&self.pin_folder())
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Where the blob is if it is there; for a reader that maps it. Nothing is checked.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs(digest.algorithm()).join(digest.hex())
    }

    pub(super) fn blobs(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("blobs").join(algorithm.as_str())
    }

    pub(super) fn ingest_folder(&self) -> PathBuf {
        self.root.join("ingest")
    }

    pub(super) fn pin_folder(&self) -> PathBuf {
        self.root.join("pins")
    }

    pub(super) fn index_file(&self) -> PathBuf {
        self.root.join("index.json")
    }

    /// Whether the blob is there, of whatever size.
    pub fn has(&self, digest: &Digest) -> bool {
        self.blob_path(digest).is_file()
    }

    /// The blob of this descriptor, opened; its size is checked, its digest was when it came.
    ///
    /// # Errors
    /// [`LayoutError::Missing`], [`LayoutError::SizeMismatch`]
    pub fn blob(&self, descriptor: &Descriptor) -> Result<File, LayoutError> {
        let digest = Digest::of(descriptor)?;
        let (file, size) = self.open_blob(&digest)?;
        if size != descriptor.size() {
            let expected = descriptor.size();
            return Err(LayoutError::SizeMismatch { digest, expected, actual: size });
        }
        Ok(file)
    }

    pub(super) fn open_blob(&self, digest: &Digest) -> Result<(File, u64), LayoutError> {
        let path = self.blob_path(digest);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LayoutError::Missing(digest.clone()));
            }
            opened => at(&path, opened)?,
        };
        let size = at(&path, file.metadata())?.len();
        Ok((file, size))
    }

    /// The manifest of this digest, hashed again: it is small, and all else hangs on it.
    ///
    /// # Errors
    /// [`LayoutError::Missing`], or those of content.
    pub fn manifest(&self, digest: &Digest) -> Result<Manifest, LayoutError> {
        let (file, size) = self.open_blob(digest)?;
        if size > MOST_MANIFEST_BYTES {
            return Err(LayoutError::ManifestTooLarge { digest: digest.clone(), size });
        }
        let mut bytes = Vec::new();
        at(&self.blob_path(digest), file.take(MOST_MANIFEST_BYTES + 1).read_to_end(&mut bytes))?;
        Manifest::parse(digest.clone(), bytes)
    }

    /// Hashes a blob again; answers its size in bytes.
    ///
    /// # Errors
    /// [`LayoutError::Missing`], [`LayoutError::DigestMismatch`]
    pub fn verify(&self, digest: &Digest) -> Result<u64, LayoutError> {
        let (file, _) = self.open_blob(digest)?;
        let mut hasher = Hasher::new(digest.algorithm());
        let size = at(&self.blob_path(digest), hasher.update_from(file))?;
        let actual = hasher.finish();
        if actual == *digest {
            Ok(size)
        } else {
            Err(LayoutError::DigestMismatch { expected: digest.clone(), actual })
        }
    }

    /// Hashes a manifest and all that it needs again; answers their size in bytes.
    ///
    /// # Errors
    /// Of the first that is missing or is not what it should be.
    pub fn verify_image(&self, manifest: &Digest) -> Result<u64, LayoutError> {
        let manifest = self.manifest(manifest)?;
        let mut total = manifest.bytes.len() as u64;
        for descriptor in manifest.content.needs() {
            let digest = Digest::of(descriptor)?;
            let size = self.verify(&digest)?;
            if size != descriptor.size() {
                let expected = descriptor.size();
                return Err(LayoutError::SizeMismatch { digest, expected, actual: size });
            }
            total += size;
        }
        Ok(total)
    }

    /// Notes that the image of this manifest is used now. That it fails harms nobody: the image is
    /// collected somewhat earlier.
    pub fn note_use(&self, manifest: &Digest) {
        if let Ok((file, _)) = self.open_blob(manifest) {
            let _ = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
        }
    }

    /// Others may read and pin, but neither names nor blobs change.
    pub(super) fn lock_shared(&self) -> Result<File, LayoutError> {
        let path = self.root.join("lock");
        let file = at(&path, open_private(&path))?;
        at(&path, file.lock_shared())?;
        Ok(file)
    }

    /// Nobody else changes names, removes blobs or pins. Held for as long as some files take.
    pub(super) fn lock_exclusively(&self) -> Result<File, LayoutError> {
        let path = self.root.join("lock");
        let file = at(&path, open_private(&path))?;
        at(&path, file.lock())?;
        Ok(file)
    }
}
