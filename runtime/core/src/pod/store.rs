//! The PodStore: what the containers of a Pod share, and nothing else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, ServicePort};

use super::address::{AddressLease, host_ips, ips_of_hermit};
use super::meter::ContainerMeter;
use super::network::PodNetwork;
use super::preload::Preloads;
use super::runtime::PodRuntime;
use super::uid::{new_uid, seed};
use crate::error::chain;
use crate::executor::{Blocking, PodExecutor};
use crate::guest::{Engines, GuestHost, Pace, PodClock, PodRandom, RunSpec};
use crate::lifecycle::SandboxError;
use crate::logs::LogPath;
use crate::manifest::Manifest;
use crate::manifest::downward::{DownwardStatus, LazyAllocatable};
use crate::manifest::environment::{FileError, Objects, ServiceAddress, hostname};
use crate::resources::memory::PodMemory;
use crate::resources::{PodResources, allocatable, node_name};
use crate::sandbox::filesystem::etc::{self, EtcFiles};
use crate::sandbox::filesystem::{MountError, PodFolder, PodSources, Volumes};
use crate::sandbox::ipc::{IpcLimits, PodIpc};
use crate::sandbox::network::{Directory, Network, ServiceRecord};

/// How long a guest in a host call may hold up the end of its Pod.
const PATIENCE: Duration = Duration::from_secs(2);

/// Identity, network, volumes, CPU time and engines of one Pod.
pub(super) struct PodStore {
    ips: [IpAddr; 2],
    /// Let go of with the store.
    _lease: Option<AddressLease>,
    pub(super) folder: PodFolder,
    /// Held while a start makes files; true once nothing may be made any more.
    pub(super) removed: RwLock<bool>,
    /// By container, bytes in its root that came with its image.
    pub(super) image_bytes: Mutex<HashMap<String, u64>>,
    pub(super) volumes: Volumes,
    pub(super) etc: EtcFiles,
    pub(super) logs: LogPath,
    pub(super) executor: Arc<PodExecutor>,
    engines: Engines,
    pub(super) preloads: Preloads,
    network: PodNetwork,
    clock: PodClock,
    random: PodRandom,
    pace: Option<Pace>,
    /// How many of the Pod's containers share this process.
    containers: usize,
    /// Of all containers.
    pub(super) memory: PodMemory,
    /// The message queues and shared segments of all containers.
    ipc: Arc<PodIpc>,
    pub(super) downward: DownwardStatus,
}

impl PodStore {
    /// Makes everything; what was made is given back when a later step fails.
    pub(super) async fn create(runtime: &PodRuntime) -> Result<Self, SandboxError> {
        let (request, identity, pod) = (&runtime.request, &runtime.identity, runtime.pod());
        let (folders, virtual_life) = (request.host.folders(), runtime.virtual_life);
        let executor = Arc::clone(&runtime.executor);
        let engines = engines(runtime);
        // Before all that takes time here.
        let preloads = Preloads::begin(runtime, &executor, &engines);
        // A seed gives two Pods the same uid, and they may be there at the same time.
        let own_name = virtual_life.map(|_| new_uid());
        let name_on_disk = own_name.as_ref().unwrap_or(&identity.uid);
        let folder = PodFolder::create(&folders.pods(), name_on_disk)
            .map_err(|error| SandboxError::Create(chain(&error)))?;
        folder.ready_roots(runtime.containers().count());
        let folder = Unfinished(Some(folder));
        let (ips, lease) = match &request.place {
            // Whoever started this Pod among others holds its address.
            Some(place) => (place.ips, None),
            None if virtual_life.is_some() => (ips_of_hermit(&identity.uid), None),
            None => {
                let lease = AddressLease::take(&folders.addresses(), &identity.uid);
                let lease = lease.map_err(|error| {
                    SandboxError::Create(format!("no address for the Pod: {error}"))
                })?;
                (lease.ips(), Some(lease))
            }
        };
        let downward = downward_status(&ips, folder.folder());
        let volumes = mount(runtime, folder.folder(), &downward)?;
        let network = PodNetwork::open(
            request,
            identity,
            &ips,
            runtime.egress.clone(),
            runtime.directory(),
            virtual_life.is_some(),
        )
        .await?;
        Ok(Self {
            ips,
            _lease: lease,
            volumes,
            etc: etc_files(pod, &ips),
            logs: LogPath::of_pod(
                &folders.logs(),
                &identity.namespace,
                &identity.name,
                name_on_disk,
            ),
            folder: folder.keep(),
            removed: RwLock::new(false),
            image_bytes: Mutex::default(),
            executor,
            engines,
            preloads,
            network,
            clock: virtual_life.map_or_else(PodClock::real, |life| life.guests),
            random: match virtual_life {
                Some(_) => PodRandom::Seed(seed(&identity.uid)),
                None => PodRandom::System,
            },
            pace: virtual_life.map(|life| life.pace()),
            containers: runtime.containers().count(),
            memory: memory(pod),
            ipc: PodIpc::new(IpcLimits::of(pod)),
            downward,
        })
    }

