//! Running Pods, in the foreground or behind.

use clap::{Args, ValueEnum, ValueHint};
use wasmpod_objects::store::Persist;

use super::{Filenames, NodeOptions};
use crate::verbs::completion::names;

const RUN_EXAMPLES: &str = "\
Examples:
  wasmpod run pod.yaml                          every Pod of a manifest
  wasmpod run -f manifests/ --publish 8080:80   a folder; the Pod's port 80 on the host's 8080
  kubectl get pod web -o yaml | wasmpod run -   from standard input
  wasmpod run ./hello.wasm --env A=b -- first second
  wasmpod run web --image=./web.wasm --port 8080  a Pod that stays, as with kubectl
  wasmpod run -d pod.yaml                       the same of a manifest
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

    /// Do not wait for the Pods: they stay, to be seen by `wasmpod get`
    #[arg(short = 'd', long)]
    pub(crate) detach: bool,

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

// What `kubectl run` takes.
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

    /// Stay with the Pod and show what it prints, as `-i`, `-t` and `--rm` do
    #[arg(long)]
    pub(crate) attach: bool,

    /// Remove the Pod when it has ended
    #[arg(long)]
    pub(crate) rm: bool,

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
    #[arg(short, long, value_name = "NAMESPACE", add = names::namespaces())]
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
            (self.attach, "`--attach`"),
            (self.rm, "`--rm`"),
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

// What a Pod needs of this machine; the process of a Pod takes the same.
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

impl DryRun {
    /// The same, as the store is told.
    pub(crate) fn persist(self) -> Persist {
        match self {
            Self::None => Persist::Yes,
            Self::Client => Persist::DryRun,
        }
    }
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
