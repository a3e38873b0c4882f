//! Showing objects and what happens to them, as kubectl's verbs do it.

use clap::{Args, ValueEnum};

use super::{Namespace, Selection};
use crate::verbs::completion::names;

const GET_EXAMPLES: &str = "\
Examples:
  wasmpod get pods                                     the Pods of the namespace
  wasmpod get pods -A -o wide                          of all namespaces, with more columns
  wasmpod get pod web -o yaml                          one, with all of its fields
  wasmpod get pods -w                                  and go on with what changes
  wasmpod get pods -l app=web -o jsonpath='{.items[*].status.podIP}'
  wasmpod get pods,configmaps

Exit status: 0, or 1 when something that is named is not there.";

#[derive(Debug, Args)]
#[command(after_help = GET_EXAMPLES)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// json, yaml, name, wide, jsonpath=..., jsonpath-as-json=..., custom-columns=...
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<String>,

    /// Go on with what changes
    #[arg(short, long)]
    pub(crate) watch: bool,

    /// Print what changes from now on, and not what there is
    #[arg(long)]
    pub(crate) watch_only: bool,

    /// Print no headers
    #[arg(long)]
    pub(crate) no_headers: bool,

    /// Print all labels in a last column
    #[arg(long)]
    pub(crate) show_labels: bool,

    /// Print the kind of each object before its name
    #[arg(long)]
    pub(crate) show_kind: bool,

    /// Print these labels in columns of their own
    #[arg(short = 'L', long, value_name = "LABELS", value_delimiter = ',')]
    pub(crate) label_columns: Vec<String>,

    /// Sort by a field, e.g. `.metadata.creationTimestamp`
    #[arg(long, value_name = "JSONPATH")]
    pub(crate) sort_by: Option<String>,

    /// Show `metadata.managedFields` too
    #[arg(long)]
    pub(crate) show_managed_fields: bool,

    /// Succeed where an object that is named is not there
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
}

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  wasmpod describe pod web            all that there is to know of it, with its events
  wasmpod describe pods -l app=web
  wasmpod describe -f pod.yaml

Exit status: 0, or 1 when something that is named is not there.";

#[derive(Debug, Args)]
#[command(after_help = DESCRIBE_EXAMPLES)]
pub(crate) struct Describe {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// Show the events of the object
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1,
          default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) show_events: bool,
}

const WAIT_EXAMPLES: &str = "\
Examples:
  wasmpod wait --for=condition=Ready pod/web --timeout=60s
  wasmpod wait --for=delete pod/web
  wasmpod wait --for=jsonpath='{.status.phase}'=Running pods --all

Exit status: 0, or 1 when it does not come in time.";

#[derive(Debug, Args)]
#[command(after_help = WAIT_EXAMPLES)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// What to wait for: `delete`, `create`, `condition=NAME[=VALUE]`, `jsonpath={...}[=VALUE]`
    #[arg(long = "for", value_name = "WHAT")]
    pub(crate) what: String,

    /// How long to wait for all of them; 0 looks once, a negative one is a week
    #[arg(long, value_name = "DURATION", default_value = "30s", allow_hyphen_values = true)]
    pub(crate) timeout: String,

    /// All objects of the kind in the namespace
    #[arg(long)]
    pub(crate) all: bool,

    /// Print the objects once they are there
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<String>,
}

const EVENTS_EXAMPLES: &str = "\
Examples:
  wasmpod events                         what has happened in the namespace, the oldest first
  wasmpod events --for pod/web -w        to one Pod, and go on
  wasmpod events -A --types=Warning

Exit status: 0, or 1 when a filter cannot be read.";

#[derive(Debug, Args)]
#[command(after_help = EVENTS_EXAMPLES)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(crate) namespace: Namespace,

    /// Those of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Those of one object, as TYPE/NAME
    #[arg(long = "for", value_name = "TYPE/NAME", add = names::object())]
    pub(crate) about: Option<String>,

    /// `Normal` or `Warning`
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub(crate) types: Vec<String>,

    /// Go on with what happens
    #[arg(short, long)]
    pub(crate) watch: bool,

    /// Print no headers
    #[arg(long)]
    pub(crate) no_headers: bool,
}

const TOP_EXAMPLES: &str = "\
Examples:
  wasmpod top pods                       CPU and memory of the Pods of the namespace
  wasmpod top pod web --containers       of each container of one
  wasmpod stats                          the same again and again, with network, files and throttling

Exit status: 0, or 1 when a Pod that is named is not there.";

#[derive(Debug, Args)]
#[command(after_help = TOP_EXAMPLES)]
pub(crate) struct Top {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// A line for each container
    #[arg(long)]
    pub(crate) containers: bool,

    /// Print no headers
    #[arg(long)]
    pub(crate) no_headers: bool,

    /// The most first
    #[arg(long, value_name = "WHAT")]
    pub(crate) sort_by: Option<TopSort>,

    /// Print the sum below
    #[arg(long)]
    pub(crate) sum: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopSort {
    Cpu,
    Memory,
}
