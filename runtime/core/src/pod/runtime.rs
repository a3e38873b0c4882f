//! What the worker asks of the world, done: sandbox, images, runs of guests.
//!
//! Nothing here decides when or how often; see [`ContainerRuntime`] for the order of calls.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use tokio::sync::{Notify, watch};

use super::builder::{PodBuilder, PodError};
use super::exec::Executed;
use super::pull::Prepared;
use super::runs::Runs;
use super::store::PodStore;
use super::virtual_time::{VirtualLife, VirtualTimeError};
use super::{admission, container, cpu, network};
use crate::executor::{Blocking, PodExecutor};
use crate::guest::{Engines, FuelBudget, Loader};
use crate::image::{
    self, CodeCache, Fetcher, ImageErrorReason, ImageSource, ImageStore, Meant, Pins, PullPolicy,
};
use crate::lifecycle::{
    GoDuration, Hook, Identity, ImageError, ImageErrorKind, ImageInfo, Placement, PodFailure,
    ProbeAnswer, ProbeKind, Sandbox, SandboxError, StartError,
};
use crate::manifest::{self, Manifest};
use crate::probe::{self, Handler};
use crate::resources::{ContainerResources, PodResources};
use crate::sandbox::network::{Directory, EgressPolicy};
use crate::worker::{Clock, ContainerRuntime, Run};

/// One Pod's runtime: guests of WebAssembly in a sandbox of their own.
pub(super) struct PodRuntime {
    pub(super) identity: Identity,
    pub(super) request: PodBuilder,
    pub(super) egress: EgressPolicy,
    /// Polls the Pod's guests, and on virtual time so does whoever runs the Pod.
    pub(super) executor: Arc<PodExecutor>,
    pub(super) cache: CodeCache,
    /// For a Pod on virtual time.
    pub(super) virtual_life: Option<VirtualLife>,
    /// Told of other resources that are wanted.
    pub(super) resized: Notify,
    /// What is allocated to the Pod, once that is not what its manifest says.
    pub(super) bounds: watch::Sender<Option<PodResources>>,
    /// Told of other labels.
    pub(super) relabelled: Notify,
    resize_turn: Mutex<()>,
    pub(super) runs: Runs,
    sources: ImageSource,
    images: ImageStore,
    /// Keep the images of this Pod.
    pins: Arc<Pins>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    store: Option<Arc<PodStore>>,
    /// By container; what `prepare_image` has made ready.
    programs: HashMap<String, Prepared>,
    /// The Pod as it is wanted, once it was changed.
    wanted: Option<Arc<Pod>>,
    /// What it may refer to.
    objects: Arc<Manifest>,
    /// By container, once others than those of the manifest were allocated.
    allocated: HashMap<String, ResourceRequirements>,
}

impl PodRuntime {
    pub(super) fn new(
        mut request: PodBuilder,
        identity: Identity,
        virtual_life: Option<VirtualLife>,
    ) -> Result<Self, PodError> {
        let sources = match &request.images {
            Some(sources) => sources.clone(),
            None => ImageSource::new(manifest_folder(&request.pod.source)),
        };
        let egress = network::egress(&request, virtual_life.is_some())?;
        let cache = &request.host.shared.cache;
        let (executor, cache) = match virtual_life {
            Some(_) => (PodExecutor::inline(), cache.on_virtual_time()),
            // One for each core: an HTTP handler has many tasks, and for fewer no thread is started.
            None => (PodExecutor::threads(usize::MAX), cache.clone()),
        };
        executor.set_limit(request.pod.pod.spec.as_ref().and_then(cpu::limit));
        let mut images = request.host.shared.images.clone();
        if virtual_life.is_some() {
            // A registry answers in real time.
            images.fetcher = Fetcher::Nowhere;
        }
        let objects = Arc::new(std::mem::take(&mut request.objects));
        let state = Mutex::new(State { objects, ..State::default() });
        Ok(Self {
            identity,
            request,
            egress,
            executor,
            cache,
            virtual_life,
            resized: Notify::new(),
            bounds: watch::Sender::default(),
            relabelled: Notify::new(),
            resize_turn: Mutex::default(),
            runs: Runs::default(),
            sources,
            images,
            pins: Arc::default(),
            state,
        })
    }

    pub(super) fn clock(&self) -> Clock {
        self.virtual_life.map_or(Clock::System, |life| life.worker)
    }

    /// Where work for the Pod goes that waits for the real world.
    pub(super) fn blocking(&self) -> Blocking {
        if self.virtual_life.is_some() { Blocking::InPlace } else { Blocking::Aside }
    }

    /// Where Services and other Pods are found; on virtual time there are none.
    pub(super) fn directory(&self) -> Option<&Arc<Directory>> {
        self.virtual_life.is_none().then_some(&self.request.host.shared.directory)
    }

    /// # Errors
    /// Virtual time is not what it was when the Pod was built.
    pub(super) fn check_time(&self) -> Result<(), VirtualTimeError> {
        self.virtual_life.map_or(Ok(()), |life| life.check())
    }

