//! What containers say, and how to get at them.

use clap::Args;

use super::Namespace;
use crate::verbs::completion::names;

const LOGS_EXAMPLES: &str = "\
Examples:
  wasmpod logs web                       what its container has said
  wasmpod logs -f web -c proxy           and go on
  wasmpod logs -p web                    of the run before
  wasmpod logs --tail=20 --timestamps web
  wasmpod logs -l app=web --prefix --all-containers

Exit status: 0, or 1 when there is no such Pod, container or run.";

#[derive(Debug, Args)]
#[command(after_help = LOGS_EXAMPLES)]
pub(crate) struct Logs {
    /// Pod, as NAME or pod/NAME
    #[arg(value_name = "POD", add = names::pods())]
    pub(crate) pod: Option<String>,

    /// Container, as with `-c`
    #[arg(value_name = "CONTAINER", conflicts_with = "container", add = names::containers())]
    pub(crate) second: Option<String>,

    /// Container [default: the one of the annotation kubectl.kubernetes.io/default-container, or the first]
    #[arg(short, long, value_name = "NAME", add = names::containers())]
    pub(crate) container: Option<String>,

    /// Go on with what is said from now on
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Of the run before
    #[arg(short, long)]
    pub(crate) previous: bool,

    /// Of all containers
    #[arg(long)]
    pub(crate) all_containers: bool,

    /// Begin each line with its Pod and container
    #[arg(long)]
    pub(crate) prefix: bool,

    /// What is younger than this, e.g. `5s`, `2m`, `3h`
    #[arg(long, value_name = "DURATION", conflicts_with = "since_time")]
    pub(crate) since: Option<String>,

    /// What is younger than this moment (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) since_time: Option<String>,

    /// So many of the last lines; -1 is all [default: all, with a selector 10]
    #[arg(long, value_name = "LINES", allow_negative_numbers = true)]
    pub(crate) tail: Option<i64>,

    /// No more than so many bytes
    #[arg(long, value_name = "BYTES")]
    pub(crate) limit_bytes: Option<u64>,

    /// Begin each line with its time
    #[arg(long)]
    pub(crate) timestamps: bool,

    /// Go on where the log of one container cannot be read
    #[arg(long)]
    pub(crate) ignore_errors: bool,

    /// So many logs may be followed at once
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) max_log_requests: usize,

    /// Of the Pods whose labels match
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,

    #[command(flatten)]
    pub(crate) namespace: Namespace,
}

// Whose streams a verb carries, and which of its own.
#[derive(Debug, Args)]
pub(crate) struct SessionOptions {
    /// Pod, as NAME or pod/NAME
    #[arg(value_name = "POD", add = names::pods())]
    pub(crate) pod: String,

    /// Container [default: the one of the annotation kubectl.kubernetes.io/default-container, or the first]
    #[arg(short, long, value_name = "NAME", add = names::containers())]
    pub(crate) container: Option<String>,

    /// Pass standard input on
    #[arg(short = 'i', long)]
    pub(crate) stdin: bool,

    /// Print only what comes from the container
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) namespace: Namespace,
}

const EXEC_EXAMPLES: &str = "\
Examples:
  wasmpod exec web -- ls /data            a file of the container, a function of its program, or a tool
  wasmpod exec -it web -- sh              a shell in a terminal
  wasmpod exec -i web -c proxy -- cat <file.txt

Exit status: the command's own, or 1 when there is no such Pod or container.";

#[derive(Debug, Args)]
#[command(after_help = EXEC_EXAMPLES)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) session: SessionOptions,

    /// Give the command a terminal
    #[arg(short, long)]
    pub(crate) tty: bool,

    /// The command and its words, best after `--`
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

const DEBUG_EXAMPLES: &str = "\
Examples:
  wasmpod debug -it web                                  a shell and tools beside what runs in it
  wasmpod debug -it web --target=proxy                   in another container
  wasmpod debug web -- sh -c 'ps; wget -qO- localhost'
  wasmpod debug -it web --image=./probe.wasm -- --all    a program of this machine

Unlike kubectl's, it makes no ephemeral container: the command runs in the container, with its
files, its network and its limits, and ends with it. The program of --image is copied to /tmp of
the container, and stays there until that starts again.

