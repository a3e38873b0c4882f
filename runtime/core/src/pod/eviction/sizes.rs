//! How much a running Pod has written, and where.

use std::io;
use std::path::Path;
use std::sync::PoisonError;

use crate::pod::store::PodStore;
use crate::sandbox::filesystem::usage;

/// Bytes that are in use on the file systems below.
pub(super) trait Sizes {
    /// Of an emptyDir.
    fn volume(&self, name: &str) -> u64;
    /// Of the roots of a container's runs, without what came with its image.
    fn root(&self, container: &str) -> u64;
    /// Of its logs.
    fn logs(&self, container: &str) -> u64;
}

/// Those of a Pod that runs. What is not there, or cannot be read, is nothing.
pub(super) struct StoreSizes<'store> {
    pub(super) store: &'store PodStore,
}

impl Sizes for StoreSizes<'_> {
    fn volume(&self, name: &str) -> u64 {
        self.store.volumes.usage(name).map_or(0, |usage| usage.bytes)
    }

    fn root(&self, container: &str) -> u64 {
        let of_container = |name: &str| {
            let attempt = name.strip_prefix(container).and_then(|rest| rest.strip_prefix('.'));
            attempt.is_some_and(|attempt| attempt.parse::<u32>().is_ok())
        };
        let roots = || -> io::Result<u64> {
            let mut bytes = 0;
            for entry in std::fs::read_dir(self.store.folder.path())? {
                let entry = entry?;
                if entry.file_name().to_str().is_some_and(of_container) {
                    bytes += of_tree(&entry.path());
                }
            }
            Ok(bytes)
        };
        let of_images = self.store.image_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let of_image = of_images.get(container).copied().unwrap_or(0);
        roots().unwrap_or(0).saturating_sub(of_image)
    }

    fn logs(&self, container: &str) -> u64 {
        of_tree(&self.store.logs.of_container(container))
    }
}

fn of_tree(path: &Path) -> u64 {
    usage(path).map_or(0, |usage| usage.bytes)
}
