//! Asking a fetching child for an image.
//!
//! What a registry sends is a stranger's: it is read, unpacked from JSON and verified in a process of
//! its own, which has no part of any Pod in it. It writes into the layout that all processes share.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::sleep;
use wasmpod_images::fetch::{FetchError, FetchErrorKind, Fetched, Message, Progress, Request};

use super::child_program::ChildProgram;

/// The name of its program in memory, and of the file that stands for it where that cannot be.
const NAME: &str = "registry";

/// What is kept of a failed child's last words.
const MOST_STDERR_BYTES: u64 = 4096;

/// More than any of its lines has: a longer one is none of its own.
const LONGEST_LINE: u64 = 1 << 20;

/// How often a program that is busy is tried again, and after what time: five seconds in all.
const BUSY_TRIES: u32 = 500;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Where images of registries are fetched.
#[derive(Clone, Debug)]
pub enum Fetcher {
    /// In a child, which must be a fetching one (`fetch_child` of the crate `wasmpod-registry`).
    Child(ChildProgram),
    /// Nowhere: only what is here runs.
    Nowhere,
}

impl Fetcher {
    /// Has the child do as `request` says, and tells what comes of it meanwhile.
    ///
    /// # Errors
    /// [`FetchError`]
    ///
    /// # Cancel safety
    /// Dropping it ends the child; what has come is gone on with the next time.
    pub async fn fetch(
        &self,
        request: &Request,
        mut tell: impl FnMut(Progress),
    ) -> Result<Fetched, FetchError> {
        let Self::Child(program) = self else {
            let message = "nothing here fetches images from registries".to_owned();
            return Err(FetchError { kind: FetchErrorKind::Host, message });
        };
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let elsewhere = folder(request).join(format!(".{NAME}-{}-{count}", std::process::id()));
        let (command, _held) = program
            .command(NAME, &elsewhere)
            .map_err(|error| host("cannot make the fetching process", &error))?;
        let mut command = Command::from(command);
        // A Ctrl-C at the terminal is for whoever asked, not for the child.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = start(&mut command)
            .await
            .map_err(|error| host("cannot start the fetching process", &error))?;
        converse(&mut child, request, &mut tell).await
    }
}

/// A program that was written a moment ago counts as busy while a child of another thread still has it
/// open for writing.
async fn start(command: &mut Command) -> io::Result<Child> {
    let mut tries = BUSY_TRIES;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries > 0 => {
                tries -= 1;
                sleep(BUSY_PAUSE).await;
            }
            started => return started,
        }
    }
}

async fn converse(
    child: &mut Child,
    request: &Request,
    tell: &mut impl FnMut(Progress),
) -> Result<Fetched, FetchError> {
    // Held to the end: the child lives as long as this pipe.
    let mut lifeline = child.stdin.take().expect("standard input is piped");
    let stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    let line = serde_json::to_string(request).expect("a request has no maps with odd keys") + "\n";
    // One that is gone already says why below.
    let _ = lifeline.write_all(line.as_bytes()).await;
    let mut last_words = String::new();
    let mut words = stderr.take(MOST_STDERR_BYTES);
    let (answer, _) = tokio::join!(answer(stdout, tell), words.read_to_string(&mut last_words));
    match answer {
        Ok(Some(answer)) => answer,
        ended => {
            let status = child.wait().await.ok();
            let broken = ended.err().map(|error| error.to_string());
            Err(FetchError {
                kind: FetchErrorKind::Host,
                message: describe_end(status, broken.as_deref(), last_words.trim()),
            })
        }
    }
}

/// Its last line; nothing if it has ended without.
async fn answer(
    stdout: ChildStdout,
    tell: &mut impl FnMut(Progress),
) -> io::Result<Option<Result<Fetched, FetchError>>> {
    let mut lines = BufReader::new(stdout);
    loop {
        let mut line = String::new();
        if (&mut lines).take(LONGEST_LINE).read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match serde_json::from_str(&line)? {
            Message::Progress(progress) => tell(progress),
            Message::Done(answer) => return Ok(Some(answer)),
        }
    }
}

/// Where it works.
fn folder(request: &Request) -> &Path {
    match request {
        Request::Pull { layout, .. } | Request::Push { layout, .. } => layout,
    }
}

fn describe_end(status: Option<ExitStatus>, broken: Option<&str>, last_words: &str) -> String {
    let mut text = match status {
        Some(status) => format!("the fetching process ended without an answer ({status})"),
        None => "the fetching process ended without an answer".to_owned(),
    };
    for detail in [broken, Some(last_words)].into_iter().flatten().filter(|text| !text.is_empty()) {
        text += ": ";
        text += detail;
    }
    text
}

fn host(what: &str, error: &io::Error) -> FetchError {
    FetchError { kind: FetchErrorKind::Host, message: format!("{what}: {error}") }
}
