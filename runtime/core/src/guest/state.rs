//! The data of a guest's Store.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::Errno;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::exit::{Limits, StartError};
use super::fuel;
use super::limiter::MemoryLimiter;
use super::spawn::Process;
use super::stdio::WholeLines;
use super::wasi::WasiSetup;
use crate::executor::yield_point;
use crate::sandbox::filesystem::FileTraffic;
use crate::sandbox::network::Listener;
use crate::sandbox::terminal::Terminal;
use crate::sandbox::wasi::http::PodHttp;
use crate::sandbox::wasi::ipc::{IpcCtxView, IpcHandles, IpcView};
use crate::sandbox::wasi::lifecycle::{LifecycleCtxView, LifecycleView};
use crate::sandbox::wasi::p1::{Descriptors, IpcDescriptors, ModuleCtxView, ModuleView};
use crate::sandbox::wasi::p2::{FileTrafficView, IpcResources, PodFilesCtxView, PodFilesView};
use crate::sandbox::wasi::terminal::TerminalView;
use crate::sandbox::wasi::{NetworkCtxView, NetworkView};

/// Bytes that a guest may hand to the host in one call: it has a copy of them meanwhile.
pub(crate) const MOST_AT_ONCE: usize = 4 << 20;

/// All headers of one message, in bytes.
const MOST_HEADERS: usize = 32 << 10;

/// What one Store holds besides its instances.
pub struct GuestState {
    setup: Arc<WasiSetup>,
    http: WasiHttpCtx,
    outgoing_http: PodHttp,
    /// Made on first use: a request that only computes needs none.
    wasi: Option<WasiCtx>,
    /// Where lines are put together for a log that it shares with others.
    lines: Vec<Arc<WholeLines>>,
    module: Option<Box<ModuleState>>,
    /// Of a process of the toolbox.
    process: Option<Box<Process>>,
    /// What a module has open of the Pod's IPC, and what a component has as files.
    ipc: IpcHandles,
    ipc_files: IpcResources,
    /// The resources of components. A core module's are in its own context.
    pub(crate) table: ResourceTable,
    /// The memory of this Store.
    pub(crate) limiter: MemoryLimiter,
}

impl GuestState {
    /// The state of a Store of its own for one instance.
    pub(crate) fn new(setup: Arc<WasiSetup>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(setup.most_handles);
        let limiter = MemoryLimiter::new(setup.memory.clone());
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MOST_HEADERS);
        let outgoing_http = PodHttp::new(setup.endpoint.clone(), setup.account.clone());
        let ipc = IpcHandles::new(setup.most_handles);
        let ipc_files = IpcResources::new(setup.ipc.clone(), Arc::clone(&setup.ipc_folders));
        Self {
            setup,
            http,
            outgoing_http,
            wasi: None,
            lines: Vec::new(),
            module: None,
            process: None,
            ipc,
            ipc_files,
            table,
            limiter,
        }
    }

    /// A Store around this state: limited, and giving way at each epoch tick, or on virtual time and
    /// with a budget by what it has executed.
    ///
    /// # Errors
    /// [`StartError::Instantiate`] for an engine that does not count and should.
    pub(crate) fn into_store(self, engine: &Engine) -> Result<Store<Self>, StartError> {
        let (most_handles, pace) = (self.setup.most_handles, self.setup.pace);
        let (account, fuel) = (self.setup.account.clone(), self.setup.fuel.clone());
        let mut store = Store::new(engine, self);
        store.set_hostcall_fuel(MOST_AT_ONCE);
        store.limiter(|state| &mut state.limiter);
        store.set_max_component_handles(most_handles);
        // On virtual time there are no ticks.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(yield_point())))
        });
        match (pace, fuel) {
            (Some(pace), fuel) => {
                pace.set(&mut store, account, fuel).map_err(StartError::Instantiate)?;
            }
            (None, Some(fuel)) => {
                fuel::limit(&mut store, fuel).map_err(StartError::Instantiate)?;
            }
            (None, None) => {}
        }
        Ok(store)
    }

    /// The response is sent, and with it its body.
    pub(crate) fn forget_bodies(&mut self) {
        self.outgoing_http.forget_bodies();
    }

    /// The request is over, and with it the lines that it has begun.
    pub(crate) fn end_lines(&self) {
        self.lines.iter().for_each(|lines| lines.end());
    }

    fn make_context(&mut self) {
        if self.wasi.is_none() {
            let (context, lines) = self.setup.context();
            (self.wasi, self.lines) = (Some(context), lines);
        }
    }

    /// What may have broken off its run.
    pub(super) fn limits(&self) -> Limits<'_> {
        Limits { memory: &self.limiter, fuel: self.setup.fuel.as_deref() }
    }

    /// The resources, for interfaces that need nothing else.
    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// What it was made of.
    pub(super) fn setup(&self) -> &WasiSetup {
        &self.setup
    }

    /// Makes it a process of the toolbox, before it runs.
    pub(super) fn set_process(&mut self, process: Process) {
        self.process = Some(Box::new(process));
    }

    /// # Errors
    /// `nosys` where it is none.
    pub(super) fn process(&self) -> Result<&Process, Errno> {
        self.process.as_deref().ok_or(Errno::Nosys)
    }

    /// # Errors
    /// As [`GuestState::process`].
    pub(super) fn process_mut(&mut self) -> Result<&mut Process, Errno> {
        self.process.as_deref_mut().ok_or(Errno::Nosys)
    }

    /// Gives a core module its listeners, before it runs.
    pub(crate) fn listen(&mut self, listeners: Vec<Listener>) {
        self.module = Some(ModuleState::new(&self.setup, listeners));
    }

    fn module_state(&mut self) -> &mut ModuleState {
        let setup = &self.setup;
        self.module.get_or_insert_with(|| ModuleState::new(setup, Vec::new()))
    }

    /// The context of WASI 0.1.
    pub(crate) fn wasi_p1(&mut self) -> &mut WasiP1Ctx {
        &mut self.module_state().wasi
    }
}