    pub(super) fn pod(&self) -> &Pod {
        &self.request.pod.pod
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment or insertion.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Init containers, then app containers.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Container> {
        self.pod().spec.iter().flat_map(manifest::containers)
    }

    /// The first init container; in a Pod that has none, all containers.
    pub(super) fn first_containers(&self) -> &[Container] {
        let Some(spec) = &self.pod().spec else { return &[] };
        match spec.init_containers.as_deref() {
            Some([first, ..]) => std::slice::from_ref(first),
            Some([]) | None => &spec.containers,
        }
    }

    /// Init containers and app containers have names of one space.
    pub(super) fn container(&self, name: &str) -> &Container {
        self.containers()
            .find(|container| container.name == name)
            .expect("the worker names containers of this Pod")
    }

    /// The ConfigMaps, Secrets and claims that the Pod may refer to, as they are now.
    pub(super) fn objects(&self) -> Arc<Manifest> {
        Arc::clone(&self.state().objects)
    }

    pub(super) fn set_objects(&self, objects: Manifest) {
        self.state().objects = Arc::new(objects);
    }

    /// What the image of a container means.
    pub(super) fn image_meant(&self, container: &Container) -> Result<Meant, image::ImageError> {
        self.sources.resolve(&self.image_of(container))
    }

    /// Where images of registries are.
    pub(super) fn images(&self) -> &ImageStore {
        &self.images
    }

    /// What keeps those of this Pod there.
    pub(super) fn pins(&self) -> &Arc<Pins> {
        &self.pins
    }

    /// `image` of a container, as it is wanted now.
    pub(super) fn image_of(&self, container: &Container) -> String {
        let wanted = self.state().wanted.clone();
        let of_pod = wanted.as_ref().and_then(|pod| {
            let mut all = pod.spec.iter().flat_map(manifest::containers);
            all.find(|one| one.name == container.name)
        });
        of_pod.unwrap_or(container).image.clone().unwrap_or_default()
    }

    /// Where the programs of a container come from: with a budget, from engines that count. One that
    /// cannot be read is told at the start.
    pub(super) fn workshop(
        &self,
        engines: &Engines,
        container: &Container,
    ) -> (Engines, CodeCache) {
        let annotations = self.pod().metadata.annotations.as_ref();
        match FuelBudget::of(annotations, container) {
            Ok(Some(_)) if self.virtual_life.is_none() => {
                (engines.counting(), self.cache.counting())
            }
            Ok(_) | Err(_) => (engines.clone(), self.cache.clone()),
        }
    }

    /// The Pod as it is wanted: its manifest, with the resources that it was given since.
    pub(super) fn wanted_pod(&self) -> Arc<Pod> {
        let wanted = self.state().wanted.clone();
        wanted.unwrap_or_else(|| Arc::new(self.pod().clone()))
    }

    /// Held by whoever changes what is wanted.
    pub(super) fn resize_turn(&self) -> MutexGuard<'_, ()> {
        self.resize_turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_wanted_pod(&self, pod: Pod) {
        self.state().wanted = Some(Arc::new(pod));
    }

    /// What `container` may use now.
    pub(super) fn resources(&self, container: &Container) -> ContainerResources {
        self.allocated(container).unwrap_or_else(|| ContainerResources::of(container))
    }

    /// The same, if it is not what the manifest says.
    pub(super) fn allocated(&self, container: &Container) -> Option<ContainerResources> {
        let state = self.state();
        state.allocated.get(&container.name).map(ContainerResources::of_requirements)
    }

    pub(super) fn set_allocated(&self, container: &Container, resources: ResourceRequirements) {
        self.state().allocated.insert(container.name.clone(), resources);
    }

    /// What makes programs of a container's files, in all its runs; made for its first command.
    pub(super) fn command_loader(&self, store: &PodStore, container: &Container) -> Loader {
        self.runs.loader(&container.name, || {
            // Of its own: that of a run ends with the run. Without a limit: what a compiler has made
            // would have to wait until its making is earned. The Pod's limit counts.
            let resources = ContainerResources { cpu_limit: None, ..self.resources(container) };
            let account = container::account(store, &container.name, resources);
            let (engines, cache) = self.workshop(store.engines(), container);
            let toolbox = self.request.host.shared.toolbox.clone();
            Loader::new(engines, cache, account).with_toolbox(toolbox)
        })
    }

    async fn exec(&self, container: &str, command: Vec<String>) -> Result<Executed, String> {
        let execution = self.runs.execution(container);
        let execution = execution.ok_or_else(|| format!("{container} does not run"))?;
        let store = self.store();
        let loader = self.command_loader(&store, self.container(container));
        Ok(execution.run(&store, loader, command).await)
    }

    async fn exec_probe(&self, name: &str, command: Vec<String>, within: Duration) -> ProbeAnswer {
        let shown = command.join(" ");
        match tokio::time::timeout(within, self.exec(name, command)).await {
            Ok(Ok(executed)) if executed.exit.is_success() => ProbeAnswer::Success,
            Ok(Ok(executed)) => ProbeAnswer::Failure(executed.words()),
            Ok(Err(problem)) => ProbeAnswer::Error(problem),
            Err(_elapsed) => ProbeAnswer::Failure(format!(
                "command timed out: {shown:?} timed out after {}",
                GoDuration(within)
            )),
        }
    }

    /// The sandbox, from when it is ready to the Pod's end.
    pub(super) fn current_store(&self) -> Option<Arc<PodStore>> {
        self.state().store.clone()
    }

    pub(super) fn store(&self) -> Arc<PodStore> {
        self.current_store().expect("the worker prepares the sandbox before anything else")
    }
}

impl ContainerRuntime for PodRuntime {
    async fn schedule(&self, refusal: Option<String>) -> Result<Placement, PodFailure> {
        admission::schedule(self, refusal.as_deref()).await
    }

