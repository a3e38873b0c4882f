//! Empty folders that an ended Pod leaves to the next one.
//!
//! Making a folder costs a fraction of what removing one may: where ext4 is mounted with `discard`
//! and without a journal, each folder's block is given back to the disk at once (4 ms each were
//! measured, seven folders a Pod), longer than all the rest of a short Pod's life. So a Pod's
//! folder, and the roots in it with their `dev`, `etc` and `tmp`, are emptied and kept:
//!
//! ```text
//! <pods>/.spare/<0..8>/.spare.<0..4>/{dev,etc,tmp}
//! <pods>/.spare/lock.<0..8>
//! ```
//! The files that every root has stay too, to be written over, and so does the Pod's lock: ext4
//! passes over inodes that were freed a moment ago one by one, and after a few hundred runs a new
//! file took half a millisecond. They are never cut to nothing, since ext4 then gives the next
//! content its block at once.
//!
//! A file operation of a guest that has ended may still be under way on another thread, and must
//! not reach the next Pod. It ends with its process at the latest, so a spare folder is locked by
//! the process that left it, and taken only when that lock is gone; a root is looked through once
//! more then.

mod root;

use std::fs::{self, DirBuilder, DirEntry, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

pub(crate) use root::ROOT_FOLDERS;
use root::{Emptied, is_small_folder};

use super::allowance::Allowance;
use super::tree::{remove_tree, usage};

/// The folder of spare things, among those of Pods.
pub const SPARE: &str = ".spare";

const PODS: usize = 8;
const ROOTS: usize = 4;

/// Begins the name of one that is being removed.
const GONE: &str = "gone.";

/// The locks of the folders that this process left.
static LEFT: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// Moves a spare Pod folder to `path`, where nothing is yet; answers whether there was one.
pub(crate) fn take_pod(pods: &Path, path: &Path) -> bool {
    (0..PODS).any(|number| take(&spare_pod(pods, number), path).unwrap_or(false))
}

fn take(spare: &Path, path: &Path) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(spare, flags, Mode::empty()) {
        Ok(folder) => File::from(folder),
        Err(Errno::NOENT) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(false);
    }
    // Between the two calls another process may have taken this one and a third left its own.
    let (locked, there) = (folder.metadata()?, fs::symlink_metadata(spare)?);
    if (locked.dev(), locked.ino()) != (there.dev(), there.ino()) {
        return Ok(false);
    }
    rustix::fs::renameat_with(CWD, spare, CWD, path, RenameFlags::NOREPLACE)?;
    Ok(true)
}

