//! Objects of this machine, as kubectl's verbs have them.

use clap::{Args, ValueEnum};

use super::{DryRun, Filenames, OutputFormat, RunOptions};

/// The namespace of what a verb is about.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Namespace {
    /// Namespace of the objects [default: default]
    #[arg(short, long, value_name = "NAMESPACE", env = "WASMPOD_NAMESPACE")]
    pub(crate) namespace: Option<String>,
}

impl Namespace {
    pub(crate) fn name(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }
}

/// Objects that a verb is about: of a kind, by name, of files, or by what they have.
#[derive(Debug, Clone, Args)]
pub(crate) struct Selection {
    /// TYPE, TYPE NAME ..., or TYPE/NAME ...: `pods`, `pod web db`, `pod/web configmap/settings`
    #[arg(value_name = "TYPE NAME")]
    pub(crate) targets: Vec<String>,

    #[command(flatten)]
    pub(crate) manifests: Filenames,

    /// Those whose labels match, e.g. `app=web,tier!=back,env in (a,b)`
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,

    /// Those whose fields match, e.g. `status.phase=Running`
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) field_selector: Option<String>,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    /// Those of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
}

const APPLY_EXAMPLES: &str = "\
Examples:
  wasmpod apply -f pod.yaml                  make or change what the manifest describes
  wasmpod apply -f manifests/ --wait         and wait until the Pods are ready
  wasmpod apply -f - -n staging <pod.yaml    from standard input, in another namespace
  wasmpod apply -f pod.yaml --image-map registry.example/web:1=./web.wasm

A Pod gets a process of its own, which stays when the command ends.";

#[derive(Debug, Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) change: Change,

    /// Wait until the Pods are ready, or have ended
    #[arg(long)]
    pub(crate) wait: bool,

    /// How long to wait, e.g. `30s` or `2m`; 0 is for ever
    #[arg(long, value_name = "DURATION", default_value = "0s", requires = "wait")]
    pub(crate) timeout: String,
}

const CREATE_EXAMPLES: &str = "\
Examples:
  wasmpod create -f pod.yaml     make what the manifest describes; it must not be there yet";

#[derive(Debug, Args)]
#[command(after_help = CREATE_EXAMPLES)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) change: Change,
}

/// What verbs have in common that make objects of manifests.
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) manifests: Filenames,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    /// Print the objects, or their names
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,

    /// Print what would be done and do nothing
    #[arg(long, value_name = "WHERE", default_value = "none", num_args = 0..=1,
          default_missing_value = "client", require_equals = true)]
    pub(crate) dry_run: DryRun,

    #[command(flatten)]
    pub(crate) options: RunOptions,
}

const GET_EXAMPLES: &str = "\
Examples:
  wasmpod get pods                                     the Pods of the namespace
  wasmpod get pods -A -o wide                          of all namespaces, with more columns
  wasmpod get pod web -o yaml                          one, with all of its fields
  wasmpod get pods -w                                  and go on with what changes
  wasmpod get pods -l app=web -o jsonpath='{.items[*].status.podIP}'
  wasmpod get pods,configmaps";

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
  wasmpod describe -f pod.yaml";

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

const DELETE_EXAMPLES: &str = "\
Examples:
  wasmpod delete pod web                 stop it gracefully, wait for its end
  wasmpod delete pods -l app=web --now   with a second for each to end
  wasmpod delete -f pod.yaml
  wasmpod delete pods --all --wait=false";

#[derive(Debug, Args)]
#[command(after_help = DELETE_EXAMPLES)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// All objects of the kind in the namespace
    #[arg(long, conflicts_with = "selector")]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) options: DeleteOptions,
}

/// How objects are deleted.
#[derive(Debug, Args)]
pub(crate) struct DeleteOptions {
    /// Seconds that a Pod has to end [default: its own terminationGracePeriodSeconds]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, default_value_t = -1)]
    pub(crate) grace_period: i64,

    /// As `--grace-period=1`
    #[arg(long)]
    pub(crate) now: bool,

    /// Do not wait for a Pod's process: its end is not confirmed
    #[arg(long)]
    pub(crate) force: bool,

    /// Wait until the objects are gone
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1,
          default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) wait: bool,

    /// How long to wait, e.g. `30s`; 0 is for ever
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub(crate) timeout: String,

    /// Succeed where an object that is named is not there
    #[arg(long)]
    pub(crate) ignore_not_found: bool,

    /// `name` prints only the names of the objects
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,
}

