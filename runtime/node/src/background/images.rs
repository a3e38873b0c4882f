//! Which file an image's name stands for: what was typed, then `images.yaml` beside the manifest.

use std::io;
use std::path::{Path, PathBuf};

use wasmpod::image::ImageSource;
use wasmpod::manifest::images::FILE_NAME;
use wasmpod::manifest::{self, Source};

/// The `images.yaml` beside a manifest is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not a list of images.
    #[error(transparent)]
    Manifest(#[from] manifest::LoadErrors),
}

/// Where the images of Pods are whose manifest is in `folder`.
///
/// # Errors
/// [`ImagesError`]
pub fn find_images(folder: &Path, typed: &[(String, PathBuf)]) -> Result<ImageSource, ImagesError> {
    let mut images = ImageSource::new(folder);
    if !typed.is_empty() {
        images = images.map(Path::new("/"), typed.iter().cloned());
    }
    let path = folder.join(FILE_NAME);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let name = path.display().to_string();
            let mapped = manifest::images::read(&Source { name, bytes })?;
            let mapped = mapped.into_iter().map(|(image, file)| (image, PathBuf::from(file)));
            Ok(images.map(folder, mapped))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(images),
        Err(source) => Err(ImagesError::Read { path, source }),
    }
}