    async fn prepare_sandbox(&self) -> Result<Sandbox, SandboxError> {
        let store = PodStore::create(self).await?;
        let ready = Sandbox { pod_ips: store.pod_ips(), host_ips: store.host_ips() };
        self.state().store = Some(Arc::new(store));
        Ok(ready)
    }

    async fn prepare_image(
        &self,
        name: &str,
        pulling: &(dyn Fn() + Sync),
    ) -> Result<ImageInfo, ImageError> {
        let (prepared, info) =
            self.prepare(name, pulling).await.map_err(|error| image_error(&error))?;
        self.state().programs.insert(name.to_owned(), prepared);
        Ok(info)
    }

    async fn start(&self, name: &str, attempt: u32) -> Result<Run, StartError> {
        let prepared = self.state().programs.get(name).cloned();
        match prepared.expect("the worker prepares the image before a start") {
            Prepared::Program { program, image } => {
                let container = self.container(name);
                container::start(self, &self.store(), container, attempt, program, image).await
            }
            Prepared::Broken(exit) => Err(StartError::Run(exit)),
        }
    }

    async fn probe(&self, name: &str, kind: ProbeKind) -> ProbeAnswer {
        let (container, store) = (self.container(name), self.store());
        let asked = kind.of(container).map(|probe| {
            let within = probe.timeout_seconds.and_then(|seconds| u64::try_from(seconds).ok());
            let within = Duration::from_secs(within.unwrap_or(1).max(1));
            (Handler::of_probe(probe, container, store.pod_ip()), within)
        });
        match asked {
            Some((Ok(Handler::Exec(command)), within)) => {
                self.exec_probe(name, command, within).await
            }
            Some((Ok(handler), within)) => probe::ask(store.network(), &handler, within).await,
            Some((Err(error), _)) => ProbeAnswer::Error(error.to_string()),
            None => ProbeAnswer::Error(format!("{name} has no such probe")),
        }
    }

    async fn hook(&self, name: &str, hook: Hook) -> Result<(), String> {
        let (container, store) = (self.container(name), self.store());
        let hooks = container.lifecycle.as_ref();
        let handler = hooks.and_then(|hooks| match hook {
            Hook::PostStart => hooks.post_start.as_ref(),
            Hook::PreStop => hooks.pre_stop.as_ref(),
        });
        let handler = handler.ok_or_else(|| format!("{name} has no such hook"))?;
        let handler = Handler::of_hook(handler, container, store.pod_ip());
        match handler.map_err(|error| error.to_string())? {
            Handler::Exec(command) => {
                let shown = command.join(" ");
                let executed = self.exec(name, command).await?;
                if executed.exit.is_success() {
                    return Ok(());
                }
                let code = executed.exit.code;
                Err(format!("command {shown:?} exited with {code}: {}", executed.words()))
            }
            handler => probe::call(store.network(), &handler).await,
        }
    }

    async fn teardown(&self) {
        self.runs.end();
        let store = self.state().store.take();
        if let Some(store) = store {
            store.remove(self.blocking()).await;
        }
        self.pins.release();
    }
}

/// `imagePullPolicy`, whose default was set when the manifest was read.
pub(super) fn pull_policy(container: &Container) -> PullPolicy {
    match container.image_pull_policy.as_deref() {
        Some("Never") => PullPolicy::Never,
        Some("Always") => PullPolicy::Always,
        _ => PullPolicy::IfNotPresent,
    }
}

fn image_error(error: &image::ImageError) -> ImageError {
    let kind = match error.reason() {
        ImageErrorReason::InvalidImageName => ImageErrorKind::InvalidName,
        ImageErrorReason::ErrImageNeverPull => ImageErrorKind::NeverPull,
        ImageErrorReason::ErrImagePull => ImageErrorKind::Pull,
        ImageErrorReason::ImageInspectError => ImageErrorKind::Inspect,
        ImageErrorReason::RegistryUnavailable => ImageErrorKind::RegistryUnavailable,
    };
    ImageError { kind, message: error.to_string() }
}

/// Relative paths in a manifest begin in its folder; in one without a file, in the working folder.
fn manifest_folder(source: &str) -> PathBuf {
    let folder = Path::new(source).parent().unwrap_or(Path::new(""));
    std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .unwrap_or_else(|_| folder.to_owned())
}