const WAIT_EXAMPLES: &str = "\
Examples:
  wasmpod wait --for=condition=Ready pod/web --timeout=60s
  wasmpod wait --for=delete pod/web
  wasmpod wait --for=jsonpath='{.status.phase}'=Running pods --all";

#[derive(Debug, Args)]
#[command(after_help = WAIT_EXAMPLES)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// What to wait for: `delete`, `create`, `condition=NAME[=VALUE]`, `jsonpath={...}[=VALUE]`
    #[arg(long = "for", value_name = "WHAT")]
    pub(crate) what: String,

    /// How long to wait for each; 0 looks once, a negative one is a week
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
  wasmpod events -A --types=Warning";

#[derive(Debug, Args)]
#[command(after_help = EVENTS_EXAMPLES)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(crate) namespace: Namespace,

    /// Those of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Those of one object, as TYPE/NAME
    #[arg(long = "for", value_name = "TYPE/NAME")]
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
  wasmpod stats                          the same again and again, with network, files and throttling";

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

const MARK_EXAMPLES: &str = "\
Examples:
  wasmpod label pod web tier=front       set one
  wasmpod label pods --all env=test --overwrite
  wasmpod annotate pod/web note-         remove one";

#[derive(Debug, Args)]
#[command(after_help = MARK_EXAMPLES)]
pub(crate) struct Mark {
    /// The objects, and behind them NAME=VALUE to set and NAME- to remove
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// Change what is there already
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// All objects of the kind in the namespace
    #[arg(long)]
    pub(crate) all: bool,

    /// Print what there is
    #[arg(long)]
    pub(crate) list: bool,

    /// Print the objects, or their names
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,

    /// Print what would be done and do nothing
    #[arg(long, value_name = "WHERE", default_value = "none", num_args = 0..=1,
          default_missing_value = "client", require_equals = true)]
    pub(crate) dry_run: DryRun,
}

const REPLACE_EXAMPLES: &str = "\
Examples:
  wasmpod replace -f pod.yaml            what is not written goes
  wasmpod replace --force -f pod.yaml    delete the Pod and make it anew";

#[derive(Debug, Args)]
#[command(after_help = REPLACE_EXAMPLES)]
pub(crate) struct Replace {
    #[command(flatten)]
    pub(crate) change: Change,

    /// Delete what is there, and make it anew
    #[arg(long)]
    pub(crate) force: bool,

    /// Seconds that a Pod has to end, with `--force` [default: its own terminationGracePeriodSeconds]
    #[arg(long, value_name = "SECONDS", requires = "force")]
    pub(crate) grace_period: Option<i64>,
}

const EDIT_EXAMPLES: &str = "\
Examples:
  wasmpod edit pod web
  EDITOR=nano wasmpod edit configmap settings";

#[derive(Debug, Args)]
#[command(after_help = EDIT_EXAMPLES)]
pub(crate) struct Edit {
    #[command(flatten)]
    pub(crate) selection: Selection,
}

const DIFF_EXAMPLES: &str = "\
Examples:
  wasmpod diff -f pod.yaml               what `apply` would change; ends with 1 if something

The program that compares is that of KUBECTL_EXTERNAL_DIFF, else `diff -u -N`.";

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) manifests: Filenames,

    #[command(flatten)]
    pub(crate) namespace: Namespace,
}

const PATCH_EXAMPLES: &str = r#"Examples:
  wasmpod patch pod web --subresource resize --patch \
    '{"spec":{"containers":[{"name":"app","resources":{"limits":{"cpu":"800m"}}}]}}'"#;

#[derive(Debug, Args)]
#[command(after_help = PATCH_EXAMPLES)]
pub(crate) struct Patch {
    /// What to patch: `pod NAME` or `pod/NAME`
    #[arg(value_name = "KIND NAME", required = true, num_args = 1..=2)]
    pub(crate) target: Vec<String>,

    /// The part of it to patch; only `resize`, which changes the CPU and memory of containers
    #[arg(long, value_name = "NAME")]
    pub(crate) subresource: Option<String>,

    /// The patch, as JSON
    #[arg(short, long, value_name = "PATCH")]
    pub(crate) patch: String,

    /// How the patch is to be read
    #[arg(long = "type", value_name = "TYPE", default_value = "strategic")]
    pub(crate) kind: PatchType,

    /// Namespace of the Pod [default: default]
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,

    /// Print the Pod as it is wanted then
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PatchType {
    /// Containers are merged by name
    Strategic,
    /// Lists are replaced (RFC 7386)
    Merge,
    /// Not supported
    #[value(hide = true)]
    Json,
}
