//! The data of a guest's Store.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::limiter::{MemoryLimiter, most_handles};
use super::wasi::WasiSetup;
use crate::executor::yield_point;
use crate::sandbox::wasi::p1::{Descriptors, ModuleCtxView, ModuleView};
use crate::sandbox::wasi::{NetworkCtxView, NetworkView};

/// What one Store holds besides its instances.
pub struct GuestState {
    setup: Arc<WasiSetup>,
    /// Made on first use: a request that only computes needs none.
    wasi: Option<WasiCtx>,
    module: Option<Box<WasiP1Ctx>>,
    /// Of a core module that accepts connections: its listeners among its files.
    pub(crate) descriptors: Descriptors,
    /// The resources of components. A core module's are in its own context.
    pub(crate) table: ResourceTable,
    /// The memory of this Store.
    pub(crate) limiter: MemoryLimiter,
}

impl GuestState {
    /// The state of a Store of its own for one instance.
    pub(crate) fn new(setup: Arc<WasiSetup>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(most_handles());
        let limiter = MemoryLimiter::new(setup.memory.clone());
        Self {
            setup,
            wasi: None,
            module: None,
            descriptors: Descriptors::default(),
            table,
            limiter,
        }
    }

    /// A Store around this state: limited, and giving way at each epoch tick.
    pub(crate) fn into_store(self, engine: &Engine) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.limiter);
        store.set_max_component_handles(most_handles());
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(yield_point())))
        });
        store
    }

    /// The resources, for interfaces that need nothing else.
    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// The context of WASI 0.1.
    pub(crate) fn module(&mut self) -> &mut WasiP1Ctx {
        ModuleView::module(self).wasi
    }
}

impl ModuleView for GuestState {
    fn module(&mut self) -> ModuleCtxView<'_> {
        let setup = &self.setup;
        let wasi = self.module.get_or_insert_with(|| {
            let mut context = Box::new(setup.module_context());
            context.ctx().table.set_max_capacity(most_handles());
            context
        });
        ModuleCtxView { wasi, descriptors: &mut self.descriptors }
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let setup = &self.setup;
        WasiCtxView {
            ctx: self.wasi.get_or_insert_with(|| setup.context()),
            table: &mut self.table,
        }
    }
}

impl NetworkView for GuestState {
    fn network(&mut self) -> NetworkCtxView<'_> {
        NetworkCtxView { table: &mut self.table, endpoint: &self.setup.endpoint }
    }
}
