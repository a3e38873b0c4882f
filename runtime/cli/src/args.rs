//! The command line: one definition gives parsing, help and shell completion.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use wasmpod_node::pressure::Threshold;

use crate::verbs::run::node;

/// Run Kubernetes Pods whose containers are WebAssembly
#[derive(Debug, Parser)]
#[command(name = "wasmpod", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct CommandLine {
    /// Folder for Pods, volumes and logs [default: $XDG_STATE_HOME/wasmpod, for root /var/lib/wasmpod]
    #[arg(long, global = true, value_name = "DIR", env = "WASMPOD_ROOT", value_hint = ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

// Deferred, here and below: a start pays for the arguments of its own verb only.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Verb {
    /// Run the Pods of a manifest, or one image, in the foreground
    Run(Box<Run>),
    #[command(flatten)]
    Short(ShortVerb),
    /// Be the process of one Pod (called by wasmpod itself)
    #[command(name = "pod-process", hide = true)]
    PodProcess(PodProcess),
}

/// A verb that runs no Pod.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ShortVerb {
    /// Show what the Pods that run use
    Stats(Stats),
    /// Give a Pod that runs other resources
    Patch(Patch),
    /// Check manifests without running anything
    Validate(Validate),
    /// Tell what becomes of a manifest's fields
    Explain(Explain),
    /// Show what a Pod finds on this machine: engine, cores, memory, cgroups, folders
    Info(Info),
    /// Write a completion script for a shell
    Completion(Completion),
    /// Compile one WebAssembly file for the cache (called by wasmpod itself)
    #[cfg(feature = "compiler")]
    #[command(name = crate::compiler::VERB, hide = true)]
    CompileCode,
}

impl Verb {
    /// Whether nothing is to be printed but what containers print.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Self::Run(run) => run.quiet,
            Self::PodProcess(process) => process.quiet,
            Self::Short(_) => false,
        }
    }
}

/// Where manifests come from, as in `kubectl -f`.
#[derive(Debug, Args)]
pub(crate) struct Filenames {
    /// Manifest to read: a file, a folder, or `-` for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) filenames: Vec<PathBuf>,
}

const RUN_EXAMPLES: &str = "\
Examples:
  wasmpod run pod.yaml                          every Pod of a manifest
  wasmpod run -f manifests/ --publish 8080:80   a folder; the Pod's port 80 on the host's 8080
  kubectl get pod web -o yaml | wasmpod run -   from standard input
  wasmpod run hello --image=./hello.wasm --env A=b -- first second
  wasmpod run web --image=./web.wasm --port 8080 --dry-run=client -o yaml

Exit status: 0 when every Pod succeeded, the container's own when one failed,
125 when wasmpod could not do it, 130 after Ctrl-C.";

#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct Run {
    /// Manifest to run, a `.wasm` file, or with `--image` the name of the new Pod
    #[arg(value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub(crate) target: Option<String>,

    #[command(flatten)]
    pub(crate) manifests: Filenames,

    #[command(flatten)]
    pub(crate) options: RunOptions,

    /// Print only what the containers print
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Print ordinary events too, not only warnings
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Whether a log line begins with its container's name; `never` passes the bytes on as they are
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) log_prefix: LogPrefix,

    /// With `json`, print events and status changes as JSON lines; with `--dry-run`, the manifest
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,

    /// With `client`, print what would be run and run nothing
    #[arg(long, value_name = "WHERE", default_value = "none", num_args = 0..=1,
          default_missing_value = "client", require_equals = true)]
    pub(crate) dry_run: DryRun,

    // The last, as its heading holds for all that follows.
    #[command(flatten)]
    pub(crate) imperative: Imperative,
}

/// What `kubectl run` takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "A Pod without a manifest")]
pub(crate) struct Imperative {
    /// WebAssembly file (or a name of the image map) to run in a new Pod
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,

    /// Environment variable of the container, NAME=VALUE; may be given again
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,

    /// Port that the container listens on
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// What happens when the container ends [default: Never, in a printed manifest Always]
    #[arg(long, value_name = "POLICY")]
    pub(crate) restart: Option<Restart>,

    /// Labels of the Pod, NAME=VALUE, separated by commas
    #[arg(short, long, value_name = "LABELS", value_delimiter = ',')]
    pub(crate) labels: Vec<String>,

