//! The tree that layers grow into: entry by entry, and never a step outside.
//!
//! Every path is resolved below the root's descriptor, one name at a time where something is made, so
//! neither `..` nor a link that came with the image leads out. Nobody else writes here meanwhile.
//!
//! A folder is made for its owner alone and gets its own mode and time at the end, when nothing comes
//! into it any more: this process is not root, and must be able to write into a folder of mode 0555.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, File, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};

use super::archive::{Entry, Kind, Modified};
use super::error::{EntryError, LayerError};
use super::limits::{Budget, Excess};
use super::name::{Meaning, Place, link_target, meaning, place};
use crate::shown::{Notes, shown};

const BUFFER_BYTES: usize = 64 << 10;

/// A folder that no entry of its own describes.
const IMPLICIT: Attributes =
    Attributes { mode: 0o755, modified: Modified { seconds: 0, nanoseconds: 0 } };

/// The owner of a file reads it, and that of a folder does all: a guest sees none of these bits, but
/// the process that opens its files needs them.
const READS: u32 = 0o400;
const OWNS: u32 = 0o700;

/// What a folder has in the end.
#[derive(Clone, Copy, Debug)]
struct Attributes {
    mode: u32,
    modified: Modified,
}

/// A folder of the tree, known by its inode: links give it many paths.
#[derive(Clone, Copy, Debug)]
struct Folder {
    depth: usize,
    attributes: Attributes,
}

/// An open folder of the tree.
struct Opened {
    dir: Dir,
    inode: u64,
    depth: usize,
}

/// A root in the making.
pub(super) struct Tree {
    root: Rc<Opened>,
    folders: HashMap<u64, Folder>,
    /// What the present layer has made, by folder and name: its own whiteouts do not concern it.
    of_layer: HashSet<(u64, OsString)>,
    /// The folder of the last entry; the next one is often in it too.
    last: Option<(PathBuf, Rc<Opened>)>,
    budget: Rc<RefCell<Budget>>,
    notes: Notes,
}

/// Why an entry was not added: it, or all that is left to be spent.
enum Failure {
    Entry(EntryError),
    Excess(Excess),
    Content(io::Error),
}

impl From<EntryError> for Failure {
    fn from(error: EntryError) -> Self {
        Self::Entry(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Entry(EntryError::Host(error))
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Entry(errno.into())
    }
}

impl From<Excess> for Failure {
    fn from(excess: Excess) -> Self {
        Self::Excess(excess)
    }
}

impl Tree {
    /// `root` is empty.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub(super) fn new(root: Dir, budget: Rc<RefCell<Budget>>) -> io::Result<Self> {
        let inode = root.dir_metadata()?.ino();
        let folders = HashMap::from([(inode, Folder { depth: 0, attributes: IMPLICIT })]);
        Ok(Self {
            root: Rc::new(Opened { dir: root, inode, depth: 0 }),
            folders,
            of_layer: HashSet::new(),
            last: None,
            budget,
            notes: Notes::default(),
        })
    }

    /// What comes from here on is laid over all that came before.
    pub(super) fn begin_layer(&mut self) {
        self.of_layer.clear();
    }

