//! Finding code, and making what is not there.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::error::CacheError;
use super::folder::{check_folder, create_folder, temporary_name};
use super::key::key;
use super::prune::note_use;
use crate::executor::{Account, Blocking};
use crate::image::compile::{Cancel, Compiler};
use crate::image::digest::hex;
use crate::image::error::ImageError;
use crate::image::file::ImageFile;
use crate::image::identity::FileIdentity;
use crate::image::kind::Shape;
use crate::image::profile::{Metering, Reservation};

/// How large the cache may grow before the least recently used code goes.
const MOST_BYTES: u64 = 1 << 30;

/// From when on the user should see that something is being compiled.
const SLOW: Duration = Duration::from_millis(500);

/// No guest takes this long; a compiler that does is stuck.
pub(super) const MOST_TIME: Duration = Duration::from_secs(15 * 60);

/// Machine code on disk, ready to be mapped.
#[derive(Clone, Debug)]
pub struct Code {
    /// What it is and what its engine must be able to do.
    pub shape: Shape,
    /// The sha256 of the image file that it was compiled from, in hexadecimal.
    pub digest: String,
    /// The file.
    pub file: PathBuf,
    /// Its shared lock keeps the file from being pruned.
    _lease: Arc<File>,
}

/// The cache. Clones share it.
#[derive(Clone, Debug)]
pub struct CodeCache {
    shared: Arc<Shared>,
}

#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) folder: PathBuf,
    pub(super) key: String,
    pub(super) reservation: Reservation,
    pub(super) metering: Metering,
    blocking: Blocking,
    pub(super) compiler: Compiler,
    pub(super) payer: Option<Account>,
    /// A large image may have code that was made quickly, until better code is there.
    pub(super) may_be_quick: bool,
    pub(super) most_bytes: u64,
}

impl CodeCache {
    /// The cache in `folder`, which is created if it is missing.
    ///
    /// # Errors
    /// When the folder belongs to somebody else or others may write to it.
    pub fn open(
        folder: &Path,
        reservation: Reservation,
        compiler: Compiler,
    ) -> Result<Self, CacheError> {
        Self::open_limited(folder, reservation, compiler, MOST_BYTES)
    }

    /// As [`CodeCache::open`], with another size than 1 GiB.
    pub fn open_limited(
        folder: &Path,
        reservation: Reservation,
        compiler: Compiler,
        most_bytes: u64,
    ) -> Result<Self, CacheError> {
        check_folder(folder)?;
        let shared = Shared {
            folder: folder.to_owned(),
            key: key(reservation, Metering::Epochs),
            reservation,
            metering: Metering::Epochs,
            blocking: Blocking::Aside,
            compiler,
            payer: None,
            may_be_quick: true,
            most_bytes,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The same cache, where each image is compiled well before it runs, however long that takes. Without
    /// it a large one begins with code of Winch, the baseline compiler of wasmtime; a second compiler is
    /// one more that has to be trusted with strangers' code.
    #[must_use]
    pub fn optimised_at_first(&self) -> Self {
        let shared = Shared { may_be_quick: false, ..Shared::clone(&self.shared) };
        Self { shared: Arc::new(shared) }
    }

    /// The same cache for guests whose code counts what it executes.
    #[must_use]
    pub fn counting(&self) -> Self {
        let metering = Metering::Fuel;
        let key = key(self.shared.reservation, metering);
        let shared = Shared { key, metering, ..Shared::clone(&self.shared) };
        Self { shared: Arc::new(shared) }
    }

    /// As [`CodeCache::counting`], for Pods on virtual time: compiling holds up everything.
    pub(crate) fn on_virtual_time(&self) -> Self {
        let blocking = Blocking::InPlace;
        let shared = Shared { blocking, ..Shared::clone(&self.counting().shared) };
        Self { shared: Arc::new(shared) }
    }

    /// The same cache, with the CPU time of compiling children charged to `payer`. On virtual time
    /// nobody pays: what a real machine takes has no place there.
    pub(crate) fn paid_by(&self, payer: Account) -> Self {
        let payer = (self.shared.blocking == Blocking::Aside).then_some(payer);
        Self { shared: Arc::new(Shared { payer, ..Shared::clone(&self.shared) }) }
    }

    /// A file with these bytes, made if it is not there yet; for what is compiled and is in no file. Blocks.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn keep(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, CacheError> {
        let folder = self.shared.folder.join("kept");
        create_folder(&folder)?;
        let digest = hex(&Sha256::digest(bytes)[..8]);
        let path = folder.join(format!("{name}-{digest}.wasm"));
        if fs::metadata(&path).is_ok_and(|file| file.len() == bytes.len() as u64) {
            return Ok(path);
        }
        let temporary = folder.join(temporary_name());
        let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
        match written {
            Ok(()) => Ok(path),
            Err(source) => {
                let _ = fs::remove_file(&temporary);
                Err(CacheError::Io { path, source })
            }
        }
    }

    /// Where work on files goes.
    pub(crate) fn blocking(&self) -> Blocking {
        self.shared.blocking
    }

    /// The code for the image file at `image`, if it is remembered: the way of a warm start, a few
    /// system calls. `None` says nothing about whether it would compile.
    ///
    /// # Errors
    /// [`ImageError`] when `image` is not a readable regular file.
    pub fn find(&self, image: impl Into<ImageFile>) -> Result<Option<Code>, ImageError> {
        self.remembered(&image.into())
    }

    fn remembered(&self, image: &ImageFile) -> Result<Option<Code>, ImageError> {
        let identity = image.identity()?;
        if let Some(code) = self.shared.recall(&identity.name()) {
            self.shared.improve(image, &code);
            return Ok(Some(code));
        }
        Ok(self.shared.own_artifact(image))
    }

    /// The code for the image file at `image`, compiled if need be. `on_slow` is called once if
    /// that takes longer than half a second.
    ///
    /// # Errors
    /// [`ImageError`] when the file is missing, is no guest or does not compile.
    ///
    /// # Cancel safety
    /// Safe: dropping it ends the compiling child; what another process compiles goes on.
    pub async fn code(
        &self,
        image: impl Into<ImageFile>,
        on_slow: impl FnOnce(),
    ) -> Result<Code, ImageError> {
        let image = image.into();
        match self.remembered(&image)? {
            Some(code) => Ok(code),
            None => self.make(image, self.shared.may_be_quick, on_slow).await,
        }
    }

    /// Compiles again what the engine did not accept: a damaged file, or one of an engine with the
    /// same key and other settings.
    ///
    /// # Errors
    /// As [`CodeCache::code`].
    ///
    /// # Cancel safety
    /// As [`CodeCache::code`].
    pub async fn recompile(
        &self,
        image: impl Into<ImageFile>,
        refused: Code,
        on_slow: impl FnOnce(),
    ) -> Result<Code, ImageError> {
        let _ = fs::remove_file(&refused.file);
        drop(refused);
        self.make(image.into(), false, on_slow).await
    }

    async fn make(
        &self,
        image: ImageFile,
        may_be_quick: bool,
        on_slow: impl FnOnce(),
    ) -> Result<Code, ImageError> {
        struct CancelOnDrop(Cancel);
        impl Drop for CancelOnDrop {
            fn drop(&mut self) {
                self.0.cancel();
            }
        }
        let cancel = CancelOnDrop(Cancel::default());
        let shared = self.shared.clone();
        let (path, cancelled) = (image.name().to_owned(), cancel.0.clone());
        let blocking = shared.blocking;
        let mut making = blocking.spawn(move || shared.make(&image, may_be_quick, &cancelled));
        let made = tokio::select! {
            biased;
            made = &mut making => made,
            () = tokio::time::sleep(SLOW) => {
                on_slow();
                match tokio::time::timeout(MOST_TIME, &mut making).await {
                    Ok(made) => made,
                    Err(_) => {
                        let source = CacheError::Timeout;
                        return Err(ImageError::Cache { path, source });
                    }
                }
            }
        };
        made.unwrap_or_else(|panic| {
            let source = CacheError::Compiler(format!("the compiler failed: {panic}"));
            Err(ImageError::Cache { path, source })
        })
    }
}

impl Shared {
    pub(super) fn code_folder(&self) -> PathBuf {
        self.folder.join("code")
    }

