//! Real guests, in text format, on real engines.

mod exec;
mod fuel;
mod ipc;
mod runs;
mod stop;
mod toolbox;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::executor::{PodExecutor, TaskError, Weight};
use crate::image::{CodeCache, Compiler, Reservation};
use crate::lifecycle::{Exit, ExitReason};
use crate::sandbox::Stop;
use crate::sandbox::filesystem::Mount;
use crate::sandbox::ipc::{IpcLimits, PodIpc};
use crate::sandbox::network::{Network, NetworkConfig, NetworkError};
use crate::sandbox::wasi::p1::ListenPort;

/// Longer than any test may take; only a hang gets there.
const HANG: Duration = Duration::from_secs(60);

struct World {
    folder: TempDir,
    executor: Arc<PodExecutor>,
    engines: Engines,
    cache: CodeCache,
    network: Arc<Network>,
    stop: Stop,
    stdout: OutputBuffer,
    stderr: OutputBuffer,
    stdin: Stdin,
    memory_limit: Option<u64>,
    exceeded: Exceeded,
    fuel: Option<FuelBudget>,
}

impl World {
    fn new() -> Self {
        Self::with_reservation(Reservation::Whole)
    }

    fn with_reservation(reservation: Reservation) -> Self {
        Self::with(reservation, PodExecutor::threads(2))
    }

    fn with(reservation: Reservation, executor: Arc<PodExecutor>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ticked = executor.clone();
        let engines = Engines::with_reservation(reservation, move |engine| ticked.register(engine));
        let cache = CodeCache::open(&folder.path().join("cache"), reservation, Compiler::InProcess)
            .unwrap();
        Self {
            folder,
            executor,
            engines,
            cache,
            network: Network::new(NetworkConfig::new("pod", Vec::new())),
            stop: Stop::default(),
            stdout: OutputBuffer::new(1 << 20),
            stderr: OutputBuffer::new(1 << 20),
            stdin: Stdin::Closed,
            memory_limit: None,
            exceeded: Exceeded::Deny,
            fuel: None,
        }
    }

    fn image(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("guest.wat");
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn prepare(&self, text: &str) -> Result<Program, PrepareError> {
        Program::prepare(&self.engines, &self.cache, &self.image(text), || {}).await
    }

    fn spec(&self) -> RunSpec {
        RunSpec {
            run: "test/0".to_owned(),
            argv: vec!["guest".to_owned(), "one".to_owned()],
            env: vec![("COLOUR".to_owned(), "blue".to_owned())],
            cwd: None,
            stdin: self.stdin.clone(),
            stdout: Arc::new(self.stdout.clone()),
            stderr: Arc::new(self.stderr.clone()),
            tty: false,
            terminal: None,
            http: HttpSettings::default(),
            limits: GuestLimits::default(),
            ports: Vec::new(),
            mounts: Vec::new(),
            memory: PodMemory::new(1 << 30).container("guest", self.memory_limit, self.exceeded),
            fuel: self.fuel.map(FuelBudget::tank),
        }
    }

    fn host(&self) -> GuestHost {
        GuestHost {
            endpoint: Arc::new(self.network.endpoint()),
            files: Arc::default(),
            account: self.executor.account("test", Weight::MIN, None),
            clock: PodClock::real(),
            random: PodRandom::System,
            pace: None,
            containers: 1,
            ipc: PodIpc::new(IpcLimits::default()),
        }
    }

    fn loader(&self) -> Loader {
        Loader::new(self.engines.clone(), self.cache.clone(), self.host().account)
    }

    fn start(&self, program: Program) -> crate::executor::Task<Exit> {
        let host = self.host();
        let account = self.executor.account("test", Weight::MIN, None);
        account.spawn(run(program, host, self.spec(), self.stop.clone()))
    }

    /// The exit of the guest in `text`.
    async fn exit(&self, text: &str) -> Exit {
        let program = self.prepare(text).await.unwrap();
        tokio::time::timeout(HANG, self.start(program)).await.expect("it ends").unwrap()
    }
}

fn module(body: &str) -> String {
    format!(
        r#"(module $guest
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "fd_write"
                (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read"
                (func $read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            {body})"#
    )
}

fn command(run: &str) -> String {
    format!(
        r#"(component
            (core module $m (func (export "run") (result i32) {run}))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $entry (export "run" (func $run)))
            (export "wasi:cli/run@0.2.3" (instance $entry)))"#
    )
}

fn async_command(run: &str) -> String {
    format!(
        r#"(component
            (core module $m (func (export "run") (result i32) {run}))
            (core instance $i (instantiate $m))
            (func $run async (result (result)) (canon lift (core func $i "run")))
            (instance $entry (export "run" (func $run)))
            (export "wasi:cli/run@0.3.0" (instance $entry)))"#
    )
}

const SPIN: &str = r#"(module (func (export "_start") (loop $l (br $l))))"#;
