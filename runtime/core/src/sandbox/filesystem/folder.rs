//! The folder of one Pod on the host: who owns it, and how it goes away.
//!
//! ```text
//! <pods>/<uid>.lock                          locked by the process that is the Pod
//! <pods>/<uid>/<container>.<attempt>/        root of one run of a container
//! <pods>/<uid>/volumes/<name>                emptyDir, configMap, secret, downwardAPI, projected
//! <pods>/<uid>/memory -> /dev/shm/…/<uid>    where volumes in memory are
//! <pods>/.spare/                             empty folders and locks for the next Pods
//! ```
//!
//! Life is a lock, not a process id: the kernel drops the lock however the process ends, so the
//! folder of a Pod that was killed is one whose lock can be taken ([`sweep`]). The lock is taken
//! before the folder is made and removed after it, so that no folder is ever without one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::FlockOperation;

use super::allowance::Allowance;
use super::memory::{is_memory_folder, memory_folder};
use super::spare::{self, Left};
use super::tree::remove_tree;
use crate::records::is_still_at;

/// How often a lock that somebody holds is tried again, 10 ms apart, before it counts as a live Pod.
const PATIENCE: u32 = 50;

/// The folder of a Pod could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The uid is not one file name.
    #[error("{uid:?} cannot name a Pod's folder: it must be one file name, such as a UUID")]
    Uid {
        /// The uid.
        uid: String,
    },
    /// Another process is this Pod.
    #[error("the Pod {uid} is running in another process, which holds {}", lock.display())]
    Running {
        /// The uid.
        uid: String,
        /// The lock file.
        lock: PathBuf,
    },
    /// The host's file system refused.
    #[error("cannot create {}", path.display())]
    Create {
        /// What could not be created.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The folder of a Pod whose process is this one.
///
/// Dropping it unlocks the folder and leaves it to [`sweep`]; [`teardown`](Self::teardown) removes
/// it.
#[derive(Debug)]
pub struct PodFolder {
    path: PathBuf,
    uid: String,
    /// Held open for the lock.
    lock: File,
    /// Spare roots that were looked through.
    ready: Mutex<Vec<PathBuf>>,
}

impl PodFolder {
    /// Makes the folder of the Pod `uid` below `pods` and locks it.
    ///
    /// What a dead process left there under the same uid is removed first. Folders of ours are
    /// open to nobody else (0700).
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn create(pods: &Path, uid: &str) -> Result<Self, FolderError> {
        if !is_one_name(uid) {
            return Err(FolderError::Uid { uid: uid.to_owned() });
        }
        let path = pods.join(uid);
        let lock_path = lock_path(pods, uid);
        let failed = |path: &Path, source| FolderError::Create { path: path.to_owned(), source };
        spare::take_lock(pods, &lock_path);
        let lock = match lock(&lock_path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(pods)
                    .map_err(|error| failed(pods, error))?;
                lock(&lock_path)
            }
            locked => locked,
        };
        let lock = lock
            .map_err(|error| failed(&lock_path, error))?
            .ok_or_else(|| FolderError::Running { uid: uid.to_owned(), lock: lock_path.clone() })?;
        if !spare::take_pod(pods, &path) {
            match make_private(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    remove_contents(&path)
                        .and_then(|()| make_private(&path))
                        .map_err(|error| failed(&path, error))?;
                }
                made => made.map_err(|error| failed(&path, error))?,
            }
        }
        Ok(PodFolder { path, uid: uid.to_owned(), lock, ready: Mutex::default() })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a run of `container` has its root. A container's name holds no dot.
    pub(crate) fn root(&self, container: &str, attempt: u32) -> PathBuf {
        self.path.join(format!("{container}.{attempt}"))
    }

    /// Looks through spare roots, as many as `most`, before they are needed.
    pub(crate) fn ready_roots(&self, most: usize) {
        *self.lock_ready() = spare::ready_roots(&self.path, most);
    }

    /// Moves a spare root to `root`, where nothing is yet; answers whether there was one. It holds
    /// [`ROOT_FOLDERS`](spare::ROOT_FOLDERS) and nothing else, save files that are to be written over.
    pub(crate) fn take_root(&self, root: &Path) -> io::Result<bool> {
        match self.lock_ready().pop() {
            Some(spare) => fs::rename(spare, root).map(|()| true),
            None => Ok(false),
        }
    }

    fn lock_ready(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the volume `name` is, unless it lives elsewhere on the host.
    pub(crate) fn volume(&self, name: &str) -> PathBuf {
        self.path.join("volumes").join(name)
    }

    /// A folder of this Pod in memory, made at its first use; none where the host has no place.
    ///
    /// # Errors
    /// There is a place, and the folder could not be made there.
    pub(crate) fn memory(&self) -> io::Result<Option<PathBuf>> {
        let link = self.path.join("memory");
        if let Ok(folder) = fs::read_link(&link) {
            return Ok(Some(folder));
        }
        let Some(base) = memory_folder() else { return Ok(None) };
        let folder = base.join(&self.uid);
        // The link first: a folder that nothing leads to would stay in memory for ever.
        symlink(&folder, &link)?;
        // A killed process may have left one of the same uid.
        remove_tree(&folder)?;
        make_private(&folder)?;
        Ok(Some(folder))
    }

    /// Removes all of the Pod that dies with it. Safe to call again after a failure, or twice.
    ///
    /// The emptied folder may be kept for another Pod.
    ///
    /// # Errors
    /// The first thing that could not be removed.
    pub fn teardown(&self) -> io::Result<()> {
        remove_memory(&self.path)?;
        match spare::leave_pod(self.pods(), &self.path, Allowance::ALL) {
            Ok(Left::Kept) => {}
            Ok(Left::NoRoom | Left::TooMuch) => remove_tree(&self.path)?,
            Err(error) => {
                tracing::debug!("{} is not kept: {error}", self.path.display());
                remove_tree(&self.path)?;
            }
        }
        self.give_up_lock()
    }

    /// As [`teardown`](Self::teardown), if that takes no longer than an instant; answers whether it
    /// did. If not, some of the files may be gone.
    pub(crate) fn teardown_if_small(&self) -> io::Result<bool> {
        let in_memory = fs::symlink_metadata(self.path.join("memory")).is_ok();
        if in_memory {
            return Ok(false);
        }
        match spare::leave_pod(self.pods(), &self.path, Allowance::small())? {
            Left::Kept => {}
            Left::NoRoom => remove_tree(&self.path)?,
            Left::TooMuch => return Ok(false),
        }
        self.give_up_lock()?;
        Ok(true)
    }

    fn pods(&self) -> &Path {
        self.path.parent().expect("the folder was joined to its parent")
    }

    fn give_up_lock(&self) -> io::Result<()> {
        let pods = self.pods();
        let lock_path = lock_path(pods, &self.uid);
        if spare::leave_lock(pods, &lock_path, &self.lock) {
            return Ok(());
        }
        match fs::remove_file(lock_path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What [`sweep`] did with one folder.
#[derive(Debug)]
pub struct Swept {
    /// The dead Pod.
    pub uid: String,
    /// Whether all of it could be removed.
    pub removed: io::Result<()>,
}

/// Removes the folders of Pods whose process is gone.
///
/// Any number of processes may sweep at once, while others start Pods.
///
/// # Errors
/// `pods` cannot be read; a missing folder is an empty one.
pub fn sweep(pods: &Path) -> io::Result<Vec<Swept>> {
    let mut swept = Vec::new();
    for uid in locks(pods)? {
        let lock_path = lock_path(pods, &uid);
        // Held by a live Pod, or gone since the folder was read.
        let Ok(Some(_lock)) = lock_existing(&lock_path) else { continue };
        let removed = remove_contents(&pods.join(&uid)).and_then(|()| fs::remove_file(&lock_path));
        swept.push(Swept { uid, removed });
    }
    Ok(swept)
}

/// The uids of the Pods whose process is gone: what [`sweep`] would remove.
///
/// # Errors
/// `pods` cannot be read; a missing folder is an empty one.
pub fn dead(pods: &Path) -> io::Result<Vec<String>> {
    let is_free = |path: &Path| matches!(lock_existing(path), Ok(Some(_)));
    Ok(locks(pods)?.into_iter().filter(|uid| is_free(&lock_path(pods, uid))).collect())
}

/// The uids of Pods that have a lock.
fn locks(pods: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(pods) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let uid = name.to_str().and_then(|name| name.strip_suffix(".lock"));
        found.extend(uid.filter(|uid| is_one_name(uid)).map(str::to_owned));
    }
    Ok(found)
}

/// The uids of the Pods that have a process that lives.
///
/// # Errors
/// `pods` cannot be read; a missing folder is an empty one.
pub fn live(pods: &Path) -> io::Result<Vec<String>> {
    // Held for a moment if nobody has it: who makes a Pod is patient.
    let is_held = |uid: &String| matches!(lock_existing(&lock_path(pods, uid)), Ok(None));
    Ok(locks(pods)?.into_iter().filter(is_held).collect())
}

/// Whether the Pod `uid` has a lock: its process lives, or is dead and not swept yet.
pub(crate) fn has_owner(pods: &Path, uid: &str) -> bool {
    lock_path(pods, uid).exists()
}

fn lock_path(pods: &Path, uid: &str) -> PathBuf {
    pods.join(format!("{uid}.lock"))
}

fn lock(path: &Path) -> io::Result<Option<File>> {
    let mut patience = PATIENCE;
    loop {
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match try_lock(file, path)? {
            Attempt::Locked(file) => return Ok(Some(file)),
            // Somebody swept it between our two calls: the next one is new.
            Attempt::Removed => {}
            // A live Pod, or somebody who sweeps: the latter is soon done.
            Attempt::Held if patience == 0 => return Ok(None),
            Attempt::Held => {
                patience -= 1;
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn lock_existing(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).open(path)?;
    match try_lock(file, path)? {
        Attempt::Locked(file) => Ok(Some(file)),
        Attempt::Held | Attempt::Removed => Ok(None),
    }
}

enum Attempt {
    Locked(File),
    Held,
    Removed,
}

/// Locks `file`, if it is still the one at `path`.
fn try_lock(file: File, path: &Path) -> io::Result<Attempt> {
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Attempt::Held),
        Err(error) => return Err(error.into()),
    }
    Ok(if is_still_at(&file, path)? { Attempt::Locked(file) } else { Attempt::Removed })
}

/// Removes a Pod's folder and, first, what it has in memory: the link is the only way there.
fn remove_contents(folder: &Path) -> io::Result<()> {
    remove_memory(folder)?;
    remove_tree(folder)
}

fn remove_memory(folder: &Path) -> io::Result<()> {
    if let Ok(memory) = fs::read_link(folder.join("memory")) {
        let ours = memory.file_name() == folder.file_name()
            && memory.parent().is_some_and(is_memory_folder);
        if ours {
            remove_tree(&memory)?;
        }
    }
    Ok(())
}

fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)
}

fn is_one_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!(components.next(), Some(Component::Normal(only)) if *only == *name)
        && components.next().is_none()
        && !name.starts_with('.')
        && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_pod_has_one_owner() {
        let state = tempfile::tempdir().unwrap();
        let pods = state.path().join("pods");
        let folder = PodFolder::create(&pods, "1234").unwrap();
        assert_eq!(fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o700);
        let second = PodFolder::create(&pods, "1234").unwrap_err();
        assert!(matches!(second, FolderError::Running { .. }), "{second}");
        assert_eq!(sweep(&pods).unwrap().len(), 0);

        folder.teardown().unwrap();
        folder.teardown().unwrap();
        assert_eq!(names(&pods), [".spare"]);
    }

    #[test]
    fn what_a_dead_pod_left_is_swept() {
        let state = tempfile::tempdir().unwrap();
        let dead = PodFolder::create(state.path(), "dead").unwrap();
        fs::create_dir_all(dead.path().join("volumes/data/deep")).unwrap();
        let memory = dead.memory().unwrap();
        if let Some(memory) = &memory {
            fs::write(memory.join("secret"), "x").unwrap();
        }
        let alive = PodFolder::create(state.path(), "alive").unwrap();
        drop(dead);

        assert_eq!(super::dead(state.path()).unwrap(), ["dead"]);
        let swept = sweep(state.path()).unwrap();
        assert_eq!(swept.len(), 1);
        assert_eq!(swept[0].uid, "dead");
        swept[0].removed.as_ref().unwrap();
        assert!(!state.path().join("dead").exists());
        assert!(!state.path().join("dead.lock").exists());
        assert!(memory.is_none_or(|memory| !memory.exists()));
        assert!(alive.path().exists());
    }

    #[test]
    fn the_same_uid_starts_empty_after_a_crash() {
        let state = tempfile::tempdir().unwrap();
        let first = PodFolder::create(state.path(), "uid").unwrap();
        fs::write(first.path().join("left"), "x").unwrap();
        drop(first);
        let second = PodFolder::create(state.path(), "uid").unwrap();
        assert_eq!(fs::read_dir(second.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_memory_that_leads_elsewhere_is_not_followed() {
        let state = tempfile::tempdir().unwrap();
        let elsewhere = state.path().join("elsewhere/uid");
        fs::create_dir_all(&elsewhere).unwrap();
        let folder = PodFolder::create(&state.path().join("pods"), "uid").unwrap();
        symlink(&elsewhere, folder.path().join("memory")).unwrap();
        folder.teardown().unwrap();
        assert!(elsewhere.exists());
    }

    #[test]
    fn only_what_takes_an_instant_is_removed_in_one() {
        let state = tempfile::tempdir().unwrap();
        let folder = PodFolder::create(state.path(), "uid").unwrap();
        let large = folder.path().join("volumes/data/large");
        fs::create_dir_all(large.parent().unwrap()).unwrap();
        File::create(&large).unwrap().set_len(1 << 30).unwrap();
        assert!(!folder.teardown_if_small().unwrap());
        assert!(large.exists());
        fs::remove_file(large).unwrap();
        symlink("/dev/shm", folder.path().join("memory")).unwrap();
        assert!(!folder.teardown_if_small().unwrap());
        fs::remove_file(folder.path().join("memory")).unwrap();
        assert!(folder.teardown_if_small().unwrap());
        assert_eq!(names(state.path()), [".spare"]);
    }

    #[test]
    fn a_uid_is_one_name() {
        let state = tempfile::tempdir().unwrap();
        for uid in ["", ".", "..", ".spare", "a/b", "/", "a/", "a\0b"] {
            let error = PodFolder::create(state.path(), uid).unwrap_err();
            assert!(matches!(error, FolderError::Uid { .. }), "{uid:?}: {error}");
        }
    }

    #[test]
    fn sweeping_while_pods_start_takes_none_of_them() {
        let state = tempfile::tempdir().unwrap();
        let pods = state.path();
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    for round in 0..50 {
                        let uid = format!("{thread}-{round}");
                        let folder = PodFolder::create(pods, &uid).unwrap();
                        fs::write(folder.path().join("file"), "x").unwrap();
                        sweep(pods).unwrap();
                        assert!(folder.path().join("file").exists());
                        folder.teardown().unwrap();
                    }
                });
            }
        });
        assert_eq!(names(pods), [".spare"]);
    }
}
