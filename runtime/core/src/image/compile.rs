//! From WebAssembly to machine code.
//!
//! Compiling happens in a child process by default: a process that has compiled stays 4 MiB larger
//! for life, and a compiler fed with strangers' code is better kept apart. The child gets one line
//! of JSON on its standard input, answers with one line on its standard output, and ends as soon as
//! its standard input does: so it never outlives whoever asked.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, thread};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::identity::FileIdentity;
use super::kind::{self, KindError, Shape};
use super::profile::{Profile, Reservation};

/// More than any real guest has; a larger file is a mistake (a disk image, `/dev/zero`).
pub(crate) const MOST_IMAGE_BYTES: u64 = 1 << 30;

/// Address space for a compiling child: a module that needs more fails alone, not the host.
const CHILD_ADDRESS_SPACE: u64 = 16 << 30;

/// What is kept of a failed child's last words.
const MOST_STDERR_BYTES: u64 = 4096;

/// Where compiling happens.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// In a child: this program with these arguments must call [`compile_child`] and exit with its
    /// code.
    Child {
        /// The program, usually this one.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
    /// In this process: for embedders without a program to call. Cannot be interrupted.
    InProcess,
}

/// What to compile, and for which engine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) image: PathBuf,
    /// A file that does not exist yet.
    pub(crate) output: PathBuf,
    pub(crate) small_reservation: bool,
}

/// What was compiled: read from the same bytes, whatever has become of the file since.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Compiled {
    pub(crate) digest: String,
    pub(crate) tag: String,
    pub(crate) identity: FileIdentity,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum CompileError {
    /// Not a guest.
    #[error("{0}")]
    Kind(String),
    /// A guest that the compiler refuses.
    #[error("{0}")]
    Invalid(String),
    /// The machine's fault.
    #[error("{0}")]
    Host(String),
    /// Nobody waits for it any more.
    #[error("given up")]
    Cancelled,
}

impl From<KindError> for CompileError {
    fn from(error: KindError) -> Self {
        Self::Kind(error.to_string())
    }
}

/// Ends a compilation early, from another thread.
#[derive(Clone, Default)]
pub(crate) struct Cancel {
    state: Arc<Mutex<CancelState>>,
}

#[derive(Default)]
struct CancelState {
    cancelled: bool,
    /// The child lives as long as this pipe.
    lifeline: Option<ChildStdin>,
}

impl Cancel {
    pub(crate) fn cancel(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cancelled = true;
        state.lifeline = None;
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).cancelled
    }

    fn hold(&self, lifeline: ChildStdin) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.cancelled {
            state.lifeline = Some(lifeline);
        }
    }
}

impl Compiler {
    /// Compiles and writes the code to `request.output`. Blocks.
    pub(crate) fn compile(
        &self,
        request: &Request,
        cancel: &Cancel,
    ) -> Result<Compiled, CompileError> {
        match self {
            Self::Child { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                ask_child(command, request, cancel)
            }
            Self::InProcess => compile(request),
        }
    }
}

fn ask_child(
    mut command: Command,
    request: &Request,
    cancel: &Cancel,
) -> Result<Compiled, CompileError> {
    let host = |what: &str, error: &dyn fmt::Display| {
        CompileError::Host(format!("cannot {what} the compiling process: {error}"))
    };
    let mut child = command
        // A Ctrl-C at the terminal is for whoever asked, not for the child.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| host("start", &error))?;
    let mut lifeline = child.stdin.take().expect("standard input is piped");
    let line = serde_json::to_string(request).expect("a request has no maps") + "\n";
    let asked = lifeline.write_all(line.as_bytes());
    cancel.hold(lifeline);

    let stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    let mut answer = String::new();
    let (read, last_words) = thread::scope(|scope| {
        let last_words = scope.spawn(move || tail(stderr));
        let read = BufReader::new(stdout).read_to_string(&mut answer);
        (read, last_words.join().unwrap_or_default())
    });
    let status = child.wait().map_err(|error| host("wait for", &error))?;
    if cancel.is_cancelled() {
        return Err(CompileError::Cancelled);
    }
    match serde_json::from_str::<Result<Compiled, CompileError>>(&answer) {
        Ok(answer) if status.success() => answer,
        Ok(_) | Err(_) => {
            let broken = asked.err().or(read.err()).map(|error| error.to_string());
            Err(CompileError::Host(describe_end(status, broken, &last_words)))
        }
    }
}

