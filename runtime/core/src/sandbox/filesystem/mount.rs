//! One directory that a guest gets: where it sees it, and which one it is.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

/// A directory for a guest; `wasmtime-wasi` calls it a preopen.
///
/// ```text
/// WasiCtxBuilder::preopened_dir(mount.host_path(), &mount.guest_path, perms)
/// ```
#[derive(Debug, Clone)]
pub struct Mount {
    /// Absolute and normalised: `/`, `/data`.
    pub guest_path: String,
    /// Whether writing, creating and removing are refused.
    pub read_only: bool,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    /// A folder whose path no guest can change.
    Path(PathBuf),
    /// A folder inside a volume. Guests can rename folders there and put a symbolic link in their
    /// place, so the one that was checked is held open.
    Held(Arc<OwnedFd>),
}

impl Mount {
    pub(crate) fn at(guest_path: impl Into<String>, folder: PathBuf, read_only: bool) -> Self {
        Mount { guest_path: guest_path.into(), read_only, source: Source::Path(folder) }
    }

    pub(crate) fn held(guest_path: impl Into<String>, folder: OwnedFd, read_only: bool) -> Self {
        let source = Source::Held(Arc::new(folder));
        Mount { guest_path: guest_path.into(), read_only, source }
    }

    /// A path that opens the directory, valid in this process while the `Mount` lives.
    #[must_use]
    pub fn host_path(&self) -> PathBuf {
        match &self.source {
            Source::Path(path) => path.clone(),
            Source::Held(folder) => PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())),
        }
    }
}
