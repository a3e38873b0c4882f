//! The cache of machine code, shared by all wasmpod processes of one user.
//!
//! ```text
//! code/<sha256>.<key>.<shape>        the code; enters only by rename, leaves only by unlink
//! memo/<file identity>.<key>  ─────▶ the name in code/: a warm start reads one link, hashes nothing
//! memo/<sha256>.<key>         ─────▶ the same, for the same content under another path
//! locks/<first byte of sha256>       held while compiling: parallel first starts compile once
//! ```
//!
//! The key says for which wasmtime, address space and CPU the code is. Code is native and runs
//! unchecked, hence the folder must be ours and closed to others. A process holds a shared lock on
//! the code it uses; pruning leaves such files alone. Nothing here has to be cleaned up after a
//! `kill -9`: locks end with their process, and half-written files are swept by age.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::compile::{Cancel, CompileError, Compiled, Compiler, MOST_IMAGE_BYTES, Request, hex};
use super::error::ImageError;
use super::identity::FileIdentity;
use super::kind::{KindError, Shape};
use super::profile::Reservation;

/// How large the cache may grow before the least recently used code goes.
const MOST_BYTES: u64 = 1 << 30;

/// Memos are small, but a file that is rebuilt all day leaves one each time.
const MOST_MEMOS: usize = 10_000;

/// A temporary file older than this belongs to nobody.
const STALE: Duration = Duration::from_secs(3600);

/// How often a use is noted in the file's times, for pruning.
const NOTE_USE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// How long to wait between looks at another process's compilation.
const LOCK_POLL: Duration = Duration::from_millis(10);

/// From when on the user should see that something is being compiled.
const SLOW: Duration = Duration::from_millis(500);

/// No guest takes this long; a compiler that does is stuck.
const MOST_TIME: Duration = Duration::from_secs(15 * 60);

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Not created, not written.
    #[error("cannot use the code cache {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could put code there that we would run.
    #[error("the code cache {} {problem}; remove it or choose another folder", path.display())]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// Whose it is, or who may write.
        problem: String,
    },
    /// The compiler failed for reasons of its own.
    #[error("{0}")]
    Compiler(String),
    /// The compiler did not come to an end.
    #[error("compiling took longer than {} minutes", MOST_TIME.as_secs() / 60)]
    Timeout,
}

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

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    key: String,
    reservation: Reservation,
    compiler: Compiler,
    most_bytes: u64,
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
        let key = key(reservation);
        let folder = folder.to_owned();
        Ok(Self { shared: Arc::new(Shared { folder, key, reservation, compiler, most_bytes }) })
    }

    /// The code for the image file at `image`, if it is remembered: the way of a warm start, a few
    /// system calls. `None` says nothing about whether it would compile.
    ///
    /// # Errors
    /// [`ImageError`] when `image` is not a readable regular file.
    pub fn find(&self, image: &Path) -> Result<Option<Code>, ImageError> {
        let identity = identify(image)?;
        Ok(self.shared.recall(&identity.name()).or_else(|| self.shared.own_artifact(image)))
    }

    /// The code for the image file at `image`, compiled if need be. `on_slow` is called once if
    /// that takes longer than half a second.
    ///
    /// # Errors
    /// [`ImageError`] when the file is missing, is no guest or does not compile.
    ///
    /// # Cancel safety
    /// Safe: dropping it ends the compiling child; what another process compiles goes on.
    pub async fn code(&self, image: &Path, on_slow: impl FnOnce()) -> Result<Code, ImageError> {
        if let Some(code) = self.find(image)? {
            return Ok(code);
        }
        self.make(image, on_slow).await
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
        image: &Path,
        refused: Code,
        on_slow: impl FnOnce(),
    ) -> Result<Code, ImageError> {
        let _ = fs::remove_file(&refused.file);
        drop(refused);
        self.make(image, on_slow).await
    }

    async fn make(&self, image: &Path, on_slow: impl FnOnce()) -> Result<Code, ImageError> {
        struct CancelOnDrop(Cancel);
        impl Drop for CancelOnDrop {
            fn drop(&mut self) {
                self.0.cancel();
            }
        }
        let cancel = CancelOnDrop(Cancel::default());
        let shared = self.shared.clone();
        let (path, cancelled) = (image.to_owned(), cancel.0.clone());
        let mut making = tokio::task::spawn_blocking(move || shared.make(&path, &cancelled));
        let made = tokio::select! {
            biased;
            made = &mut making => made,
            () = tokio::time::sleep(SLOW) => {
                on_slow();
                match tokio::time::timeout(MOST_TIME, &mut making).await {
                    Ok(made) => made,
                    Err(_) => {
                        let source = CacheError::Timeout;
                        return Err(ImageError::Cache { path: image.to_owned(), source });
                    }
                }
            }
        };
        made.unwrap_or_else(|panic| {
            let source = CacheError::Compiler(format!("the compiler failed: {panic}"));
            Err(ImageError::Cache { path: image.to_owned(), source })
        })
    }
}

