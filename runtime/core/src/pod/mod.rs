//! A Pod of this machine: from a checked manifest to its last status.
//!
//! The one place where everything below comes together: the worker decides through `lifecycle`
//! and calls `PodRuntime`, which makes the PodStore (network, volumes, executor), finds
//! images and runs guests in them. The types of the embedding API are here.

mod address;
mod admission;
mod builder;
mod cgroup;
mod container;
mod cpu;
mod eviction;
mod exec;
mod files;
mod folders;
mod host;
mod meter;
mod network;
mod output;
mod port_forward;
mod preload;
mod presence;
mod pull;
mod resize;
mod runs;
mod runtime;
mod service;
mod session;
mod stats;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod uid;
mod update;
mod view;
mod virtual_time;

pub use address::{AddressLease, host_ips};
pub use admission::Scheduler;
pub use builder::{Neighbour, Pod, PodBuilder, PodError, PublishedPort};
pub use cpu::CpuSharing;
pub use files::{ContainerFiles, Download, FilesError, Upload};
pub use folders::Folders;
pub use host::{Host, HostBuilder, HostError};
pub use port_forward::{PortForward, PortForwardError};
pub use resize::{PatchError, PatchKind, ResizeError, Resized, Resizer};
pub use service::{Allocation, AnnouncedPort, KeptServices, ServiceError, Services, allocate_kept};
pub use session::{ExecRequest, Session, SessionEnd, SessionError, SessionInput, SessionOutput};
pub use stats::StatsReader;
pub use sweep::sweep_dead_pods;
pub use uid::new_uid;
pub use view::PodView;
pub use virtual_time::{VirtualTime, VirtualTimeError};
