//! What WASI tells a run about itself: arguments, environment, streams, directories, clocks.
//!
//! A [`WasiSetup`] is made once for a run of a container. A command turns it into one context; an
//! HTTP handler into one for each request, and only if the request asks for it.

use std::sync::Arc;

use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiView};

use super::exit::StartError;
use super::run::{GuestHost, RunSpec};
use super::stdio::{GuestInput, GuestOutput, Output, Stdin, WholeLines};
use super::{FuelTank, Pace, PodClock, PodRandom};
use crate::executor::Account;
use crate::resources::memory::ContainerMemory;
use crate::sandbox::Stop;
use crate::sandbox::filesystem::{FileTraffic, Mount, gone_folder};
use crate::sandbox::ipc::{Interrupt, IpcFolder, RunIpc};
use crate::sandbox::network::Endpoint;
use crate::sandbox::terminal::Terminal;

/// Random bytes that a guest may ask for at once: the host makes them before it hands them over.
const MOST_RANDOM: u64 = 4 << 20;

/// Everything that a context is made of.
#[derive(Clone)]
pub struct WasiSetup {
    argv: Vec<String>,
    env: Vec<(String, String)>,
    cwd: Option<String>,
    stdin: Stdin,
    stdout: Arc<dyn Output>,
    pub(crate) stderr: Arc<dyn Output>,
    /// Each context writes whole lines: there are several at a time.
    whole_lines: bool,
    tty: bool,
    /// What its streams are, if they are a terminal of the kernel.
    pub(crate) terminal: Option<Terminal>,
    /// How the run is asked to end.
    pub(crate) stop: Stop,
    pub(crate) clock: PodClock,
    random: PodRandom,
    pub(crate) pace: Option<Pace>,
    run: String,
    /// The container's account.
    pub(crate) account: Account,
    /// How many handles one Store may hold.
    pub(crate) most_handles: usize,
    /// The run's place on the network.
    pub(crate) endpoint: Arc<Endpoint>,
    /// Counts what it reads from files and writes to them.
    pub(crate) files: Arc<FileTraffic>,
    /// The container's memory.
    pub(crate) memory: Arc<ContainerMemory>,
    /// What the run may execute.
    pub(crate) fuel: Option<Arc<FuelTank>>,
    /// How many directories are pre-opened.
    pub(crate) directories: usize,
    /// The Pod's message queues and shared segments.
    pub(crate) ipc: RunIpc,
    /// Those of the directories that are folders of the IPC, by their place.
    pub(crate) ipc_folders: Arc<[(usize, IpcFolder)]>,
    /// Opened once: a context for a request only clones handles and cannot fail.
    filesystem: WasiFilesystemCtx,
}

impl WasiSetup {
    /// Opens the directories of `spec`.
    ///
    /// # Errors
    /// [`StartError::Directory`] when one cannot be opened.
    pub fn new(host: GuestHost, spec: RunSpec, stop: &Stop) -> Result<Self, StartError> {
        let mut builder = WasiCtxBuilder::new();
        // A thread for each call would hold the paused clock too, but when it is done is chance.
        builder.allow_blocking_current_thread(host.pace.is_some());
        for mount in &spec.mounts {
            let permissions = if mount.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            builder.preopened_dir(mount.host_path(), &mount.guest_path, permissions).map_err(
                |source| StartError::Directory { path: mount.guest_path.clone(), source },
            )?;
        }
        let ipc_folders = open_ipc_folders(&mut builder, &spec.mounts);
        let filesystem = builder.build().filesystem().clone();
        let env = with_working_directory(spec.env, spec.cwd.as_deref());
        Ok(Self {
            argv: spec.argv,
            env,
            cwd: spec.cwd,
            stdin: spec.stdin,
            stdout: spec.stdout,
            stderr: spec.stderr,
            whole_lines: false,
            tty: spec.tty,
            terminal: spec.terminal,
            stop: stop.clone(),
            clock: host.clock,
            random: host.random,
            pace: host.pace,
            run: spec.run,
            account: host.account,
            most_handles: spec.limits.handles(host.containers),
            endpoint: host.endpoint,
            files: host.files,
            directories: spec.mounts.len() + ipc_folders.len(),
            ipc: RunIpc::new(host.ipc, Arc::clone(&spec.memory), Interrupt::new(stop.clone())),
            ipc_folders: ipc_folders.into(),
            memory: spec.memory,
            fuel: spec.fuel,
            filesystem,
        })
    }

