//! Roots by the digest of their image, shared by all processes of a user.
//!
//! ```text
//! <trees>/sha256-<hex>/rootfs         a finished root
//! <trees>/sha256-<hex>/unpacked.json  what was unpacked, and the notes
//! <trees>/.sha256-<hex>/              a root in the making, or on its way out
//! <trees>/.sha256-<hex>.lock          locked by whoever makes or removes it
//! ```
//!
//! The kernel drops a lock however its process ends, so what lies beside a lock that can be taken was
//! left by one that was killed, and the next begins anew. A root in the making becomes a finished one
//! by a rename, once all of it is on the disk: there is no moment in which half a root has the name of
//! a whole one, nor after a loss of power. One that does not say what was unpacked counts as none and
//! is made anew. Who uses a finished root shares a lock on its folder, and only who has that lock alone
//! removes it. Nobody writes in a finished root.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use oci_spec::image::Descriptor;
use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::error::RootfsError;
use super::limits::Limits;
use super::unpack::{Unpacked, unpack};
use crate::artifact::Layer;
use crate::digest::Digest;

const ROOT: &str = "rootfs";
const ABOUT: &str = "unpacked.json";
const LOCK: &str = ".lock";

/// A folder of roots.
#[derive(Clone, Debug)]
pub struct Trees {
    folder: PathBuf,
}

/// A finished root. While this is held, nobody removes it.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    unpacked: Unpacked,
    _lock: File,
}

impl Root {
    /// The folder to be a container's root, for reading only: others have it too. It may have hard links
    /// among its files.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was unpacked.
    #[must_use]
    pub fn unpacked(&self) -> &Unpacked {
        &self.unpacked
    }
}

/// What became of a root that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// There was none.
    Missing,
    /// Somebody uses it: it stays.
    InUse,
}

impl Trees {
    /// The roots in `folder`, which is made if need be, for this user alone.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path) -> Result<Self, RootfsError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        created.map_err(host("create", folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The root of an image, if it is here.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn get(&self, image: &Digest) -> Result<Option<Root>, RootfsError> {
        let path = self.finished(image);
        let Some(folder) = open(&path)? else { return Ok(None) };
        // Before the lock: one that is damaged must be free for whoever makes it anew.
        let Some(unpacked) = unpacked(&path)? else { return Ok(None) };
        if !lock(&folder, &path, FlockOperation::LockShared)? {
            return Ok(None);
        }
        Ok(Some(Root { path: path.join(ROOT), unpacked, _lock: folder }))
    }

    /// The root of an image, unpacked if it is not here yet; who asks while another unpacks it waits.
    /// `open` gives the bytes of a blob, whose digest it has verified.
    ///
    /// # Errors
    /// Those of [`unpack`]; what was written is removed.
    pub fn unpack<Blob: Read>(
        &self,
        image: &Digest,
        layers: &[Layer],
        mut open: impl FnMut(&Descriptor) -> io::Result<Blob>,
        limits: Limits,
    ) -> Result<Root, RootfsError> {
        loop {
            if let Some(root) = self.get(image)? {
                return Ok(root);
            }
            let Some(place) = Place::wait(&self.folder, image)? else { continue };
            // Who had the place before may have finished it. And it may be gone again at once: who
            // removes roots does not know that this one is wanted.
            if let Some(root) = self.get(image)? {
                return Ok(root);
            }
            // What has the name now is damaged.
            if self.clear(&place)? == Removal::InUse {
                let busy = io::Error::from(ErrorKind::ResourceBusy);
                return Err(host("replace", &self.finished(image))(busy));
            }
            self.make(&place, layers, &mut open, limits)?;
        }
    }

    fn make<Blob: Read>(
        &self,
        place: &Place,
        layers: &[Layer],
        open: impl FnMut(&Descriptor) -> io::Result<Blob>,
        limits: Limits,
    ) -> Result<(), RootfsError> {
        let making = place.folder.as_path();
        let new =
            |path: &Path| DirBuilder::new().mode(0o700).create(path).map_err(host("create", path));
        // Of a maker that was killed.
        remove(making)?;
        new(making)?;
        let into = making.join(ROOT);
        new(&into)?;
        let unpacked = unpack(layers, open, &into, limits)?;
        let about = making.join(ABOUT);
        let json = serde_json::to_vec(&unpacked).map_err(io::Error::from);
        json.and_then(|json| fs::write(&about, json)).map_err(host("write", &about))?;
        sync(making)?;
        let path = self.finished(&place.image);
        fs::rename(making, &path).map_err(host("finish", &path))
    }

    /// Removes the root of an image unless somebody uses it or is about to.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, image: &Digest) -> Result<Removal, RootfsError> {
        let Some(place) = Place::try_take(&self.folder, image)? else { return Ok(Removal::InUse) };
        self.clear(&place)
    }

    /// Removes what has the name of a finished root.
    fn clear(&self, place: &Place) -> Result<Removal, RootfsError> {
        let path = self.finished(&place.image);
        let Some(folder) = open(&path)? else { return Ok(Removal::Missing) };
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Ok(Removal::InUse),
            locked => locked.map_err(|errno| host("lock", &path)(errno.into()))?,
        }
        remove(&place.folder)?;
        fs::rename(&path, &place.folder).map_err(host("remove", &path))?;
        remove(&place.folder)?;
        Ok(Removal::Removed)
    }

    /// Whether somebody uses the root of an image.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn is_used(&self, image: &Digest) -> Result<bool, RootfsError> {
        let path = self.finished(image);
        let Some(folder) = open(&path)? else { return Ok(false) };
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Ok(true),
            locked => locked.map(|()| false).map_err(|errno| host("lock", &path)(errno.into())),
        }
    }

    /// The images that have a root here.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn images(&self) -> Result<Vec<Digest>, RootfsError> {
        let mut images: Vec<Digest> = self
            .names()?
            .iter()
            .filter_map(|name| name.replacen('-', ":", 1).parse().ok())
            .collect();
        images.sort_unstable();
        Ok(images)
    }

    /// Removes the roots of all images but these, and leaves those that somebody uses; answers which are
    /// gone.
    ///
    /// # Errors
    /// The first that cannot be removed.
    pub fn retain(&self, kept: &HashSet<Digest>) -> Result<Vec<Digest>, RootfsError> {
        let mut gone = Vec::new();
        for image in self.images()? {
            if !kept.contains(&image) && self.remove(&image)? == Removal::Removed {
                gone.push(image);
            }
        }
        Ok(gone)
    }

    /// Removes what killed processes have left half made or half removed; answers how many that were.
    ///
    /// # Errors
    /// The first that cannot be removed.
    pub fn sweep(&self) -> Result<usize, RootfsError> {
        let names = self.names()?;
        let hidden = names.iter().filter_map(|name| name.strip_prefix('.'));
        let mut images: Vec<Digest> =
            hidden.filter_map(|name| image(name.strip_suffix(LOCK).unwrap_or(name))).collect();
        images.sort_unstable();
        images.dedup();
        let mut removed = 0;
        for image in &images {
            let Some(place) = Place::try_take(&self.folder, image)? else { continue };
            remove(&place.folder)?;
            removed += 1;
        }
        Ok(removed)
    }

    fn names(&self) -> Result<Vec<String>, RootfsError> {
        let unreadable = || host("read", &self.folder);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unreadable())? {
            // Nothing of ours has another name than in UTF-8.
            names.extend(entry.map_err(unreadable())?.file_name().into_string());
        }
        Ok(names)
    }

    fn finished(&self, image: &Digest) -> PathBuf {
        self.folder.join(name(image))
    }
}