    /// Adds an entry, whose content is what `content` still has.
    ///
    /// # Errors
    /// It cannot be in a root, or be written, or is one too many.
    pub(super) fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), LayerError> {
        let added = self.try_add(entry, content);
        added.map_err(|failure| match failure {
            Failure::Entry(source) => LayerError::Entry { path: shown(&entry.path), source },
            Failure::Excess(excess) => excess.into(),
            Failure::Content(error) => LayerError::reading(error),
        })
    }

    fn try_add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), Failure> {
        self.budget.borrow_mut().spend_entry()?;
        let most_depth = self.most_depth();
        let Place { folder, name } = place(&entry.path, most_depth)?;
        let attributes = Attributes { mode: entry.mode, modified: entry.modified };
        let Some(name) = name else {
            if entry.kind != Kind::Folder {
                return Err(EntryError::Nameless.into());
            }
            self.describe(self.root.inode, 0, attributes);
            return Ok(());
        };
        match meaning(name)? {
            Meaning::Entry => self.make(&folder, name, entry, content),
            Meaning::Whiteout(hidden) => self.white_out(&folder, hidden),
            Meaning::Opaque => self.make_opaque(&folder),
            Meaning::Metadata => Ok(()),
        }
    }

    fn most_depth(&self) -> usize {
        self.budget.borrow().limits().depth
    }

    fn describe(&mut self, inode: u64, depth: usize, attributes: Attributes) {
        self.folders.insert(inode, Folder { depth, attributes });
    }

    fn make(
        &mut self,
        folder: &[&OsStr],
        name: &OsStr,
        entry: &Entry,
        content: &mut dyn Read,
    ) -> Result<(), Failure> {
        if let Kind::Device(what) = entry.kind {
            self.notes
                .add(|| format!("{} of the image is {what}, and left out", shown(&entry.path)));
            return Ok(());
        }
        if std::str::from_utf8(&entry.path).is_err() {
            self.notes.add(|| {
                format!("the name {} is not UTF-8: programs cannot open it", shown(&entry.path))
            });
        }
        let parent = self.folder(folder)?;
        match &entry.kind {
            Kind::Folder => self.make_folder(&parent, name, entry)?,
            Kind::File => {
                self.make_room(&parent, name)?;
                make_file(&parent.dir, name, entry, content)?;
            }
            Kind::Link(target) => {
                self.make_room(&parent, name)?;
                make_link(&parent, name, target, entry.modified)?;
            }
            Kind::HardLink(target) => self.make_hard_link(&parent, name, target)?,
            Kind::Device(_) => {}
        }
        self.of_layer.insert((parent.inode, name.to_owned()));
        Ok(())
    }

    /// The folder of that path, made where it is not there yet; links on the way are followed
    /// within the tree.
    fn folder(&mut self, parts: &[&OsStr]) -> Result<Rc<Opened>, Failure> {
        if parts.is_empty() {
            return Ok(Rc::clone(&self.root));
        }
        let path: PathBuf = parts.iter().collect();
        if let Some((_, last)) = self.last.as_ref().filter(|(last, _)| *last == path) {
            return Ok(Rc::clone(last));
        }
        let opened = match self.open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.make_folders(parts)?,
            opened => Rc::new(opened.map_err(no_folder)?),
        };
        self.last = Some((path, Rc::clone(&opened)));
        Ok(opened)
    }

    fn make_folders(&mut self, parts: &[&OsStr]) -> Result<Rc<Opened>, Failure> {
        let mut parent = Rc::clone(&self.root);
        let mut path = PathBuf::new();
        for part in parts {
            path.push(part);
            parent = match self.open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    Rc::new(self.create_folder(&parent, part, IMPLICIT)?)
                }
                opened => Rc::new(opened.map_err(no_folder)?),
            };
        }
        Ok(parent)
    }

    fn open(&self, path: &std::path::Path) -> io::Result<Opened> {
        let dir = self.root.dir.open_dir(path)?;
        let inode = dir.dir_metadata()?.ino();
        let depth = self.folders.get(&inode).map_or(0, |folder| folder.depth);
        Ok(Opened { dir, inode, depth })
    }

    fn create_folder(
        &mut self,
        parent: &Opened,
        name: &OsStr,
        attributes: Attributes,
    ) -> Result<Opened, Failure> {
        let depth = parent.depth + 1;
        let most = self.most_depth();
        // A link to a deep folder begins anew at the depth that its path says.
        if depth > most {
            return Err(EntryError::Deep { most }.into());
        }
        // An implicit folder counts too: one entry may make a hundred.
        self.budget.borrow_mut().spend_entry()?;
        let created = parent.dir.create_dir_with(name, DirBuilder::new().mode(OWNS));
        match created {
            // A link to nothing is there.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(EntryError::Outside.into());
            }
            created => created?,
        }
        let dir = open_folder(&parent.dir, name)?;
        let inode = dir.dir_metadata()?.ino();
        self.describe(inode, depth, attributes);
        self.of_layer.insert((parent.inode, name.to_owned()));
        Ok(Opened { dir, inode, depth })
    }

    fn make_folder(&mut self, parent: &Opened, name: &OsStr, entry: &Entry) -> Result<(), Failure> {
        let attributes = Attributes { mode: entry.mode, modified: entry.modified };
        match parent.dir.symlink_metadata(name) {
            Ok(there) if there.is_dir() => {
                self.describe(there.ino(), parent.depth + 1, attributes);
                Ok(())
            }
            Ok(_) | Err(_) => {
                self.make_room(parent, name)?;
                self.create_folder(parent, name, attributes).map(drop)
            }
        }
    }

    fn make_hard_link(
        &mut self,
        parent: &Opened,
        name: &OsStr,
        target: &[u8],
    ) -> Result<(), Failure> {
        let nothing = || EntryError::HardLink { target: shown(target) };
        let Place { folder, name: target_name } = place(target, self.most_depth())?;
        let target_name = target_name.ok_or_else(nothing)?;
        let path: PathBuf = folder.iter().collect();
        let of_target = match folder.as_slice() {
            [] => Rc::clone(&self.root),
            _ => Rc::new(self.open(&path).map_err(|_| nothing())?),
        };
        let there = of_target.dir.symlink_metadata(target_name).map_err(|_| nothing())?;
        if there.is_dir() {
            return Err(nothing().into());
        }
        let own = parent.dir.symlink_metadata(name);
        // To make room would remove what is to be linked to.
        if own.is_ok_and(|own| own.ino() == there.ino()) {
            return Ok(());
        }
        self.make_room(parent, name)?;
        let (from, to) = (&of_target.dir, &parent.dir);
        match rustix::fs::linkat(from, target_name, to, name, AtFlags::empty()) {
            // It was in the folder that had to go.
            Err(rustix::io::Errno::NOENT) => Err(nothing().into()),
            linked => Ok(linked?),
        }
    }

    /// Removes what has that name, whatever it is.
    fn make_room(&mut self, parent: &Opened, name: &OsStr) -> Result<(), Failure> {
        let there = match parent.dir.symlink_metadata(name) {
            Ok(there) => there,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.last = None;
        if there.is_dir() {
            parent.dir.remove_dir_all(name)?;
        } else {
            parent.dir.remove_file(name)?;
        }
        Ok(())
    }

    fn white_out(&mut self, folder: &[&OsStr], name: &OsStr) -> Result<(), Failure> {
        let Some(parent) = self.existing(folder)? else { return Ok(()) };
        self.last = None;
        self.remove_lower(&parent.dir, parent.inode, name)
    }

    fn make_opaque(&mut self, folder: &[&OsStr]) -> Result<(), Failure> {
        let Some(folder) = self.existing(folder)? else { return Ok(()) };
        self.last = None;
        self.clear_lower(&folder.dir, folder.inode)
    }

    /// A whiteout in a folder that is not there hides nothing.
    fn existing(&self, parts: &[&OsStr]) -> Result<Option<Rc<Opened>>, Failure> {
        if parts.is_empty() {
            return Ok(Some(Rc::clone(&self.root)));
        }
        match self.open(&parts.iter().collect::<PathBuf>()) {
            Ok(opened) => Ok(Some(Rc::new(opened))),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(no_folder(error)),
        }
    }

    /// Removes what layers below have left under that name, and nothing of the present one.
    fn remove_lower(&mut self, parent: &Dir, inode: u64, name: &OsStr) -> Result<(), Failure> {
        self.budget.borrow_mut().spend_look()?;
        let there = match parent.symlink_metadata(name) {
            Ok(there) => there,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let of_layer = self.of_layer.contains(&(inode, name.to_owned()));
        if there.is_dir() {
            self.clear_lower(&open_folder(parent, name)?, there.ino())?;
            if of_layer {
                return Ok(());
            }
            match parent.remove_dir(name) {
                // What this layer has put there stays.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
                removed => Ok(removed?),
            }
        } else if of_layer {
            Ok(())
        } else {
            Ok(parent.remove_file(name)?)
        }
    }

    fn clear_lower(&mut self, folder: &Dir, inode: u64) -> Result<(), Failure> {
        for name in names(folder)? {
            self.remove_lower(folder, inode, &name)?;
        }
        Ok(())
    }

    /// Gives the folders what they are to have; answers what the user should know.
    ///
    /// # Errors
    /// The host's file system refuses.
    pub(super) fn finish(self) -> io::Result<Vec<String>> {
        settle(&self.root.dir, &self.folders)?;
        let folder = rustix::fs::openat(&self.root.dir, ".", OPEN_FOLDER, Mode::empty())?;
        attribute(&folder, self.folders.get(&self.root.inode))?;
        Ok(self.notes.finish())
    }
}

const OPEN_FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder of that name, and not one that a link of that name leads to.
fn open_folder(parent: &Dir, name: &OsStr) -> io::Result<Dir> {
    let folder = rustix::fs::openat(parent, name, OPEN_FOLDER, Mode::empty())?;
    Ok(Dir::from_std_file(folder.into()))
}

fn names(folder: &Dir) -> io::Result<Vec<OsString>> {
    folder.entries()?.map(|entry| Ok(entry?.file_name())).collect()
}

/// From the deepest up: what is done in a folder changes its time.
fn settle(folder: &Dir, folders: &HashMap<u64, Folder>) -> io::Result<()> {
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

fn attribute(folder: impl std::os::fd::AsFd, known: Option<&Folder>) -> io::Result<()> {
    let Attributes { mode, modified } = known.map_or(IMPLICIT, |folder| folder.attributes);
    rustix::fs::fchmod(&folder, Mode::from_raw_mode(mode | OWNS))?;
    rustix::fs::futimens(&folder, &times(modified))?;
    Ok(())
}

fn no_folder(error: io::Error) -> Failure {
    let loops = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    Failure::Entry(match error.kind() {
        ErrorKind::NotADirectory => EntryError::NotAFolder,
        // This is what a path that leads out is answered with.
        ErrorKind::PermissionDenied => EntryError::Outside,
        _ if loops => EntryError::Outside,
        _ => EntryError::Host(error),
    })
}

fn make_file(
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

fn make_link(
    parent: &Opened,
    name: &OsStr,
    target: &[u8],
    modified: Modified,
) -> Result<(), Failure> {
    if target.is_empty() {
        return Err(EntryError::Nameless.into());
    }
    if target.contains(&0) {
        return Err(EntryError::Nul.into());
    }
    let target = link_target(parent.depth, target);
    parent.dir.symlink_contents(OsStr::from_bytes(&target), name)?;
    rustix::fs::utimensat(&parent.dir, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}

fn times(Modified { seconds, nanoseconds }: Modified) -> Timestamps {
    let time =
        Timespec { tv_sec: seconds.try_into().unwrap_or_default(), tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}
