//! Several Pods, or one in a cgroup: a process for each, started and watched by this one, which shows
//! all their logs, says what the kernel has done to one of them, and ends when the last has ended.
//!
//! The first Ctrl-C or SIGTERM stops every Pod gracefully, the second ends them at once. A Pod
//! process that outlives this one is stopped by the kernel's parent-death signal.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wasmpod_node::handover::Handover;

use super::bundle::{Bundle, Events};
use super::cgroup;
use super::interrupt::{Interrupt, Interrupts, Signals};
use crate::failure::Failure;
use crate::print::problem;

/// Runs every bundle in a process of its own; gives the code of the Pod that failed first.
///
/// # Errors
/// A process cannot be started. Those that were started are stopped then.
pub(super) async fn run(bundles: Vec<Bundle>, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let mut interrupts = Interrupts::listen(Signals::All)?;
    let quiet = bundles.iter().all(|bundle| bundle.show.events == Events::None);
    let stopping = match bundles.len() {
        1 => "stopping; Ctrl-C again ends it at once",
        _ => "stopping every Pod; Ctrl-C again ends them at once",
    };
    let (stop, stops) = watch::channel(());
    let mut ends = JoinSet::new();
    for bundle in bundles {
        let (child, stops) = (start(&bundle, root)?, stops.clone());
        ends.spawn(async move {
            let status = end(child, stops).await;
            (status, bundle)
        });
    }

    let mut first_failure = None;
    let mut interrupted = None;
    loop {
        tokio::select! {
            biased;
            interrupt = interrupts.next() => {
                let first = interrupted.is_none();
                interrupted.get_or_insert(interrupt);
                if interrupt == Interrupt::ReaderGone {
                    // The Pods' processes see it themselves.
                    continue;
                }
                // The Pod's process counts: its second signal ends it at once.
                stop.send_replace(());
                if first && interrupt == Interrupt::CtrlC && !quiet {
                    tell_on_a_thread(stopping);
                }
            }
            end = ends.join_next() => {
                let Some(end) = end else { break };
                let code = match end {
                    Ok((Ok(status), bundle)) => {
                        cgroup::settle(&bundle, status);
                        exit_code(status)
                    }
                    Ok((Err(_), _)) | Err(_) => Failure::EXIT_CODE,
                };
                if code != 0 {
                    first_failure.get_or_insert(code);
                }
            }
        }
    }
    Ok(match interrupted {
        Some(interrupt) => interrupt.exit_code(),
        None => first_failure.unwrap_or(0).into(),
    })
}

/// As a shell has it: of a process that a signal has ended, 128 and its number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(Failure::EXIT_CODE)
}

/// On a thread that nobody waits for: a terminal that is stopped must not hold up the stop.
fn tell_on_a_thread(text: &'static str) {
    let tell = move || problem::note(text);
    // Without a thread nothing is said, and all the same done.
    drop(std::thread::Builder::new().stack_size(128 << 10).spawn(tell));
}

/// Waits for the end of a Pod's process; each change of `stops` is one SIGTERM to it.
async fn end(mut child: Child, mut stops: watch::Receiver<()>) -> std::io::Result<ExitStatus> {
    loop {
        tokio::select! {
            biased;
            status = child.wait() => return status,
            Ok(()) = stops.changed() => terminate(&child),
        }
    }
}

/// A process that was waited for has no id here any more: no stranger who got its number is hit.
fn terminate(child: &Child) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        // It may have ended in this moment.
        let _ = kill_process(pid, Signal::TERM);
    }
}

fn start(bundle: &Bundle, root: Option<&Path>) -> Result<Child, Failure> {
    let pod = bundle.name();
    let failed =
        |error: std::io::Error| Failure::because(format!("cannot start the Pod {pod}"), &error);
    let handover = Handover::new(bundle).map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    if let Some(root) = root {
        command.arg("--root").arg(root);
    }
    command.arg("pod-process").arg(handover.path());
    if bundle.show.events == Events::None {
        command.arg("--quiet");
    }
    // Only one container of all may read standard input; see `bundle`.
    command.stdin(if bundle.stdin.is_some() { Stdio::inherit() } else { Stdio::null() });
    command.kill_on_drop(true);
    command.spawn().map_err(failed)
}