/// What only a core module has: its resources are in the context, behind descriptors.
struct ModuleState {
    wasi: WasiP1Ctx,
    descriptors: Descriptors,
    ipc: IpcDescriptors,
}

impl ModuleState {
    fn new(setup: &WasiSetup, listeners: Vec<Listener>) -> Box<Self> {
        let mut wasi = setup.module_context();
        wasi.ctx().table.set_max_capacity(setup.most_handles);
        let descriptors = Descriptors::new(listeners, setup.directories);
        let ipc = IpcDescriptors::new(setup.ipc.clone(), &setup.ipc_folders);
        Box::new(Self { wasi, descriptors, ipc })
    }
}

impl ModuleView for GuestState {
    fn module(&mut self) -> ModuleCtxView<'_> {
        let setup = &self.setup;
        let state = self.module.get_or_insert_with(|| ModuleState::new(setup, Vec::new()));
        ModuleCtxView {
            wasi: &mut state.wasi,
            descriptors: &mut state.descriptors,
            ipc: &mut state.ipc,
            files: &setup.files,
        }
    }
}

impl FileTrafficView for GuestState {
    fn file_traffic(&self) -> &Arc<FileTraffic> {
        &self.setup.files
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.make_context();
        let ctx = self.wasi.as_mut().expect("it is made");
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outgoing_http,
        }
    }
}

impl LifecycleView for GuestState {
    fn lifecycle(&mut self) -> LifecycleCtxView<'_> {
        LifecycleCtxView { table: &mut self.table, stop: &self.setup.stop }
    }
}

impl IpcView for GuestState {
    fn ipc(&mut self) -> IpcCtxView<'_> {
        IpcCtxView { table: &mut self.table, handles: &mut self.ipc, run: &self.setup.ipc }
    }
}

impl PodFilesView for GuestState {
    fn pod_files(&mut self) -> PodFilesCtxView<'_> {
        self.make_context();
        let ctx = self.wasi.as_mut().expect("it is made").filesystem();
        let stock = WasiFilesystemCtxView { ctx, table: &mut self.table };
        PodFilesCtxView { stock, ipc: &mut self.ipc_files }
    }
}

impl TerminalView for GuestState {
    fn terminal(&self) -> Option<&Terminal> {
        self.setup.terminal.as_ref()
    }
}

impl NetworkView for GuestState {
    fn network(&mut self) -> NetworkCtxView<'_> {
        NetworkCtxView { table: &mut self.table, endpoint: &self.setup.endpoint }
    }
}
