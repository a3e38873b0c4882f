//! `wasmpod info`: what a Pod would find here. Nothing is guessed: each figure is what a run uses.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use wasmpod::error::chain;
use wasmpod::guest::{Allocation, Engines, WASMTIME_VERSION};
use wasmpod::image::{Confinement, Reservation};
use wasmpod::pod::{CpuSharing, Folders};
use wasmpod::resources::cgroup::{CgroupReport, CgroupVersion};
use wasmpod::resources::{allocatable, machine_memory, node_name};
use wasmpod::sandbox::filesystem::usage;

use crate::args::{Info, InfoFormat};
use crate::failure::Failure;

/// # Errors
/// The folders cannot be found, or the engine cannot be set up on this machine.
pub(crate) fn info(verb: &Info, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let folders = Folders::find(root).map_err(|error| Failure::because("cannot start", &error))?;
    let found = Found {
        version: env!("CARGO_PKG_VERSION"),
        engine: Engine::find()?,
        host: Host::find(&folders),
        cpu_sharing: Sharing::find(&folders),
        cgroup: Cgroup::find(),
        store: Store::find(&folders),
        pods: Pods {
            running: folders
                .count_running()
                .map_err(|error| Failure::because("cannot count Pods", &error))?,
        },
    };
    let text = match verb.output {
        InfoFormat::Json => serde_json::to_string_pretty(&found)
            .map(|text| text + "\n")
            .map_err(|error| Failure::because("cannot tell", &error))?,
        InfoFormat::Yaml => serde_saphyr::to_string(&found)
            .map_err(|error| Failure::because("cannot tell", &error))?,
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => {
            written.map_err(|error| Failure::because("standard output", &error))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    version: &'static str,
    engine: Engine,
    host: Host,
    cpu_sharing: Sharing,
    cgroup: Cgroup,
    store: Store,
    pods: Pods,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Engine {
    name: &'static str,
    version: &'static str,
    /// Address space that each memory of a guest takes.
    memory_reservation: &'static str,
    /// How the instances of HTTP handlers get their memory.
    http_instances: &'static str,
    /// What holds the compiler, which reads strangers' code, to its work.
    compiler_confinement: Confinement,
}

impl Engine {
    fn find() -> Result<Self, Failure> {
        let reservation = Reservation::detect();
        let engines = Engines::with_reservation(reservation, |_| {});
        let allocation = engines
            .allocation_of_handlers()
            .map_err(|error| Failure::because("no guest can run here", &error))?;
        Ok(Self {
            name: "wasmtime",
            version: WASMTIME_VERSION,
            memory_reservation: match reservation {
                Reservation::Whole => "4Gi",
                Reservation::Small => "as it grows (the address space is limited: `ulimit -v`)",
            },
            compiler_confinement: Confinement::detect(),
            http_instances: match allocation {
                Allocation::Pooled => "pooled",
                Allocation::OnDemand => "on demand",
            },
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Host {
    name: String,
    operating_system: &'static str,
    kernel: String,
    architecture: &'static str,
    /// That this process may use.
    cores: String,
    memory_bytes: u64,
    /// What containers without limits of their own see as such.
    allocatable: Allocatable,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Allocatable {
    cpu: String,
    memory: String,
    ephemeral_storage: String,
}

impl Host {
    fn find(folders: &Folders) -> Self {
        let all = allocatable(&folders.pods());
        Self {
            name: node_name(),
            operating_system: std::env::consts::OS,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            architecture: std::env::consts::ARCH,
            cores: all.cpu.to_string(),
            memory_bytes: machine_memory(),
            allocatable: Allocatable {
                cpu: all.cpu.to_string(),
                memory: all.memory.to_string(),
                ephemeral_storage: all.ephemeral_storage.to_string(),
            },
        }
    }
}

/// Who shares out the CPU among Pods.
#[derive(Serialize)]
struct Sharing {
    by: &'static str,
    /// In which the busy Pods tell each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

impl Sharing {
    fn find(folders: &Folders) -> Self {
        match CpuSharing::of(folders) {
            CpuSharing::Engines(file) => Self { by: "requests", file: Some(file) },
            CpuSharing::Kernel => Self { by: "threads (the kernel alone)", file: None },
        }
    }
}

/// Of the process of a Pod that is started here with `--cgroup`.
#[derive(Serialize)]
struct Cgroup {
    version: CgroupVersion,
    usable: bool,
    /// The cgroups below which that of a Pod would be.
    below: Vec<PathBuf>,
    controllers: Vec<&'static str>,
    /// Why there is none, or not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Cgroup {
    fn find() -> Self {
        let CgroupReport { version, plan } = CgroupReport::find();
        match plan {
            Ok(plan) => Self {
                version,
                usable: true,
                below: plan.places().map(Path::to_owned).collect(),
                controllers: plan.controllers().collect(),
                problem: plan.note().map(str::to_owned),
            },
            Err(error) => Self {
                version,
                usable: false,
                below: Vec::new(),
                controllers: Vec::new(),
                problem: Some(chain(&error)),
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Store {
    root: PathBuf,
    logs: PathBuf,
    volumes: PathBuf,
    sockets: PathBuf,
    cache: PathBuf,
    /// Compiled code.
    cache_bytes: u64,
}

impl Store {
    fn find(folders: &Folders) -> Self {
        let cache = folders.cache();
        Self {
            root: folders.root().to_owned(),
            logs: folders.logs(),
            volumes: folders.volumes(),
            sockets: folders.sockets().to_owned(),
            cache_bytes: usage(&cache).map_or(0, |usage| usage.bytes),
            cache,
        }
    }
}

#[derive(Serialize)]
struct Pods {
    running: usize,
}
