//! Walks folders that guests have filled: removes them, measures them.
//!
//! A guest may nest folders ten thousand deep, where paths no longer fit a system call, a
//! recursive walk overflows the stack and one open folder a level exhausts the descriptors. So the
//! walk goes from descriptor to descriptor, keeps its own stack, and holds only the lowest levels
//! open; it climbs by `..` and checks that it comes out where it went in. Symbolic links are never
//! followed.

use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// How many levels stay open: their descriptors save the climb by `..`.
const OPEN_LEVELS: usize = 32;

/// How often a folder is looked through again when it was not empty after all: a write of a guest
/// that has just ended may still be under way on another thread.
const EMPTY_ATTEMPTS: u32 = 5;

const OPEN_FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Removes whatever is at `path`, with all below it. Nothing there is fine.
///
/// Folders without write permission are made writable first. What cannot be removed does not
/// keep the rest.
///
/// # Errors
/// The first failure, with the path where it happened.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let root = match rustix::fs::openat(CWD, path, OPEN_FOLDER, Mode::empty()) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        // A file, or a symbolic link: the link goes, not what it leads to.
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return ignore_missing(rustix::fs::unlink(path)).map_err(|error| at(path, error));
        }
        Err(Errno::ACCESS) => {
            rustix::fs::chmod(path, Mode::RWXU).map_err(|error| at(path, error))?;
            rustix::fs::openat(CWD, path, OPEN_FOLDER, Mode::empty())
                .map_err(|error| at(path, error))?
        }
        Err(error) => return Err(at(path, error)),
    };
    let mut removal = Removal { failure: None };
    walk(path, root, &mut removal)?;
    if let Some(failure) = removal.failure {
        return Err(failure);
    }
    ignore_missing(rustix::fs::rmdir(path)).map_err(|error| at(path, error))
}

/// What a folder takes on its file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the blocks that hold files and folders; a file with several names counts once.
    pub bytes: u64,
    /// Files, folders and links, the folder itself included.
    pub inodes: u64,
}

/// Measures what `path` and all below it take, on the file system of `path`.
///
/// Guests may write meanwhile: what comes or goes during the walk may or may not be counted.
///
/// # Errors
/// `path` cannot be opened.
pub fn usage(path: &Path) -> io::Result<Usage> {
    let root = rustix::fs::openat(CWD, path, OPEN_FOLDER, Mode::empty())
        .map_err(|error| at(path, error))?;
    let stat = rustix::fs::fstat(&root).map_err(|error| at(path, error))?;
    let mut count =
        Count { device: stat.st_dev, usage: Usage::default(), several_names: HashSet::new() };
    count.add(&stat);
    walk(path, root, &mut count)?;
    Ok(count.usage)
}

/// What a walk does with what it meets.
trait Visitor {
    /// An entry of a folder; answers whether to go into it.
    fn entry(&mut self, folder: &Level, name: &CStr, kind: FileType, path: &Path) -> Step;
    /// All below a folder has been visited. Answers whether to look through it again.
    fn leave(&mut self, parent: BorrowedFd<'_>, name: &CStr, again: u32, path: &Path) -> Step;
    /// A folder cannot be opened; answers whether to try once more.
    fn closed(&mut self, parent: BorrowedFd<'_>, name: &CStr, error: Errno, path: &Path) -> Step;
}

#[derive(PartialEq, Eq)]
enum Step {
    Into,
    Past,
}

/// A folder between the root of the walk and where it is.
struct Level {
    /// Its name in the level above.
    name: CString,
    /// None where too many are open.
    folder: Option<OwnedFd>,
    /// Device and inode, known once the folder has been closed.
    identity: Option<(u64, u64)>,
    /// Folders in it that are still to be visited.
    folders: Vec<CString>,
    /// How often it was looked through again.
    again: u32,
}

fn walk(path: &Path, root: OwnedFd, visitor: &mut dyn Visitor) -> io::Result<()> {
    let mut levels = vec![Level::new(c".".to_owned(), root)];
    list(&mut levels[0], visitor, path)?;
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.folders.pop() {
            if let Some(child) = enter(level, name, visitor, path) {
                levels.push(child);
                close_upper(&mut levels);
                let child = levels.last_mut().expect("pushed above");
                if let Err(error) = list(child, visitor, path) {
                    tracing::debug!("a folder below {} was not read: {error}", path.display());
                }
            }
            continue;
        }
        let Some(mut done) = levels.pop() else { break };
        let Some(parent) = levels.last_mut() else { break };
        if parent.folder.is_none() && !parent.reopen(&done) {
            // The folder was moved meanwhile: what is left of the walk is not ours.
            return Err(at(path, Errno::STALE));
        }
        let folder = parent.folder.as_ref().expect("open or reopened above").as_fd();
        if visitor.leave(folder, &done.name, done.again, path) == Step::Into {
            done.again += 1;
            let _ = list(&mut done, visitor, path);
            levels.push(done);
        }
    }
    Ok(())
}

/// Reads the names in a folder: folders are kept for later, the rest goes to the visitor.
fn list(level: &mut Level, visitor: &mut dyn Visitor, path: &Path) -> io::Result<()> {
    let folder = level.folder.as_ref().expect("a folder is open when it is listed");
    let mut entries = Dir::read_from(folder).map_err(|error| at(path, error))?;
    while let Some(entry) = entries.read() {
        let entry = entry.map_err(|error| at(path, error))?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let mut kind = entry.file_type();
        if kind == FileType::Unknown {
            kind = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(_) => continue,
            };
        }
        if visitor.entry(level, name, kind, path) == Step::Into {
            level.folders.push(name.to_owned());
        }
    }
    Ok(())
}

