//! Local files as an archive that is the same each time.
//!
//! Owners are 0, modes are 0644, or 0755 for folders and what its owner may run: what umask and user
//! have made of them is not the image's affair. Links are kept as they are, and never followed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::error::PackError;
use super::input::Module;

/// What lies at a place.
enum File {
    Folder,
    Link(PathBuf),
    Module(Vec<u8>),
    Local { path: PathBuf, runs: bool },
}

/// The root of an image, by the places in it.
#[derive(Default)]
pub(super) struct Files(BTreeMap<PathBuf, File>);

impl Files {
    pub(super) fn add_module(&mut self, module: Module) -> Result<(), PackError> {
        self.place(PathBuf::from(module.name), File::Module(module.bytes))
    }

    /// Adds what is at `from`, with all that is below it, as `to`; a `to` that ends in `/` is a
    /// folder to put it into.
    pub(super) fn add(&mut self, from: &Path, to: &Path) -> Result<(), PackError> {
        let mut place = place(to)?;
        if to.as_os_str().as_bytes().ends_with(b"/") && !from.is_dir() {
            place.push(from.file_name().unwrap_or_default());
        }
        self.walk(from, place)
    }

    fn walk(&mut self, from: &Path, to: PathBuf) -> Result<(), PackError> {
        let unreadable = |source| PackError::Read { path: from.to_owned(), source };
        let metadata = fs::symlink_metadata(from).map_err(unreadable)?;
        if metadata.is_dir() {
            self.place(to.clone(), File::Folder)?;
            for entry in fs::read_dir(from).map_err(unreadable)? {
                let name = entry.map_err(unreadable)?.file_name();
                self.walk(&from.join(&name), to.join(&name))?;
            }
            Ok(())
        } else if metadata.is_symlink() {
            let target = fs::read_link(from).map_err(unreadable)?;
            self.place(to, File::Link(target))
        } else if metadata.is_file() {
            let runs = metadata.permissions().mode() & 0o100 != 0;
            self.place(to, File::Local { path: from.to_owned(), runs })
        } else {
            Err(PackError::Kind { path: from.to_owned() })
        }
    }

    fn place(&mut self, to: PathBuf, file: File) -> Result<(), PackError> {
        let folders = to.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        for folder in folders {
            match self.0.get(folder) {
                None => drop(self.0.insert(folder.to_owned(), File::Folder)),
                Some(File::Folder) => {}
                Some(_) => return Err(PackError::Twice { path: folder.to_owned() }),
            }
        }
        if to.as_os_str().is_empty() {
            return match file {
                File::Folder => Ok(()),
                _ => Err(PackError::Place { path: to }),
            };
        }
        match (self.0.get(&to), &file) {
            (None, _) => drop(self.0.insert(to, file)),
            (Some(File::Folder), File::Folder) => {}
            (Some(_), _) => return Err(PackError::Twice { path: to }),
        }
        Ok(())
    }

    pub(super) fn archive(self, modified: u64) -> Result<Vec<u8>, PackError> {
        let mut builder = Builder::new(Vec::new());
        for (path, file) in self.0 {
            append(&mut builder, &path, file, modified)?;
        }
        builder.into_inner().map_err(PackError::Store)
    }
}

fn append(
    builder: &mut Builder<Vec<u8>>,
    path: &Path,
    file: File,
    modified: u64,
) -> Result<(), PackError> {
    let mut header = Header::new_ustar();
    header.set_mtime(modified);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    let (kind, mode) = match &file {
        File::Folder => (EntryType::Directory, 0o755),
        File::Link(_) => (EntryType::Symlink, 0o777),
        File::Module(_) | File::Local { runs: true, .. } => (EntryType::Regular, 0o755),
        File::Local { runs: false, .. } => (EntryType::Regular, 0o644),
    };
    header.set_entry_type(kind);
    header.set_mode(mode);
    let appended = match file {
        File::Folder => {
            let mut name = path.as_os_str().to_owned();
            name.push("/");
            builder.append_data(&mut header, name, io::empty())
        }
        File::Link(target) => builder.append_link(&mut header, path, target),
        File::Module(bytes) => {
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, path, bytes.as_slice())
        }
        File::Local { path: from, .. } => {
            // As a whole, for a file that grows meanwhile would not fit its header.
            let bytes =
                fs::read(&from).map_err(|source| PackError::Read { path: from.clone(), source })?;
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, path, bytes.as_slice())
        }
    };
    appended.map_err(PackError::Store)
}

fn place(path: &Path) -> Result<PathBuf, PackError> {
    let mut place = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => place.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(PackError::Place { path: path.to_owned() });
            }
        }
    }
    Ok(place)
}
