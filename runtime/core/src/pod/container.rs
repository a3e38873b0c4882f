//! One run of a container: its files, its environment, its log, its share of CPU and memory, and
//! the guest in it.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Container;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::exec::Execution;
use super::meter::ContainerMeter;
use super::runtime::PodRuntime;
use super::session::{Carriers, RunStreams, set_terminal_variables, until_signalled};
use super::store::{ObjectsAndVolumes, PodStore};
use super::uid::{new_run_id, seeded_run_id};
use crate::executor::{AbortHandle, Account, Task, TaskError, Weight};
use crate::guest::{
    self, AnnotationError, Exceeded, FuelBudget, GuestLimits, HttpSettings, Program, RunSpec, Stdin,
};
use crate::image::{LocalImage, Root};
use crate::lifecycle::{Exit, StartError};
use crate::logs::{LogWriter, LogWriterOptions, Rotation};
use crate::manifest::environment::{self, Environment};
use crate::resources::ContainerResources;
use crate::sandbox::filesystem::{
    ContainerFilesystem, ContainerFilesystemOptions, MountError, StopFile, TerminationMessage,
};
use crate::sandbox::wasi::p1::ListenPort;
use crate::sandbox::{Stop, stop_signal};
use crate::worker::{Run, RunControl};

/// Starts run number `attempt` of `container`.
///
/// The first run's files are made at once, it is what a user waits for. A later run first removes
/// those of the one before, which may be many: that is not for the thread that the Pod's life is on.
pub(super) async fn start(
    runtime: &PodRuntime,
    store: &Arc<PodStore>,
    container: &Container,
    attempt: u32,
    program: Program,
    image: Arc<LocalImage>,
) -> Result<Run, StartError> {
    let mut environment = environment(runtime, store, container)?;
    add_variables(&mut environment.variables, &image.env);
    let log = log_options(runtime, store, container, attempt);
    let make = {
        let (store, container, image) = (Arc::clone(store), container.clone(), Arc::clone(&image));
        move || make_files(&store, &container, attempt, &image, environment, log)
    };
    // To copy the files of an image takes as long as it likes.
    let made = if attempt == 0 && image.root.is_none() {
        make()
    } else {
        runtime.blocking().spawn(make).await.unwrap_or_else(|error| {
            Err(StartError::Create(format!("its files could not be made: {error}")))
        })
    };
    let Made { environment, files, log } = made?;
    runtime.runs.set_mounts(&container.name, files.mounts());
    files.notes().iter().for_each(|note| (runtime.request.on_note)(note));
    if attempt == 0 {
        for note in &image.notes {
            (runtime.request.on_note)(&format!("container {:?}: {note}", container.name));
        }
    }
    if let Some(note) = program.note().filter(|_| attempt == 0) {
        (runtime.request.on_note)(&format!("container {:?}: {note}", container.name));
    }
    let streams = RunStreams::open(
        container,
        &log,
        given_input(runtime, container),
        runtime.virtual_life.is_some(),
    )
    .map_err(|error| StartError::Create(format!("there is no terminal to be had: {error}")))?;
    let resources = runtime.resources(container);
    let open = || ContainerMeter::new(account(store, &container.name, resources));
    let meter = runtime.runs.meter_or(&container.name, open);
    meter.end_run();
    let (entrypoint, default_args) = image.entrypoint();
    let argv = environment.argv(entrypoint, default_args);
    let run = format!("{}/{attempt}", container.name);
    let mut env = environment.variables;
    if let Some(terminal) = &streams.terminal {
        set_terminal_variables(&mut env, terminal.size());
    }
    let spec = RunSpec {
        run: run.clone(),
        argv,
        env,
        cwd: working_dir(container, &image).map(str::to_owned),
        stdin: streams.stdin,
        stdout: streams.stdout,
        stderr: streams.stderr,
        tty: container.tty == Some(true),
        terminal: streams.terminal.clone(),
        ports: listen_ports(container),
        http: annotated(runtime, container, HttpSettings::of)?,
        limits: annotated(runtime, container, GuestLimits::of)?,
        mounts: files.mounts().to_vec(),
        memory: store.memory.container(
            &container.name,
            resources.memory_limit,
            annotated(runtime, container, Exceeded::of)?,
        ),
        fuel: annotated(runtime, container, FuelBudget::of)?.map(FuelBudget::tank),
    };
    let signal = stop_signal(container);
    let stop = Stop::new(signal);
    meter.begin_run(&spec.memory);
    // Others may have been allocated while its files were made.
    if let Some(allocated) = runtime.allocated(container) {
        meter.hold_to(allocated);
    }
    let account = meter.account.clone();
    let run_ended = CancellationToken::new();
    let execution = Arc::new(Execution {
        count: AtomicU64::new(0),
        program: program.clone(),
        meter: Arc::clone(&meter),
        spec: spec.clone(),
        attachment: streams.attachment,
        run_ended: run_ended.clone(),
    });
    runtime.runs.set_execution(&container.name, &execution);
    let host = store.guest_host(&meter, &spec);
    let guest = guest::run(program, host, spec, stop.clone());
    let task = account.spawn(until_signalled(guest, streams.terminal));
    if attempt == 0 {
        // While the guest's thread begins: two folders and a file take as long as an instance.
        log.make_file();
    }
    let stop_file = StopFile::new(files.mounts(), signal);
    let control = Control { stop, stop_file, guest: task.abort_handle() };
    let message = files.termination_message().clone();
    let remains = Remains {
        log,
        message,
        carriers: streams.carriers,
        _execution: execution,
        _ended: run_ended.drop_guard(),
    };
    Ok(Run {
        id: match runtime.virtual_life {
            Some(_) => seeded_run_id(&runtime.identity.uid, &run),
            None => new_run_id(),
        },
        exit: async move { remains.exit(ended(task, "container").await).await }.boxed(),
        control: Box::new(control),
    })
}

