//! The image file that code is made of.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::image::compile::MOST_IMAGE_BYTES;
use crate::image::digest::hex;
use crate::image::error::ImageError;
use crate::image::identity::FileIdentity;
use crate::image::kind::KindError;

/// Its identity, if it is a file that could be a guest.
pub(super) fn identify(image: &Path) -> Result<FileIdentity, ImageError> {
    let path = || image.to_owned();
    let metadata =
        fs::metadata(image).map_err(|source| ImageError::Read { path: path(), source })?;
    if !metadata.is_file() {
        return Err(ImageError::NotAFile { path: path() });
    }
    let identity = FileIdentity::of(&metadata);
    match identity.size {
        0 => Err(ImageError::Unusable { path: path(), message: KindError::Empty.to_string() }),
        bytes if bytes > MOST_IMAGE_BYTES => {
            Err(ImageError::TooLarge { path: path(), bytes, most: MOST_IMAGE_BYTES })
        }
        _ => Ok(identity),
    }
}

/// Its sha256. In pieces: the Pod process must not grow by the size of its images.
pub(super) fn hash(image: &Path) -> Result<(String, FileIdentity), ImageError> {
    let unreadable = |source| ImageError::Read { path: image.to_owned(), source };
    let mut file = File::open(image).map_err(unreadable)?;
    let identity = FileIdentity::of(&file.metadata().map_err(unreadable)?);
    let mut hash = Sha256::new();
    let mut piece = vec![0; 256 << 10];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((hex(&hash.finalize()), identity)),
            Ok(read) => hash.update(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}
