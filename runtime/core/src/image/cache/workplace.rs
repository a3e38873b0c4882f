//! Where one compilation writes.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::error::CacheError;
use super::folder::temporary_name;

/// A folder of its own for one compilation, on the file system of the code: the child that writes there
/// has no business with the code of others. Gone with all in it when dropped; what a killed process leaves
/// is pruned with the rest of the cache.
pub(super) struct Workplace {
    folder: PathBuf,
}

impl Workplace {
    pub(super) fn new(code: &Path) -> Result<Self, CacheError> {
        let folder = code.join(temporary_name());
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => Ok(Self { folder }),
            Err(source) => Err(CacheError::Io { path: folder, source }),
        }
    }

    /// A file in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