pub(super) fn environment(
    runtime: &PodRuntime,
    store: &PodStore,
    container: &Container,
) -> Result<Environment, StartError> {
    let objects = ObjectsAndVolumes {
        objects: &runtime.objects(),
        volumes: &store.volumes,
        directory: runtime.directory(),
    };
    environment::resolve(&runtime.wanted_pod(), container, &objects, &store.downward)
        .map_err(|error| StartError::Config(error.to_string()))
}

/// The folder that a container starts in.
fn working_dir<'a>(container: &'a Container, image: &'a LocalImage) -> Option<&'a str> {
    let own = container.working_dir.as_deref().filter(|folder| !folder.is_empty());
    own.or(image.working_dir.as_deref())
}

/// The image's variables, behind those of the container, which win.
fn add_variables(variables: &mut Vec<(String, String)>, of_image: &[(String, String)]) {
    let known: HashSet<String> = variables.iter().map(|(name, _)| name.clone()).collect();
    variables.extend(of_image.iter().filter(|(name, _)| !known.contains(name)).cloned());
}

/// What a run has on disk.
struct Made {
    environment: Environment,
    files: ContainerFilesystem,
    log: LogWriter,
}

fn make_files(
    store: &PodStore,
    container: &Container,
    attempt: u32,
    image: &LocalImage,
    environment: Environment,
    log: LogWriterOptions,
) -> Result<Made, StartError> {
    // A start that nobody waits for any more must not make files in a Pod that is gone.
    let removed = store.removed.read().unwrap_or_else(PoisonError::into_inner);
    if *removed {
        return Err(StartError::Create("the Pod is gone".to_owned()));
    }
    let files = files(store, container, attempt, image, &environment)?;
    let mut image_bytes = store.image_bytes.lock().unwrap_or_else(PoisonError::into_inner);
    image_bytes.insert(container.name.clone(), files.image_bytes());
    drop(image_bytes);
    if attempt > 1
        && let Err(error) = store.logs.forget_runs_before(&container.name, attempt)
    {
        tracing::debug!("the logs of earlier runs of {} are left: {error}", container.name);
    }
    let log = LogWriter::new(log);
    if attempt > 0 {
        log.make_file();
    }
    Ok(Made { environment, files, log })
}

