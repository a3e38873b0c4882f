//! The image file that code is made of.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::image::compile::{Cancel, CompileError};
use crate::image::digest::hex;
use crate::image::error::ImageError;
use crate::image::file::ImageFile;
use crate::image::identity::FileIdentity;

/// What is read at a time.
const PIECE: usize = 256 << 10;

/// Its sha256. In pieces: the Pod process must not grow by the size of its images.
pub(super) fn hash(
    image: &ImageFile,
    cancel: &Cancel,
) -> Result<(String, FileIdentity), ImageError> {
    let (file, identity) = image.open()?;
    let mut hash = Sha256::new();
    read(&file, identity.size, cancel, |piece| {
        hash.update(piece);
        Ok(())
    })
    .map_err(|source| image.unreadable(source))?;
    Ok((hex(&hash.finalize()), identity))
}

/// Copies a guest's file to `path`, where nothing is yet and no guest comes: for the compiling child.
///
/// # Errors
/// The file is none, is too large or was changed meanwhile, or the disk's.
pub(super) fn copy(image: &ImageFile, path: &Path, cancel: &Cancel) -> Result<(), ImageError> {
    let (file, identity) = image.open()?;
    let copy = || {
        let mut options = OpenOptions::new();
        let mut copy = options.write(true).create_new(true).mode(0o600).open(path)?;
        read(&file, identity.size, cancel, |piece| copy.write_all(piece))?;
        if FileIdentity::of(&file.metadata()?) != identity {
            return Err(io::Error::other("it was changed while it was read"));
        }
        Ok(())
    };
    copy().map_err(|source| image.unreadable(source))
}

/// Reads from the beginning, whatever position the file is at: others may be reading it too. A file
/// that has grown beyond `most` bytes is not followed.
fn read(
    file: &File,
    most: u64,
    cancel: &Cancel,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut offset = 0;
    while offset < most {
        if cancel.is_cancelled() {
            return Err(io::Error::other(CompileError::Cancelled));
        }
        let left = usize::try_from(most - offset).unwrap_or(PIECE).min(PIECE);
        match file.read_at(&mut piece[..left], offset) {
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
