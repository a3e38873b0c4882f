//! One run of a container: a future that owns its Store.

use std::sync::Arc;

use wasmtime::Store;

use super::exit::StartError;
use super::program::{Entry, Program};
use super::state::GuestState;
use super::stdio::{Output, Stdin};
use super::wasi::WasiSetup;
use super::{
    FuelTank, GuestLimits, HttpSettings, Pace, PodClock, PodRandom, command, exit, http, reactor,
};
use crate::executor::Account;
use crate::lifecycle::Exit;
use crate::resources::memory::ContainerMemory;
use crate::sandbox::Stop;
use crate::sandbox::filesystem::{FileTraffic, Mount};
use crate::sandbox::ipc::PodIpc;
use crate::sandbox::network::Endpoint;
use crate::sandbox::terminal::Terminal;
use crate::sandbox::wasi::p1::{ListenPort, environment, listen};

/// What a run gets from its Pod.
pub struct GuestHost {
    /// The run's own place on the Pod's network; it ends with the run.
    pub endpoint: Arc<Endpoint>,
    /// Counts what the container reads from files and writes to them.
    pub files: Arc<FileTraffic>,
    /// The container's account, for what it does beside its main task: connections of an HTTP
    /// handler, requests that it sends.
    pub account: Account,
    /// The Pod's time.
    pub clock: PodClock,
    /// The Pod's chance.
    pub random: PodRandom,
    /// How fast guests compute; for virtual time, and for engines made for that.
    pub pace: Option<Pace>,
    /// How many containers share the descriptors of this process, this one included.
    pub containers: usize,
    /// The Pod's message queues and shared segments.
    pub ipc: Arc<PodIpc>,
}

/// What a run gets from its container's manifest.
#[derive(Clone)]
pub struct RunSpec {
    /// Names the run within its Pod, container and attempt: `web/0`.
    pub run: String,
    /// The command line; the first is the program's name.
    pub argv: Vec<String>,
    /// The environment, in order.
    pub env: Vec<(String, String)>,
    /// `workingDir`.
    pub cwd: Option<String>,
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output.
    pub stdout: Arc<dyn Output>,
    /// Standard error.
    pub stderr: Arc<dyn Output>,
    /// Whether the streams look like a terminal to the guest.
    pub tty: bool,
    /// The terminal that they are, if one is held here.
    pub terminal: Option<Terminal>,
    /// The declared TCP ports: a module of WASI 0.1 that accepts connections gets a listener for
    /// each, since it cannot make one.
    pub ports: Vec<ListenPort>,
    /// How an HTTP handler is served; other kinds of guests ignore it.
    pub http: HttpSettings,
    /// Root and volumes.
    pub mounts: Vec<Mount>,
    /// What its Pod says about handles and sockets.
    pub limits: GuestLimits,
    /// Its memory and the limit of it; whoever keeps a clone can read the use.
    pub memory: Arc<ContainerMemory>,
    /// What it may execute, if that is limited: then its program must be of engines that count
    /// ([`Engines::counting`](super::Engines::counting)).
    pub fuel: Option<Arc<FuelTank>>,
}

/// Runs `program` once, to its end.
///
/// `stop` asks for the end: the guest's standard input ends, its listeners refuse, what it has of
/// `wasmpod:lifecycle` tells it; a reactor ends at once, an HTTP handler when it has answered the
/// requests that were begun. Whoever has no more patience drops the future: that is the kill, and
/// [`Exit::killed`] is its exit.
/// Must be polled within a tokio runtime with timers; file system calls use its blocking threads.
///
/// # Cancel safety
/// Dropping it at any await frees everything the guest held.
pub async fn run(program: Program, host: GuestHost, spec: RunSpec, stop: Stop) -> Exit {
    if program.kind().is_http() {
        return http::serve(program.shared, host, spec, stop).await;
    }
    let endpoint = host.endpoint.clone();
    let exit = match start(&program, host, spec, &stop) {
        Ok(mut store) => {
            let refuse = async {
                stop.asked().await;
                endpoint.refuse_new();
                std::future::pending().await
            };
            let ended = tokio::select! {
                biased;
                ended = call(&mut store, &program, &stop) => ended,
                never = refuse => never,
            };
            // With the store, the guest's own sockets close as those of a process that exits.
            ended.unwrap_or_else(|failure| failure.into_exit(&store))
        }
        Err(error) => error.into(),
    };
    // What somebody else still holds is reset.
    endpoint.end();
    exit
}

/// The Store of a run, with all that it was given.
pub(super) fn start(
    program: &Program,
    host: GuestHost,
    mut spec: RunSpec,
    stop: &Stop,
) -> Result<Store<GuestState>, StartError> {
    let listeners = if program.shared.listens {
        let listeners = listen(&host.endpoint, &spec.ports)?;
        // What the manifest sets itself stays.
        for (name, value) in environment(&spec.ports) {
            if !spec.env.iter().any(|(known, _)| *known == name) {
                spec.env.push((name, value));
            }
        }
        Some(listeners)
    } else {
        None
    };
    let mut state = GuestState::new(Arc::new(WasiSetup::new(host, spec, stop)?));
    if let Some(listeners) = listeners {
        state.listen(listeners);
    }
    state.into_store(&program.shared.engine)
}

async fn call(
    store: &mut Store<GuestState>,
    program: &Program,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let export = program.shared.stop_export.as_ref();
    match &program.shared.entry {
        Entry::CommandModule(pre) => command::module(store, pre).await,
        Entry::CommandP2(pre) => command::p2(store, pre).await,
        Entry::CommandP3(pre) => command::p3(store, pre, stop, export).await,
        Entry::ReactorModule(pre) => reactor::module(store, pre, stop).await,
        Entry::ReactorComponent(pre) => reactor::component(store, pre, stop, export).await,
        Entry::HttpP2(_) | Entry::HttpP3(_) => unreachable!("served, not called"),
    }
}

/// How a call into a guest failed.
pub(crate) enum Failure {
    /// Before its code ran, or in its start function.
    Instantiate(wasmtime::Error),
    /// While it ran.
    Run(wasmtime::Error),
}

impl Failure {
    pub(crate) fn into_exit(self, store: &Store<GuestState>) -> Exit {
        let limits = store.data().limits();
        match self {
            Self::Instantiate(error) => exit::not_instantiated(error, limits),
            Self::Run(error) => exit::broken_off(&error, limits),
        }
    }
}
