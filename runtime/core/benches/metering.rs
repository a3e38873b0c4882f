//! What it costs that guests give way, are charged for their time and are held to their limits.
//!
//!     cargo bench --workspace --bench metering              # the guests first: cargo xtask guests
//!     cargo bench --workspace --bench metering -- --quick   # does it work?
//!
//! The same program on the same engine by three ways, in turns: *bare* (no epochs, no limiter, no
//! executor), as a container without limits, and as one with both. What counts is the CPU time of the
//! whole process, ticker included, and of it the median: on a machine that does other things as well
//! the wall clock says nothing. Ends with 1 when a goal is missed.
#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};
use wasmpod::executor::{MilliCpu, PodExecutor, Weight};
use wasmpod::guest::{
    Engines, Exceeded, GuestHost, GuestLimits, HttpSettings, OutputBuffer, PodClock, PodMemory,
    PodRandom, Program, RunSpec, Stdin, run,
};
use wasmpod::image::{CodeCache, Compiler, Metering, Profile, Reservation};
use wasmpod::sandbox::Stop;
use wasmpod::sandbox::ipc::{IpcLimits, PodIpc};
use wasmpod::sandbox::network::{Network, NetworkConfig};
use wasmtime::{Engine, InstancePre, Linker, Module, Store};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// What the guest does, and how often for about half a second.
const WORK: [(&str, &str); 4] =
    [("core", "3000"), ("regex", "400"), ("json", "300"), ("memory", "3000")];

const TURNS: usize = 11;

/// With limits, against bare.
const MUST: f64 = 1.05;
const AIM: f64 = 1.02;
/// With limits, against without.
const MUST_FOR_LIMITS: f64 = 1.01;

