//! A tree into an archive.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Metadata, OpenOptions, OpenOptionsExt as _, ReadDir};
use rustix::fs::OFlags;
use tar::{Builder, EntryType, Header};

use super::Copied;
use super::error::CopyError;
use super::tree::{FileKind, Place, Tree, clean, mode, modified};

/// Folders in folders: each level has a descriptor while it is read.
const DEEPEST: usize = 256;

/// Writes what is at `path`, with all that is below it, into `output` as a tar archive. The entries are
/// named from the last part of the path on; those of the root have no name before theirs.
///
/// What is neither file, folder nor link is passed over, with a note. Files that others write meanwhile
/// have some state in between.
///
/// # Errors
/// [`CopyError`]; `output` has no end of an archive then.
pub fn pack(tree: &Tree, path: &Path, output: impl Write) -> Result<Copied, CopyError> {
    let path = clean(path);
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    let mut packing = Packing {
        tree,
        archive: Builder::new(Output { output, is_broken: false }),
        copied: Copied::default(),
        folders: Vec::new(),
    };
    let packed = packing.walk(path, name);
    if packed.is_err() {
        // Else the builder would end it as one that is whole.
        packing.archive.get_mut().is_broken = true;
    }
    packed?;
    packing.archive.finish().map_err(CopyError::Sent)?;
    packing.archive.get_mut().flush().map_err(CopyError::Sent)?;
    Ok(std::mem::take(&mut packing.copied))
}

struct Packing<'tree, To: Write> {
    tree: &'tree Tree,
    archive: Builder<Output<To>>,
    copied: Copied,
    /// From the outermost to the one that is being read.
    folders: Vec<Folder>,
}

struct Folder {
    path: PathBuf,
    /// In the archive.
    name: PathBuf,
    entries: ReadDir,
}

/// Takes nothing any more once the archive is broken.
struct Output<To> {
    output: To,
    is_broken: bool,
}

impl<To: Write> Write for Output<To> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_broken { Ok(bytes.len()) } else { self.output.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_broken { Ok(()) } else { self.output.flush() }
    }
}

impl<To: Write> Packing<'_, To> {
    fn walk(&mut self, path: PathBuf, name: PathBuf) -> Result<(), CopyError> {
        self.add(path, name)?;
        while let Some(folder) = self.folders.last_mut() {
            match folder.entries.next() {
                Some(Ok(entry)) => {
                    let child: OsString = entry.file_name();
                    let (path, name) = (folder.path.join(&child), folder.name.join(&child));
                    drop(entry);
                    match self.add(path, name) {
                        // Removed since the folder was read.
                        Err(error) if error.is_not_found() => {}
                        added => added?,
                    }
                }
                Some(Err(error)) => return Err(CopyError::at(&folder.path)(error)),
                None => drop(self.folders.pop()),
            }
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf, name: PathBuf) -> Result<(), CopyError> {
        let place = self.tree.place(&path)?;
        let found = place.folder.symlink_metadata(&place.below).map_err(CopyError::at(&path))?;
        match FileKind::of(found.file_type()) {
            FileKind::File => self.add_file(&place, &path, &name)?,
            FileKind::Folder => return self.add_folder(&place, path, name, &found),
            FileKind::Link => {
                let target = place.folder.read_link_contents(&place.below);
                let target = target.map_err(CopyError::at(&path))?;
                let mut header = header(EntryType::Symlink, 0, &found);
                self.archive.append_link(&mut header, &name, &target).map_err(CopyError::Sent)?;
            }
            FileKind::Other => {
                let what = "it is a device, a FIFO or a socket, and is not copied";
                self.copied.note(format!("{}: {what}", path.display()));
                return Ok(());
            }
        }
        self.copied.entries += 1;
        Ok(())
    }

    fn add_folder(
        &mut self,
        place: &Place<'_>,
        path: PathBuf,
        name: PathBuf,
        found: &Metadata,
    ) -> Result<(), CopyError> {
        if self.folders.len() >= DEEPEST {
            let why = format!("more than {DEEPEST} folders in each other");
            return Err(CopyError::refused(&path, why));
        }
        if !name.as_os_str().is_empty() {
            let mut header = header(EntryType::Directory, 0, found);
            let added = self.archive.append_data(&mut header, name.join(""), io::empty());
            added.map_err(CopyError::Sent)?;
            self.copied.entries += 1;
        }
        let entries = place.folder.read_dir(&place.below).map_err(CopyError::at(&path))?;
        self.folders.push(Folder { path, name, entries });
        Ok(())
    }

    fn add_file(&mut self, place: &Place<'_>, path: &Path, name: &Path) -> Result<(), CopyError> {
        let mut options = OpenOptions::new();
        // Somebody may have put a link or a FIFO there since it was looked at.
        options.read(true).follow(FollowSymlinks::No);
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = place.folder.open_with(&place.below, &options).map_err(CopyError::at(path))?;
        let found = file.metadata().map_err(CopyError::at(path))?;
        if !found.is_file() {
            return Err(CopyError::refused(path, "it has changed while it was read"));
        }
        let size = found.len();
        let mut content = Content { file: file.take(size), missing: size, failure: None };
        let mut header = header(EntryType::Regular, size, &found);
        let added = self.archive.append_data(&mut header, name, &mut content);
        self.tree.traffic.read(size - content.missing);
        if let Some(error) = content.failure {
            return Err(CopyError::at(path)(error));
        }
        added.map_err(CopyError::Sent)?;
        self.copied.bytes += size;
        Ok(())
    }
}

/// The bytes of a file, as many as its header says.
struct Content<File> {
    file: io::Take<File>,
    missing: u64,
    failure: Option<io::Error>,
}

impl<File: Read> Read for Content<File> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.file.read(buffer) {
            Ok(0) if self.missing > 0 && !buffer.is_empty() => {
                Err(io::Error::other("it has become shorter while it was read"))
            }
            read => read,
        };
        match read {
            Ok(read) => {
                self.missing -= u64::try_from(read).unwrap_or(self.missing);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), "the file");
                self.failure = Some(error);
                Err(told)
            }
        }
    }
}

fn header(kind: EntryType, size: u64, found: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode(found));
    // Nobody's: they belong to whoever unpacks them.
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(modified(found)).unwrap_or_default());
    header
}
