//! What all Pods of a process share: the folders of this machine and the cache of compiled code.

use std::path::PathBuf;
use std::sync::Arc;

use super::folders::Folders;
use crate::image::{CacheError, CodeCache, Compiler, Reservation};
use crate::sandbox::filesystem::ClaimStore;

/// A machine that runs Pods. Clones are the same one.
#[derive(Clone)]
pub struct Host {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) folders: Folders,
    pub(super) cache: CodeCache,
    pub(super) claims: ClaimStore,
    pub(super) reservation: Reservation,
    pub(super) on_slow_compile: Box<dyn Fn(&str) + Send + Sync>,
}

/// A [`Host`] before it exists.
pub struct HostBuilder {
    folders: Folders,
    compiler: Compiler,
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
    /// A host with its state in `folders`, which compiles in this process unless told otherwise.
    pub fn builder(folders: Folders) -> HostBuilder {
        HostBuilder { folders, compiler: Compiler::InProcess, on_slow_compile: Box::new(|_| {}) }
    }

    /// Where its state is.
    pub fn folders(&self) -> &Folders {
        &self.shared.folders
    }
}

impl HostBuilder {
    /// Compiles guests in a child process, so that the Pod's own process stays small and the
    /// compiler, which reads strangers' code, stays out of it. `program` with `arguments` must call
    /// [`compile_child`](crate::image::compile_child).
    #[must_use]
    pub fn compile_with(mut self, program: PathBuf, arguments: Vec<std::ffi::OsString>) -> Self {
        self.compiler = Compiler::Child { program, arguments };
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
        let cache = CodeCache::open(&self.folders.cache(), reservation, self.compiler)?;
        let claims = ClaimStore::new(self.folders.volumes());
        let shared = Shared {
            folders: self.folders,
            cache,
            claims,
            reservation,
            on_slow_compile: self.on_slow_compile,
        };
        Ok(Host { shared: Arc::new(shared) })
    }
}
