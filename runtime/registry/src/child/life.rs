//! The process: its limits, its request, its end.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::process::ExitCode;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmpod_images::fetch::{Message, Request};

use super::report::Report;
use super::work;

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
    // Whoever asked holds the other end and writes nothing more: its end is ours.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(1);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(FILE_THREADS)
        .build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let report = Report::start();
    let answer = runtime.block_on(work::carry_out(request, &|progress| report.tell(progress)));
    report.finish();
    let line = serde_json::to_string(&Message::Done(answer)).expect("an answer has no maps");
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
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