fn enter(level: &Level, name: CString, visitor: &mut dyn Visitor, path: &Path) -> Option<Level> {
    let folder = level.folder.as_ref().expect("the lowest level is open").as_fd();
    let open = || rustix::fs::openat(folder, &name, OPEN_FOLDER, Mode::empty());
    let child = match open() {
        Ok(child) => child,
        Err(error) => match visitor.closed(folder, &name, error, path) {
            Step::Into => open().ok()?,
            Step::Past => return None,
        },
    };
    Some(Level::new(name, child))
}

/// Closes the level that is too far up, but never the root of the walk.
fn close_upper(levels: &mut [Level]) {
    let Some(upper) = levels.len().checked_sub(OPEN_LEVELS + 1).filter(|upper| *upper > 0) else {
        return;
    };
    let level = &mut levels[upper];
    let Some(stat) = level.folder.as_ref().and_then(|folder| rustix::fs::fstat(folder).ok()) else {
        return;
    };
    level.identity = Some((stat.st_dev, stat.st_ino));
    level.folder = None;
}

impl Level {
    fn new(name: CString, folder: OwnedFd) -> Self {
        Level { name, folder: Some(folder), identity: None, folders: Vec::new(), again: 0 }
    }

    /// Opens this folder again from one that was in it; answers whether it is the same one.
    fn reopen(&mut self, child: &Level) -> bool {
        let Some(child) = &child.folder else { return false };
        let Ok(parent) = rustix::fs::openat(child, c"..", OPEN_FOLDER, Mode::empty()) else {
            return false;
        };
        let same = rustix::fs::fstat(&parent)
            .is_ok_and(|stat| self.identity == Some((stat.st_dev, stat.st_ino)));
        if same {
            self.folder = Some(parent);
        }
        same
    }
}

struct Removal {
    failure: Option<io::Error>,
}

impl Removal {
    fn failed(&mut self, path: &Path, name: &CStr, error: Errno) {
        if self.failure.is_none() {
            let below = path.join("…").join(OsStr::from_bytes(name.to_bytes()));
            self.failure = Some(at(&below, error));
        }
    }
}

impl Visitor for Removal {
    fn entry(&mut self, folder: &Level, name: &CStr, kind: FileType, path: &Path) -> Step {
        if kind == FileType::Directory {
            return Step::Into;
        }
        let folder = folder.folder.as_ref().expect("it is being listed");
        let unlink = || rustix::fs::unlinkat(folder, name, AtFlags::empty());
        let removed = match unlink() {
            Err(Errno::ACCESS) => rustix::fs::fchmod(folder, Mode::RWXU).and_then(|()| unlink()),
            removed => removed,
        };
        match removed {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => self.failed(path, name, error),
        }
        Step::Past
    }

    fn leave(&mut self, parent: BorrowedFd<'_>, name: &CStr, again: u32, path: &Path) -> Step {
        let remove = || rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR);
        let removed = match remove() {
            Err(Errno::ACCESS) => rustix::fs::fchmod(parent, Mode::RWXU).and_then(|()| remove()),
            removed => removed,
        };
        match removed {
            Ok(()) | Err(Errno::NOENT) => Step::Past,
            Err(Errno::NOTEMPTY | Errno::EXIST) if again < EMPTY_ATTEMPTS => Step::Into,
            Err(error) => {
                self.failed(path, name, error);
                Step::Past
            }
        }
    }

    fn closed(&mut self, parent: BorrowedFd<'_>, name: &CStr, error: Errno, path: &Path) -> Step {
        match error {
            Errno::NOENT => Step::Past,
            // Its entry said folder and nobody is left to put a link in its place, so following
            // one is no danger here.
            Errno::ACCESS
                if rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty()).is_ok() =>
            {
                Step::Into
            }
            _ => {
                self.failed(path, name, error);
                Step::Past
            }
        }
    }
}