impl Shared {
    fn code_folder(&self) -> PathBuf {
        self.folder.join("code")
    }

    fn memo(&self, name: &str) -> PathBuf {
        self.folder.join("memo").join(format!("{name}.{}", self.key))
    }

    /// What the memo of this name leads to, if the code is still there.
    fn recall(&self, name: &str) -> Option<Code> {
        let target = fs::read_link(self.memo(name)).ok()?;
        self.take(target.to_str()?)
    }

    /// The code of this name in `code/`, kept from pruning from here on.
    fn take(&self, name: &str) -> Option<Code> {
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

    /// The code at `image` itself, if that is a file of this cache.
    fn own_artifact(&self, image: &Path) -> Option<Code> {
        let image = image.canonicalize().ok()?;
        let folder = self.code_folder().canonicalize().ok()?;
        if image.parent()? != folder {
            return None;
        }
        self.take(image.file_name()?.to_str()?)
    }

    fn make(&self, image: &Path, cancel: &Cancel) -> Result<Code, ImageError> {
        let in_cache = |source| ImageError::Cache { path: image.to_owned(), source };
        for folder in ["code", "memo", "locks"] {
            create_folder(&self.folder.join(folder)).map_err(in_cache)?;
        }
        // Twice: the file may have been replaced between hashing and compiling.
        for _ in 0..2 {
            let (digest, identity) = hash(image)?;
            let _lock = self.lock(&digest, cancel).map_err(in_cache)?;
            if let Some(code) = self.recall(&digest) {
                self.remember(identity, &code);
                return Ok(code);
            }
            let compiled = self.compile(image, cancel)?;
            let name = format!("{}.{}.{}", compiled.digest, self.key, compiled.tag);
            self.link(&compiled.digest, &name).map_err(in_cache)?;
            if let Some(code) = self.take(&name) {
                self.remember(compiled.identity, &code);
                self.prune();
                return Ok(code);
            }
        }
        let source = io::Error::other("compiled code vanished at once");
        Err(in_cache(CacheError::Io { path: self.code_folder(), source }))
    }

    fn compile(&self, image: &Path, cancel: &Cancel) -> Result<Compiled, ImageError> {
        let path = image.to_owned();
        let output = self.code_folder().join(temporary_name());
        let request = Request {
            image: std::path::absolute(image).unwrap_or_else(|_| image.to_owned()),
            output: output.clone(),
            small_reservation: self.reservation == Reservation::Small,
        };
        let compiled = match self.compiler.compile(&request, cancel) {
            Ok(compiled) => compiled,
            Err(error) => {
                let _ = fs::remove_file(&output);
                return Err(match error {
                    CompileError::Kind(message) => ImageError::Unusable { path, message },
                    CompileError::Invalid(message) => ImageError::Compile { path, message },
                    CompileError::Host(message) => {
                        ImageError::Cache { path, source: CacheError::Compiler(message) }
                    }
                    CompileError::Cancelled => {
                        let source = CacheError::Compiler(CompileError::Cancelled.to_string());
                        ImageError::Cache { path, source }
                    }
                });
            }
        };
        let name = format!("{}.{}.{}", compiled.digest, self.key, compiled.tag);
        let file = self.code_folder().join(name);
        fs::rename(&output, &file).map_err(|source| ImageError::Cache {
            path,
            source: CacheError::Io { path: file, source },
        })?;
        Ok(compiled)
    }

    /// The lock of everything whose digest starts with the same byte; a fixed set of files, since a
    /// lock file that is removed can be locked twice.
    fn lock(&self, digest: &str, cancel: &Cancel) -> Result<File, CacheError> {
        let path = self.folder.join("locks").join(&digest[..2]);
        let failed = |source| CacheError::Io { path: path.clone(), source };
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) if cancel.is_cancelled() => {
                    return Err(CacheError::Compiler(CompileError::Cancelled.to_string()));
                }
                Err(fs::TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
                Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }

    /// Remembers a file by its identity. That it fails is no reason not to run: the next start
    /// hashes again.
    fn remember(&self, identity: FileIdentity, code: &Code) {
        if !identity.settled(SystemTime::now()) {
            return;
        }
        if let Some(name) = code.file.file_name().and_then(|name| name.to_str()) {
            let _ = self.link(&identity.name(), name);
        }
    }

    /// Written only once the code is in place: a memo that leads nowhere costs a compilation.
    fn link(&self, name: &str, target: &str) -> Result<(), CacheError> {
        let memo = self.memo(name);
        let temporary = self.folder.join("memo").join(temporary_name());
        symlink(target, &temporary)
            .and_then(|()| fs::rename(&temporary, &memo))
            .map_err(|source| CacheError::Io { path: memo, source })
    }

    /// Brings the cache back under its size, least recently used first. Runs after a compilation,
    /// never on a warm start.
    fn prune(&self) {
        let mut entries = Vec::new();
        let mut bytes = 0;
        let now = SystemTime::now();
        for entry in fs::read_dir(self.code_folder()).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let used = last_use(&metadata);
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                if now.duration_since(used).is_ok_and(|age| age > STALE) {
                    let _ = fs::remove_file(entry.path());
                }
                continue;
            }
            bytes += metadata.len();
            entries.push((used, metadata.len(), entry.path()));
        }
        if bytes > self.most_bytes {
            entries.sort();
            for (_, size, path) in entries {
                // Further down than the limit, so that not every compilation has to prune.
                if bytes <= self.most_bytes / 10 * 9 {
                    break;
                }
                let free = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
                if free && fs::remove_file(&path).is_ok() {
                    bytes -= size;
                }
            }
        }
        self.sweep_memos();
    }

    fn sweep_memos(&self) {
        let memos: Vec<PathBuf> = fs::read_dir(self.folder.join("memo"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let crowded = memos.len() > MOST_MEMOS;
        let code = self.code_folder();
        for memo in memos {
            let dangling = fs::read_link(&memo)
                .is_ok_and(|target| !fs::exists(code.join(target)).unwrap_or(true));
            if dangling || crowded {
                let _ = fs::remove_file(memo);
            }
        }
    }
}

/// What distinguishes code that the same image has for different hosts and engines. That it is
/// right need not be proven here: wasmtime checks version, settings and CPU when it maps the file,
/// and a refused file is compiled again. It only keeps variants from displacing each other.
fn key(reservation: Reservation) -> String {
    let text = format!(
        "{} {} {reservation:?} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        cpu_features()
    );
    hex(&Sha256::digest(text)[..8])
}

/// The extensions of this CPU that Cranelift makes use of.
fn cpu_features() -> String {
    let mut features = String::new();
    macro_rules! note {
        ($detected:ident: $($name:tt)*) => {
            $(if std::arch::$detected!($name) { features += $name; features.push(' '); })*
        };
    }
    #[cfg(target_arch = "x86_64")]
    note!(is_x86_feature_detected:
        "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "avx2" "fma" "bmi1" "bmi2" "lzcnt"
        "avx512f" "avx512dq" "avx512vl" "avx512bitalg" "avx512vbmi");
    #[cfg(target_arch = "aarch64")]
    note!(is_aarch64_feature_detected: "lse" "paca" "fp16");
    features
}

/// Unique among all processes that use the folder; hidden, so that it is never taken for code.
fn temporary_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let nanoseconds =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!(".{}-{count}-{nanoseconds:x}", std::process::id())
}