    /// For an instance beside this one over the same open directories: named `run`, with nothing to read,
    /// and with so many handles besides.
    #[must_use]
    pub(super) fn beside(&self, run: String, output: [Arc<dyn Output>; 2], handles: usize) -> Self {
        let [stdout, stderr] = output;
        let most_handles = self.most_handles.min(self.directories + handles);
        Self { run, stdin: Stdin::Closed, stdout, stderr, most_handles, ..self.clone() }
    }

    /// For several instances at a time, which have one log.
    #[must_use]
    pub(super) fn with_whole_lines(self) -> Self {
        Self { whole_lines: !self.tty, ..self }
    }

    /// The context of a component, and where its lines are put together.
    pub(crate) fn context(&self) -> (WasiCtx, Vec<Arc<WholeLines>>) {
        let (lines, [stdout, stderr]) = self.outputs();
        let mut context = self.builder(stdout, stderr).build();
        *context.filesystem() = self.filesystem.clone();
        (context, lines)
    }

    /// The context of a core module.
    pub(crate) fn module_context(&self) -> WasiP1Ctx {
        let (_, [stdout, stderr]) = self.outputs();
        let mut context = self.builder(stdout, stderr).build_p1();
        *context.ctx().ctx.filesystem() = self.filesystem.clone();
        context
    }

    fn outputs(&self) -> (Vec<Arc<WholeLines>>, [Arc<dyn Output>; 2]) {
        let outputs = [&self.stdout, &self.stderr].map(Arc::clone);
        if !self.whole_lines {
            return (Vec::new(), outputs);
        }
        let lines = outputs.map(|output| Arc::new(WholeLines::new(output)));
        let [stdout, stderr] = lines.clone();
        (lines.into(), [stdout, stderr])
    }

    fn builder(&self, stdout: Arc<dyn Output>, stderr: Arc<dyn Output>) -> WasiCtxBuilder {
        let mut builder = WasiCtxBuilder::new();
        builder.args(&self.argv).envs(&self.env);
        if let Some(cwd) = &self.cwd {
            builder.initial_cwd(cwd);
        }
        builder.stdin(GuestInput {
            stdin: self.stdin.clone(),
            terminal: self.tty,
            stop: self.stop.token(),
        });
        let output = |output| GuestOutput { output, terminal: self.tty };
        builder.stdout(output(stdout)).stderr(output(stderr));
        builder.max_random_size(MOST_RANDOM);
        builder.monotonic_clock(self.clock).wall_clock(self.clock);
        self.random.apply(&self.run, &mut builder);
        builder
    }
}

/// Gives a guest the folders of the IPC, where no volume has their place; answers which directories they
/// are.
///
/// What WASI opens there is a folder that is gone: all that a guest does with it is done by the fronts,
/// and one that none of them knows of finds nothing.
fn open_ipc_folders(builder: &mut WasiCtxBuilder, mounts: &[Mount]) -> Vec<(usize, IpcFolder)> {
    let Some(gone) = gone_folder() else { return Vec::new() };
    let is_taken = |path: &str| mounts.iter().any(|mount| mount.guest_path == path);
    let mut folders = Vec::new();
    for (path, folder) in IpcFolder::given() {
        if is_taken(path) {
            continue;
        }
        match builder.preopened_dir(gone, path, FsPerms::ReadOnly) {
            Ok(_) => folders.push((mounts.len() + folders.len(), folder)),
            Err(error) => tracing::warn!("a guest goes without {path}: {error}"),
        }
    }
    folders
}

/// WASI 0.1 has no working directory: wasi-libc starts at `/`, and programs that look at `PWD`
/// find it there. What the manifest sets itself stays.
fn with_working_directory(
    mut env: Vec<(String, String)>,
    cwd: Option<&str>,
) -> Vec<(String, String)> {
    if let Some(cwd) = cwd
        && !env.iter().any(|(name, _)| name == "PWD")
    {
        env.push(("PWD".to_owned(), cwd.to_owned()));
    }
    env
}
