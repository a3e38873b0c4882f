//! The figures as Prometheus reads them. Pure.
//!
//! Rule: the text format 0.0.4 of Prometheus; names and labels are those that cAdvisor has for a
//! container, and the kubelet's `/metrics/resource` for a Pod. What these do not have begins with
//! `wasmpod_`.

use std::fmt::{self, Write as _};

use super::values::{ContainerStats, PodStats, ProcessStats};

/// The `Content-Type` of [`metrics`].
pub const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The period of a CPU limit as a kernel has it, in microseconds.
const PERIOD: u64 = 100_000;

/// The figures of `pods`, each under its name, with its `HELP` and `TYPE`.
pub fn metrics(pods: &[PodStats]) -> String {
    let mut text = String::new();
    for family in CONTAINER_FAMILIES {
        let values = pods.iter().flat_map(|pod| {
            let of =
                |container| Some((Labels::of_container(pod, container), (family.read)(container)?));
            pod.containers.iter().filter_map(of)
        });
        family.write(&mut text, values);
    }
    for family in POD_FAMILIES {
        let values = pods.iter().filter_map(|pod| Some((Labels::of_pod(pod), (family.read)(pod)?)));
        family.write(&mut text, values);
    }
    text
}

/// A name and what is read under it.
struct Family<Source> {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    read: fn(&Source) -> Option<Value>,
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

#[derive(Clone, Copy)]
enum Value {
    Number(u64),
    /// Shown in seconds.
    NanoSeconds(u64),
    /// Shown in seconds since 1970.
    Moment(jiff::Timestamp),
}

use Kind::{Counter, Gauge};
use Value::{Moment, NanoSeconds, Number};

const fn family<Source>(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    read: fn(&Source) -> Option<Value>,
) -> Family<Source> {
    Family { name, kind, help, read }
}

const CONTAINER_FAMILIES: &[Family<ContainerStats>] = &[
    family("container_cpu_usage_seconds_total", Counter, "CPU time used.", |of| {
        Some(NanoSeconds(of.cpu.usage_core_nano_seconds))
    }),
    family(
        "container_cpu_cfs_periods_total",
        Counter,
        "Periods of 100 ms in which the container had something to do.",
        |of| Some(Number(of.cpu.throttling.periods)),
    ),
    family(
        "container_cpu_cfs_throttled_periods_total",
        Counter,
        "Periods in which the container was held to its CPU limit.",
        |of| Some(Number(of.cpu.throttling.throttled_periods)),
    ),
    family(
        "container_cpu_cfs_throttled_seconds_total",
        Counter,
        "How long the container was held to its CPU limit.",
        |of| Some(NanoSeconds(of.cpu.throttling.throttled_nano_seconds)),
    ),
    family("container_spec_cpu_period", Gauge, "Period of the CPU limit, in microseconds.", |of| {
        of.cpu.limit_milli_cores.map(|_| Number(PERIOD))
    }),
    family("container_spec_cpu_quota", Gauge, "CPU limit, in microseconds of each period.", |of| {
        of.cpu.limit_milli_cores.map(|milli| Number(milli.saturating_mul(PERIOD / 1000)))
    }),
    family("container_memory_working_set_bytes", Gauge, "Memory in use.", |of| {
        Some(Number(of.memory.working_set_bytes))
    }),
    family(
        "container_memory_max_usage_bytes",
        Gauge,
        "The most memory that was in use at once.",
        |of| of.memory.max_usage_bytes.map(Number),
    ),
    family("container_spec_memory_limit_bytes", Gauge, "Memory limit.", |of| {
        of.memory.limit_bytes.map(Number)
    }),
    family("container_network_receive_bytes_total", Counter, "Bytes received.", |of| {
        Some(Number(of.network.rx_bytes))
    }),
    family("container_network_transmit_bytes_total", Counter, "Bytes sent.", |of| {
        Some(Number(of.network.tx_bytes))
    }),
    family("container_fs_reads_bytes_total", Counter, "Bytes read from files.", |of| {
        Some(Number(of.fs.read_bytes))
    }),
    family("container_fs_writes_bytes_total", Counter, "Bytes written to files.", |of| {
        Some(Number(of.fs.written_bytes))
    }),
    family(
        "container_start_time_seconds",
        Gauge,
        "When the present run began, in seconds since 1970.",
        |of| of.start_time.as_ref().map(|time| Moment(time.0)),
    ),
    family(
        "wasmpod_container_restarts_total",
        Counter,
        "How often the container was started again.",
        |of| Some(Number(of.restart_count.into())),
    ),
    family(
        "wasmpod_container_network_received_datagrams_total",
        Counter,
        "UDP datagrams received.",
        |of| Some(Number(of.network.rx_datagrams)),
    ),
    family(
        "wasmpod_container_network_sent_datagrams_total",
        Counter,
        "UDP datagrams sent.",
        |of| Some(Number(of.network.tx_datagrams)),
    ),
    family(
        "wasmpod_container_network_accepted_connections_total",
        Counter,
        "TCP connections that others have opened to the container.",
        |of| Some(Number(of.network.accepted_connections)),
    ),
    family(
        "wasmpod_container_network_opened_connections_total",
        Counter,
        "TCP connections that the container has opened.",
        |of| Some(Number(of.network.opened_connections)),
    ),
];

const POD_FAMILIES: &[Family<PodStats>] = &[
    family("pod_cpu_usage_seconds_total", Counter, "CPU time used by all containers.", |of| {
        Some(NanoSeconds(of.cpu.usage_core_nano_seconds))
    }),
    family("pod_memory_working_set_bytes", Gauge, "Memory in use by all containers.", |of| {
        Some(Number(of.memory.working_set_bytes))
    }),
    family(
        "wasmpod_pod_process_cpu_seconds_total",
        Counter,
        "CPU time of the Pod's process, that of the guests included.",
        |of| process(of, |process| NanoSeconds(process.usage_core_nano_seconds)),
    ),
    family(
        "wasmpod_pod_process_resident_memory_bytes",
        Gauge,
        "Resident memory of the Pod's process, that of the guests included.",
        |of| process(of, |process| Number(process.rss_bytes)),
    ),
];

fn process(pod: &PodStats, read: impl FnOnce(&ProcessStats) -> Value) -> Option<Value> {
    pod.process.as_ref().map(read)
}

impl<Source> Family<Source> {
    /// Nothing at all where there is no value: a name without one tells nothing.
    fn write(&self, text: &mut String, values: impl Iterator<Item = (Labels, Value)>) {
        let name = self.name;
        let mut values = values.peekable();
        if values.peek().is_none() {
            return;
        }
        let written = writeln!(text, "# HELP {name} {}\n# TYPE {name} {}", self.help, self.kind)
            .and_then(|()| {
                values.try_for_each(|(labels, value)| {
                    writeln!(text, "{name}{{{}}} {value}", labels.0)
                })
            });
        debug_assert!(written.is_ok(), "text takes everything");
    }
}

/// What stands between the braces.
struct Labels(String);

impl Labels {
    fn of_pod(pod: &PodStats) -> Self {
        let mut labels = Self(String::new());
        labels.push("namespace", &pod.pod_ref.namespace);
        labels.push("pod", &pod.pod_ref.name);
        labels
    }

