//! The figures of Pods as a table, a line for each container. Pure.

use wasmpod::resources::stats::{ContainerStats, PodStats, Throttling};

use crate::print::table::columns;
use crate::print::units::{bytes, cores, percent};

const HEADER: [&str; 8] =
    ["POD", "CONTAINER", "CPU", "CPU/LIMIT", "THROTTLED", "MEMORY / LIMIT", "NET I/O", "FILE I/O"];

/// What is shown where there is nothing to show.
const NOTHING: &str = "-";

/// Whether the namespaces of the Pods are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespaces {
    Hidden,
    Shown,
}

/// The lines of the table: `now` beside the readings `before` of the same Pods.
pub(super) fn table(before: &[PodStats], now: &[PodStats], namespaces: Namespaces) -> Vec<String> {
    let rows: Vec<Vec<String>> = now
        .iter()
        .flat_map(|pod| {
            let earlier = before.iter().find(|earlier| earlier.pod_ref.uid == pod.pod_ref.uid);
            let pod = earlier.map_or_else(|| pod.clone(), |earlier| pod.since(earlier));
            rows(&pod, earlier, namespaces)
        })
        .collect();
    match namespaces {
        Namespaces::Hidden => columns(&HEADER, &rows),
        Namespaces::Shown => {
            let header: Vec<&str> = std::iter::once("NAMESPACE").chain(HEADER).collect();
            columns(&header, &rows)
        }
    }
}

fn rows(pod: &PodStats, earlier: Option<&PodStats>, namespaces: Namespaces) -> Vec<Vec<String>> {
    let first = |container: &str| {
        let namespace = match namespaces {
            Namespaces::Hidden => None,
            Namespaces::Shown => Some(pod.pod_ref.namespace.clone()),
        };
        let names = [pod.pod_ref.name.clone(), container.to_owned()];
        namespace.into_iter().chain(names).collect::<Vec<_>>()
    };
    if pod.containers.is_empty() {
        // It waits for its place, its volumes or its image.
        let mut row = first(NOTHING);
        row.extend(std::iter::repeat_n(NOTHING.to_owned(), HEADER.len() - 2));
        return vec![row];
    }
    let row = |container: &ContainerStats| {
        let before = earlier
            .and_then(|pod| pod.containers.iter().find(|before| before.name == container.name));
        let throttled = before.map_or_else(Throttling::default, |before| before.cpu.throttling);
        let mut row = first(&container.name);
        row.extend(figures(container, &throttled));
        row
    };
    pod.containers.iter().map(row).collect()
}

fn figures(container: &ContainerStats, throttled_before: &Throttling) -> [String; 6] {
    let ContainerStats { cpu, memory, network, fs, .. } = container;
    let nothing = || NOTHING.to_owned();
    let of_limit = cpu.usage_nano_cores.zip(cpu.limit_milli_cores);
    let of_limit =
        of_limit.and_then(|(used, limit)| percent(used, limit.saturating_mul(1_000_000)));
    let throttled = cpu.limit_milli_cores.map(|_| {
        cpu.throttling
            .percent_since(throttled_before)
            .map_or_else(|| "0%".to_owned(), |percent| format!("{percent}%"))
    });
    let limit = memory.limit_bytes.map_or_else(nothing, bytes);
    [
        cpu.usage_nano_cores.map_or_else(nothing, cores),
        of_limit.unwrap_or_else(nothing),
        throttled.unwrap_or_else(nothing),
        format!("{} / {limit}", bytes(memory.working_set_bytes)),
        format!("{} / {}", bytes(network.rx_bytes), bytes(network.tx_bytes)),
        format!("{} / {}", bytes(fs.read_bytes), bytes(fs.written_bytes)),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(name: &str, second: u32, containers: Value) -> PodStats {
        serde_json::from_value(json!({
            "podRef": { "name": name, "namespace": "default", "uid": name },
            "time": format!("2026-01-01T00:00:{second:02}Z"),
            "containers": containers,
        }))
        .unwrap()
    }

    fn limited(cpu: u64, periods: u64, throttled: u64) -> Value {
        json!({
            "name": "app",
            "cpu": {
                "usageCoreNanoSeconds": cpu, "limitMilliCores": 500,
                "throttling": { "periods": periods, "throttledPeriods": throttled },
            },
            "memory": { "workingSetBytes": 12_000_000, "limitBytes": 64 << 20 },
            "network": { "rxBytes": 1000, "txBytes": 2_000_000 },
            "fs": { "readBytes": 0, "writtenBytes": 5 },
        })
    }

    #[test]
    fn each_container_has_a_line() {
        let free = json!({ "name": "side", "cpu": { "usageCoreNanoSeconds": 2_000_000_000u64 } });
        let before = [pod("web", 1, json!([limited(0, 10, 0), free])), pod("new", 1, json!([]))];
        let free = json!({ "name": "side", "cpu": { "usageCoreNanoSeconds": 4_500_000_000u64 } });
        let now =
            [pod("web", 3, json!([limited(500_000_000, 30, 5), free])), pod("new", 3, json!([]))];
        insta::assert_snapshot!(table(&before, &now, Namespaces::Hidden).join("\n"), @r"
        POD   CONTAINER   CPU     CPU/LIMIT   THROTTLED   MEMORY / LIMIT    NET I/O          FILE I/O
        web   app         250m    50.0%       25%         11.4MiB / 64MiB   1000B / 1.9MiB   0B / 5B
        web   side        1250m   -           -           0B / -            0B / 0B          0B / 0B
        new   -           -       -           -           -                 -                -
        ");
        insta::assert_snapshot!(table(&[], &now, Namespaces::Shown).join("\n"), @r"
        NAMESPACE   POD   CONTAINER   CPU   CPU/LIMIT   THROTTLED   MEMORY / LIMIT    NET I/O          FILE I/O
        default     web   app         -     -           17%         11.4MiB / 64MiB   1000B / 1.9MiB   0B / 5B
        default     web   side        -     -           -           0B / -            0B / 0B          0B / 0B
        default     new   -           -     -           -           -                 -                -
        ");
    }
}
