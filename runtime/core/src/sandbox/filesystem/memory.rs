//! Finds a place in memory for volumes of medium `Memory`, and for secrets.
//!
//! A kubelet mounts a tmpfs; that needs privilege. A file system in memory that is there already
//! serves as well: the user's runtime folder, or `/dev/shm`. Its own size is the limit then, and
//! what is written there is charged to whoever wrote it, here the Pod's process.

use std::env;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// `statfs` answers this for a tmpfs, `TMPFS_MAGIC` in linux/magic.h.
const TMPFS: i64 = 0x0102_1994;

/// A folder of ours, private, on a file system in memory; none where there is no such thing.
pub(crate) fn memory_folder() -> Option<PathBuf> {
    let runtime = env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("wasmpod"));
    let shared = Path::new("/dev/shm").join(shared_name());
    runtime.into_iter().chain([shared]).find(|folder| is_usable(folder))
}

/// Whether `folder` lies where [`memory_folder`] may have put it: the name is the proof that it is
/// ours to remove.
pub(crate) fn is_memory_folder(folder: &Path) -> bool {
    let name = folder.file_name();
    name.is_some_and(|name| name == "wasmpod" || *name == *shared_name()) && is_private(folder)
}

fn shared_name() -> String {
    format!("wasmpod-{}", rustix::process::geteuid().as_raw())
}

fn is_usable(folder: &Path) -> bool {
    let Some(parent) = folder.parent() else { return false };
    if !rustix::fs::statfs(parent).is_ok_and(|found| found.f_type == TMPFS) {
        return false;
    }
    // Anybody may write to /dev/shm: a folder there that was made for us is not ours.
    let _ = DirBuilder::new().mode(0o700).create(folder);
    is_private(folder)
}

fn is_private(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o077 == 0
    })
}
