//! The image file that code is made of.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::image::digest::hex;
use crate::image::error::ImageError;
use crate::image::file::ImageFile;
use crate::image::identity::FileIdentity;

/// What is read at a time.
const PIECE: usize = 256 << 10;

/// Its sha256. In pieces: the Pod process must not grow by the size of its images.
pub(super) fn hash(image: &ImageFile) -> Result<(String, FileIdentity), ImageError> {
    let unreadable = |source| ImageError::Read { path: image.name().to_owned(), source };
    let file = image.open().map_err(unreadable)?;
    let identity = FileIdentity::of(&file.metadata().map_err(unreadable)?);
    let mut hash = Sha256::new();
    read(&file, u64::MAX, |piece| {
        hash.update(piece);
        Ok(())
    })
    .map_err(unreadable)?;
    Ok((hex(&hash.finalize()), identity))
}

/// A copy of a guest's file that no guest can reach, for the compiling child; gone when dropped.
pub(super) struct Snapshot {
    pub(super) path: PathBuf,
    /// Of the file that it is a copy of.
    pub(super) identity: FileIdentity,
}

impl Snapshot {
    /// Copies `file` to `path`, where nothing is yet.
    ///
    /// # Errors
    /// The file was changed meanwhile, or the disk's.
    pub(super) fn take(file: &File, path: PathBuf) -> io::Result<Self> {
        let identity = FileIdentity::of(&file.metadata()?);
        let mut options = OpenOptions::new();
        let mut copy = options.write(true).create_new(true).mode(0o600).open(&path)?;
        let snapshot = Self { path, identity };
        // A file that grows while it is read is not followed.
        read(file, identity.size, |piece| copy.write_all(piece))?;
        if FileIdentity::of(&file.metadata()?) != identity {
            return Err(io::Error::other("it was changed while it was read"));
        }
        Ok(snapshot)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // What a killed process leaves is pruned with the rest of the cache.
        let _ = fs::remove_file(&self.path);
    }
}

/// Reads from the beginning, whatever position the file is at: others may be reading it too.
fn read(file: &File, most: u64, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut offset = 0;
    while offset < most {
        match file.read_at(&mut piece, offset) {
            Ok(0) => break,
            Ok(read) => {
                each(&piece[..read])?;
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// As [`std::path::absolute`], and the path itself where that fails.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