fn main() -> ExitCode {
    let is_quick = std::env::args().any(|word| word == "--quick");
    let turns = if is_quick { 3 } else { TURNS };
    let guest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../guest-examples/target/wasm32-wasip1/release/compute.wasm");
    assert!(guest.exists(), "{} is missing: run `cargo xtask guests`", guest.display());
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bare = Bare::new(&guest);
    let pod = runtime.block_on(PodWay::new(&guest));

    println!(
        "| work | bare, ms of CPU | no limits | limits | no limits / bare | limits / bare | limits / no limits | |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut is_missed = false;
    for work in WORK {
        let mut times = [const { Vec::new() }; 3];
        for turn in 0..=turns {
            let turn_times = [
                bare.run(&runtime, work),
                pod.run(&runtime, work, Limits::None),
                pod.run(&runtime, work, Limits::Both),
            ];
            // The first warms up.
            if turn > 0 {
                times.iter_mut().zip(turn_times).for_each(|(all, time)| all.push(time));
            }
        }
        let [bare, unlimited, limited] = times.map(median);
        let verdict = if limited / bare <= AIM && limited / unlimited <= MUST_FOR_LIMITS {
            "aim"
        } else if limited / bare <= MUST && limited / unlimited <= MUST_FOR_LIMITS {
            "must"
        } else {
            is_missed = true;
            "MISSED"
        };
        println!(
            "| {} | {bare:.1} | {unlimited:.1} | {limited:.1} | {:.3} | {:.3} | {:.3} | {verdict} |",
            work.0,
            unlimited / bare,
            limited / bare,
            limited / unlimited
        );
    }
    if is_missed && !is_quick { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Milliseconds of CPU that this process has used.
fn cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let time = Duration::try_from(time).expect("not before the process began");
    time.as_secs_f64() * 1000.0
}

/// wasmtime by itself, with the settings that do not meter.
struct Bare {
    engine: Engine,
    program: InstancePre<WasiP1Ctx>,
}

impl Bare {
    fn new(guest: &Path) -> Self {
        let profile = Profile {
            concurrency: false,
            reservation: Reservation::Whole,
            metering: Metering::Epochs,
        };
        let mut config = profile.config();
        config.epoch_interruption(false);
        let engine = Engine::new(&config).expect("an engine");
        let module = Module::from_file(&engine, guest).expect("it compiles");
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_async(&mut linker, |context| context).expect("WASI is linked");
        let program = linker.instantiate_pre(&module).expect("it needs WASI alone");
        Self { engine, program }
    }

    fn run(&self, runtime: &Runtime, (word, rounds): (&str, &str)) -> f64 {
        let output = MemoryOutputPipe::new(1 << 10);
        let context = WasiCtxBuilder::new()
            .args(&["compute", word, rounds])
            .stdout(output.clone())
            .build_p1();
        let before = cpu_time();
        runtime.block_on(async {
            let mut store = Store::new(&self.engine, context);
            let instance = self.program.instantiate_async(&mut store).await.expect("it starts");
            let start = instance.get_typed_func::<(), ()>(&mut store, "_start").expect("a command");
            start.call_async(&mut store, ()).await.expect("it ends well");
        });
        let time = cpu_time() - before;
        assert!(output.contents().starts_with(word.as_bytes()), "it says what it did");
        time
    }
}

#[derive(Clone, Copy)]
enum Limits {
    None,
    Both,
}

/// As a container of a Pod.
struct PodWay {
    executor: Arc<PodExecutor>,
    network: Arc<Network>,
    memory: PodMemory,
    program: Program,
}

impl PodWay {
    async fn new(guest: &Path) -> Self {
        let executor = PodExecutor::threads(1);
        let ticked = Arc::clone(&executor);
        let engines =
            Engines::with_reservation(Reservation::Whole, move |engine| ticked.register(engine));
        let folder = std::env::temp_dir().join(format!("wasmpod-metering-{}", std::process::id()));
        let cache = CodeCache::open(&folder, Reservation::Whole, Compiler::InProcess);
        let program = Program::prepare(&engines, &cache.expect("a cache"), guest, || {}).await;
        // What was mapped stays.
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
        Self {
            executor,
            network: Network::new(NetworkConfig::new("metering", Vec::new())),
            memory: PodMemory::of_machine(),
            program: program.expect("it is a guest"),
        }
    }

    fn run(&self, runtime: &Runtime, (word, rounds): (&str, &str), limits: Limits) -> f64 {
        let (cpu, memory) = match limits {
            Limits::None => (None, None),
            // Of both more than it can use: what is measured is being counted, not being held.
            Limits::Both => (MilliCpu::new(2000), Some(1 << 30)),
        };
        let account = self.executor.account("compute", Weight::MIN, cpu);
        let output = OutputBuffer::new(1 << 10);
        let host = GuestHost {
            endpoint: Arc::new(self.network.endpoint()),
            files: Arc::default(),
            account: account.clone(),
            clock: PodClock::real(),
            random: PodRandom::System,
            pace: None,
            containers: 1,
            ipc: PodIpc::new(IpcLimits::default()),
        };
        let spec = RunSpec {
            run: "compute/0".to_owned(),
            argv: ["compute", word, rounds].map(str::to_owned).to_vec(),
            env: Vec::new(),
            cwd: None,
            stdin: Stdin::Closed,
            stdout: Arc::new(output.clone()),
            stderr: Arc::new(output.clone()),
            tty: false,
            terminal: None,
            ports: Vec::new(),
            http: HttpSettings::default(),
            mounts: Vec::new(),
            limits: GuestLimits::default(),
            memory: self.memory.container("compute", memory, Exceeded::Deny),
            fuel: None,
        };
        let before = cpu_time();
        let guest = run(self.program.clone(), host, spec, Stop::default());
        let exit = runtime.block_on(async { account.spawn(guest).await }).expect("it is not ended");
        let time = cpu_time() - before;
        assert!(exit.is_success(), "{exit:?}");
        assert!(output.contents().starts_with(word.as_bytes()), "it says what it did");
        time
    }
}