    fn of_container(pod: &PodStats, container: &ContainerStats) -> Self {
        let mut labels = Self::of_pod(pod);
        labels.push("container", &container.name);
        labels
    }

    /// In the value, what would end it early is escaped.
    fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        for letter in value.chars() {
            match letter {
                '\\' => self.0.push_str(r"\\"),
                '"' => self.0.push_str(r#"\""#),
                '\n' => self.0.push_str(r"\n"),
                other => self.0.push(other),
            }
        }
        self.0.push('"');
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Number(number) => write!(f, "{number}"),
            Self::NanoSeconds(nanos) => seconds(f, i128::from(nanos)),
            Self::Moment(moment) => seconds(f, moment.as_nanosecond()),
        }
    }
}

/// Exact, and no longer than it must be.
fn seconds(f: &mut fmt::Formatter<'_>, nanos: i128) -> fmt::Result {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, fraction) = (nanos.abs() / 1_000_000_000, nanos.abs() % 1_000_000_000);
    let fraction = format!("{fraction:09}");
    match fraction.trim_end_matches('0') {
        "" => write!(f, "{sign}{whole}"),
        digits => write!(f, "{sign}{whole}.{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::example;
    use super::*;

    #[test]
    fn the_text_in_full() {
        let mut other = example();
        other.pod_ref.name = "other".to_owned();
        other.containers.truncate(1);
        insta::assert_snapshot!(metrics(&[example(), other]), @r##"
        # HELP container_cpu_usage_seconds_total CPU time used.
        # TYPE container_cpu_usage_seconds_total counter
        container_cpu_usage_seconds_total{namespace="default",pod="web",container="app"} 1.5
        container_cpu_usage_seconds_total{namespace="default",pod="web",container="side"} 15
        container_cpu_usage_seconds_total{namespace="default",pod="other",container="app"} 1.5
        # HELP container_cpu_cfs_periods_total Periods of 100 ms in which the container had something to do.
        # TYPE container_cpu_cfs_periods_total counter
        container_cpu_cfs_periods_total{namespace="default",pod="web",container="app"} 10
        container_cpu_cfs_periods_total{namespace="default",pod="web",container="side"} 100
        container_cpu_cfs_periods_total{namespace="default",pod="other",container="app"} 10
        # HELP container_cpu_cfs_throttled_periods_total Periods in which the container was held to its CPU limit.
        # TYPE container_cpu_cfs_throttled_periods_total counter
        container_cpu_cfs_throttled_periods_total{namespace="default",pod="web",container="app"} 4
        container_cpu_cfs_throttled_periods_total{namespace="default",pod="web",container="side"} 40
        container_cpu_cfs_throttled_periods_total{namespace="default",pod="other",container="app"} 4
        # HELP container_cpu_cfs_throttled_seconds_total How long the container was held to its CPU limit.
        # TYPE container_cpu_cfs_throttled_seconds_total counter
        container_cpu_cfs_throttled_seconds_total{namespace="default",pod="web",container="app"} 0.25
        container_cpu_cfs_throttled_seconds_total{namespace="default",pod="web",container="side"} 2.5
        container_cpu_cfs_throttled_seconds_total{namespace="default",pod="other",container="app"} 0.25
        # HELP container_spec_cpu_period Period of the CPU limit, in microseconds.
        # TYPE container_spec_cpu_period gauge
        container_spec_cpu_period{namespace="default",pod="web",container="app"} 100000
        container_spec_cpu_period{namespace="default",pod="other",container="app"} 100000
        # HELP container_spec_cpu_quota CPU limit, in microseconds of each period.
        # TYPE container_spec_cpu_quota gauge
        container_spec_cpu_quota{namespace="default",pod="web",container="app"} 50000
        container_spec_cpu_quota{namespace="default",pod="other",container="app"} 50000
        # HELP container_memory_working_set_bytes Memory in use.
        # TYPE container_memory_working_set_bytes gauge
        container_memory_working_set_bytes{namespace="default",pod="web",container="app"} 1048576
        container_memory_working_set_bytes{namespace="default",pod="web",container="side"} 10485760
        container_memory_working_set_bytes{namespace="default",pod="other",container="app"} 1048576
        # HELP container_memory_max_usage_bytes The most memory that was in use at once.
        # TYPE container_memory_max_usage_bytes gauge
        container_memory_max_usage_bytes{namespace="default",pod="web",container="app"} 2097152
        container_memory_max_usage_bytes{namespace="default",pod="web",container="side"} 20971520
        container_memory_max_usage_bytes{namespace="default",pod="other",container="app"} 2097152
        # HELP container_spec_memory_limit_bytes Memory limit.
        # TYPE container_spec_memory_limit_bytes gauge
        container_spec_memory_limit_bytes{namespace="default",pod="web",container="app"} 16777216
        container_spec_memory_limit_bytes{namespace="default",pod="other",container="app"} 16777216
        # HELP container_network_receive_bytes_total Bytes received.
        # TYPE container_network_receive_bytes_total counter
        container_network_receive_bytes_total{namespace="default",pod="web",container="app"} 100
        container_network_receive_bytes_total{namespace="default",pod="web",container="side"} 1000
        container_network_receive_bytes_total{namespace="default",pod="other",container="app"} 100
        # HELP container_network_transmit_bytes_total Bytes sent.
        # TYPE container_network_transmit_bytes_total counter
        container_network_transmit_bytes_total{namespace="default",pod="web",container="app"} 200
        container_network_transmit_bytes_total{namespace="default",pod="web",container="side"} 2000
        container_network_transmit_bytes_total{namespace="default",pod="other",container="app"} 200
        # HELP container_fs_reads_bytes_total Bytes read from files.
        # TYPE container_fs_reads_bytes_total counter
        container_fs_reads_bytes_total{namespace="default",pod="web",container="app"} 1000
        container_fs_reads_bytes_total{namespace="default",pod="web",container="side"} 10000
        container_fs_reads_bytes_total{namespace="default",pod="other",container="app"} 1000
        # HELP container_fs_writes_bytes_total Bytes written to files.
        # TYPE container_fs_writes_bytes_total counter
        container_fs_writes_bytes_total{namespace="default",pod="web",container="app"} 2000
        container_fs_writes_bytes_total{namespace="default",pod="web",container="side"} 20000
        container_fs_writes_bytes_total{namespace="default",pod="other",container="app"} 2000
        # HELP container_start_time_seconds When the present run began, in seconds since 1970.
        # TYPE container_start_time_seconds gauge
        container_start_time_seconds{namespace="default",pod="web",container="app"} 1767225601.5
        container_start_time_seconds{namespace="default",pod="web",container="side"} 1767225601.5
        container_start_time_seconds{namespace="default",pod="other",container="app"} 1767225601.5
        # HELP wasmpod_container_restarts_total How often the container was started again.
        # TYPE wasmpod_container_restarts_total counter
        wasmpod_container_restarts_total{namespace="default",pod="web",container="app"} 2
        wasmpod_container_restarts_total{namespace="default",pod="web",container="side"} 2
        wasmpod_container_restarts_total{namespace="default",pod="other",container="app"} 2
        # HELP wasmpod_container_network_received_datagrams_total UDP datagrams received.
        # TYPE wasmpod_container_network_received_datagrams_total counter
        wasmpod_container_network_received_datagrams_total{namespace="default",pod="web",container="app"} 3
        wasmpod_container_network_received_datagrams_total{namespace="default",pod="web",container="side"} 30
        wasmpod_container_network_received_datagrams_total{namespace="default",pod="other",container="app"} 3
        # HELP wasmpod_container_network_sent_datagrams_total UDP datagrams sent.
        # TYPE wasmpod_container_network_sent_datagrams_total counter
        wasmpod_container_network_sent_datagrams_total{namespace="default",pod="web",container="app"} 4
        wasmpod_container_network_sent_datagrams_total{namespace="default",pod="web",container="side"} 40
        wasmpod_container_network_sent_datagrams_total{namespace="default",pod="other",container="app"} 4
        # HELP wasmpod_container_network_accepted_connections_total TCP connections that others have opened to the container.
        # TYPE wasmpod_container_network_accepted_connections_total counter
        wasmpod_container_network_accepted_connections_total{namespace="default",pod="web",container="app"} 5
        wasmpod_container_network_accepted_connections_total{namespace="default",pod="web",container="side"} 50
        wasmpod_container_network_accepted_connections_total{namespace="default",pod="other",container="app"} 5
        # HELP wasmpod_container_network_opened_connections_total TCP connections that the container has opened.
        # TYPE wasmpod_container_network_opened_connections_total counter
        wasmpod_container_network_opened_connections_total{namespace="default",pod="web",container="app"} 6
        wasmpod_container_network_opened_connections_total{namespace="default",pod="web",container="side"} 60
        wasmpod_container_network_opened_connections_total{namespace="default",pod="other",container="app"} 6
        # HELP pod_cpu_usage_seconds_total CPU time used by all containers.
        # TYPE pod_cpu_usage_seconds_total counter
        pod_cpu_usage_seconds_total{namespace="default",pod="web"} 16.5
        pod_cpu_usage_seconds_total{namespace="default",pod="other"} 16.5
        # HELP pod_memory_working_set_bytes Memory in use by all containers.
        # TYPE pod_memory_working_set_bytes gauge
        pod_memory_working_set_bytes{namespace="default",pod="web"} 11534336
        pod_memory_working_set_bytes{namespace="default",pod="other"} 11534336
        # HELP wasmpod_pod_process_cpu_seconds_total CPU time of the Pod's process, that of the guests included.
        # TYPE wasmpod_pod_process_cpu_seconds_total counter
        wasmpod_pod_process_cpu_seconds_total{namespace="default",pod="web"} 20.000000001
        wasmpod_pod_process_cpu_seconds_total{namespace="default",pod="other"} 20.000000001
        # HELP wasmpod_pod_process_resident_memory_bytes Resident memory of the Pod's process, that of the guests included.
        # TYPE wasmpod_pod_process_resident_memory_bytes gauge
        wasmpod_pod_process_resident_memory_bytes{namespace="default",pod="web"} 31457280
        wasmpod_pod_process_resident_memory_bytes{namespace="default",pod="other"} 31457280
        "##);
    }

    #[test]
    fn without_pods_there_is_no_text() {
        assert_eq!(metrics(&[]), "");
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let mut pod = example();
        pod.process = None;
        for container in &mut pod.containers {
            container.start_time = None;
        }
        let text = metrics(&[pod]);
        assert!(!text.contains("process") && !text.contains("start_time"), "{text}");
    }

    #[test]
    fn labels_are_escaped() {
        let mut labels = Labels(String::new());
        labels.push("pod", "a\"b\\c\nd");
        assert_eq!(labels.0, r#"pod="a\"b\\c\nd""#);
    }

    #[test]
    fn seconds_are_exact() {
        let shown = |nanos| Value::NanoSeconds(nanos).to_string();
        assert_eq!(shown(0), "0");
        assert_eq!(shown(1_500_000_000), "1.5");
        assert_eq!(shown(1), "0.000000001");
        assert_eq!(shown(u64::MAX), "18446744073.709551615");
    }
}
