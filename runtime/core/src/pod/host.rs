//! What all Pods of a process share: the folders of this machine and the cache of compiled code.

use std::path::PathBuf;
use std::sync::Arc;

use super::folders::Folders;
use crate::guest::Toolbox;
use crate::image::{CacheError, CodeCache, Compiler, Fetcher, ImageStore, Reservation};
use crate::sandbox::filesystem::ClaimStore;
use crate::sandbox::network::Directory;

/// A machine that runs Pods. Clones are the same one.
#[derive(Clone)]
pub struct Host {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) folders: Folders,
    pub(super) cache: CodeCache,
    pub(super) images: ImageStore,
    pub(super) claims: ClaimStore,
    pub(super) directory: Arc<Directory>,
    pub(super) reservation: Reservation,
    pub(super) toolbox: Option<Toolbox>,
    pub(super) on_slow_compile: Box<dyn Fn(&str) + Send + Sync>,
}

/// A [`Host`] before it exists.
pub struct HostBuilder {
    folders: Folders,
    compiler: Compiler,
    quick_code: bool,
    images: ImageStore,
    toolbox: Option<Toolbox>,
    on_slow_compile: Box<dyn Fn(&str) + Send + Sync>,
}

/// A host could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The cache of compiled code.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl Host {
    /// A host with its state in `folders`, which compiles in this process (if it has the feature
    /// `compiler`) unless told otherwise.
    pub fn builder(folders: Folders) -> HostBuilder {
        let on_slow_compile = Box::new(|_: &str| {});
        let images = ImageStore {
            folder: folders.images(),
            fetcher: Fetcher::Nowhere,
            registries: None,
            policy: None,
        };
        let compiler = Compiler::here();
        HostBuilder { folders, compiler, quick_code: true, images, toolbox: None, on_slow_compile }
    }

    /// Where its state is.
    pub fn folders(&self) -> &Folders {
        &self.shared.folders
    }
}

impl HostBuilder {
    /// Where guests are compiled. A child process is best: the Pod's own stays small, and the
    /// compiler, which reads strangers' code, stays out of it.
    #[must_use]
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = compiler;
        self
    }

    /// Whether a large image may begin with code that is made quickly and runs slower, until better code is
    /// there: as [`CodeCache::optimised_at_first`]. It may unless this is called.
    #[must_use]
    pub fn quick_code(mut self, quick_code: bool) -> Self {
        self.quick_code = quick_code;
        self
    }

    /// Who fetches images from registries; nobody unless it is given, and then only images that are here
    /// run.
    #[must_use]
    pub fn fetcher(mut self, fetcher: Fetcher) -> Self {
        self.images.fetcher = fetcher;
        self
    }

    /// The file that says which registries stand for which and how they are spoken to, and the one that
    /// says which images need whose signature.
    #[must_use]
    pub fn registries(mut self, config: Option<PathBuf>, policy: Option<PathBuf>) -> Self {
        (self.images.registries, self.images.policy) = (config, policy);
        self
    }

    /// What commands in containers find that the containers themselves do not have: `sh`, `ls`, `cat`. None
    /// unless it is given.
    #[must_use]
    pub fn toolbox(mut self, toolbox: impl Into<Option<Toolbox>>) -> Self {
        self.toolbox = toolbox.into();
        self
    }

    /// Calls `tell` with the name of a container whose image takes longer than half a second to
    /// compile.
    #[must_use]
    pub fn on_slow_compile(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_slow_compile = Box::new(tell);
        self
    }

    /// # Errors
    /// [`HostError`] when the cache's folder cannot be made, or is not ours alone.
    pub fn build(self) -> Result<Host, HostError> {
        let reservation = Reservation::detect();
        let mut cache = CodeCache::open(&self.folders.cache(), reservation, self.compiler)?;
        if !self.quick_code {
            cache = cache.optimised_at_first();
        }
        let claims = ClaimStore::new(self.folders.volumes());
        let directory = Arc::new(Directory::new(self.folders.network()));
        let shared = Shared {
            folders: self.folders,
            cache,
            images: self.images,
            claims,
            directory,
            reservation,
            toolbox: self.toolbox,
            on_slow_compile: self.on_slow_compile,
        };
        Ok(Host { shared: Arc::new(shared) })
    }
}
