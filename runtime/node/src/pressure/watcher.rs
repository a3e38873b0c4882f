//! Who watches, and the watching.

use std::convert::Infallible;
use std::fs;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use wasmpod::records::{Alone, Process};
use wasmpod::resources::stats::ContainerStats;

use super::rank::Policy;
use super::signal;
use super::threshold::Threshold;
use super::usage::{ContainerUsage, PodUsage};
use super::watch::{Memory, Observation, Order, Watch};
use crate::ledger::{PodRecord, State};
use crate::node::Node;
use crate::podprocess::{Eviction, PodClient};

/// Its holder watches.
const LOCK: &str = "watcher.lock";

/// When it is looked again who watches, where the kernel does not tell of the end of a process.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// When the one who watches has not yet said who it is.
const SOON: Duration = Duration::from_millis(100);

/// What is done about a shortage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How little memory is too little.
    pub hard: Threshold,
    /// What goes then.
    pub policy: Policy,
}

/// Watches over the memory of the machine, or waits until whoever does has died.
pub(crate) async fn watch(node: &Node, settings: Settings) -> Infallible {
    let mut has_failed = false;
    loop {
        match node.ledger().try_alone(LOCK) {
            Ok(Some(alone)) => {
                // Unsaid, the next one looks now and then.
                let _ = sign(&alone);
                return guard(node, settings, &alone).await;
            }
            Ok(None) => end_of_watcher(node).await,
            Err(error) => {
                if !std::mem::replace(&mut has_failed, true) {
                    tracing::warn!("nobody watches over the memory of this machine: {error}");
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// Says who watches.
fn sign(alone: &Alone) -> io::Result<()> {
    let mut file = alone.file();
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(std::process::id().to_string().as_bytes())
}

/// Waits until the process that watches may have ended.
async fn end_of_watcher(node: &Node) {
    let signed = || -> Option<u32> {
        let text = fs::read_to_string(node.ledger().lock_file(LOCK)).ok()?;
        text.trim().parse().ok()
    };
    let Some(id) = signed() else {
        return tokio::time::sleep(SOON).await;
    };
    // Another Pod of this process.
    if id == std::process::id() {
        return tokio::time::sleep(LOOK_AGAIN).await;
    }
    match Process::find(id) {
        // Unless another one has got the number of a dead one by now, and the lock.
        Ok(process) => {
            if signed() == Some(id) && matches!(node.ledger().try_alone(LOCK), Ok(None)) {
                process.ended().await;
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => tokio::time::sleep(SOON).await,
        Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
    }
}

async fn guard(node: &Node, settings: Settings, _alone: &Alone) -> Infallible {
    let mut watch = Watch::new(settings.hard, settings.policy);
    loop {
        let seen = look(node, &watch).await;
        let pause = match &seen {
            None => LOOK_AGAIN,
            Some(observation) => {
                if let Some(order) = watch.look(observation, Instant::now().into_std()) {
                    carry_out(&observation.pods, order).await;
                }
                watch.next(&observation.memory)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// What the Pods use is asked for only where it matters: each of them has to wake up for it. That
/// their records are read each time clears up after processes that were killed.
async fn look(node: &Node, watch: &Watch) -> Option<Observation> {
    let known = node.ledger().pods_now();
    if let Some(capacity) = node.settings().memory {
        let pods = usage(&known).await;
        return Some(Observation { memory: signal::beside(capacity, &pods), pods });
    }
    let memory: Memory = signal::of_machine()?;
    let pods = if watch.is_short(&memory) { usage(&known).await } else { Vec::new() };
    Some(Observation { memory, pods })
}

/// What each Pod uses that says so.
async fn usage(pods: &[Arc<PodRecord>]) -> Vec<PodUsage> {
    let admitted = pods.iter().filter(|pod| pod.state == State::Admitted);
    join_all(admitted.map(usage_of)).await.into_iter().flatten().collect()
}

async fn usage_of(pod: &Arc<PodRecord>) -> Option<PodUsage> {
    match PodClient::new(&pod.socket).stats_soon().await {
        Ok(stats) => {
            let container = |stats: &ContainerStats| ContainerUsage {
                name: stats.name.clone(),
                memory: stats.memory.working_set_bytes,
            };
            let containers = stats.containers.iter().map(container).collect();
            Some(PodUsage { pod: Arc::clone(pod), containers })
        }
        Err(error) => {
            tracing::debug!("{} does not say what it uses: {error}", pod.full_name());
            None
        }
    }
}

async fn carry_out(pods: &[PodUsage], order: Order) {
    let Some(pod) = pods.iter().find(|usage| usage.pod.uid == order.uid) else { return };
    let (client, eviction) = (PodClient::new(&pod.pod.socket), Eviction { message: order.message });
    let done = match &order.container {
        Some(container) => client.evict_container(container, &eviction).await,
        None => client.evict(&eviction).await,
    };
    if let Err(error) = done {
        tracing::warn!("{} is not evicted: {error}", pod.pod.full_name());
    }
}
