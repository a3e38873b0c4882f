//! What the front needs of a Store's data.

use wasmtime::component::{HasData, ResourceTable};

use crate::sandbox::Stop;

/// Implemented by the data of a Store whose guest may be asked to stop.
pub trait LifecycleView: Send {
    /// The resources and the stop.
    fn lifecycle(&mut self) -> LifecycleCtxView<'_>;
}

/// Borrowed from a Store for one call of a guest.
pub struct LifecycleCtxView<'a> {
    /// Where pollables live.
    pub table: &'a mut ResourceTable,
    /// The run's stop.
    pub stop: &'a Stop,
}

/// Names [`LifecycleCtxView`] to wasmtime's bindings.
pub struct PodLifecycle;

impl HasData for PodLifecycle {
    type Data<'a> = LifecycleCtxView<'a>;
}
