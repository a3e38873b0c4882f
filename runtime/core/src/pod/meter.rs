//! What is measured of one container, from its first run to the end of its Pod.
//!
//! A run comes and goes; its container's account and counters stay, so that what they show only
//! grows. Memory is counted anew for each run, and the most of all runs is kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::executor::{self, Account, Weight};
use crate::resources::ContainerResources;
use crate::resources::memory::ContainerMemory;
use crate::resources::stats::{
    ContainerStats, CpuStats, FileStats, MemoryStats, NetworkStats, Throttling,
};
use crate::sandbox::filesystem::FileTraffic;
use crate::sandbox::network::Traffic;

/// The counters of a container.
pub(super) struct ContainerMeter {
    /// What its runs, their commands and their files are charged to.
    pub(super) account: Account,
    /// What its runs send and receive.
    pub(super) traffic: Arc<Traffic>,
    /// What they read from files and write to them.
    pub(super) files: Arc<FileTraffic>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Of the present run, or of the last one.
    run: Option<Arc<ContainerMemory>>,
    /// The most of the runs before.
    peak_before: usize,
}

impl ContainerMeter {
    pub(super) fn new(account: Account) -> Self {
        Self { account, traffic: Arc::default(), files: Arc::default(), memory: Mutex::default() }
    }

    /// A run is over, if there was one: the most that it used is kept.
    pub(super) fn end_run(&self) {
        let mut kept = self.memory();
        let peak = kept.run.as_ref().map_or(0, |run| run.peak());
        kept.peak_before = kept.peak_before.max(peak);
    }

    /// A run begins, with this memory.
    pub(super) fn begin_run(&self, memory: &Arc<ContainerMemory>) {
        self.memory().run = Some(Arc::clone(memory));
    }

    /// The memory of the present run, or of the last one.
    pub(super) fn memory_of_run(&self) -> Option<Arc<ContainerMemory>> {
        self.memory().run.clone()
    }

    /// Holds the present run, and those to come, to `resources`.
    pub(super) fn hold_to(&self, resources: ContainerResources) {
        self.account.set_weight(Weight::of_request(resources.cpu_request));
        self.account.set_limit(resources.cpu_limit);
        if let Some(memory) = self.memory_of_run() {
            memory.set_limit(resources.memory_limit);
        }
    }

    /// The figures of the container `name`, as far as they are measured here.
    pub(super) fn read(&self, name: &str, limits: ContainerResources) -> ContainerStats {
        let cpu = CpuStats {
            usage_core_nano_seconds: u64::try_from(self.account.cpu_time().as_nanos())
                .unwrap_or(u64::MAX),
            limit_milli_cores: limits.cpu_limit.map(|limit| limit.get().into()),
            throttling: throttling(self.account.throttling()),
            ..CpuStats::default()
        };
        ContainerStats {
            name: name.to_owned(),
            cpu,
            memory: self.memory().stats(limits.memory_limit),
            network: network(&self.traffic),
            fs: FileStats {
                read_bytes: self.files.read_bytes(),
                written_bytes: self.files.written_bytes(),
            },
            ..ContainerStats::default()
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Each change is one assignment.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn stats(&self, limit: Option<u64>) -> MemoryStats {
        let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let (used, peak) = self.run.as_ref().map_or((0, 0), |run| (run.used(), run.peak()));
        MemoryStats {
            working_set_bytes: bytes(used),
            max_usage_bytes: Some(bytes(peak.max(self.peak_before))),
            limit_bytes: limit,
        }
    }
}

fn throttling(counted: executor::Throttling) -> Throttling {
    Throttling {
        periods: counted.nr_periods,
        throttled_periods: counted.nr_throttled,
        throttled_nano_seconds: u64::try_from(counted.throttled_time.as_nanos())
            .unwrap_or(u64::MAX),
    }
}

fn network(traffic: &Traffic) -> NetworkStats {
    let count = traffic.count();
    NetworkStats {
        rx_bytes: count.received_bytes,
        tx_bytes: count.sent_bytes,
        rx_datagrams: count.received_datagrams,
        tx_datagrams: count.sent_datagrams,
        accepted_connections: count.accepted_connections,
        opened_connections: count.opened_connections,
    }
}
