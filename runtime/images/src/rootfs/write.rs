//! Files, links and folders, each in an open folder.
//!
//! A folder is made for its owner alone and gets its own mode and time at the end, when nothing comes
//! into it any more: this process is not root, and must be able to write into a folder of mode 0555.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use cap_std::fs::{Dir, File, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};

use super::archive::{Entry, Modified};
use super::error::Failure;

const BUFFER_BYTES: usize = 64 << 10;

/// A folder that no entry of its own describes.
pub(super) const IMPLICIT: Attributes =
    Attributes { mode: 0o755, modified: Modified { seconds: 0, nanoseconds: 0 } };

/// The owner of a file reads it, and that of a folder does all: a guest sees none of these bits, but
/// the process that opens its files needs them.
const READS: u32 = 0o400;
pub(super) const OWNS: u32 = 0o700;

/// What a folder has in the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    pub(super) modified: Modified,
}

/// A folder of the tree, known by its inode: links give it many paths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folder {
    pub(super) depth: usize,
    pub(super) attributes: Attributes,
}

const OPEN_FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder of that name, and not one that a link of that name leads to.
pub(super) fn open_folder(parent: &Dir, name: &OsStr) -> io::Result<Dir> {
    let folder = rustix::fs::openat(parent, name, OPEN_FOLDER, Mode::empty())?;
    Ok(Dir::from_std_file(folder.into()))
}

pub(super) fn names(folder: &Dir) -> io::Result<Vec<OsString>> {
    folder.entries()?.map(|entry| Ok(entry?.file_name())).collect()
}

/// From the deepest up: what is done in a folder changes its time.
pub(super) fn settle(folder: &Dir, folders: &HashMap<u64, Folder>) -> io::Result<()> {
    for entry in folder.entries()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let below = open_folder(folder, &entry.file_name())?;
            settle(&below, folders)?;
            attribute(&below, folders.get(&below.dir_metadata()?.ino()))?;
        }
    }
    Ok(())
}

pub(super) fn attribute(folder: impl AsFd, known: Option<&Folder>) -> io::Result<()> {
    let Attributes { mode, modified } = known.map_or(IMPLICIT, |folder| folder.attributes);
    rustix::fs::fchmod(&folder, Mode::from_raw_mode(mode | OWNS))?;
    rustix::fs::futimens(&folder, &times(modified))?;
    Ok(())
}

pub(super) fn write_file(
    parent: &Dir,
    name: &OsStr,
    entry: &Entry,
    content: &mut dyn Read,
) -> Result<(), Failure> {
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).clone();
    let mut file = parent.open_with(name, &options)?;
    copy(content, &mut file)?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(entry.mode | READS))?;
    rustix::fs::futimens(&file, &times(entry.modified))?;
    Ok(())
}

/// Tells what cannot be read from what cannot be written.
fn copy(content: &mut dyn Read, file: &mut File) -> Result<(), Failure> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => file.write_all(&buffer[..read])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Content(error)),
        }
    }
}

pub(super) fn write_link(
    parent: &Dir,
    name: &OsStr,
    target: &[u8],
    modified: Modified,
) -> io::Result<()> {
    parent.symlink_contents(OsStr::from_bytes(target), name)?;
    rustix::fs::utimensat(parent, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}

fn times(Modified { seconds, nanoseconds }: Modified) -> Timestamps {
    let time =
        Timespec { tv_sec: seconds.try_into().unwrap_or_default(), tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}
