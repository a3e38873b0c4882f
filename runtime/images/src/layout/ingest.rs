//! How a blob comes in: written to a partial file by one process at a time, hashed on the way, and
//! renamed into place once it is what it should be.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::LayoutError;
use super::folder::{at, create_folder, open_private, sync_folder_of};
use super::limits::MOST_MANIFEST_BYTES;
use super::store::Layout;
use crate::digest::{Digest, Hasher};

/// What came of wanting a blob.
#[derive(Debug)]
pub enum Begin {
    /// It is there already.
    Present,
    /// Somebody else writes it now; ask again later, for they may die.
    Busy,
    /// It is for the caller to write.
    Mine(Box<Ingest>),
}

/// A blob on its way in. Dropped, it leaves what came so far to the next one who wants the blob.
#[derive(Debug)]
pub struct Ingest {
    layout: Layout,
    digest: Digest,
    size: u64,
    partial: PathBuf,
    /// Holds the lock that makes the partial file ours.
    file: File,
    hasher: Hasher,
    written: u64,
    done: bool,
}

impl Layout {
    /// See [`super::Pin::ingest`].
    pub(super) fn begin(&self, digest: &Digest, size: u64) -> Result<Begin, LayoutError> {
        let name = format!("{}-{}", digest.algorithm().as_str(), digest.hex());
        let partial = self.ingest_folder().join(name);
        loop {
            if self.look_for(digest, size)? == Found::Whole {
                return Ok(Begin::Present);
            }
            let file = at(&partial, open_private(&partial))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Ok(Begin::Busy),
                Err(fs::TryLockError::Error(error)) => return at(&partial, Err(error)),
            }
            // Whoever had the lock before may have renamed or removed the file that we opened.
            if !is_same_file(&file, &partial) {
                continue;
            }
            let mut ingest = Box::new(Ingest {
                layout: self.clone(),
                digest: digest.clone(),
                size,
                partial,
                file,
                hasher: Hasher::new(digest.algorithm()),
                written: 0,
                done: false,
            });
            // It may have come between the first look and the lock. From here on nobody else puts it
            // into place, so that what is removed is what was looked at.
            match self.look_for(digest, size)? {
                Found::Whole => {
                    ingest.remove();
                    return Ok(Begin::Present);
                }
                Found::Damaged => {
                    let blob = self.blob_path(digest);
                    at(&blob, remove_if_there(&blob))?;
                }
                Found::Nothing => {}
            }
            ingest.resume()?;
            return Ok(Begin::Mine(ingest));
        }
    }

    /// Whether the blob is there in this size. One of another size is hashed: either the descriptor
    /// is wrong, or the blob is. So is one that may be a manifest: those are hashed whenever they are
    /// read, and one that is damaged would never come again.
    fn look_for(&self, digest: &Digest, size: u64) -> Result<Found, LayoutError> {
        let actual = match self.open_blob(digest) {
            Ok((_, actual)) => actual,
            Err(LayoutError::Missing(_)) => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        if actual == size && size > MOST_MANIFEST_BYTES {
            return Ok(Found::Whole);
        }
        match self.verify(digest) {
            Ok(actual) if actual == size => Ok(Found::Whole),
            Ok(actual) => {
                Err(LayoutError::SizeMismatch { digest: digest.clone(), expected: size, actual })
            }
            Err(LayoutError::DigestMismatch { .. }) => Ok(Found::Damaged),
            Err(LayoutError::Missing(_)) => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }
}

/// What is where a blob should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Whole,
    Damaged,
    Nothing,
}

impl Ingest {
    /// What it will be.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How many bytes of it are here: where to go on.
    pub fn offset(&self) -> u64 {
        self.written
    }

    /// How many it will have.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the bytes of an earlier process, which may have died in the midst of a write.
    fn resume(&mut self) -> Result<(), LayoutError> {
        let length = at(&self.partial, self.file.metadata())?.len();
        if length > self.size {
            return self.restart();
        }
        self.written = at(&self.partial, self.hasher.update_from(&mut self.file))?;
        Ok(())
    }

    /// Forgets what came so far: the other side does not send from the middle.
    ///
    /// # Errors
    /// [`LayoutError::Io`]
    pub fn restart(&mut self) -> Result<(), LayoutError> {
        at(&self.partial, self.file.set_len(0))?;
        at(&self.partial, self.file.seek(SeekFrom::Start(0)))?;
        self.hasher = Hasher::new(self.digest.algorithm());
        self.written = 0;
        Ok(())
    }

    /// Goes on with these bytes.
    ///
    /// # Errors
    /// [`LayoutError::SizeMismatch`] as soon as it gets longer than it may; nothing of these bytes
    /// is written then.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LayoutError> {
        let written = self.written + bytes.len() as u64;
        if written > self.size {
            return Err(self.wrong_size(written));
        }
        at(&self.partial, self.file.write_all(bytes))?;
        self.hasher.update(bytes);
        self.written = written;
        Ok(())
    }

    /// Puts it into place. What is not what it should be is removed.
    ///
    /// # Errors
    /// [`LayoutError::SizeMismatch`], [`LayoutError::DigestMismatch`]
    pub fn commit(mut self) -> Result<(), LayoutError> {
        if self.written != self.size {
            let error = self.wrong_size(self.written);
            self.remove();
            return Err(error);
        }
        let actual = self.hasher.clone().finish();
        if actual != self.digest {
            self.remove();
            return Err(LayoutError::DigestMismatch { expected: self.digest.clone(), actual });
        }
        if let Err(error) = self.file.sync_data() {
            // What was written is of no use, and on a disk that is full it would keep the room.
            self.remove();
            return at(&self.partial, Err(error));
        }
        let blob = self.layout.blob_path(&self.digest);
        create_folder(&self.layout.blobs(self.digest.algorithm()))?;
        at(&blob, fs::rename(&self.partial, &blob))?;
        self.done = true;
        sync_folder_of(&blob)
    }

    /// Gives it up, with what came so far: it cannot become what it should.
    pub fn discard(mut self) {
        self.remove();
    }

    fn wrong_size(&self, actual: u64) -> LayoutError {
        LayoutError::SizeMismatch { digest: self.digest.clone(), expected: self.size, actual }
    }

    fn remove(&mut self) {
        // While the lock is held, so that it is nobody else's file.
        let _ = fs::remove_file(&self.partial);
        self.done = true;
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        if !self.done && self.written == 0 {
            self.remove();
        }
    }
}

pub(super) fn is_same_file(file: &File, path: &Path) -> bool {
    let (Ok(opened), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    opened.ino() == there.ino() && opened.dev() == there.dev()
}

/// Removes a file that another process may have removed before.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