/// Removes what is kept for the next Pods, and answers how many bytes that were. What a process that
/// still lives has left stays.
///
/// # Errors
/// The first thing that could not be removed.
pub fn clear_spare(pods: &Path) -> io::Result<u64> {
    let mut freed = 0;
    for number in 0..PODS {
        let (spare, gone) =
            (spare_pod(pods, number), pods.join(SPARE).join(format!("{GONE}{number}")));
        // One that was cut off here before.
        remove_tree(&gone)?;
        let bytes = usage(&spare).map_or(0, |usage| usage.bytes);
        if take(&spare, &gone)? {
            remove_tree(&gone)?;
            freed += bytes;
        }
        match fs::remove_file(spare_lock(pods, number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(freed)
}

/// What became of the folder of an ended Pod.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It is kept for another Pod.
    Kept,
    /// It is the caller's to remove, and small.
    NoRoom,
    /// To empty it takes more than was allowed.
    TooMuch,
}

/// Empties the folder of an ended Pod, as far as `allowance` goes, and keeps it if there is room.
pub(crate) fn leave_pod(pods: &Path, path: &Path, allowance: Allowance) -> io::Result<Left> {
    let folder = OwnedFd::from(File::open(path)?);
    if !empty_pod(path, allowance)? {
        return Ok(Left::TooMuch);
    }
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockShared)?;
    for number in 0..PODS {
        let spare = spare_pod(pods, number);
        let moved = rustix::fs::renameat_with(CWD, path, CWD, &spare, RenameFlags::NOREPLACE);
        match moved {
            Ok(()) => {}
            Err(Errno::EXIST) => continue,
            Err(Errno::NOENT) => {
                // The first one of all.
                let parent = spare.parent().expect("it was joined to its folder");
                DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
                rustix::fs::renameat_with(CWD, path, CWD, &spare, RenameFlags::NOREPLACE)?;
            }
            Err(error) => return Err(error.into()),
        }
        LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(folder);
        return Ok(Left::Kept);
    }
    Ok(Left::NoRoom)
}

/// Leaves nothing in the Pod's folder but spare roots; answers `false` when `allowance` is used up.
fn empty_pod(path: &Path, mut allowance: Allowance) -> io::Result<bool> {
    let entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    let names: Vec<_> = entries.iter().map(DirEntry::file_name).collect();
    let mut free = (0..ROOTS).map(spare_root).filter(|spare| !names.iter().any(|n| *n == **spare));
    for (entry, name) in entries.iter().zip(&names) {
        if (0..ROOTS).any(|number| *name == *spare_root(number)) {
            continue;
        }
        let metadata = entry.metadata()?;
        let is_root = is_small_folder(&metadata)
            && match root::empty(&entry.path(), &mut allowance)? {
                Emptied::Root => true,
                Emptied::NoRoot => false,
                Emptied::TooMuch => return Ok(false),
            };
        if is_root && let Some(spare) = free.next() {
            fs::rename(entry.path(), path.join(spare))?;
        } else if !allowance.remove(&entry.path(), &metadata)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves a spare lock file to `path`, if there is one and nothing is there yet. It is then to be
/// locked as any other.
pub(crate) fn take_lock(pods: &Path, path: &Path) {
    for number in 0..PODS {
        let spare = spare_lock(pods, number);
        match rustix::fs::renameat_with(CWD, &spare, CWD, path, RenameFlags::NOREPLACE) {
            Err(Errno::NOENT) => {}
            // Another name's error is ours too: a new file is made.
            Ok(()) | Err(_) => return,
        }
    }
}

/// Keeps the lock file at `path` for another Pod and lets go of it; answers whether there was
/// room.
pub(crate) fn leave_lock(pods: &Path, path: &Path, lock: &File) -> bool {
    let kept = (0..PODS).any(|number| {
        let spare = spare_lock(pods, number);
        rustix::fs::renameat_with(CWD, path, CWD, &spare, RenameFlags::NOREPLACE).is_ok()
    });
    // Whoever takes it now need not wait for the end of this process.
    kept && rustix::fs::flock(lock, FlockOperation::Unlock).is_ok()
}

/// The spare roots of the Pod's folder, as many as `most`, that hold [`ROOT_FOLDERS`] and nothing
/// else, save files that are to be written over. Others are removed.
pub(crate) fn ready_roots(pod: &Path, most: usize) -> Vec<PathBuf> {
    let spares = (0..ROOTS).map(|number| pod.join(spare_root(number)));
    let ready = spares.filter(|spare| match root::is_empty(spare) {
        Ok(true) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Ok(false) | Err(_) => {
            // What cannot be removed now goes with the Pod.
            let _ = remove_tree(spare);
            false
        }
    });
    ready.take(most).collect()
}

fn spare_pod(pods: &Path, number: usize) -> PathBuf {
    pods.join(SPARE).join(number.to_string())
}

fn spare_lock(pods: &Path, number: usize) -> PathBuf {
    pods.join(SPARE).join(format!("lock.{number}"))
}

/// No container's name begins with a dot.
fn spare_root(number: usize) -> String {
    format!(".spare.{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if the process that left them had ended.
    fn forget_locks() {
        LEFT.lock().unwrap().clear();
    }

    fn leave(pods: &Path, path: &Path) {
        assert_eq!(leave_pod(pods, path, Allowance::ALL).unwrap(), Left::Kept);
    }

    fn make_root(path: &Path) {
        for name in ROOT_FOLDERS {
            fs::create_dir_all(path.join(name)).unwrap();
        }
    }

    #[test]
    fn a_pods_folder_comes_back_empty_once_its_process_has_ended() {
        let state = tempfile::tempdir().unwrap();
        let pods = state.path();
        let first = pods.join("first");
        for root in ["a.0", "b.0"] {
            make_root(&first.join(root));
            fs::write(first.join(root).join("etc/hosts"), "x").unwrap();
            fs::create_dir_all(first.join(root).join("tmp/deep/er")).unwrap();
            fs::write(first.join(root).join("file"), "x").unwrap();
        }
        fs::create_dir_all(first.join("volumes/data")).unwrap();
        leave(pods, &first);
        assert!(!first.exists());

        let second = pods.join("second");
        // Other tests of this process may drop the lock, so only one side can be asked for.
        forget_locks();
        assert!(take_pod(pods, &second));
        assert!(!take_pod(pods, &pods.join("third")));
        assert_eq!(fs::read_dir(&second).unwrap().count(), 2);
        assert_eq!(ready_roots(&second, 1).len(), 1);
        assert_eq!(ready_roots(&second, 3).len(), 2);
    }

    #[test]
    fn a_folder_is_not_taken_while_its_lock_is_held() {
        let state = tempfile::tempdir().unwrap();
        let spare = spare_pod(state.path(), 3);
        fs::create_dir_all(&spare).unwrap();
        let lock = File::open(&spare).unwrap();
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared).unwrap();
        assert!(!take_pod(state.path(), &state.path().join("pod")));
        drop(lock);
        assert!(take_pod(state.path(), &state.path().join("pod")));
    }

    #[test]
    fn what_is_kept_can_be_removed_unless_its_process_lives() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(clear_spare(state.path()).unwrap(), 0);
        let (free, held) = (spare_pod(state.path(), 1), spare_pod(state.path(), 2));
        make_root(&free.join(spare_root(0)));
        make_root(&held.join(spare_root(0)));
        fs::write(spare_lock(state.path(), 0), "").unwrap();
        let lock = File::open(&held).unwrap();
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared).unwrap();
        assert!(clear_spare(state.path()).unwrap() > 0);
        let names = fs::read_dir(state.path().join(".spare")).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["2"]);
    }

    #[test]
    fn what_was_written_late_is_thrown_away() {
        let state = tempfile::tempdir().unwrap();
        for late in ["tmp/late", "late", "etc/late", "dev/termination-log"] {
            let spare = state.path().join(spare_root(1));
            make_root(&spare);
            fs::write(spare.join(late), "x").unwrap();
            assert!(ready_roots(state.path(), 1).is_empty(), "{late}");
            assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn the_files_of_a_root_stay_unless_something_else_leads_to_them() {
        let state = tempfile::tempdir().unwrap();
        let (pod, volume) = (state.path().join("pod"), state.path().join("volume"));
        let root = pod.join("a.0");
        make_root(&root);
        for file in ["etc/hosts", "etc/hostname", "dev/termination-log"] {
            fs::write(root.join(file), if file.starts_with("etc") { "x" } else { "" }).unwrap();
        }
        fs::hard_link(root.join("etc/hostname"), &volume).unwrap();
        std::os::unix::fs::symlink(&volume, root.join("etc/resolv.conf")).unwrap();
        leave(state.path(), &pod);
        let kept = spare_pod(state.path(), 0).join(spare_root(0));
        assert!(kept.join("etc/hosts").exists() && kept.join("dev/termination-log").exists());
        assert_eq!(fs::read_dir(kept.join("etc")).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(volume).unwrap(), "x");
    }

    #[test]
    fn roots_that_guests_took_apart_are_removed() {
        let state = tempfile::tempdir().unwrap();
        let pod = state.path().join("pod");
        make_root(&pod.join("a.0"));
        fs::remove_dir(pod.join("a.0/tmp")).unwrap();
        make_root(&pod.join("b.0"));
        fs::remove_dir(pod.join("b.0/etc")).unwrap();
        std::os::unix::fs::symlink("/etc", pod.join("b.0/etc")).unwrap();
        leave(state.path(), &pod);
        assert_eq!(fs::read_dir(spare_pod(state.path(), 0)).unwrap().count(), 0);
        assert!(Path::new("/etc/passwd").exists());
    }

    #[test]
    fn only_so_many_are_kept() {
        let state = tempfile::tempdir().unwrap();
        let mut kept = 0;
        for number in 0..PODS + 2 {
            let pod = state.path().join(format!("pod{number}"));
            for root in 0..ROOTS + 2 {
                make_root(&pod.join(format!("c{root}.0")));
            }
            if leave_pod(state.path(), &pod, Allowance::ALL).unwrap() == Left::Kept {
                kept += 1;
            }
        }
        assert_eq!(kept, PODS);
        let roots = fs::read_dir(spare_pod(state.path(), 0)).unwrap().count();
        assert_eq!(roots, ROOTS);
    }
}