fn files(
    store: &PodStore,
    container: &Container,
    attempt: u32,
    image: &LocalImage,
    environment: &Environment,
) -> Result<ContainerFilesystem, StartError> {
    let options = ContainerFilesystemOptions {
        folder: &store.folder,
        volumes: &store.volumes,
        container,
        attempt,
        etc: &store.etc,
        image: image.root.as_ref().map(Root::path),
        working_dir: working_dir(container, image),
        environment: &environment.variables,
    };
    ContainerFilesystem::prepare(options).map_err(|error| match error {
        MountError::SetUp { volume, cause } => {
            StartError::Mount { volume, message: cause.to_string() }
        }
        MountError::Config(message) => StartError::Config(message),
        error @ MountError::Create { .. } => StartError::Create(error.to_string()),
    })
}

fn log_options(
    runtime: &PodRuntime,
    store: &PodStore,
    container: &Container,
    attempt: u32,
) -> LogWriterOptions {
    let (on_note, clock) = (Arc::clone(&runtime.request.on_note), runtime.clock());
    LogWriterOptions {
        container: container.name.clone(),
        path: store.logs.of_run(&container.name, attempt),
        rotation: Rotation::default(),
        clock: Arc::new(move || clock.wall()),
        sink: runtime.request.log_sink.clone(),
        on_failure: Box::new(move |failure| on_note(&failure.to_string())),
    }
}

/// Reads what a Pod's annotations say of one of its containers.
type Reader<Value> =
    fn(Option<&BTreeMap<String, String>>, &Container) -> Result<Value, AnnotationError>;

/// What the Pod's annotations say of `container`, read by `of`.
fn annotated<Value>(
    runtime: &PodRuntime,
    container: &Container,
    of: Reader<Value>,
) -> Result<Value, StartError> {
    of(runtime.pod().metadata.annotations.as_ref(), container)
        .map_err(|error| StartError::Config(error.to_string()))
}

/// What whoever made the Pod has for `container` to read.
fn given_input(runtime: &PodRuntime, container: &Container) -> Option<Stdin> {
    let (name, stdin) = runtime.request.stdin.as_ref()?;
    (*name == container.name).then(|| stdin.clone())
}

/// The declared TCP ports: modules of WASI 0.1 get a listener for each, as they cannot make one.
fn listen_ports(container: &Container) -> Vec<ListenPort> {
    let ports = container.ports.iter().flatten();
    ports
        .filter(|port| matches!(port.protocol.as_deref(), None | Some("TCP")))
        .filter_map(|port| {
            let number = u16::try_from(port.container_port).ok()?;
            Some(ListenPort { number, name: port.name.clone() })
        })
        .collect()
}

pub(super) fn account(store: &PodStore, name: &str, resources: ContainerResources) -> Account {
    let weight = Weight::of_request(resources.cpu_request);
    store.executor.account(name, weight, resources.cpu_limit)
}

/// The end of a guest's task as the end of `what` it ran: a container or a command.
pub(super) async fn ended(task: Task<Exit>, what: &str) -> Exit {
    match task.await {
        Ok(exit) => exit,
        Err(TaskError::Aborted) => Exit::killed(),
        Err(TaskError::Panicked(message)) => {
            Exit::trapped(format!("wasmpod failed while it ran the {what}: {message}"))
        }
    }
}

/// What is left of a run when its guest is gone.
struct Remains {
    log: LogWriter,
    message: TerminationMessage,
    carriers: Carriers,
    /// For whoever deals with the run while it lasts.
    _execution: Arc<Execution>,
    /// Ends its commands with it.
    _ended: DropGuard,
}

impl Remains {
    async fn exit(self, exit: Exit) -> Exit {
        self.carriers.finish().await;
        self.log.finish();
        let message = self.message.read(exit.code.into(), Some(&self.log.path()));
        exit.with_message(Some(message).filter(|message| !message.is_empty()))
    }
}

struct Control {
    stop: Stop,
    stop_file: Option<StopFile>,
    guest: AbortHandle,
}

impl RunControl for Control {
    fn stop(&mut self, grace: Duration) {
        // First, so that whoever wakes finds it.
        if let Some(Err(error)) = self.stop_file.as_ref().map(StopFile::appear) {
            tracing::debug!("a container is told to stop without its file: {error}");
        }
        self.stop.ask(grace);
    }

    fn kill(&mut self) {
        self.guest.abort();
    }
}
