//! Puts single files where a mount wants them: a guest is given directories, nothing smaller.
//!
//! What a container runtime does with a bind mount of one file is done here with the file itself:
//!
//! | the file is | it becomes |
//! |---|---|
//! | of a configMap, secret, downwardAPI or projected volume | a copy: such a mount is never updated in Kubernetes either |
//! | mounted read-only, or not writable for us | a copy, with a note: later changes on the host are not seen |
//! | writable | a hard link; on another file system it is refused |
//!
//! The target is the container's own root, or the volume that is mounted around it. In a volume
//! that outlives the Pod no other file is ever replaced.

use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{Access, AtFlags, CWD};
use rustix::io::Errno;

/// How a file gets to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Content that never changes.
    Copy,
    /// A file of the host that may change, and that the guest must not.
    Snapshot,
    /// The file itself.
    Share,
}

/// Whose the folder is that a file is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surroundings {
    /// The container's root, or a volume that dies with the Pod.
    Ours,
    /// A volume that outlives the Pod.
    Lasting,
    /// A mount that nobody may write.
    ReadOnly,
}

/// Puts `file` at `path` below `folder`; answers whether it is a snapshot.
///
/// # Errors
/// A sentence that says what stands in the way, and what to do.
pub(crate) fn place(
    mut file: File,
    manner: Manner,
    folder: &Dir,
    path: &Path,
    surroundings: Surroundings,
) -> Result<bool, String> {
    if surroundings != Surroundings::Ours {
        match is_there(&mut file, manner, folder, path) {
            Ok(true) => return Ok(false),
            Ok(false) => {}
            Err(error) => return Err(error.to_string()),
        }
        if surroundings == Surroundings::ReadOnly {
            return Err("a file cannot be put into a read-only mount".to_owned());
        }
        if folder.symlink_metadata(path).is_ok() {
            return Err(
                "another file is there, in a volume that outlives the Pod: remove it, or mount \
                 the file elsewhere"
                    .to_owned(),
            );
        }
    }
    let prepared = make_room(folder, path);
    prepared.map_err(|error| error.to_string())?;
    match manner {
        Manner::Copy => copy(&mut file, folder, path).map(|()| false),
        Manner::Snapshot => copy(&mut file, folder, path).map(|()| true),
        Manner::Share => match share(&file, folder, path) {
            Ok(()) => Ok(false),
            Err(_) if !is_writable(&file) => copy(&mut file, folder, path).map(|()| true),
            Err(Errno::XDEV) => {
                return Err(
                    "a single file on another file system cannot be shared with a WebAssembly \
                     guest: mount the directory that holds it, or set `readOnly: true` for a copy"
                        .to_owned(),
                );
            }
            Err(error) => Err(error.into()),
        },
    }
    .map_err(|error| error.to_string())
}

/// Whether a run before this one has put the file there already.
fn is_there(file: &mut File, manner: Manner, folder: &Dir, path: &Path) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let Ok(there) = folder.open_with(path, &options) else { return Ok(false) };
    let there = there.into_std();
    let (ours, theirs) = (file.metadata()?, there.metadata()?);
    if (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()) {
        return Ok(true);
    }
    if manner == Manner::Share || !theirs.is_file() || ours.len() != theirs.len() {
        return Ok(false);
    }
    let same = same_content(file, there)?;
    io::Seek::rewind(file)?;
    Ok(same)
}

fn same_content(file: &mut File, mut there: File) -> io::Result<bool> {
    let (mut ours, mut theirs) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let length = file.read(&mut ours)?;
        if length == 0 {
            return Ok(true);
        }
        match there.read_exact(&mut theirs[..length]) {
            Ok(()) if ours[..length] == theirs[..length] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

fn make_room(folder: &Dir, path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.create_dir_all(parent)?;
    }
    match folder.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn copy(file: &mut File, folder: &Dir, path: &Path) -> io::Result<()> {
    let mode = file.metadata()?.mode() & 0o555;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut copy = folder.open_with(path, &options)?.into_std();
    io::copy(file, &mut copy)?;
    copy.set_permissions(Permissions::from_mode(mode | 0o400))
}

fn share(file: &File, folder: &Dir, path: &Path) -> rustix::io::Result<()> {
    // By descriptor, so that it is the file that was checked. `make_room` left the last part of
    // the path free; the parts before are resolved here once more, below the folder.
    let (parent, name) = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => {
            let parent = folder.open_dir(parent).map_err(|error| {
                error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error)
            })?;
            (Some(parent), name)
        }
        (_, Some(name)) => (None, name),
        (_, None) => return Err(Errno::INVAL),
    };
    let from = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::linkat(CWD, from, parent.as_ref().unwrap_or(folder), name, AtFlags::SYMLINK_FOLLOW)
}

fn is_writable(file: &File) -> bool {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::access(path, Access::WRITE_OK).is_ok()
}
