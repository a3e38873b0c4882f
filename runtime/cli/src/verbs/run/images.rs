//! Where the images of a manifest are.

use std::path::{Path, PathBuf};

use wasmpod::image::ImageSource;
use wasmpod::manifest;
use wasmpod_node::background::find_images;

use crate::failure::Failure;

/// # Errors
/// An `images.yaml` that cannot be read, or is not one.
pub(super) fn find(source: &str, typed: &[(String, PathBuf)]) -> Result<ImageSource, Failure> {
    Ok(find_images(&folder_of(source)?, typed)?)
}

/// The folder in which relative paths of a manifest begin; the working folder where it has none.
///
/// # Errors
/// The working folder is gone.
pub(crate) fn folder_of(source: &str) -> Result<PathBuf, Failure> {
    let folder = match source {
        manifest::source::STDIN => Path::new(""),
        source => Path::new(source).parent().unwrap_or(Path::new("")),
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::path::absolute(folder).map_err(|error| Failure::because(folder.display(), &error))
}
