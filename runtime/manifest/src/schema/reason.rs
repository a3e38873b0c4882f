//! Why a field has no effect, or is refused: one sentence for each cause, so that a page of the
//! table reads as one.

pub(crate) const PLAIN_GRPC: &str = "a gRPC probe speaks without TLS";
pub(crate) const HTTP1: &str = "a probe speaks HTTP/1.1";

/// The list of what a next version does: a row leaves it by naming `Honoured` instead.
pub(crate) const CGROUP_ONLY: &str =
    "counts for the Pod's cgroup and its class, not inside the engine";

pub(crate) const SCHEDULING: &str = "every Pod runs on this machine: nothing is scheduled";
pub(crate) const PREEMPTION: &str = "no Pod is preempted for another";
pub(crate) const CLASSES: &str =
    "there are no objects of that kind; set `priority` to be scheduled before others";
pub(crate) const API_ACCESS: &str = "no API server is given to guests, and no token for one";
pub(crate) const USERS: &str = "WASI knows no users: a guest has no user or group id";
pub(crate) const SYSTEM_CALLS: &str = "a guest makes no system calls of its own to be filtered";
pub(crate) const PRIVILEGES: &str = "a guest has no privileges of the host to begin with";
pub(crate) const SYSCTLS: &str = "a Pod has no kernel of its own to set; every port may be bound";
pub(crate) const RUNTIME_CLASS: &str = "every container runs in the built-in engine";
pub(crate) const RESOLVER: &str = "it shapes /etc/resolv.conf only: names are resolved by the Pod's own network, then by the host";
pub(crate) const FINALIZERS: &str = "no controller is there to wait for";
pub(crate) const OWNERS: &str = "objects are not collected when their owner goes";
pub(crate) const PROPAGATION: &str = "a guest sees no mounts of the host come and go";
pub(crate) const MOUNT_OPTIONS: &str =
    "a guest runs no program, opens no device and changes no user";
pub(crate) const EVICTION_API: &str = "there is no eviction API";
pub(crate) const REDUCED: &str = "one Pod is made of the template and nothing controls it";
pub(crate) const FOLDER_CLAIM: &str = "a claim is a folder on this machine";

pub(crate) const HOST_NETWORK: &str =
    "a Pod has a network of its own; ports[].hostPort opens a port of the host";
pub(crate) const HOST_NAMESPACES: &str = "guests see no processes and no IPC of the host";
pub(crate) const SHARED_PROCESSES: &str = "containers cannot see each other's processes";
pub(crate) const DEVICES: &str = "a guest cannot be given devices";
pub(crate) const RESOURCES: &str = "there are no devices and no huge pages to be given to guests";
pub(crate) const PRIVILEGED: &str = "a guest cannot be given the host's devices and privileges";
pub(crate) const WINDOWS: &str = "guests see a WASI system, not Windows";
pub(crate) const ON_CREATE: &str = "cannot be set when a Pod is created";
pub(crate) const GATED: &str = "nothing here lifts a scheduling gate: the Pod would wait for ever";
pub(crate) const SCTP: &str = "WASI has TCP and UDP sockets only";
pub(crate) const HUGE_PAGES: &str = "WebAssembly memory is not backed by huge pages";
pub(crate) const REMOTE_VOLUME: &str = "volumes of this type cannot be mounted";
pub(crate) const IMAGE_VOLUME: &str = "images cannot be mounted as volumes";
pub(crate) const NO_TOKENS: &str = "there is no API server to issue a token";
pub(crate) const NO_SIGNERS: &str = "there is no API server that keeps certificates";

pub(crate) const LOAD_BALANCER: &str =
    "no load balancer here: clients from outside come by the node port only";
pub(crate) const NO_BALANCER: &str = "no load balancer is put before this machine";
pub(crate) const BALANCER_CLIENTS: &str =
    "no load balancer here to keep other clients away: the node port is open to all";
pub(crate) const EXTERNAL_IPS: &str = "no address is added to this machine";
pub(crate) const FAMILIES: &str = "a Service has an address of each family";
pub(crate) const ONE_MACHINE: &str = "every endpoint runs on this machine";
pub(crate) const APP_PROTOCOL: &str = "connections are passed on as they are";
