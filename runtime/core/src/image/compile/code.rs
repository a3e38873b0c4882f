//! The work itself: reads an image, recognises it, compiles it, writes the code.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
use sha2::{Digest, Sha256};

use super::confine::confine;
use super::description::Description;
use super::request::{CompileError, Compiled, MOST_IMAGE_BYTES, Request, Task};
use super::{describe, improve, quick};
use crate::image::digest::hex;
use crate::image::identity::FileIdentity;
use crate::image::kind::{KindError, Shape};
use crate::image::profile::{Metering, Profile, Reservation};
use crate::image::recognise;
use crate::resources::cgroup::leave_pod;
use crate::resources::machine_memory;

/// Address space for a compiling child, half of the machine's memory within these bounds: a module that needs
/// more fails alone, not the host.
const LEAST_ADDRESS_SPACE: u64 = 2 << 30;
const MOST_ADDRESS_SPACE: u64 = 16 << 30;

/// For a file that a guest may have made: a tenth of the share of others, so that a busy machine
/// still comes to it.
const NICENESS: i32 = 10;

/// The compiling child: what the program of [`Compiler::Child`](super::Compiler::Child) calls, before it starts anything
/// else. Reads the request from standard input and answers on standard output.
pub fn compile_child() -> ExitCode {
    leave_pod();
    offer_to_oom_killer();
    limit_address_space();
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line).is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(task) = serde_json::from_str::<Task>(&line) else {
        return ExitCode::FAILURE;
    };
    limit_cpu_time(task.most_cpu_seconds());
    // Before it has another thread: they inherit it.
    match &task {
        Task::Compile(request) => {
            if request.behind {
                give_way();
            }
            confine(&request.image, Some(&request.output));
        }
        Task::Describe { image } => {
            confine(image, None);
        }
        // It reads nothing of the image: its own child does.
        Task::Improve(improvement) => {
            give_way();
            improve::carry_out(improvement);
            return ExitCode::SUCCESS;
        }
    }
    // Whoever asked holds the other end and writes nothing more: its end is ours.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(1);
    });
    let answer = match &task {
        Task::Compile(request) => serde_json::to_string(&compile(request)),
        Task::Describe { image } => serde_json::to_string(&describe(image)),
        Task::Improve(_) => return ExitCode::FAILURE,
    };
    let line = answer.expect("an answer has no maps");
    let mut stdout = io::stdout().lock();
    match stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// When memory is short the kernel is to end this process, not the Pod that asked or its neighbours.
fn offer_to_oom_killer() {
    // Raising it needs no privilege. Without /proc the child still runs.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Behind everything else on the machine: no limit of the container counts here.
fn give_way() {
    let _ = nice(NICENESS);
}

fn limit_cpu_time(seconds: u64) {
    limit(Resource::Cpu, seconds);
}

fn limit_address_space() {
    let bytes = machine_memory() / 2;
    limit(Resource::As, bytes.clamp(LEAST_ADDRESS_SPACE, MOST_ADDRESS_SPACE));
}

fn limit(resource: Resource, most: u64) {
    let Rlimit { current, maximum } = getrlimit(resource);
    let current = current.map_or(most, |now| now.min(most));
    // Without it the child still runs, only unbounded.
    let _ = setrlimit(resource, Rlimit { current: Some(current), maximum });
}

/// Reads, recognises, compiles and writes.
pub(super) fn compile(request: &Request) -> Result<Compiled, CompileError> {
    let bytes = read(&request.image)?;
    let digest = hex(&Sha256::digest(&bytes));
    let wasm = binary(&request.image, bytes)?;
    let shape = recognise::shape(&wasm)?;
    let profile = profile(shape, request);
    let quick = || panic::catch_unwind(|| quick::compile(&wasm, shape, profile)).ok().flatten();
    let quick = if request.may_be_quick { quick() } else { None };
    let is_quick = quick.is_some();
    let code = match quick {
        Some(code) => code,
        None => precompile(&wasm, shape, profile, !request.behind)?,
    };
    write(&request.output, &code).map_err(|error| {
        CompileError::Host(format!("cannot write {}: {error}", request.output.display()))
    })?;
    Ok(Compiled { digest, tag: shape.tag(), is_quick })
}

/// Reads the outline.
pub(super) fn describe(image: &Path) -> Result<Description, CompileError> {
    Ok(describe::describe(&binary(image, read(image)?)?)?)
}

fn read(image: &Path) -> Result<Vec<u8>, CompileError> {
    let unreadable = |error: io::Error| CompileError::Host(format!("cannot read it: {error}"));
    let file = File::open(image).map_err(unreadable)?;
    let before = FileIdentity::of(&file.metadata().map_err(unreadable)?);
    let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or(0));
    (&file).take(MOST_IMAGE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let after = FileIdentity::of(&file.metadata().map_err(unreadable)?);
    if before != after || before.size != bytes.len() as u64 {
        return Err(CompileError::Host("it was changed while it was read".to_owned()));
    }
    Ok(bytes)
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

fn profile(shape: Shape, request: &Request) -> Profile {
    let reservation =
        if request.small_reservation { Reservation::Small } else { Reservation::Whole };
    let metering = if request.fuel { Metering::Fuel } else { Metering::Epochs };
    Profile { concurrency: shape.concurrency, reservation, metering }
}

fn precompile(
    wasm: &[u8],
    shape: Shape,
    profile: Profile,
    parallel: bool,
) -> Result<Vec<u8>, CompileError> {
    let engine = profile
        .compiling(parallel)
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
