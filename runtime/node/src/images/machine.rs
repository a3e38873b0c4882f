//! Where the images of this machine are.

use std::path::{Path, PathBuf};

use wasmpod::pod::Folders;
use wasmpod_images::layout::{Layout, LayoutError};
use wasmpod_images::rootfs::{RootfsError, Trees};

/// The images of this machine.
#[derive(Clone, Debug)]
pub struct Images {
    folder: PathBuf,
}

impl Images {
    /// Those that the Pods of `folders` use.
    pub fn new(folders: &Folders) -> Self {
        Self { folder: folders.images() }
    }

    /// Where they are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The layout, to put something into it.
    pub(super) fn open(&self) -> Result<Layout, LayoutError> {
        Layout::open(&self.folder)
    }

    /// The layout if there ever was an image: who only looks makes no folders.
    pub(super) fn look(&self) -> Result<Option<Layout>, LayoutError> {
        match self.folder.join("index.json").exists() {
            true => self.open().map(Some),
            false => Ok(None),
        }
    }

    /// The unpacked roots, if there ever was one.
    pub(super) fn trees(&self) -> Result<Option<Trees>, RootfsError> {
        let folder = self.folder.join("trees");
        if folder.is_dir() { Trees::open(&folder).map(Some) } else { Ok(None) }
    }
}