fn describe_end(status: ExitStatus, broken: Option<String>, last_words: &str) -> String {
    let end = match (status.signal(), status.code()) {
        (Some(9), _) => "was killed (out of memory?)".to_owned(),
        (Some(6), _) => "aborted (out of memory?)".to_owned(),
        (Some(signal), _) => format!("ended by signal {signal}"),
        (None, Some(code)) => format!("ended with code {code} and without an answer"),
        (None, None) => "ended without an answer".to_owned(),
    };
    let mut text = format!("the compiling process {end}");
    for detail in [broken.as_deref(), Some(last_words.trim())].into_iter().flatten() {
        if !detail.is_empty() {
            text += ": ";
            text += detail;
        }
    }
    text
}

/// The first of what a failing child says; the rest is read and dropped, so that it never blocks.
fn tail(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = stderr.by_ref().take(MOST_STDERR_BYTES).read_to_end(&mut kept);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

/// The compiling child: what the program of [`Compiler::Child`] calls, before it starts anything
/// else. Reads the request from standard input and answers on standard output.
pub fn compile_child() -> ExitCode {
    limit_address_space();
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line).is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(request) = serde_json::from_str::<Request>(&line) else {
        return ExitCode::FAILURE;
    };
    // Whoever asked holds the other end and writes nothing more: its end is ours.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(1);
    });
    let answer = compile(&request);
    let line = serde_json::to_string(&answer).expect("an answer has no maps");
    let mut stdout = io::stdout().lock();
    match stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn limit_address_space() {
    let limit = getrlimit(Resource::As);
    let current = limit.current.map_or(CHILD_ADDRESS_SPACE, |now| now.min(CHILD_ADDRESS_SPACE));
    // Without it the child still runs, only unbounded.
    let _ = setrlimit(Resource::As, Rlimit { current: Some(current), maximum: limit.maximum });
}

/// Reads, recognises, compiles and writes.
pub(crate) fn compile(request: &Request) -> Result<Compiled, CompileError> {
    let (bytes, identity) = read(&request.image)?;
    let digest = hex(&Sha256::digest(&bytes));
    let wasm = binary(&request.image, bytes)?;
    let shape = kind::shape(&wasm)?;
    let code = precompile(&wasm, shape, request.small_reservation)?;
    write(&request.output, &code).map_err(|error| {
        CompileError::Host(format!("cannot write {}: {error}", request.output.display()))
    })?;
    Ok(Compiled { digest, tag: shape.tag(), identity })
}

fn read(image: &Path) -> Result<(Vec<u8>, FileIdentity), CompileError> {
    let unreadable = |error: io::Error| CompileError::Host(format!("cannot read it: {error}"));
    let file = File::open(image).map_err(unreadable)?;
    let before = FileIdentity::of(&file.metadata().map_err(unreadable)?);
    let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or(0));
    (&file).take(MOST_IMAGE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let after = FileIdentity::of(&file.metadata().map_err(unreadable)?);
    if before != after || before.size != bytes.len() as u64 {
        return Err(CompileError::Host("it was changed while it was read".to_owned()));
    }
    Ok((bytes, before))
}

/// Text format becomes binary; binary stays as it is.
fn binary(image: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, KindError> {
    let named_text = image.extension().is_some_and(|extension| extension == "wat");
    if bytes.starts_with(b"\0asm") || !(named_text || looks_like_text(&bytes)) {
        return Ok(bytes);
    }
    let text = |message: String| KindError::Text { message };
    let source = String::from_utf8(bytes).map_err(|error| text(error.to_string()))?;
    wat::parse_str(&source).map_err(|mut error| {
        error.set_path(image);
        text(error.to_string().trim_end().to_owned())
    })
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    [&b"(module"[..], b"(component"].iter().any(|word| start.starts_with(word))
}

fn precompile(wasm: &[u8], shape: Shape, small: bool) -> Result<Vec<u8>, CompileError> {
    let reservation = if small { Reservation::Small } else { Reservation::Whole };
    let profile = Profile { concurrency: shape.concurrency, reservation };
    let engine = profile
        .compiling()
        .map_err(|error| CompileError::Host(format!("cannot set up the compiler: {error:#}")))?;
    let code = if shape.kind.is_component() {
        engine.precompile_component(wasm)
    } else {
        engine.precompile_module(wasm)
    };
    code.map_err(|error| CompileError::Invalid(format!("{error:#}")))
}

/// Writes and waits for the disk: after a power cut the file must not be half there under its
/// final name.
fn write(output: &Path, code: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(output)?;
    let written = file.write_all(code).and_then(|()| file.sync_data());
    if written.is_err() {
        let _ = std::fs::remove_file(output);
    }
    written
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
