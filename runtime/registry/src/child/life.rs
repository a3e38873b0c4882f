//! The process: its limits, its request, its end.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::mem;
use std::os::fd::AsFd as _;
use std::process::{self, ExitCode};
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::runtime::Builder;
use wasmpod_images::fetch::{FetchError, FetchErrorKind, Fetched, Message, Request};
use wasmpod_images::reference::Reference;

use super::confine::confine;
use super::report::Report;
use super::work::{self, Job};
use crate::credentials::Keyring;

/// Address space for the child: a registry that makes it need more ends it alone. Threads take most of
/// what it needs, for their stacks and arenas.
const ADDRESS_SPACE: u64 = 2 << 30;

/// Files are read and written on so many threads, whose arenas must have room in [`ADDRESS_SPACE`]:
/// more than the layers that come at a time, each of which has one for itself.
const FILE_THREADS: usize = 8;

/// A request has some Secrets in it, of which Kubernetes takes none over 1 MiB.
const MOST_REQUEST_BYTES: u64 = 64 << 20;

/// The fetching child: what the program that a [`Request`] is sent to calls, before it starts anything
/// else. Reads the request from standard input and answers on standard output, and ends when either is
/// closed.
pub fn fetch_child() -> ExitCode {
    offer_to_oom_killer();
    bound(Resource::As, ADDRESS_SPACE);
    // A dump would have passwords in it.
    bound(Resource::Core, 0);
    let mut line = String::new();
    if io::stdin().lock().take(MOST_REQUEST_BYTES).read_line(&mut line).is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(request) = serde_json::from_str::<Request>(&line) else {
        return ExitCode::FAILURE;
    };
    drop(line);
    let answer = work::prepare(request).and_then(fetch);
    let line = serde_json::to_string(&Message::Done(answer)).expect("an answer has no maps");
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Nothing starts a thread before the child is confined: it would not be.
fn fetch(mut job: Job) -> Result<Fetched, FetchError> {
    let host = |error: io::Error| FetchError::new(FetchErrorKind::Host, error.to_string());
    if job.keyring.has_helpers() {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(host)?;
        let settling = settle(mem::take(&mut job.keyring), &job.reference);
        job.keyring = runtime.block_on(settling).map_err(host)?;
    }
    // Without it the child still fetches: what it reads, it reads with care.
    let _ = confine(job.layout.folder(), job.config.files());
    // Whoever asked holds the other end and writes nothing more: its end is ours.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        process::exit(1);
    });
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(FILE_THREADS).build().map_err(host)?;
    let report = Report::start();
    let answer = runtime.block_on(job.carry_out(&|progress| report.tell(progress)));
    report.finish();
    answer
}

/// Asks the programs that know who we are.
///
/// # Errors
/// Whoever asked does not wait any more.
async fn settle(keyring: Keyring, reference: &Reference) -> io::Result<Keyring> {
    // On no thread of its own. Where it is no pipe, nobody can close it.
    let lifeline = io::stdin().as_fd().try_clone_to_owned()?;
    let Ok(mut lifeline) = Receiver::from_owned_fd(lifeline) else {
        return Ok(keyring.settled(reference).await);
    };
    let ended = async { while matches!(lifeline.read(&mut [0; 64]).await, Ok(1..)) {} };
    let settled = tokio::select! {
        settled = keyring.settled(reference) => Some(settled),
        () = ended => None,
    };
    // As it was, for the thread that waits for its end next.
    lifeline.into_blocking_fd()?;
    settled.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// When memory is short the kernel is to end this process, not who asked.
fn offer_to_oom_killer() {
    // Raising it needs no privilege. Without /proc the child still runs.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

fn bound(resource: Resource, most: u64) {
    let limit = getrlimit(resource);
    let current = limit.current.map_or(most, |now| now.min(most));
    // Without it the child still runs, only unbounded.
    let _ = setrlimit(resource, Rlimit { current: Some(current), maximum: limit.maximum });
}