fn identify(image: &Path) -> Result<FileIdentity, ImageError> {
    let path = || image.to_owned();
    let metadata =
        fs::metadata(image).map_err(|source| ImageError::Read { path: path(), source })?;
    if !metadata.is_file() {
        return Err(ImageError::NotAFile { path: path() });
    }
    let identity = FileIdentity::of(&metadata);
    match identity.size {
        0 => Err(ImageError::Unusable { path: path(), message: KindError::Empty.to_string() }),
        bytes if bytes > MOST_IMAGE_BYTES => {
            Err(ImageError::TooLarge { path: path(), bytes, most: MOST_IMAGE_BYTES })
        }
        _ => Ok(identity),
    }
}

/// In pieces: the Pod process must not grow by the size of its images.
fn hash(image: &Path) -> Result<(String, FileIdentity), ImageError> {
    let unreadable = |source| ImageError::Read { path: image.to_owned(), source };
    let mut file = File::open(image).map_err(unreadable)?;
    let identity = FileIdentity::of(&file.metadata().map_err(unreadable)?);
    let mut hash = Sha256::new();
    let mut piece = vec![0; 256 << 10];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((hex(&hash.finalize()), identity)),
            Ok(read) => hash.update(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}

fn last_use(metadata: &fs::Metadata) -> SystemTime {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    metadata.accessed().map_or(modified, |accessed| accessed.max(modified))
}

/// Access times cannot be relied upon (`noatime`), so a use sets them itself, once a day.
fn note_use(file: &File) {
    let now = SystemTime::now();
    let old = file.metadata().is_ok_and(|metadata| {
        now.duration_since(last_use(&metadata)).is_ok_and(|age| age > NOTE_USE_EVERY)
    });
    if old {
        let _ = file.set_times(fs::FileTimes::new().set_accessed(now).set_modified(now));
    }
}

fn create_folder(path: &Path) -> Result<(), CacheError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| CacheError::Io { path: path.to_owned(), source })
}

fn check_folder(folder: &Path) -> Result<(), CacheError> {
    let failed = |source| CacheError::Io { path: folder.to_owned(), source };
    let metadata = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_folder(folder)?;
            fs::metadata(folder)
        }
        other => other,
    }
    .map_err(failed)?;
    let problem = if !metadata.is_dir() {
        Some("is not a folder".to_owned())
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        Some(format!("belongs to user {}, and machine code from others is not run", metadata.uid()))
    } else if metadata.mode() & 0o022 != 0 {
        Some("can be written to by others, and machine code from others is not run".to_owned())
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(CacheError::Unsafe { path: folder.to_owned(), problem });
    }
    if metadata.mode() & 0o777 != 0o700 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
