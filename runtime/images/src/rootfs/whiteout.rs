//! Marks that hide what layers below have made.
//!
//! A mark does not concern its own layer, in whatever order its entries come.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::rc::Rc;

use cap_std::fs::{Dir, MetadataExt};

use super::error::Failure;
use super::tree::{Opened, Tree, no_folder};
use super::write::{names, open_folder};

impl Tree {
    pub(super) fn white_out(&mut self, folder: &[&OsStr], name: &OsStr) -> Result<(), Failure> {
        let Some(parent) = self.existing(folder)? else { return Ok(()) };
        self.last = None;
        self.remove_lower(&parent.dir, parent.inode, name)
    }

    pub(super) fn make_opaque(&mut self, folder: &[&OsStr]) -> Result<(), Failure> {
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
}