    /// `status.podIPs`
    pub(super) fn pod_ips(&self) -> Vec<IpAddr> {
        self.ips.to_vec()
    }

    /// `status.podIP`
    pub(super) fn pod_ip(&self) -> IpAddr {
        self.ips[0]
    }

    pub(super) fn network(&self) -> &Arc<Network> {
        &self.network.network
    }

    /// `status.hostIPs`
    pub(super) fn host_ips(&self) -> Vec<IpAddr> {
        host_ips().to_vec()
    }

    pub(super) fn engines(&self) -> &Engines {
        &self.engines
    }

    /// What one more run of a container gets of the Pod.
    pub(super) fn guest_host(&self, meter: &ContainerMeter, spec: &RunSpec) -> GuestHost {
        let sockets = spec.limits.sockets(self.containers);
        let traffic = Arc::clone(&meter.traffic);
        GuestHost {
            account: meter.account.clone(),
            clock: self.clock,
            random: self.random.clone(),
            pace: self.pace,
            containers: self.containers,
            endpoint: Arc::new(self.network.network.endpoint_of(&spec.memory, sockets, traffic)),
            files: Arc::clone(&meter.files),
            ipc: Arc::clone(&self.ipc),
        }
    }

    /// Ends what still runs and removes what dies with the Pod.
    pub(super) async fn remove(self: Arc<Self>, blocking: Blocking) {
        if let Err(error) = self.executor.shutdown(PATIENCE).await {
            tracing::warn!("{error}");
        }
        // A thread for the few files of a short Pod would cost more than to remove them. A start
        // that nobody waits for any more may still be making some.
        if let Ok(mut removed) = self.removed.try_write() {
            *removed = true;
            if matches!(self.folder.teardown_if_small(), Ok(true)) {
                return;
            }
        }
        // Guests may leave large trees; the Pod's other futures go on meanwhile.
        let removal = blocking.spawn(move || self.remove_files());
        if let Err(error) = removal.await {
            tracing::warn!("the files of the Pod are left: {error}");
        }
    }

    fn remove_files(&self) {
        *self.removed.write().unwrap_or_else(PoisonError::into_inner) = true;
        if let Err(error) = self.folder.teardown() {
            // The next sweep of this machine tries again.
            tracing::warn!(
                "files of the Pod are left in {}: {error}",
                self.folder.path().display()
            );
        }
    }
}

/// The folder of a Pod whose other parts are being made: removed with all that is in it when one of
/// them fails, or when nobody waits for them any more.
struct Unfinished(Option<PodFolder>);

impl Unfinished {
    fn folder(&self) -> &PodFolder {
        self.0.as_ref().expect("kept only at the end")
    }

    fn keep(mut self) -> PodFolder {
        self.0.take().expect("kept once")
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(folder) = &self.0
            && let Err(error) = folder.teardown()
        {
            // The next sweep of this machine tries again.
            tracing::warn!("{} is left: {error}", folder.path().display());
        }
    }
}

