//! `wasmpod logs`: what containers have said, and what they go on to say.
//!
//! Read from the files themselves: a Pod that has ended needs no process for it.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `pick` | which runs of which containers | yes |
//! | `show` | from files to standard output | |

pub(crate) mod pick;
mod show;

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use pick::{Containers, Run};
use wasmpod::logs::{ReadOptions, Since};
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::Namespaces;

use crate::args::Logs;
use crate::failure::Failure;
use crate::print::problem;
use crate::verbs::objects::{duration, machine};

/// So many lines of each log where Pods are found by their labels.
const TAIL_OF_SELECTED: u64 = 10;

/// # Errors
/// A Pod or container that is not there, or has said nothing yet.
pub(crate) fn logs(verb: &Logs, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let options = read_options(verb)?;
    let pods = machine::open(root)?;
    let chosen = chosen(verb, &pods)?;
    if chosen.is_empty() {
        problem::plain(&format!("No resources found in {} namespace.", verb.namespace.name()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut runs = Vec::new();
    for pod in &chosen {
        let picked = pick::runs(pod, containers(verb, pod)?, verb.previous);
        for run in picked {
            match run {
                Ok(run) => runs.push(run),
                Err(why) if verb.ignore_errors => problem::plain(&format!("error: {why}")),
                Err(why) => return Err(Failure::kubectl(why)),
            }
        }
    }
    if verb.follow && runs.len() > verb.max_log_requests {
        return Err(Failure::kubectl(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {}, \
             use --max-log-requests to increase the limit",
            runs.len(),
            verb.max_log_requests
        )));
    }
    show::show(&pods, &runs, &options, verb)?;
    Ok(ExitCode::SUCCESS)
}

/// The Pods of a command.
fn chosen(verb: &Logs, pods: &BackgroundPods) -> Result<Vec<Pod>, Failure> {
    let namespace = verb.namespace.name();
    let typed = |object| {
        serde_json::from_value(object).map_err(|error| Failure::because("the Pod", &error))
    };
    match (&verb.pod, &verb.selector) {
        (Some(_), Some(_)) => {
            Err(Failure::kubectl("only a selector (-l) or a POD name is allowed"))
        }
        (None, None) => Err(Failure::kubectl(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a \
             required argument for the logs command",
        )),
        (Some(name), None) => {
            let name = pick::pod_name(name)?;
            Ok(vec![typed(pods.store().get(&Key::new(PODS, namespace, name))?)?])
        }
        (None, Some(selector)) => {
            let labels = selector.parse();
            let labels = labels.map_err(|error: wasmpod_objects::selector::SelectorError| {
                Failure::kubectl(error.to_string())
            })?;
            let selection = Selection { labels, ..Selection::default() };
            let list = pods.store().list(PODS, Namespaces::One(namespace), &selection)?;
            list.items.into_iter().map(typed).collect()
        }
    }
}

fn containers<'verb>(verb: &'verb Logs, pod: &Pod) -> Result<Containers<'verb>, Failure> {
    let named = verb.container.as_deref().or(verb.second.as_deref());
    if verb.all_containers {
        if named.is_some() {
            return Err(Failure::kubectl(
                "--all-containers=true should not be specified with container name",
            ));
        }
        return Ok(Containers::All);
    }
    match named {
        Some(name) => Ok(Containers::One(name)),
        None => {
            if let Some(note) = pick::defaulted(pod) {
                problem::plain(&note);
            }
            Ok(Containers::Default)
        }
    }
}

fn read_options(verb: &Logs) -> Result<ReadOptions, Failure> {
    let since = match (&verb.since, &verb.since_time) {
        (Some(text), _) => {
            let ago = duration::parse(text)?;
            let duration = ago.ok_or_else(|| Failure::kubectl("--since must be greater than 0"))?;
            Some(Since::Ago { now: Timestamp::now(), duration })
        }
        (None, Some(text)) => Some(Since::Time(text.parse().map_err(|_| {
            Failure::kubectl(format!("--since-time {text:?} is no time as RFC 3339 has it"))
        })?)),
        (None, None) => None,
    };
    let tail = match verb.tail {
        Some(-1) => None,
        Some(lines) => Some(
            u64::try_from(lines)
                .map_err(|_| Failure::kubectl("--tail must be greater than or equal to -1"))?,
        ),
        None => verb.selector.as_ref().map(|_| TAIL_OF_SELECTED),
    };
    Ok(ReadOptions {
        tail,
        since,
        limit_bytes: verb.limit_bytes,
        timestamps: verb.timestamps,
        stream: None,
    })
}

/// The file of a run.
fn file(pods: &BackgroundPods, run: &Run) -> std::path::PathBuf {
    let logs = pods.folders().logs();
    wasmpod::logs::LogPath::of_pod(&logs, &run.namespace, &run.pod, &run.uid)
        .of_run(&run.container, run.restart)
}
