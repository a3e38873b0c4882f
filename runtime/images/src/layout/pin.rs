//! What a process uses, and so what a collection leaves alone.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::error::LayoutError;
use super::folder::at;
use super::index::{Found, Image};
use super::ingest::{Begin, Ingest, is_same_file, remove_if_there};
use super::manifest::Manifest;
use super::store::Layout;
use crate::digest::Digest;
use crate::reference::Reference;

/// How long to wait between looks at another process's writing.
const BUSY_POLL: Duration = Duration::from_millis(10);

/// Keeps images and blobs in the layout, until it is dropped or its process dies.
#[derive(Debug)]
pub struct Pin {
    layout: Layout,
    path: PathBuf,
    /// Holds the lock that says that we live.
    file: File,
    /// What the file says already: who waits for a blob asks for it many times.
    kept: Mutex<HashSet<Digest>>,
}

impl Layout {
    /// A pin for `user`, whose name (letters, digits, `-`; the rest is left out) is for people who
    /// look into the folder.
    ///
    /// # Errors
    /// [`LayoutError::Io`]
    pub fn pin(&self, user: &str) -> Result<Pin, LayoutError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let user: String = user
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
            .take(64)
            .collect();
        // No collection may find it before its lock is held.
        let _lock = self.lock_shared()?;
        loop {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{user}-{}-{count}", std::process::id());
            let path = self.pin_folder().join(name);
            let file = at(&path, File::options().create(true).append(true).open(&path))?;
            // Left by a process that had our pid, or of one that has it in another namespace.
            if file.try_lock().is_err() || !is_same_file(&file, &path) {
                continue;
            }
            at(&path, file.set_len(0))?;
            return Ok(Pin { layout: self.clone(), path, file, kept: Mutex::default() });
        }
    }

    /// What living pins name; pins of the dead are removed. The exclusive lock must be held.
    pub(super) fn pinned(&self) -> Result<HashSet<Digest>, LayoutError> {
        let folder = self.pin_folder();
        let mut pinned = HashSet::new();
        for entry in at(&folder, fs::read_dir(&folder))?.flatten() {
            let path = entry.path();
            let Ok(file) = File::open(&path) else { continue };
            if file.try_lock().is_ok() {
                let _ = remove_if_there(&path);
                continue;
            }
            let lines = match fs::read_to_string(&path) {
                // Dropped at this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                lines => at(&path, lines)?,
            };
            pinned.extend(lines.lines().filter_map(|line| line.parse::<Digest>().ok()));
        }
        Ok(pinned)
    }
}

impl Pin {
    /// Keeps this blob and, if it is a manifest, all that it names, there or still to come. Counts
    /// as a use of the image.
    ///
    /// # Errors
    /// [`LayoutError::Io`]
    pub fn keep(&self, digest: &Digest) -> Result<(), LayoutError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains(digest) {
            let _lock = self.layout.lock_shared()?;
            at(&self.path, (&self.file).write_all(format!("{digest}\n").as_bytes()))?;
            kept.insert(digest.clone());
            self.layout.note_use(digest);
        }
        Ok(())
    }

    /// The image of this name, with its manifest, kept from here on, if all of it is there.
    ///
    /// # Errors
    /// [`LayoutError::Damaged`], [`LayoutError::Io`], or those of content when its manifest is not
    /// what it was.
    pub fn take(&self, reference: &Reference) -> Result<Option<(Image, Manifest)>, LayoutError> {
        let Some(Found { image, manifest }) = self.layout.find(reference)? else {
            return Ok(None);
        };
        let manifest = manifest?;
        self.keep(&image.digest)?;
        // Only now: until it was kept, a collection could take it.
        let mut needs = manifest.content.needs().into_iter();
        let is_there = self
            .layout
            .open_blob(&image.digest)
            .and_then(|_| needs.try_for_each(|needed| self.layout.blob(needed).map(drop)));
        match is_there {
            Ok(()) => Ok(Some((image, manifest))),
            Err(LayoutError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Wants a blob of this digest and size in bytes, and keeps it: what is present stays.
    ///
    /// # Errors
    /// [`LayoutError::SizeMismatch`] when it is there and has another size, [`LayoutError::Io`]
    pub fn ingest(&self, digest: &Digest, size: u64) -> Result<Begin, LayoutError> {
        self.keep(digest)?;
        self.layout.begin(digest, size)
    }

    /// As [`Pin::ingest`], waiting for whoever else writes it. `None`: it is there.
    ///
    /// # Errors
    /// As [`Pin::ingest`].
    pub fn ingest_waiting(
        &self,
        digest: &Digest,
        size: u64,
    ) -> Result<Option<Box<Ingest>>, LayoutError> {
        loop {
            match self.ingest(digest, size)? {
                Begin::Present => return Ok(None),
                Begin::Mine(ingest) => return Ok(Some(ingest)),
                Begin::Busy => thread::sleep(BUSY_POLL),
            }
        }
    }

    /// Puts bytes that are at hand into the layout; answers their sha256.
    ///
    /// # Errors
    /// [`LayoutError::Io`]
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, LayoutError> {
        let digest = Digest::sha256(bytes);
        self.put_as(&digest, bytes)?;
        Ok(digest)
    }

    /// As [`Pin::put`], under a digest that they should have.
    ///
    /// # Errors
    /// [`LayoutError::DigestMismatch`], [`LayoutError::Io`]
    pub fn put_as(&self, digest: &Digest, bytes: &[u8]) -> Result<(), LayoutError> {
        if let Some(mut ingest) = self.ingest_waiting(digest, bytes.len() as u64)? {
            // Bytes of an earlier process save nothing here.
            ingest.restart()?;
            ingest.write(bytes)?;
            ingest.commit()?;
        }
        Ok(())
    }

    /// The layout that it is of.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let _ = remove_if_there(&self.path);
    }
}
