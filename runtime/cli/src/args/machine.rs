//! What this machine is to its Pods.

use clap::{Args, ValueEnum};
use wasmpod_node::pressure::Threshold;

use crate::verbs::run::node;

// What this machine is to its Pods.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NodeOptions {
    /// Cores that all Pods of this machine together may request [default: those it has]
    #[arg(long, value_name = "CPU", env = "WASMPOD_NODE_CPU", value_parser = node::milli_cpu)]
    pub(crate) node_cpu: Option<u64>,

    /// Memory that all Pods of this machine together may request [default: three quarters of it]
    #[arg(long, value_name = "MEMORY", env = "WASMPOD_NODE_MEMORY", value_parser = node::bytes)]
    pub(crate) node_memory: Option<u64>,

    /// How little memory may be left before somebody has to give back what is above its request
    #[arg(
        long,
        value_name = "SIGNAL<AMOUNT",
        default_value = "memory.available<100Mi",
        env = "WASMPOD_EVICTION_HARD"
    )]
    pub(crate) eviction_hard: Threshold,

    /// What ends then
    #[arg(long, value_name = "WHAT", default_value = "container", env = "WASMPOD_EVICTION")]
    pub(crate) eviction: Eviction,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Eviction {
    /// The container furthest above its request: OOMKilled, started again by its restart policy
    #[default]
    Container,
    /// The whole Pod, as under a kubelet: Failed, with the reason Evicted
    Pod,
}