fn mount(
    runtime: &PodRuntime,
    folder: &PodFolder,
    downward: &DownwardStatus,
) -> Result<Volumes, SandboxError> {
    let mut volumes = Volumes::default();
    let objects = runtime.objects();
    let sources = PodSources {
        objects: &*objects,
        claims: &objects.persistent_volume_claims,
        pod: runtime.pod(),
        status: downward,
    };
    let claims = &runtime.request.host.shared.claims;
    let now = runtime.clock().wall();
    let mut errors = volumes.set_up(folder, runtime.pod(), &sources, claims, now);
    if errors.is_empty() {
        volumes.notes().iter().for_each(|note| (runtime.request.on_note)(note));
        return Ok(volumes);
    }
    Err(match errors.swap_remove(0) {
        MountError::SetUp { volume, cause } => {
            SandboxError::Mount { volume, message: cause.to_string() }
        }
        other @ (MountError::Config(_) | MountError::Create { .. }) => {
            SandboxError::Create(other.to_string())
        }
    })
}

/// The engines of a Pod, ticked by its executor.
fn engines(runtime: &PodRuntime) -> Engines {
    let reservation = runtime.request.host.shared.reservation;
    if runtime.virtual_life.is_some() {
        return Engines::on_virtual_time(reservation);
    }
    let ticked = Arc::downgrade(&runtime.executor);
    Engines::with_reservation(reservation, move |engine| {
        if let Some(executor) = ticked.upgrade() {
            executor.register(engine);
        }
    })
}

/// The memory of all containers, with the Pod's own limit.
fn memory(pod: &Pod) -> PodMemory {
    let memory = PodMemory::of_machine();
    memory.set_limit(pod.spec.as_ref().and_then(PodResources::own_memory_limit));
    memory
}

/// What `fieldRef` and `resourceFieldRef` can see of the machine.
fn downward_status(ips: &[IpAddr; 2], folder: &PodFolder) -> DownwardStatus {
    let disk = folder.path().to_owned();
    DownwardStatus {
        pod_ips: ips.to_vec(),
        host_ips: host_ips().to_vec(),
        node_name: node_name(),
        allocatable: LazyAllocatable::new(move || allocatable(&disk)),
    }
}

fn etc_files(pod: &Pod, ips: &[IpAddr; 2]) -> EtcFiles {
    let spec = pod.spec.as_ref();
    let hostname = hostname(pod);
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let subdomain = spec.and_then(|spec| spec.subdomain.as_deref()).filter(|name| !name.is_empty());
    let domain = subdomain.map(|name| format!("{name}.{namespace}.svc.cluster.local"));
    let aliases = spec.and_then(|spec| spec.host_aliases.as_deref()).unwrap_or_default();
    EtcFiles {
        hosts: etc::hosts(ips, &hostname, domain.as_deref(), aliases),
        hostname: format!("{hostname}\n"),
        resolv_conf: etc::resolv_conf(
            &etc::host_resolv_conf(),
            spec.and_then(|spec| spec.dns_policy.as_deref()),
            spec.and_then(|spec| spec.dns_config.as_ref()),
        ),
    }
}

/// The objects with the Pod's volumes, which `fileKeyRef` reads, and the Services of this machine.
pub(super) struct ObjectsAndVolumes<'pod> {
    pub(super) objects: &'pod Manifest,
    pub(super) volumes: &'pod Volumes,
    pub(super) directory: Option<&'pod Arc<Directory>>,
}

/// What is told of a Service that has an address.
fn service_address(service: &ServiceRecord) -> Option<ServiceAddress> {
    let ports = service.ports.iter().map(|port| ServicePort {
        name: Some(port.name.clone()),
        port: port.port.into(),
        protocol: Some(port.transport.to_string()),
        ..ServicePort::default()
    });
    Some(ServiceAddress {
        name: service.name.clone(),
        cluster_ip: *service.cluster_ips().first()?,
        ports: ports.collect(),
    })
}

impl Objects for ObjectsAndVolumes<'_> {
    fn services(&self, namespace: &str) -> Vec<ServiceAddress> {
        let Some(directory) = self.directory else { return Vec::new() };
        let services = directory.services();
        let here = services.iter().filter(|service| service.namespace == namespace);
        here.filter_map(|service| service_address(service)).collect()
    }

    fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        Objects::config_map(self.objects, namespace, name)
    }

    fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        Objects::secret(self.objects, namespace, name)
    }

    fn volume_file(&self, volume: &str, path: &str) -> Result<Vec<u8>, FileError> {
        self.volumes.read_file(volume, path)
    }
}
