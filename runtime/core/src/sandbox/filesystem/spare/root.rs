//! The root of a run, as it is kept for another one: its folders, and files to be written over.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::super::allowance::Allowance;

/// The folders that every root has.
pub(crate) const ROOT_FOLDERS: [&str; 3] = ["dev", "etc", "tmp"];

/// The files that every root has, with the most that a kept one may hold.
const ROOT_FILES: [(&str, &str, u64); 4] = [
    ("dev", "termination-log", 0),
    ("etc", "hostname", LARGEST),
    ("etc", "hosts", LARGEST),
    ("etc", "resolv.conf", LARGEST),
];

/// A folder that has held many names keeps the blocks for them, a file those of its content; such
/// a one is not worth keeping.
const LARGEST: u64 = 4096;

/// What [`empty`] came to.
pub(super) enum Emptied {
    /// It holds [`ROOT_FOLDERS`] and in them nothing but files of a root.
    Root,
    /// A folder is missing, is something else, or has held much.
    NoRoot,
    /// There is more in it than may be removed.
    TooMuch,
}

/// Removes from `root` what a run has left there.
pub(super) fn empty(root: &Path, allowance: &mut Allowance) -> io::Result<Emptied> {
    let mut found = 0;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if folder_of_root(&entry.file_name()).is_none() {
            if !allowance.remove(&entry.path(), &metadata)? {
                return Ok(Emptied::TooMuch);
            }
        } else if is_small_folder(&metadata) {
            found += 1;
        } else {
            return Ok(Emptied::NoRoot);
        }
    }
    if found < ROOT_FOLDERS.len() {
        return Ok(Emptied::NoRoot);
    }
    for folder in ROOT_FOLDERS {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if !is_root_file(folder, &entry.file_name(), &metadata)
                && !allowance.remove(&entry.path(), &metadata)?
            {
                return Ok(Emptied::TooMuch);
            }
        }
    }
    Ok(Emptied::Root)
}

/// Whether `root` is as [`empty`] leaves one.
pub(super) fn is_empty(root: &Path) -> io::Result<bool> {
    let mut found = 0;
    for entry in fs::read_dir(root)? {
        let Some(folder) = folder_of_root(&entry?.file_name()) else { return Ok(false) };
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            if !is_root_file(folder, &entry.file_name(), &entry.metadata()?) {
                return Ok(false);
            }
        }
        found += 1;
    }
    Ok(found == ROOT_FOLDERS.len())
}

fn folder_of_root(name: &OsStr) -> Option<&'static str> {
    ROOT_FOLDERS.into_iter().find(|known| *name == **known)
}

/// Whether it is a folder that has never held much.
pub(super) fn is_small_folder(metadata: &Metadata) -> bool {
    metadata.is_dir() && metadata.len() <= LARGEST
}

/// Whether this is one of the files of a root, which nothing else leads to: a guest may have
/// linked it into a volume.
fn is_root_file(folder: &str, file: &OsStr, metadata: &Metadata) -> bool {
    ROOT_FILES.iter().any(|(known_folder, known_file, most)| {
        folder == *known_folder
            && *file == **known_file
            && metadata.is_file()
            && metadata.nlink() == 1
            && metadata.len() <= *most
    })
}
