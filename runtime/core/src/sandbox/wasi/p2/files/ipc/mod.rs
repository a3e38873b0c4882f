//! `/dev/mqueue` and `/dev/shm` for components of WASI 0.2: their folders and files among the descriptors.
//!
//! A descriptor of ours is a copy of a stock one that leads to a folder that is gone, so that it is a
//! resource like all others. What is done with it is done here and never reaches that.
//!
//! | file | subject |
//! |---|---|
//! | `table` | which resources are ours |
//! | `descriptor` | each function of `wasi:filesystem/types`: ours, or passed on |
//! | `ours` | what is done with one of ours |
//! | `streams` | reads and writes |

mod descriptor;
mod ours;
mod streams;
mod table;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};

pub use table::IpcResources;

/// Implemented by the data of a Store whose guest has the Pod's IPC as files.
pub trait PodFilesView: Send {
    /// The stock files, and the IPC among them.
    fn pod_files(&mut self) -> PodFilesCtxView<'_>;
}

/// Borrowed from a Store for one call of a guest.
pub struct PodFilesCtxView<'a> {
    /// wasmtime-wasi's own state.
    pub stock: WasiFilesystemCtxView<'a>,
    /// Which resources are of the Pod's IPC.
    pub ipc: &'a mut IpcResources,
}

/// Names [`PodFilesCtxView`] to wasmtime's bindings.
pub struct PodFiles;

impl HasData for PodFiles {
    type Data<'a> = PodFilesCtxView<'a>;
}

/// Links `wasi:filesystem/preopens`.
///
/// # Errors
/// The linker has it already.
pub(crate) fn link_preopens<T: PodFilesView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    preopens::add_to_linker::<_, PodFiles>(linker, T::pod_files)
}

/// Links `wasi:filesystem/types`.
///
/// # Errors
/// The linker has it already.
pub(crate) fn link_types<T: PodFilesView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    types::add_to_linker::<_, PodFiles>(linker, T::pod_files)
}