    fn memo(&self, name: &str) -> PathBuf {
        self.folder.join("memo").join(format!("{name}.{}", self.key))
    }

    /// What the memo of this name leads to, if the code is still there.
    pub(super) fn recall(&self, name: &str) -> Option<Code> {
        let target = fs::read_link(self.memo(name)).ok()?;
        let name = target.to_str()?;
        // Another process may have had it made who trusts more.
        if !self.may_be_quick && self.mark(name).exists() {
            return None;
        }
        self.take(name)
    }

    /// The code of this name in `code/`, kept from pruning from here on.
    pub(super) fn take(&self, name: &str) -> Option<Code> {
        let mut parts = name.splitn(3, '.');
        let (digest, key, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let shape = Shape::from_tag(tag)?;
        if key != self.key || digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let path = self.code_folder().join(name);
        let file = File::open(&path).ok()?;
        // Taken only by a pruner that is about to remove it.
        file.try_lock_shared().ok()?;
        note_use(&file);
        Some(Code { shape, digest: digest.to_owned(), file: path, _lease: Arc::new(file) })
    }

    /// The code at `image` itself, if that is a file of this cache. No guest's file is.
    fn own_artifact(&self, image: &ImageFile) -> Option<Code> {
        let ImageFile::Path(image) = image else { return None };
        let image = image.canonicalize().ok()?;
        let folder = self.code_folder().canonicalize().ok()?;
        if image.parent()? != folder {
            return None;
        }
        self.take(image.file_name()?.to_str()?)
    }

    /// Remembers a file by its identity, if that was settled when it was looked at. That it fails is
    /// no reason not to run: the next start hashes again.
    pub(super) fn remember(&self, identity: FileIdentity, looked_at: SystemTime, code: &Code) {
        if !identity.settled(looked_at) {
            return;
        }
        if let Some(name) = code.file.file_name().and_then(|name| name.to_str()) {
            let _ = self.link(&identity.name(), name);
        }
    }

    /// Written only once the code is in place: a memo that leads nowhere costs a compilation.
    pub(super) fn link(&self, name: &str, target: &str) -> Result<(), CacheError> {
        let memo = self.memo(name);
        let temporary = self.folder.join("memo").join(temporary_name());
        symlink(target, &temporary)
            .and_then(|()| fs::rename(&temporary, &memo))
            .map_err(|source| CacheError::Io { path: memo, source })
    }
}