Exit status: the command's own, or 1 when there is no such Pod or container.";

#[derive(Debug, Args)]
#[command(after_help = DEBUG_EXAMPLES)]
pub(crate) struct Debug {
    /// Pod, as NAME or pod/NAME
    #[arg(value_name = "POD", add = names::pods())]
    pub(crate) pod: String,

    /// Container to look into [default: the one of the annotation kubectl.kubernetes.io/default-container, or the first]
    #[arg(long, value_name = "CONTAINER", add = names::containers())]
    pub(crate) target: Option<String>,

    /// WebAssembly file (or a name of the image map) to run there [default: the toolbox]
    #[arg(long, value_name = "IMAGE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) image: Option<String>,

    /// Run PATH where `--image` is NAME; may be given again
    #[arg(long = "image-map", value_name = "NAME=PATH", requires = "image")]
    pub(crate) image_map: Vec<String>,

    /// Pass standard input on
    #[arg(short = 'i', long)]
    pub(crate) stdin: bool,

    /// Give the command a terminal
    #[arg(short, long)]
    pub(crate) tty: bool,

    /// Print only what comes from the command
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    /// The command and its words [default: `sh`]; with `--image` its words only
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

const ATTACH_EXAMPLES: &str = "\
Examples:
  wasmpod attach web                      what its container says from now on
  wasmpod attach -it web                  with its standard input and its terminal, if it has them

Exit status: the container's own, or 1 when there is no such Pod or container.";

#[derive(Debug, Args)]
#[command(after_help = ATTACH_EXAMPLES)]
pub(crate) struct Attach {
    #[command(flatten)]
    pub(crate) session: SessionOptions,

    /// Use the container's terminal
    #[arg(short, long)]
    pub(crate) tty: bool,
}

const PORT_FORWARD_EXAMPLES: &str = "\
Examples:
  wasmpod port-forward web 8080:80        port 8080 here leads to port 80 of the Pod
  wasmpod port-forward web 5000 6000      the same number on both sides
  wasmpod port-forward web :80            any free port here
  wasmpod port-forward web 8080:http      by the name that a container gives its port

Exit status: 0, or 1 when there is no such Pod, or a port cannot be opened.";

#[derive(Debug, Args)]
#[command(after_help = PORT_FORWARD_EXAMPLES)]
pub(crate) struct PortForward {
    /// Pod, as NAME or pod/NAME
    #[arg(value_name = "POD", add = names::pods())]
    pub(crate) pod: String,

    /// PORT, LOCAL:REMOTE or :REMOTE; may be given again
    #[arg(value_name = "PORTS", add = names::ports())]
    pub(crate) ports: Vec<String>,

    /// Addresses of this machine to listen on
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', default_value = "localhost")]
    pub(crate) address: Vec<String>,

    #[command(flatten)]
    pub(crate) namespace: Namespace,
}

const CP_EXAMPLES: &str = "\
Examples:
  wasmpod cp web:/data/file.txt file.txt       a file of a container
  wasmpod cp folder web:/data                  a folder, with all that is in it
  wasmpod cp staging/web:/data/log . -c app    of a Pod in another namespace

Mode, time and links are kept; there needs to be no tar in the container.

Exit status: 0, or 1 when something is not there, or cannot be written.";

#[derive(Debug, Args)]
#[command(after_help = CP_EXAMPLES)]
pub(crate) struct Cp {
    /// From where: a path, or [NAMESPACE/]POD:PATH
    #[arg(value_name = "SOURCE", add = names::places())]
    pub(crate) source: String,

    /// Where to: a path, or [NAMESPACE/]POD:PATH
    #[arg(value_name = "DESTINATION", add = names::places())]
    pub(crate) destination: String,

    /// Container [default: the one of the annotation kubectl.kubernetes.io/default-container, or the first]
    #[arg(short, long, value_name = "NAME", add = names::containers())]
    pub(crate) container: Option<String>,

    /// Do not keep modes
    #[arg(long)]
    pub(crate) no_preserve: bool,

    #[command(flatten)]
    pub(crate) namespace: Namespace,
}