struct Count {
    device: u64,
    usage: Usage,
    /// Inodes of files with more than one name.
    several_names: HashSet<u64>,
}

impl Count {
    fn add(&mut self, stat: &Stat) {
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if !is_folder && stat.st_nlink > 1 && !self.several_names.insert(stat.st_ino) {
            return;
        }
        let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
        self.usage.bytes = self.usage.bytes.saturating_add(blocks.saturating_mul(512));
        self.usage.inodes += 1;
    }
}

impl Visitor for Count {
    fn entry(&mut self, folder: &Level, name: &CStr, _: FileType, _: &Path) -> Step {
        let folder = folder.folder.as_ref().expect("it is being listed");
        let Ok(stat) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else {
            return Step::Past;
        };
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if stat.st_dev != self.device {
            return Step::Past;
        }
        self.add(&stat);
        if is_folder { Step::Into } else { Step::Past }
    }

    fn leave(&mut self, _: BorrowedFd<'_>, _: &CStr, _: u32, _: &Path) -> Step {
        Step::Past
    }

    fn closed(&mut self, _: BorrowedFd<'_>, _: &CStr, _: Errno, _: &Path) -> Step {
        Step::Past
    }
}

fn ignore_missing(result: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

/// The error with its place in front; the kind stays.
fn at(path: &Path, error: Errno) -> io::Error {
    let error = io::Error::from(error);
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Folders in folders, deeper than any path may be long.
    fn nest(root: &Path, depth: usize) {
        let mut folder = rustix::fs::open(root, OPEN_FOLDER, Mode::empty()).unwrap();
        for level in 0..depth {
            rustix::fs::mkdirat(&folder, c"deeper", Mode::RWXU).unwrap();
            if level % 1000 == 0 {
                let file = OFlags::CREATE | OFlags::WRONLY;
                rustix::fs::openat(&folder, c"file", file, Mode::RUSR).unwrap();
            }
            folder = rustix::fs::openat(&folder, c"deeper", OPEN_FOLDER, Mode::empty()).unwrap();
        }
    }

    #[test]
    fn removes_ten_thousand_levels() {
        // In memory where possible: a disk takes a minute for this, with `rm -r` as well.
        let outer = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let root = outer.path().join("root");
        fs::create_dir(&root).unwrap();
        nest(&root, 10_000);
        // The walk must not depend on the size of the stack either.
        let removed = std::thread::Builder::new()
            .stack_size(128 * 1024)
            .spawn({
                let root = root.clone();
                move || (usage(&root), remove_tree(&root))
            })
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(removed.0.unwrap().inodes, 10_000 + 10 + 1);
        removed.1.unwrap();
        assert!(!root.exists());
    }

    #[test]
    fn removes_links_and_not_what_they_lead_to() {
        let outer = tempfile::tempdir().unwrap();
        let precious = outer.path().join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("file"), "x").unwrap();
        let root = outer.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink(&precious, root.join("a/link")).unwrap();
        symlink("..", root.join("a/b/up")).unwrap();
        fs::hard_link(precious.join("file"), root.join("hard")).unwrap();
        remove_tree(&root).unwrap();
        assert!(!root.exists());
        assert_eq!(fs::read_to_string(precious.join("file")).unwrap(), "x");

        symlink(&precious, &root).unwrap();
        remove_tree(&root).unwrap();
        assert!(fs::symlink_metadata(&root).is_err());
        assert!(precious.join("file").exists());

        remove_tree(&root).unwrap();
    }

    #[test]
    fn removes_folders_without_permissions() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        fs::create_dir_all(root.join("closed/inner")).unwrap();
        fs::write(root.join("closed/inner/file"), "x").unwrap();
        for folder in ["closed/inner", "closed", ""] {
            let mode = fs::Permissions::from_mode(0o000);
            fs::set_permissions(root.join(folder), mode).unwrap();
        }
        remove_tree(&root).unwrap();
        assert!(!root.exists());
    }

    #[test]
    fn a_file_with_two_names_counts_once() {
        let root = tempfile::tempdir().unwrap();
        let empty = usage(root.path()).unwrap();
        fs::write(root.path().join("one"), vec![1; 100_000]).unwrap();
        let one = usage(root.path()).unwrap();
        assert!(one.bytes - empty.bytes >= 100_000, "{empty:?} {one:?}");
        fs::hard_link(root.path().join("one"), root.path().join("two")).unwrap();
        assert_eq!(usage(root.path()).unwrap(), one);
        assert_eq!(one.inodes, 2);
    }

    #[test]
    fn a_missing_folder_cannot_be_measured() {
        let root = tempfile::tempdir().unwrap();
        let error = usage(&root.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("/none: "), "{error}");
    }
}