    /// Annotation of the Pod, NAME=VALUE; may be given again
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) annotations: Vec<String>,

    /// Give the container standard input
    #[arg(short = 'i', long)]
    pub(crate) stdin: bool,

    /// Give the container a terminal
    #[arg(short, long)]
    pub(crate) tty: bool,

    /// Take the words after `--` as the command, not as its arguments
    #[arg(long)]
    pub(crate) command: bool,

    /// Namespace of the Pod
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,

    /// Words for the container, after `--`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<String>,
}

impl Imperative {
    /// The first of these that was given, beside the image: none of them means anything to a
    /// manifest.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            (!self.env.is_empty(), "`--env`"),
            (self.port.is_some(), "`--port`"),
            (self.restart.is_some(), "`--restart`"),
            (!self.labels.is_empty(), "`--labels`"),
            (!self.annotations.is_empty(), "`--annotations`"),
            (self.stdin, "`--stdin`"),
            (self.tty, "`--tty`"),
            (self.command, "`--command`"),
            (self.namespace.is_some(), "`--namespace`"),
            (!self.args.is_empty(), "what follows `--`"),
        ]
        .into_iter()
        .find_map(|(given, flag)| given.then_some(flag))
    }
}

/// What a Pod needs of this machine; the process of a Pod takes the same.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RunOptions {
    /// Run PATH where a manifest names the image NAME; may be given again
    #[arg(long = "image-map", value_name = "NAME=PATH")]
    pub(crate) image_map: Vec<String>,

    /// Listen on the host's port for a port of the Pod ([IP:]HOST:POD[/udp]); may be given again
    #[arg(short, long, value_name = "HOST:POD")]
    pub(crate) publish: Vec<String>,

    /// Let guests reach a HOST, HOST:PORT or CIDR that is refused by default (`none`: nothing
    /// outside of the Pod); may be given again
    #[arg(long = "allow-net", value_name = "RULE")]
    pub(crate) allow_net: Vec<String>,

    /// Put the process of each Pod into a cgroup of the host, with its shares and bounds: below the one
    /// that wasmpod is started in, if it is root's or this user's to change
    #[arg(long)]
    pub(crate) cgroup: bool,

    #[command(flatten)]
    pub(crate) node: NodeOptions,
}

/// What this machine is to its Pods.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogPrefix {
    /// For the Pods of a manifest, not for a program that was typed
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Json,
    Yaml,
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    None,
    Client,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Restart {
    #[value(name = "Always")]
    Always,
    #[value(name = "OnFailure")]
    OnFailure,
    #[value(name = "Never")]
    Never,
}

impl Restart {
    /// As Pod `spec.restartPolicy` spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::OnFailure => "OnFailure",
            Self::Never => "Never",
        }
    }
}

const STATS_EXAMPLES: &str = "\
Examples:
  wasmpod stats                        the Pods of the namespace, again each second
  wasmpod stats -A --no-stream         those of all namespaces, once
  wasmpod stats web db -o json         a line of JSON for each Pod, each second

CPU is in thousandths of a core; CPU/LIMIT and THROTTLED are for containers with a CPU limit.
NET I/O is what was received and sent, FILE I/O what was read and written.";

#[derive(Debug, Args)]
#[command(after_help = STATS_EXAMPLES)]
pub(crate) struct Stats {
    /// Pods to show; all of the namespace when none is named
    #[arg(value_name = "POD")]
    pub(crate) pods: Vec<String>,

    /// Namespace of the Pods [default: default]
    #[arg(short, long, value_name = "NAMESPACE")]
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

#[derive(Debug, Args)]
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
  wasmpod explain pod.spec                            the fields of a Pod's spec
  wasmpod explain spec.containers.resources.limits    those of a container's limits
  wasmpod explain deployment.spec                     of another kind
  wasmpod explain --support                           every field of a Pod and a Service";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct Explain {
    /// Field to explain, e.g. `pod.spec.containers.image`; without it, all of them
    #[arg(value_name = "FIELD", conflicts_with = "support")]
    pub(crate) field: Option<String>,

    /// Print the table of every field and what becomes of it
    #[arg(long)]
    pub(crate) support: bool,

    /// Print the table as Markdown
    #[arg(long, requires = "support")]
    pub(crate) markdown: bool,
}

#[derive(Debug, Args)]
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

#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// Shell to complete for
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct PodProcess {
    /// File with the Pod, its objects and what it needs of this machine
    pub(crate) bundle: PathBuf,

    /// As of `run`
    #[arg(long)]
    pub(crate) quiet: bool,
}
