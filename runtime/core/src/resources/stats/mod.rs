//! What a Pod and its containers use: figures, and the text in which Prometheus reads them.
//!
//! Pure but for [`ProcessStats::of_this_process`]. Who measures is [`pod`](crate::pod): the
//! executor's accounts, the memory limiters, the network's and the files' fronts.
//!
//! | file | subject |
//! |---|---|
//! | `values` | the figures, as JSON too |
//! | `rate` | what came to them between two readings |
//! | `process` | what the host's kernel says of this process |
//! | `metrics` | the text for Prometheus |
//!
//! Rule: the names are those of the kubelet's Summary API (`usageCoreNanoSeconds`,
//! `workingSetBytes`, `rxBytes`) and of cAdvisor where they have one.

mod metrics;
mod process;
mod rate;
mod values;

pub use metrics::{METRICS_CONTENT_TYPE, metrics};
pub use values::{
    ContainerStats, CpuStats, FileStats, MemoryStats, NetworkStats, PodReference, PodStats,
    ProcessStats, Throttling,
};
