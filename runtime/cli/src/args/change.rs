//! Making and changing objects, as kubectl's verbs do it.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use wasmpod_objects::patch::PatchKind;

use super::{DryRun, Filenames, Namespace, OutputFormat, RunOptions, Selection};
use crate::verbs::completion::names;

const APPLY_EXAMPLES: &str = "\
Examples:
  wasmpod apply -f pod.yaml                  make or change what the manifest describes
  wasmpod apply -f manifests/ --wait         and wait until the Pods are ready
  wasmpod apply -f - -n staging <pod.yaml    from standard input, in another namespace
  wasmpod apply -f pod.yaml --image-map registry.example/web:1=./web.wasm

A Pod gets a process of its own, which stays when the command ends.

Exit status: 0, or 1 when something could not be applied, or with `--wait` does not become ready.";

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
  wasmpod create -f pod.yaml     make what the manifest describes; it must not be there yet

Exit status: 0, or 1 when something is there already, or is not valid.";

#[derive(Debug, Args)]
#[command(after_help = CREATE_EXAMPLES)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) change: Change,
}

// Whether something is done, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct Told {
    /// Print the objects, or their names
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,

    /// Print what would be done and do nothing
    #[arg(long, value_name = "WHERE", default_value = "none", num_args = 0..=1,
          default_missing_value = "client", require_equals = true)]
    pub(crate) dry_run: DryRun,
}

// What verbs have in common that make objects of manifests.
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) manifests: Filenames,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    #[command(flatten)]
    pub(crate) told: Told,

    #[command(flatten)]
    pub(crate) options: RunOptions,
}

const DELETE_EXAMPLES: &str = "\
Examples:
  wasmpod delete pod web                 stop it gracefully, wait for its end
  wasmpod delete pods -l app=web --now   with a second for each to end
  wasmpod delete -f pod.yaml
  wasmpod delete pods --all --wait=false

Exit status: 0, or 1 when something that is named is not there, or does not end in time.";

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

// How objects are deleted.
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

const MARK_EXAMPLES: &str = "\
Examples:
  wasmpod label pod web tier=front       set one
  wasmpod label pods --all env=test --overwrite
  wasmpod annotate pod/web note-         remove one

Exit status: 0, or 1 when something is not there, or has another value already.";

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

    #[command(flatten)]
    pub(crate) told: Told,
}

const REPLACE_EXAMPLES: &str = "\
Examples:
  wasmpod replace -f pod.yaml            what is not written goes
  wasmpod replace --force -f pod.yaml    delete the Pod and make it anew

Exit status: 0, or 1 when something is not there, or may not be replaced.";

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
  EDITOR=nano wasmpod edit configmap settings

Exit status: 0, or 1 when something is not there, or the editor fails.";

#[derive(Debug, Args)]
#[command(after_help = EDIT_EXAMPLES)]
pub(crate) struct Edit {
    #[command(flatten)]
    pub(crate) selection: Selection,
}

const DIFF_EXAMPLES: &str = "\
Examples:
  wasmpod diff -f pod.yaml               what `apply` would change; ends with 1 if something

The program that compares is that of KUBECTL_EXTERNAL_DIFF, else `diff -u -N`.

Exit status: 0 when nothing would change, 1 when something would, more when they cannot be compared.";

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) manifests: Filenames,

    #[command(flatten)]
    pub(crate) namespace: Namespace,
}

const PATCH_EXAMPLES: &str = r#"Examples:
  wasmpod patch pod web -p '{"metadata":{"labels":{"tier":"front"}}}'
  wasmpod patch configmap/settings --type merge -p '{"data":{"colour":"red"}}'
  wasmpod patch pod web --type json -p '[{"op":"remove","path":"/metadata/labels/tier"}]'
  wasmpod patch -f pod.yaml --patch-file change.yaml --dry-run=client -o yaml
  wasmpod patch pod web --subresource resize -p \
    '{"spec":{"containers":[{"name":"app","resources":{"limits":{"cpu":"800m"}}}]}}'

Exit status: 0 when all of it was patched, or was so before; 1 when something is not there, or may
not be changed so."#;

#[derive(Debug, Args)]
#[command(after_help = PATCH_EXAMPLES)]
pub(crate) struct Patch {
    /// TYPE NAME ..., or TYPE/NAME ...: `pod web`, `pod/web configmap/settings`
    #[arg(value_name = "TYPE NAME", add = names::objects())]
    pub(crate) targets: Vec<String>,

    #[command(flatten)]
    pub(crate) manifests: Filenames,

    /// The patch, as JSON or YAML
    #[arg(short, long, value_name = "PATCH", conflicts_with = "patch_file")]
    pub(crate) patch: Option<String>,

    /// File with the patch
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) patch_file: Option<PathBuf>,

    /// How the patch is to be read
    #[arg(long = "type", value_name = "TYPE", default_value = "strategic")]
    pub(crate) kind: PatchType,

    /// The part of the object to patch: `resize` changes the CPU and memory of containers that run
    #[arg(long, value_name = "NAME")]
    pub(crate) subresource: Option<Subresource>,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    #[command(flatten)]
    pub(crate) told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PatchType {
    /// Lists are merged by what names their elements, as `containers` by `name`
    Strategic,
    /// Lists are replaced (RFC 7386)
    Merge,
    /// A list of operations (RFC 6902)
    Json,
}

impl PatchType {
    /// The same, as the store is told.
    pub(crate) fn kind(self) -> PatchKind {
        match self {
            Self::Strategic => PatchKind::Strategic,
            Self::Merge => PatchKind::Merge,
            Self::Json => PatchKind::Json,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subresource {
    /// Resources of containers that run
    Resize,
    /// What is observed
    Status,
}
