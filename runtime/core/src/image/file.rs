//! The file that an image is in.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compile::MOST_IMAGE_BYTES;
use super::error::ImageError;
use super::identity::FileIdentity;
use super::kind::KindError;

/// Where the bytes of an image are.
#[derive(Clone, Debug)]
pub enum ImageFile {
    /// In a file of the host. Nobody but the user changes what is on the way to it.
    Path(PathBuf),
    /// In a file of a guest, which can put another in its place at any time: the one that was found
    /// is open, and nobody goes that way again.
    Open {
        /// The file.
        file: Arc<File>,
        /// Its path as the guest knows it, for messages.
        name: PathBuf,
    },
}

impl ImageFile {
    /// What to call it.
    pub fn name(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Open { name, .. } => name,
        }
    }

    /// The most that it may have: more than any real guest. A larger file is a mistake (a disk image,
    /// `/dev/zero`), and what a guest has made itself is copied besides.
    fn most_bytes(&self) -> u64 {
        match self {
            Self::Path(_) => MOST_IMAGE_BYTES,
            Self::Open { .. } => MOST_IMAGE_BYTES / 4,
        }
    }

    /// Its identity, if it is a file that could be a guest.
    ///
    /// # Errors
    /// [`ImageError`]
    pub(crate) fn identity(&self) -> Result<FileIdentity, ImageError> {
        self.judge(match self {
            Self::Path(path) => path.metadata(),
            Self::Open { file, .. } => file.metadata(),
        })
    }

    /// The file to read, and the identity that it has now. A guest may make its file larger at any
    /// time: no more than that size is to be read.
    pub(super) fn open(&self) -> Result<(Arc<File>, FileIdentity), ImageError> {
        let file = match self {
            Self::Path(path) => {
                File::open(path).map(Arc::new).map_err(|source| self.unreadable(source))?
            }
            Self::Open { file, .. } => Arc::clone(file),
        };
        let identity = self.judge(file.metadata())?;
        Ok((file, identity))
    }

    pub(super) fn unreadable(&self, source: io::Error) -> ImageError {
        ImageError::Read { path: self.name().to_owned(), source }
    }

    fn judge(&self, metadata: io::Result<Metadata>) -> Result<FileIdentity, ImageError> {
        let metadata = metadata.map_err(|source| self.unreadable(source))?;
        let path = || self.name().to_owned();
        if !metadata.is_file() {
            return Err(ImageError::NotAFile { path: path() });
        }
        let identity = FileIdentity::of(&metadata);
        let most = self.most_bytes();
        match identity.size {
            0 => Err(ImageError::Unusable { path: path(), message: KindError::Empty.to_string() }),
            bytes if bytes > most => Err(ImageError::TooLarge { path: path(), bytes, most }),
            _ => Ok(identity),
        }
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for ImageFile {
    fn from(path: &P) -> Self {
        Self::Path(path.as_ref().to_owned())
    }
}
