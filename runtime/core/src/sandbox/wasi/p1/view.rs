//! What the front needs of a Store's data.

use wasmtime_wasi::p1::WasiP1Ctx;

use super::{Descriptors, IpcDescriptors};
use crate::sandbox::filesystem::FileTraffic;

/// Implemented by the data of a Store that runs a core module.
pub trait ModuleView: Send {
    /// The stock context and the descriptors round it.
    fn module(&mut self) -> ModuleCtxView<'_>;
}

/// Borrowed from a Store for one call of a guest.
pub struct ModuleCtxView<'a> {
    /// wasmtime-wasi's own state: files, standard streams, clocks.
    pub wasi: &'a mut WasiP1Ctx,
    /// What the guest's descriptors stand for.
    pub descriptors: &'a mut Descriptors,
    /// Which of wasmtime-wasi's descriptors are of the Pod's IPC.
    pub ipc: &'a mut IpcDescriptors,
    /// Counts what the guest reads from files and writes to them.
    pub files: &'a FileTraffic,
}
