//! An archive into a tree.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, SystemTimeSpec};
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _, Permissions, PermissionsExt as _};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Copied;
use super::error::CopyError;
use super::read::{Archive, Entry, Kind};
use super::tree::{Tree, clean};

/// So many folders get their time and their permissions at the end, when nothing is written into them any
/// more; of those beyond, only the permissions.
const REMEMBERED: usize = 10_000;

/// Unpacks the tar archive `input` below the folder at `path`.
///
/// A file that is there is written over, and stays the one that others may have open; a link is replaced.
/// Entries with `..` in their names, devices, FIFOs and hard links to what lies in another mount are
/// refused: what came before them is there then.
///
/// # Errors
/// [`CopyError`]
pub fn unpack(tree: &Tree, path: &Path, input: impl Read) -> Result<Copied, CopyError> {
    let base = clean(path);
    let place = tree.place(&base)?;
    let found = place.folder.metadata(&place.below).map_err(CopyError::at(&base))?;
    if !found.is_dir() {
        return Err(CopyError::at(&base)(Errno::NOTDIR.into()));
    }
    let mut unpacking = Unpacking { tree, base, copied: Copied::default(), folders: Vec::new() };
    let mut archive = Archive::new(input);
    while let Some(entry) = archive.next().map_err(CopyError::Archive)? {
        unpacking.add(&entry, &mut archive)?;
    }
    unpacking.finish()
}

struct Unpacking<'tree> {
    tree: &'tree Tree,
    base: PathBuf,
    copied: Copied,
    folders: Vec<(PathBuf, u32, u64)>,
}

impl Unpacking<'_> {
    fn add(&mut self, entry: &Entry, content: &mut impl Read) -> Result<(), CopyError> {
        let name = inside(&entry.path)?;
        let Some(name) = name else { return Ok(()) };
        let path = self.base.join(&name);
        let place = self.tree.place(&path)?;
        let (folder, below) = (place.folder, place.below.as_path());
        if let Kind::Other(what) = entry.kind {
            let why = format!("it is {what}: only files, folders and links are copied");
            return Err(CopyError::refused(&name, why));
        }
        if place.read_only {
            return Err(CopyError::at(&path)(Errno::ROFS.into()));
        }
        let failed = || CopyError::at(&path);
        if let Some(parent) = below.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            folder.create_dir_all(parent).map_err(failed())?;
        }
        match &entry.kind {
            Kind::Folder => {
                make_folder(folder, below).map_err(failed())?;
                if self.folders.len() < REMEMBERED {
                    self.folders.push((path.clone(), entry.mode, entry.modified));
                } else {
                    let mode = Permissions::from_mode(entry.mode);
                    folder.set_permissions(below, mode).map_err(failed())?;
                }
            }
            Kind::File => self.write_file(folder, below, &path, entry, content)?,
            Kind::Link(target) => {
                make_room(folder, below).map_err(failed())?;
                let target = Path::new(OsStr::from_bytes(target));
                // Whatever it points to: nothing here follows it out of its mount.
                folder.symlink_contents(target, below).map_err(failed())?;
                let time = time_of(entry.modified);
                folder.set_symlink_times(below, None, time).map_err(failed())?;
            }
            Kind::HardLink(target) => {
                let Some(target) = inside(target)? else {
                    return Err(CopyError::refused(&name, "it is a hard link to nothing"));
                };
                let target = self.tree.place(&self.base.join(target))?;
                if !std::ptr::eq(target.folder, folder) {
                    return Err(CopyError::at(&path)(Errno::XDEV.into()));
                }
                make_room(folder, below).map_err(failed())?;
                folder.hard_link(&target.below, folder, below).map_err(failed())?;
            }
            Kind::Other(_) => {}
        }
        self.copied.entries += 1;
        Ok(())
    }

    fn write_file(
        &mut self,
        folder: &Dir,
        below: &Path,
        path: &Path,
        entry: &Entry,
        content: &mut impl Read,
    ) -> Result<(), CopyError> {
        let failed = || CopyError::at(path);
        if folder.symlink_metadata(below).is_ok_and(|found| !found.is_file()) {
            make_room(folder, below).map_err(failed())?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).follow(FollowSymlinks::No);
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let mut file = folder.open_with(below, &options).map_err(failed())?;
        if !file.metadata().map_err(failed())?.is_file() {
            return Err(CopyError::refused(path, "it has changed while it was written"));
        }
        let mut content = Content { content, failure: None };
        let written = io::copy(&mut content, &mut file);
        if let Some(error) = content.failure {
            return Err(CopyError::Archive(error));
        }
        let written = written.map_err(failed())?;
        self.tree.traffic.wrote(written);
        self.copied.bytes += written;
        file.set_permissions(Permissions::from_mode(entry.mode)).map_err(failed())?;
        let modified = SystemTime::UNIX_EPOCH + duration(entry.modified);
        file.into_std().set_modified(modified).map_err(failed())
    }

    /// Gives the folders what they are to have, the innermost ones first.
    fn finish(mut self) -> Result<Copied, CopyError> {
        self.folders.sort_by(|(one, ..), (other, ..)| other.cmp(one));
        for (path, mode, modified) in &self.folders {
            let place = self.tree.place(path)?;
            let set = place.folder.set_times(&place.below, None, time_of(*modified));
            set.and_then(|()| {
                let mode = Permissions::from_mode(*mode);
                place.folder.set_permissions(&place.below, mode)
            })
            .map_err(CopyError::at(path))?;
        }
        Ok(self.copied)
    }
}

/// The content of an entry, told apart from where it goes.
struct Content<'archive, From> {
    content: &'archive mut From,
    failure: Option<io::Error>,
}

impl<From: Read> Read for Content<'_, From> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer).map_err(|error| {
            let told = io::Error::new(error.kind(), "the archive");
            if error.kind() != io::ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            told
        })
    }
}

/// The name of an entry below where it is unpacked; none of that folder itself.
///
/// Rule: GNU tar takes the first slash off a name, and refuses `..`.
fn inside(name: &[u8]) -> Result<Option<PathBuf>, CopyError> {
    let name = Path::new(OsStr::from_bytes(name));
    let mut path = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::ParentDir => {
                return Err(CopyError::refused(name, "its name leads out of the archive (`..`)"));
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    if memchr::memchr(0, path.as_os_str().as_bytes()).is_some() {
        return Err(CopyError::refused(&path, "its name has a NUL in it"));
    }
    Ok((!path.as_os_str().is_empty()).then_some(path))
}

/// A folder, unless there is one already, or a link to one.
fn make_folder(folder: &Dir, below: &Path) -> io::Result<()> {
    match folder.create_dir(below) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if folder.metadata(below)?.is_dir() { Ok(()) } else { Err(Errno::NOTDIR.into()) }
        }
        made => made,
    }
}

/// Removes what is there, unless it is a folder.
fn make_room(folder: &Dir, below: &Path) -> io::Result<()> {
    match folder.remove_file(below) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn duration(seconds: u64) -> Duration {
    // What a file system can keep; an archive may say anything.
    Duration::from_secs(seconds.min(u32::MAX.into()))
}

fn time_of(seconds: u64) -> Option<SystemTimeSpec> {
    let time = SystemTime::UNIX_EPOCH + duration(seconds);
    Some(SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time)))
}
