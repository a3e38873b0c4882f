//! `wasmpod top pods`: what Pods use, once.
//!
//! CPU is what was used between two readings of the Pods' own processes.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use futures::future::join_all;
use wasmpod::resources::stats::PodStats;
use wasmpod_node::background::BackgroundPods;
use wasmpod_node::podprocess::PodClient;
use wasmpod_objects::resource::PODS;
use wasmpod_view::resource_args::NoName;
use wasmpod_view::top::{ContainerUsage, PodUsage, SortBy, TopOptions, to_text};

use super::chosen::{self, ByName, Chosen, Missing};
use super::machine;
use crate::args::{Top, TopSort};
use crate::failure::Failure;
use crate::print::{out, problem};

/// Between the readings: long enough for a figure, short enough to wait for.
const BETWEEN: Duration = Duration::from_millis(500);

/// # Errors
/// A Pod that is named is not there.
pub(crate) fn top(verb: &Top, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let wanted = chosen::wanted(&verb.selection, NoName::All, false)?;
    if wanted.asked.iter().any(|part| *part.resource() != PODS) {
        return Err(Failure::kubectl("only Pods have figures: `wasmpod top pods`"));
    }
    let pods = machine::open(root)?;
    let mut found = wanted.find(&pods, Missing::Error)?;
    let objects = std::mem::take(&mut found.objects);
    let runtime = crate::verbs::run::runtime()?;
    let (before, now) = runtime.block_on(async {
        let before = read(&pods, &objects).await;
        tokio::time::sleep(BETWEEN).await;
        (before, read(&pods, &objects).await)
    });
    let usages: Vec<PodUsage> = now.iter().map(|now| usage(&before, now)).collect();
    if usages.is_empty() && wanted.by_name == ByName::No {
        let namespace = (!wanted.all_namespaces).then_some(wanted.namespace.as_str());
        problem::plain(&wasmpod_view::table::no_resources_found(namespace));
    }
    let options = TopOptions {
        containers: verb.containers,
        namespace: wanted.all_namespaces,
        no_headers: verb.no_headers,
        sort_by: verb.sort_by.map(|sort| match sort {
            TopSort::Cpu => SortBy::Cpu,
            TopSort::Memory => SortBy::Memory,
        }),
        sum: verb.sum,
    };
    out::text(&to_text(&usages, options));
    found.settle()?;
    Ok(ExitCode::SUCCESS)
}

/// The figures of those that answer: others have ended.
async fn read(pods: &BackgroundPods, objects: &[Chosen]) -> Vec<PodStats> {
    let asked = objects.iter().map(|one| {
        let uid = one.object["metadata"]["uid"].as_str().unwrap_or_default();
        let client = PodClient::new(pods.folders().control_socket(uid));
        async move { client.stats_soon().await.ok() }
    });
    join_all(asked).await.into_iter().flatten().collect()
}

fn usage(before: &[PodStats], now: &PodStats) -> PodUsage {
    let earlier = before.iter().find(|earlier| earlier.pod_ref.uid == now.pod_ref.uid);
    let now = earlier.map_or_else(|| now.clone(), |earlier| now.since(earlier));
    let containers = now.containers.iter().map(|container| ContainerUsage {
        name: container.name.clone(),
        cpu_nanocores: container.cpu.usage_nano_cores.unwrap_or(0),
        memory_bytes: container.memory.working_set_bytes,
    });
    PodUsage {
        namespace: now.pod_ref.namespace.clone(),
        name: now.pod_ref.name.clone(),
        containers: containers.collect(),
    }
}
