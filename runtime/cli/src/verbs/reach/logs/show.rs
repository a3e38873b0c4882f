//! From the files of runs to standard output.

use std::io;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use wasmpod::logs::{Follower, LogStream, ReadOptions};
use wasmpod_node::background::{BackgroundPods, ProcessLock};
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;

use super::file;
use super::pick::{self, Run};
use crate::args::Logs;
use crate::failure::Failure;
use crate::print::out;

/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How often its Pod is: a look reads an object.
const LOOKS_A_POD: u32 = 10;

/// One log, as far as it was shown.
struct Tail<'run> {
    run: &'run Run,
    follower: Follower,
    /// What each line begins with.
    prefix: String,
    is_over: bool,
}

/// Shows the logs one after the other; with `--follow` all of them as they grow, to their ends.
///
/// # Errors
/// A file cannot be read.
pub(super) fn show(
    pods: &BackgroundPods,
    runs: &[Run],
    options: &ReadOptions,
    verb: &Logs,
) -> Result<(), Failure> {
    let mut tails = Vec::new();
    for run in runs {
        let path = file(pods, run);
        let follower = Follower::open(&path, options.clone())
            .map_err(|error| Failure::because(path.display(), &error))?;
        let prefix = match verb.prefix {
            true => format!("[pod/{}/{}] ", run.pod, run.container),
            false => String::new(),
        };
        let mut tail = Tail { run, follower, prefix, is_over: false };
        tail.more()?;
        tails.push(tail);
    }
    if !verb.follow {
        return Ok(());
    }
    let mut looks = 0_u32;
    while tails.iter().any(|tail| !tail.is_over) && !out::is_closed() {
        let looks_at_pods = looks.is_multiple_of(LOOKS_A_POD);
        looks = looks.wrapping_add(1);
        for tail in tails.iter_mut().filter(|tail| !tail.is_over) {
            // Before the look at its file: what is written before the end is shown.
            let is_over = looks_at_pods && has_ended(pods, tail.run);
            tail.more()?;
            tail.is_over = is_over;
        }
        if tails.iter().any(|tail| !tail.is_over) {
            std::thread::sleep(LOOK);
        }
    }
    Ok(())
}

impl Tail<'_> {
    fn more(&mut self) -> Result<(), Failure> {
        let prefix = self.prefix.as_bytes();
        let mut print = |_: LogStream, line: &[u8]| -> io::Result<()> {
            if !prefix.is_empty() {
                out::bytes(prefix);
            }
            out::bytes(line);
            Ok(())
        };
        let read = self.follower.read_more(&mut print);
        read.map(drop).map_err(|error| Failure::because("the log", &error))
    }
}

/// Whether a run is over: its Pod is gone, or has another run of the container, or none.
fn has_ended(pods: &BackgroundPods, run: &Run) -> bool {
    let key = Key::new(PODS, &run.namespace, &run.pod);
    let Ok(object) = pods.store().get(&key) else { return true };
    let Ok(pod) = serde_json::from_value::<Pod>(object) else { return true };
    if pod.metadata.uid.as_deref() != Some(&run.uid) {
        return true;
    }
    let Some(status) = pick::status(&pod, &run.container) else { return false };
    let is_running = status.state.as_ref().is_some_and(|state| state.running.is_some());
    let count = u32::try_from(status.restart_count).unwrap_or(0);
    // A process that was killed has told nobody.
    count != run.restart || !is_running || !ProcessLock::is_held(pods.folders(), &run.uid)
}
