//! `wasmpod:ipc`: the Pod's message queues and shared segments, for components of 0.2 and 0.3 and, by plain
//! imports, for modules of 0.1.
//!
//! What they are is decided in [`sandbox::ipc`](crate::sandbox::ipc). As files they are reached through
//! the file calls of each WASI: [`p1`](super::p1), [`p2`](super::p2).

pub mod bindings;
mod errno;
mod handles;
mod link;
mod module;
mod p2;
mod view;

pub(crate) use errno::errno;
pub use handles::IpcHandles;
pub use link::{link_interface_p2, link_module};
pub use view::{IpcCtxView, IpcView, KeyedQueueHandle, PodIpcFront, QueueHandle, SegmentHandle};