/// The right to make or to remove the root of an image. Dropping it removes what is half made.
struct Place {
    image: Digest,
    /// Where it is made.
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Place {
    /// Waits for it; none if it has to be asked for again.
    fn wait(trees: &Path, image: &Digest) -> Result<Option<Self>, RootfsError> {
        Self::take(trees, image, FlockOperation::LockExclusive)
    }

    /// None if somebody has it.
    fn try_take(trees: &Path, image: &Digest) -> Result<Option<Self>, RootfsError> {
        Self::take(trees, image, FlockOperation::NonBlockingLockExclusive)
    }

    fn take(
        trees: &Path,
        image: &Digest,
        operation: FlockOperation,
    ) -> Result<Option<Self>, RootfsError> {
        let folder = trees.join(format!(".{}", name(image)));
        let lock_path = trees.join(format!(".{}{LOCK}", name(image)));
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(&lock_path);
        let file = file.map_err(host("create", &lock_path))?;
        if !lock(&file, &lock_path, operation)? {
            return Ok(None);
        }
        Ok(Some(Self { image: image.clone(), folder, lock_path, _lock: file }))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed now is swept later, or made anew. The lock's file goes last: while
        // it has its name, nobody else has the place.
        if remove(&self.folder).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

fn name(image: &Digest) -> String {
    format!("{}-{}", image.algorithm().as_str(), image.hex())
}

/// The image whose root has this name.
fn image(name: &str) -> Option<Digest> {
    name.replacen('-', ":", 1).parse().ok()
}

/// What a finished root says of itself; none if it does not, whole.
fn unpacked(root: &Path) -> Result<Option<Unpacked>, RootfsError> {
    let about = root.join(ABOUT);
    let read = fs::read(&about).and_then(|json| Ok(serde_json::from_slice(&json)?));
    match read {
        Ok(unpacked) => Ok(Some(unpacked)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Ok(None),
            _ => Err(host("read", &about)(error)),
        },
    }
}

/// Waits until all files below are on the disk: a rename may get there before what is renamed.
///
/// The whole file system at once, as containerd's `image_pull_with_sync_fs` has it: for some thousand
/// small files it costs nothing that can be measured, and for 300 MB a fifth of the time.
fn sync(folder: &Path) -> Result<(), RootfsError> {
    let synced = File::open(folder).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
    synced.map_err(host("sync", folder))
}

fn open(path: &Path) -> Result<Option<File>, RootfsError> {
    match File::open(path) {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(host("open", path)(error)),
    }
}

/// Whether `file`, which was at `path`, is locked now and still there: what was renamed or removed
/// while one waited is worth nothing.
fn lock(file: &File, path: &Path, operation: FlockOperation) -> Result<bool, RootfsError> {
    loop {
        match rustix::fs::flock(file, operation) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(errno) => return Err(host("lock", path)(errno.into())),
        }
    }
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let locked = file.metadata().map(identity).map_err(host("look at", path))?;
    Ok(fs::symlink_metadata(path).is_ok_and(|there| identity(there) == locked))
}

/// Folders of a root belong to this user with all permissions, and no link is followed.
fn remove(path: &Path) -> Result<(), RootfsError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(host("remove", path)(error)),
        _ => Ok(()),
    }
}

fn host(deed: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RootfsError {
    let path = path.to_owned();
    move |source| RootfsError::Host { deed, path, source }
}
