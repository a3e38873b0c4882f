//! One command, from its words to its exit code.

use std::path::Path;

use super::loader::Loader;
use super::{export, file};
use crate::guest::program::Program;
use crate::guest::run::{self, GuestHost, RunSpec};
use crate::lifecycle::Exit;
use crate::sandbox::Stop;

/// Nothing of that name, as a shell has it.
const NOT_FOUND: i32 = 127;
/// It is there and cannot be run.
const NOT_EXECUTABLE: i32 = 126;

/// Bytes that a function may hand to the host at once: the reason of a failure.
const ANSWER: usize = 64 << 10;

/// Runs `command` beside a run of `program`, whose own command line `spec` holds.
///
/// Nobody asks a command to stop: drop the future to end one.
///
/// # Cancel safety
/// Dropping it at any await frees everything that the command held. What `loader` has begun goes on.
pub async fn exec(
    program: Program,
    loader: Loader,
    host: GuestHost,
    spec: RunSpec,
    command: Vec<String>,
) -> Exit {
    let Some(word) = command.first().cloned() else {
        return not_found("an empty command", &program, &loader, &spec).await;
    };
    match export::find(&program.shared.entry, &word) {
        Ok(Some(_)) if command.len() > 1 => {
            not_executable(format!("the export {word:?} takes no arguments"))
        }
        Ok(Some(export)) => call(&program, host, spec, export).await,
        Ok(None) => match file::find(loader.blocking(), &spec, &word).await {
            Ok(Some(found)) => match found.program(&loader).await {
                Ok(found) => run_program(found, host, spec, command).await,
                Err(problem) => not_executable(problem),
            },
            Ok(None) | Err(_) if is_itself(&word, &spec) && program.kind().is_command() => {
                run_program(program, host, spec, command).await
            }
            Ok(None) => not_found(&format!("{word:?}"), &program, &loader, &spec).await,
            Err(problem) => not_executable(problem),
        },
        Err(problem) => not_executable(problem),
    }
}

async fn call(program: &Program, host: GuestHost, spec: RunSpec, export: export::Export) -> Exit {
    let endpoint = host.endpoint.clone();
    let _place = program.place_for_command().await;
    let exit = match run::start(program, host, spec, &Stop::default()) {
        Ok(mut store) => {
            store.set_hostcall_fuel(ANSWER);
            let ended = export::call(&mut store, &program.shared.entry, export).await;
            ended.unwrap_or_else(|failure| failure.into_exit(&store))
        }
        Err(error) => error.into(),
    };
    endpoint.end();
    exit
}

async fn run_program(
    program: Program,
    host: GuestHost,
    spec: RunSpec,
    command: Vec<String>,
) -> Exit {
    run::run(program, host, RunSpec { argv: command, ..spec }, Stop::default()).await
}

fn is_itself(word: &str, spec: &RunSpec) -> bool {
    let Some(own) = spec.argv.first() else { return false };
    word == own || Path::new(own).file_name().is_some_and(|name| name == word)
}

fn not_executable(problem: String) -> Exit {
    Exit::with_code(NOT_EXECUTABLE).with_message(Some(problem))
}

async fn not_found(what: &str, program: &Program, loader: &Loader, spec: &RunSpec) -> Exit {
    let exported = match &export::names(&program.shared.entry)[..] {
        [] => "no functions that can be called".to_owned(),
        names => names.join(", "),
    };
    let on_path = match &file::names(loader, spec).await[..] {
        [] => String::new(),
        names => format!("; on the PATH there is {}", names.join(", ")),
    };
    let itself = match spec.argv.first().filter(|_| program.kind().is_command()) {
        Some(own) => format!("; as {own:?} it runs itself"),
        None => String::new(),
    };
    let message = format!("{what}: not found; the program exports {exported}{itself}{on_path}");
    Exit::with_code(NOT_FOUND).with_message(Some(message))
}
