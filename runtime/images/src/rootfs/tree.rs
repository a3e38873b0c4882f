//! The tree that layers grow into: entry by entry, and never a step outside.
//!
//! Every path is resolved below the root's descriptor, one name at a time where something is made, so
//! neither `..` nor a link that came with the image leads out. Nobody else writes here meanwhile.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, MetadataExt};
use rustix::fs::AtFlags;

use super::archive::{Entry, Kind, Modified};
use super::error::{EntryError, Failure, LayerError};
use super::limits::Budget;
use super::name::{Meaning, Place, from_root, link_target, meaning, place};
use super::write::{
    Attributes, Folder, IMPLICIT, OWNS, attribute, open_folder, settle, write_file, write_link,
};
use crate::shown::{Notes, shown};

/// An open folder of the tree.
pub(super) struct Opened {
    pub(super) dir: Dir,
    pub(super) inode: u64,
    pub(super) depth: usize,
}

/// A root in the making.
pub(super) struct Tree {
    pub(super) root: Rc<Opened>,
    folders: HashMap<u64, Folder>,
    /// Links that were written to lead from the root, by their inodes.
    from_root: HashSet<u64>,
    /// What the present layer has made, by folder and name: its own whiteouts do not concern it.
    pub(super) of_layer: HashSet<(u64, OsString)>,
    /// The folder of the last entry; the next one is often in it too.
    pub(super) last: Option<(PathBuf, Rc<Opened>)>,
    pub(super) budget: Rc<RefCell<Budget>>,
    notes: Notes,
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
            from_root: HashSet::new(),
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
        self.try_add(entry, content).map_err(|failure| failure.at(&entry.path))
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
                write_file(&parent.dir, name, entry, content)?;
            }
            Kind::Link(target) => self.make_link(&parent, name, target, entry.modified)?,
            Kind::HardLink(target) => self.make_hard_link(&parent, name, target, entry.modified)?,
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
                    // One entry may make many.
                    self.budget.borrow_mut().spend_entry()?;
                    Rc::new(self.create_folder(&parent, part, IMPLICIT)?)
                }
                opened => Rc::new(opened.map_err(no_folder)?),
            };
        }
        Ok(parent)
    }

    pub(super) fn open(&self, path: &Path) -> io::Result<Opened> {
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
        // By way of links a short path leads to a deep folder: what counts is where it is.
        if depth > most {
            return Err(EntryError::Deep { most }.into());
        }
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

    fn make_link(
        &mut self,
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
        self.make_room(parent, name)?;
        let written = link_target(parent.depth, target);
        write_link(&parent.dir, name, &written, modified)?;
        let inode = parent.dir.symlink_metadata(name)?.ino();
        if written == target {
            // The inode may be that of a link that is gone.
            self.from_root.remove(&inode);
        } else {
            self.from_root.insert(inode);
        }
        Ok(())
    }

    fn make_hard_link(
        &mut self,
        parent: &Opened,
        name: &OsStr,
        target: &[u8],
        modified: Modified,
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
        if there.is_symlink() {
            // What it says is relative to where it is: here it is written anew.
            let says = of_target.dir.read_link_contents(target_name)?.into_os_string().into_vec();
            let leads = if self.from_root.contains(&there.ino()) {
                from_root(of_target.depth, &says)
            } else {
                says
            };
            return self.make_link(parent, name, &leads, modified);
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

    /// Gives the folders what they are to have; answers what the user should know.
    ///
    /// # Errors
    /// The host's file system refuses.
    pub(super) fn finish(self) -> io::Result<Vec<String>> {
        settle(&self.root.dir, &self.folders)?;
        attribute(&open_folder(&self.root.dir, ".".as_ref())?, self.folders.get(&self.root.inode))?;
        Ok(self.notes.finish())
    }
}

pub(super) fn no_folder(error: io::Error) -> Failure {
    let loops = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    Failure::Entry(match error.kind() {
        ErrorKind::NotADirectory => EntryError::NotAFolder,
        // This is what a path that leads out is answered with.
        ErrorKind::PermissionDenied => EntryError::Outside,
        _ if loops => EntryError::Outside,
        _ => EntryError::Host(error),
    })
}
