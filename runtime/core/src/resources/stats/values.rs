//! The figures of a Pod, its containers and its process. Pure.
//!
//! Counters only grow: a container that starts again goes on from where it was, so that a rate over
//! a restart is right. What belongs to the present run is its start, and the memory in use.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use crate::resources::PodResources;

/// What a Pod uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodStats {
    /// Which Pod.
    pub pod_ref: PodReference,
    /// When the figures were read.
    pub time: Time,
    /// `status.startTime`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// Those that have begun to run, init containers first.
    #[serde(default)]
    pub containers: Vec<ContainerStats>,
    /// The sum of all containers, and the Pod's own limit.
    #[serde(default)]
    pub cpu: CpuStats,
    /// The sum of all containers, and the Pod's own limit.
    #[serde(default)]
    pub memory: MemoryStats,
    /// The sum of all containers.
    #[serde(default)]
    pub network: NetworkStats,
    /// The sum of all containers.
    #[serde(default)]
    pub fs: FileStats,
    /// The process that the Pod is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessStats>,
}

/// Which Pod it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodReference {
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.uid`
    pub uid: String,
}

/// What a container uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStats {
    /// Its name.
    pub name: String,
    /// When its present run began; absent while none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// `restartCount` of its status.
    #[serde(default)]
    pub restart_count: u32,
    /// CPU time.
    #[serde(default)]
    pub cpu: CpuStats,
    /// Memory.
    #[serde(default)]
    pub memory: MemoryStats,
    /// Bytes on its connections and in its datagrams.
    #[serde(default)]
    pub network: NetworkStats,
    /// Bytes of its files.
    #[serde(default)]
    pub fs: FileStats,
}

/// CPU time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CpuStats {
    /// Nanoseconds of one core.
    #[serde(default)]
    pub usage_core_nano_seconds: u64,
    /// Billionths of a core, over the time since another reading ([`PodStats::since`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_nano_cores: Option<u64>,
    /// What it may use at most, in thousandths of a core; absent without a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_milli_cores: Option<u64>,
    /// How it was held to its limit.
    #[serde(default)]
    pub throttling: Throttling,
}

/// How often and how long somebody was held to a CPU limit, as `cpu.stat` of a cgroup has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttling {
    /// Periods of 100 ms in which it had something to do: `nr_periods`.
    #[serde(default)]
    pub periods: u64,
    /// Those of them in which it was held back: `nr_throttled`.
    #[serde(default)]
    pub throttled_periods: u64,
    /// How long it was held back in all: `throttled_time`.
    #[serde(default)]
    pub throttled_nano_seconds: u64,
}

/// Memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryStats {
    /// What is in use: nothing of it can be reclaimed.
    #[serde(default)]
    pub working_set_bytes: u64,
    /// The most that was in use at once, of all runs; absent for a Pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_usage_bytes: Option<u64>,
    /// What it may use at most; absent without a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
}

/// Bytes received (`rx`) and sent (`tx`), wherever the other side is: in the same Pod, in another
/// one, or outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkStats {
    /// Bytes received.
    #[serde(default)]
    pub rx_bytes: u64,
    /// Bytes sent.
    #[serde(default)]
    pub tx_bytes: u64,
    /// UDP datagrams received.
    #[serde(default)]
    pub rx_datagrams: u64,
    /// UDP datagrams sent.
    #[serde(default)]
    pub tx_datagrams: u64,
    /// TCP connections that others have opened to it, probes among them.
    #[serde(default)]
    pub accepted_connections: u64,
    /// TCP connections that it has opened.
    #[serde(default)]
    pub opened_connections: u64,
}

/// Bytes of files, whichever volume they are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileStats {
    /// Bytes read.
    #[serde(default)]
    pub read_bytes: u64,
    /// Bytes written.
    #[serde(default)]
    pub written_bytes: u64,
}

/// What the kernel of the host says of a process: the guests, and all that we do for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessStats {
    /// Its number.
    pub pid: u32,
    /// CPU time of all of its threads.
    #[serde(default)]
    pub usage_core_nano_seconds: u64,
    /// Memory that is in RAM: linear memories as far as they were touched, code, our own.
    #[serde(default)]
    pub rss_bytes: u64,
    /// Bytes that it has read by calls of the kernel, be it from a disk, from memory or from a pipe.
    #[serde(default)]
    pub read_bytes: u64,
    /// The same of writing.
    #[serde(default)]
    pub written_bytes: u64,
}

impl PodStats {
    /// The figures of a Pod out of those of its containers.
    pub fn of_containers(
        pod_ref: PodReference,
        time: Time,
        limits: PodResources,
        containers: Vec<ContainerStats>,
    ) -> Self {
        let mut stats = Self {
            pod_ref,
            time,
            start_time: None,
            containers: Vec::new(),
            cpu: CpuStats { limit_milli_cores: limits.cpu_limit, ..CpuStats::default() },
            memory: MemoryStats { limit_bytes: limits.memory_limit, ..MemoryStats::default() },
            network: NetworkStats::default(),
            fs: FileStats::default(),
            process: None,
        };
        for container in &containers {
            stats.cpu.add(&container.cpu);
            add(&mut stats.memory.working_set_bytes, container.memory.working_set_bytes);
            stats.network.add(&container.network);
            stats.fs.add(&container.fs);
        }
        stats.containers = containers;
        stats
    }
}

impl CpuStats {
    fn add(&mut self, other: &Self) {
        add(&mut self.usage_core_nano_seconds, other.usage_core_nano_seconds);
        let (sum, more) = (&mut self.throttling, &other.throttling);
        add(&mut sum.periods, more.periods);
        add(&mut sum.throttled_periods, more.throttled_periods);
        add(&mut sum.throttled_nano_seconds, more.throttled_nano_seconds);
    }
}

impl NetworkStats {
    fn add(&mut self, other: &Self) {
        add(&mut self.rx_bytes, other.rx_bytes);
        add(&mut self.tx_bytes, other.tx_bytes);
        add(&mut self.rx_datagrams, other.rx_datagrams);
        add(&mut self.tx_datagrams, other.tx_datagrams);
        add(&mut self.accepted_connections, other.accepted_connections);
        add(&mut self.opened_connections, other.opened_connections);
    }
}

impl FileStats {
    fn add(&mut self, other: &Self) {
        add(&mut self.read_bytes, other.read_bytes);
        add(&mut self.written_bytes, other.written_bytes);
    }
}

fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// Two containers of which each figure is another.
    pub(in crate::resources::stats) fn example() -> PodStats {
        let pod_ref = PodReference {
            name: "web".to_owned(),
            namespace: "default".to_owned(),
            uid: "u1".to_owned(),
        };
        let container = |name: &str, unit: u64, limit: Option<u64>| ContainerStats {
            name: name.to_owned(),
            start_time: Some(Time("2026-01-01T00:00:01.5Z".parse().unwrap())),
            restart_count: 2,
            cpu: CpuStats {
                usage_core_nano_seconds: unit * 1_500_000_000,
                usage_nano_cores: None,
                limit_milli_cores: limit.map(|limit| limit * 500),
                throttling: Throttling {
                    periods: unit * 10,
                    throttled_periods: unit * 4,
                    throttled_nano_seconds: unit * 250_000_000,
                },
            },
            memory: MemoryStats {
                working_set_bytes: unit << 20,
                max_usage_bytes: Some(unit << 21),
                limit_bytes: limit.map(|limit| limit << 24),
            },
            network: NetworkStats {
                rx_bytes: unit * 100,
                tx_bytes: unit * 200,
                rx_datagrams: unit * 3,
                tx_datagrams: unit * 4,
                accepted_connections: unit * 5,
                opened_connections: unit * 6,
            },
            fs: FileStats { read_bytes: unit * 1000, written_bytes: unit * 2000 },
        };
        let containers = vec![container("app", 1, Some(1)), container("side", 10, None)];
        let time = Time("2026-01-01T00:01:00Z".parse().unwrap());
        let mut stats = PodStats::of_containers(pod_ref, time, PodResources::default(), containers);
        stats.process = Some(ProcessStats {
            pid: 7,
            usage_core_nano_seconds: 20_000_000_001,
            rss_bytes: 30 << 20,
            read_bytes: 8,
            written_bytes: 9,
        });
        stats
    }

    #[test]
    fn a_pod_is_the_sum_of_its_containers() {
        let stats = example();
        assert_eq!(stats.cpu.usage_core_nano_seconds, 16_500_000_000);
        assert_eq!(stats.cpu.throttling.throttled_periods, 44);
        assert_eq!(stats.cpu.throttling.throttled_nano_seconds, 2_750_000_000);
        assert_eq!(stats.memory.working_set_bytes, 11 << 20);
        assert_eq!(stats.memory.max_usage_bytes, None, "they need not have been at once");
        assert_eq!((stats.network.rx_bytes, stats.network.opened_connections), (1100, 66));
        assert_eq!((stats.fs.read_bytes, stats.fs.written_bytes), (11_000, 22_000));
    }

    #[test]
    fn sums_stop_at_the_largest_number() {
        let full = ContainerStats {
            fs: FileStats { read_bytes: u64::MAX, written_bytes: 1 },
            ..ContainerStats::default()
        };
        let time = Time("2026-01-01T00:01:00Z".parse().unwrap());
        let (pod, limits) = (PodReference::default(), PodResources::default());
        let stats = PodStats::of_containers(pod, time, limits, vec![full.clone(), full]);
        assert_eq!(stats.fs, FileStats { read_bytes: u64::MAX, written_bytes: 2 });
    }

    #[test]
    fn names_are_those_of_the_summary_api_and_come_back_as_they_went() {
        let mut stats = example();
        for container in &mut stats.containers {
            // In an API there are whole seconds.
            container.start_time = Some(Time("2026-01-01T00:00:01Z".parse().unwrap()));
        }
        let text = serde_json::to_string(&stats).unwrap();
        assert_eq!(serde_json::from_str::<PodStats>(&text).unwrap(), stats);
        let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(shown["podRef"], json!({"name": "web", "namespace": "default", "uid": "u1"}));
        assert_eq!(
            shown["containers"][0]["memory"],
            json!({"workingSetBytes": 1 << 20, "maxUsageBytes": 2 << 20, "limitBytes": 16 << 20})
        );
        assert_eq!(
            shown["containers"][1]["cpu"],
            json!({
                "usageCoreNanoSeconds": 15_000_000_000u64,
                "throttling":
                    {"periods": 100, "throttledPeriods": 40, "throttledNanoSeconds": 2_500_000_000u64},
            })
        );
    }

    #[test]
    fn figures_of_another_version_are_read_as_far_as_they_are_known() {
        let text = r#"{"podRef": {"name": "a", "namespace": "b", "uid": "c", "new": 1},
            "time": "2026-01-01T00:00:00Z", "containers": [{"name": "x"}], "gpu": {}}"#;
        let stats: PodStats = serde_json::from_str(text).unwrap();
        assert_eq!(stats.containers[0].name, "x");
        assert_eq!(stats.cpu, CpuStats::default());
    }
}
