//! Which file an image's name stands for: `--image-map`, then `images.yaml` beside the manifest.

use std::path::{Path, PathBuf};

use wasmpod::image::ImageSource;
use wasmpod::manifest;

use crate::failure::Failure;

/// # Errors
/// An `images.yaml` that cannot be read, or is not one.
pub(super) fn find(source: &str, typed: &[(String, PathBuf)]) -> Result<ImageSource, Failure> {
    let folder = folder_of(source)?;
    let mut images = ImageSource::new(&folder);
    if !typed.is_empty() {
        images = images.map("--image-map", Path::new("/"), typed.iter().cloned());
    }
    let path = folder.join(manifest::images::FILE_NAME);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let name = path.display().to_string();
            let mapped = manifest::images::read(&manifest::Source { name: name.clone(), bytes })?;
            let mapped = mapped.into_iter().map(|(image, file)| (image, PathBuf::from(file)));
            Ok(images.map(name, &folder, mapped))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(images),
        Err(error) => Err(Failure::because(path.display(), &error)),
    }
}

/// The folder in which relative paths of a manifest begin; the working folder where it has none.
fn folder_of(source: &str) -> Result<PathBuf, Failure> {
    let folder = match source {
        manifest::source::STDIN => Path::new(""),
        source => Path::new(source).parent().unwrap_or(Path::new("")),
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::path::absolute(folder).map_err(|error| Failure::because(folder.display(), &error))
}
