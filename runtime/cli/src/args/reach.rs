//! What containers say, and how to get at them.

use clap::Args;

use super::objects::Namespace;

const LOGS_EXAMPLES: &str = "\
Examples:
  wasmpod logs web                       what its container has said
  wasmpod logs -f web -c proxy           and go on
  wasmpod logs -p web                    of the run before
  wasmpod logs --tail=20 --timestamps web
  wasmpod logs -l app=web --prefix --all-containers";

#[derive(Debug, Args)]
#[command(after_help = LOGS_EXAMPLES)]
pub(crate) struct Logs {
    /// Pod, as NAME or pod/NAME
    #[arg(value_name = "POD")]
    pub(crate) pod: Option<String>,

    /// Container, as with `-c`
    #[arg(value_name = "CONTAINER", conflicts_with = "container")]
    pub(crate) second: Option<String>,

    /// Container [default: the one of the annotation kubectl.kubernetes.io/default-container, or the first]
    #[arg(short, long, value_name = "NAME")]
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
