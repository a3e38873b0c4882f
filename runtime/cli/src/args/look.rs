//! Looking at manifests, at this machine and at what is used of it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::Filenames;
use crate::verbs::completion::names;

const STATS_EXAMPLES: &str = "\
Examples:
  wasmpod stats                        the Pods of the namespace, again each second
  wasmpod stats -A --no-stream         those of all namespaces, once
  wasmpod stats web db -o json         a line of JSON for each Pod, each second

CPU is in thousandths of a core; CPU/LIMIT and THROTTLED are for containers with a CPU limit.
NET I/O is what was received and sent, FILE I/O what was read and written.

Exit status: 0, or 125 when a Pod that is named does not run.";

#[derive(Debug, Args)]
#[command(after_help = STATS_EXAMPLES)]
pub(crate) struct Stats {
    /// Pods to show; all of the namespace when none is named
    #[arg(value_name = "POD", add = names::pods())]
    pub(crate) pods: Vec<String>,

    /// Namespace of the Pods [default: default]
    #[arg(short, long, value_name = "NAMESPACE", add = names::namespaces())]
    pub(crate) namespace: Option<String>,

    /// Show the Pods of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Print once and end, as it is done where the output is no terminal
    #[arg(long)]
    pub(crate) no_stream: bool,

    /// Print the figures as JSON lines
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<StatsFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatsFormat {
    Json,
}

const VALIDATE_EXAMPLES: &str = "\
Examples:
  wasmpod validate pod.yaml              every error at once, with its line and its field
  wasmpod validate -f manifests/ -o json
  kubectl get pod web -o yaml | wasmpod validate -

Exit status: 0 when all is valid, else 125.";

#[derive(Debug, Args)]
#[command(after_help = VALIDATE_EXAMPLES)]
pub(crate) struct Validate {
    /// Manifest to check: a file, a folder, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) manifests: Filenames,

    /// Print problems as JSON lines
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<ProblemFormat>,

    /// Print problems only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProblemFormat {
    Json,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  wasmpod explain pod.spec.containers.livenessProbe   what Kubernetes says of it, and what becomes of it here
  wasmpod explain pod.spec --recursive                all fields below it
  wasmpod explain deployment.spec                     of another kind
  wasmpod explain --support                           every field of a Pod and a Service

A field is honoured, ignored (accepted without effect), refused, or set by the system.

Exit status: 0, or 125 when there is no such field.";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct Explain {
    /// Field to explain, e.g. `pod.spec.containers.image`; without it, all of them
    #[arg(value_name = "FIELD", conflicts_with = "support", add = names::fields())]
    pub(crate) field: Option<String>,

    /// Print the names of all fields below it
    #[arg(long, requires = "field")]
    pub(crate) recursive: bool,

    /// Print the table of every field and what becomes of it
    #[arg(long)]
    pub(crate) support: bool,

    /// Print the table as Markdown
    #[arg(long, requires = "support")]
    pub(crate) markdown: bool,
}

const INFO_EXAMPLES: &str = "\
Examples:
  wasmpod info
  wasmpod info -o json

Exit status: 0, or 125 when no Pod could run here.";

#[derive(Debug, Args)]
#[command(after_help = INFO_EXAMPLES)]
pub(crate) struct Info {
    /// In which form
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    pub(crate) output: InfoFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InfoFormat {
    Json,
    Yaml,
}

const VERSION_EXAMPLES: &str = "\
Examples:
  wasmpod version                       of wasmpod, of the API that it follows, and of wasmtime
  wasmpod version -o json

Exit status: 0.";

#[derive(Debug, Args)]
#[command(after_help = VERSION_EXAMPLES)]
pub(crate) struct Version {
    /// In which form
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<InfoFormat>,

    /// For scripts that were made for kubectl: there is no server that has another version
    #[arg(long, num_args = 0..=1, value_name = "BOOL", default_missing_value = "true", require_equals = true)]
    client: Option<bool>,
}

const COMPLETION_EXAMPLES: &str = "\
Examples:
  source <(wasmpod completion bash)      for this shell; also zsh
  wasmpod completion fish | source
  wasmpod completion bash >~/.local/share/bash-completion/completions/wasmpod
  wasmpod completion zsh >\"${fpath[1]}/_wasmpod\"
  wasmpod completion fish >~/.config/fish/completions/wasmpod.fish

In bash, zsh and fish, names of Pods and other objects, of containers, namespaces, ports and fields
are completed too; elvish and powershell know verbs and flags.

Exit status: 0.";

#[derive(Debug, Args)]
#[command(after_help = COMPLETION_EXAMPLES)]
pub(crate) struct Completion {
    /// Shell to complete for
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Complete {
    /// The words are one line, in which bash breaks words at these characters too
    #[arg(long, value_name = "CHARACTERS", allow_hyphen_values = true)]
    pub(crate) breaks: Option<String>,

    /// What was typed, the program first, up to the cursor
    #[arg(last = true)]
    pub(crate) words: Vec<OsString>,
}
