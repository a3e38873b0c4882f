//! What the front needs of a Store's data.

use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};

use super::handles::IpcHandles;
use crate::sandbox::ipc::{KeyedQueue, MessageQueue, RunIpc, Segment};

/// Implemented by the data of a Store whose guest has the Pod's IPC.
pub trait IpcView: Send {
    /// The resources and the IPC.
    fn ipc(&mut self) -> IpcCtxView<'_>;
}

/// Borrowed from a Store for one call of a guest.
pub struct IpcCtxView<'a> {
    /// Where the resources of a component live.
    pub table: &'a mut ResourceTable,
    /// What a module has open.
    pub handles: &'a mut IpcHandles,
    /// The Pod's, as the run has it.
    pub run: &'a RunIpc,
}

/// A queue as a resource of a component.
pub type QueueHandle = Arc<MessageQueue>;

/// A queue with a key as a resource of a component.
pub type KeyedQueueHandle = Arc<KeyedQueue>;

/// A segment as a resource of a component.
pub type SegmentHandle = Arc<Segment>;

/// Names [`IpcCtxView`] to wasmtime's bindings.
pub struct PodIpcFront;

impl HasData for PodIpcFront {
    type Data<'a> = IpcCtxView<'a>;
}
