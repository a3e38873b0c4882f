//! The mounts of a container as one tree.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, Metadata, PermissionsExt as _};
use serde::{Deserialize, Serialize};

use super::error::CopyError;
use crate::sandbox::filesystem::{FileTraffic, Mount};

/// The files of a container, as its guest sees them.
pub struct Tree {
    /// The root first.
    mounts: Vec<Opened>,
    pub(super) traffic: Arc<FileTraffic>,
}

struct Opened {
    at: PathBuf,
    folder: Dir,
    read_only: bool,
}

/// Where a path lies: below the folder of a mount.
pub(super) struct Place<'tree> {
    pub(super) folder: &'tree Dir,
    pub(super) below: PathBuf,
    pub(super) read_only: bool,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// The permissions, as `chmod` takes them.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970 of the last change.
    pub modified: i64,
    /// Where a link points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What something in a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FileKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a FIFO, a socket.
    Other,
}

impl FileKind {
    pub(super) fn of(kind: FileType) -> Self {
        match kind {
            kind if kind.is_file() => Self::File,
            kind if kind.is_dir() => Self::Folder,
            kind if kind.is_symlink() => Self::Link,
            _ => Self::Other,
        }
    }
}

impl Tree {
    /// The tree of these mounts; what passes is counted.
    ///
    /// # Errors
    /// A mount is gone.
    pub fn open(mounts: &[Mount], traffic: Arc<FileTraffic>) -> Result<Self, CopyError> {
        let open = |mount: &Mount| {
            let at = PathBuf::from(&mount.guest_path);
            let folder = Dir::open_ambient_dir(mount.host_path(), ambient_authority())
                .map_err(CopyError::at(&at))?;
            Ok(Opened { at, folder, read_only: mount.read_only })
        };
        Ok(Self { mounts: mounts.iter().map(open).collect::<Result<_, _>>()?, traffic })
    }

    /// What is at `path`; a link is not followed.
    ///
    /// # Errors
    /// There is nothing, or it cannot be looked at.
    pub fn stat(&self, path: &Path) -> Result<FileStat, CopyError> {
        let path = clean(path);
        let Place { folder, below, .. } = self.place(&path)?;
        let found = folder.symlink_metadata(&below).map_err(CopyError::at(&path))?;
        let kind = FileKind::of(found.file_type());
        let target = match kind {
            FileKind::Link => {
                Some(folder.read_link_contents(&below).map_err(CopyError::at(&path))?)
            }
            FileKind::File | FileKind::Folder | FileKind::Other => None,
        };
        Ok(FileStat {
            kind,
            mode: mode(&found),
            size: found.len(),
            modified: modified(&found),
            target: target.map(|target| target.to_string_lossy().into_owned()),
        })
    }

    /// Where a clean path lies: in the innermost mount around it.
    pub(super) fn place(&self, path: &Path) -> Result<Place<'_>, CopyError> {
        let around = self.mounts.iter().filter_map(|mount| {
            let below = path.strip_prefix(&mount.at).ok()?;
            Some((mount, below))
        });
        let Some((mount, below)) = around.max_by_key(|(mount, _)| mount.at.as_os_str().len())
        else {
            return Err(CopyError::at(path)(io::ErrorKind::NotFound.into()));
        };
        // An empty path names nothing.
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        Ok(Place { folder: &mount.folder, below: below.to_owned(), read_only: mount.read_only })
    }
}

/// A path of a guest, absolute and without `.`, `..` and doubled slashes.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => cleaned.push(name),
            // The root is above itself.
            Component::ParentDir => drop(cleaned.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    cleaned
}

pub(super) fn mode(found: &Metadata) -> u32 {
    found.permissions().mode() & super::PERMISSIONS
}

/// Seconds since 1970.
pub(super) fn modified(found: &Metadata) -> i64 {
    let Ok(modified) = found.modified() else { return 0 };
    match modified.into_std().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |secs| -secs),
    }
}
