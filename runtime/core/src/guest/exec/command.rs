//! One command, from its words to its exit code.

use std::path::Path;

use super::loader::Loader;
use super::{export, file, tools};
use crate::guest::program::Program;
use crate::guest::run::{self, GuestHost, RunSpec};
use crate::guest::spawn::{self, Interrupts};
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
/// Nobody asks a command to stop: drop the future to end one. Of Ctrl-C it is told by `interrupts`.
///
/// # Cancel safety
/// Dropping it at any await frees everything that the command held. What `loader` has begun goes on.
pub async fn exec(
    program: Program,
    loader: Loader,
    host: GuestHost,
    spec: RunSpec,
    command: Vec<String>,
    interrupts: Interrupts,
) -> Exit {
    let Some(word) = command.first().cloned() else {
        return not_found("an empty command", &program, &loader, &spec).await;
    };
    match resolve(&program, &loader, &spec, &word).await {
        Ok(Some(found)) => match found.script(&loader, &spec, &command).await {
            Some((toolbox, command)) => {
                spawn::run(toolbox, program, loader, host, spec, command, &interrupts).await
            }
            None => found.run(program, &loader, host, spec, command).await,
        },
        Ok(None) => match tools::find(&loader, &spec, &word).await {
            Ok(Some(toolbox)) => {
                spawn::run(toolbox, program, loader, host, spec, command, &interrupts).await
            }
            Ok(None) => not_found(&format!("{word:?}"), &program, &loader, &spec).await,
            Err(problem) => not_executable(problem),
        },
        Err(problem) => not_executable(problem),
    }
}

/// What a container itself has of a name.
pub(in crate::guest) struct Found(Kind);

enum Kind {
    Export(export::Export),
    File(file::Found),
    Itself,
}

/// What the container of `program` has of the name `word`, if anything.
///
/// # Errors
/// Why it is not known, or that it is there and cannot be run.
///
/// # Cancel safety
/// Safe: it looks and leaves nothing.
pub(in crate::guest) async fn resolve(
    program: &Program,
    loader: &Loader,
    spec: &RunSpec,
    word: &str,
) -> Result<Option<Found>, String> {
    if let Some(export) = export::find(&program.shared.entry, word)? {
        return Ok(Some(Found(Kind::Export(export))));
    }
    match file::find(loader.blocking(), spec, word).await {
        Ok(Some(found)) => Ok(Some(Found(Kind::File(found)))),
        Ok(None) | Err(_) if is_itself(word, spec) && program.kind().is_command() => {
            Ok(Some(Found(Kind::Itself)))
        }
        Ok(None) => Ok(None),
        Err(problem) => Err(problem),
    }
}

impl Found {
    /// The toolbox and a command line for it, if this is a script that one of the tools reads.
    async fn script(
        &self,
        loader: &Loader,
        spec: &RunSpec,
        command: &[String],
    ) -> Option<(Program, Vec<String>)> {
        let Kind::File(file) = &self.0 else { return None };
        let (interpreter, path) = file.script()?;
        // What is wrong with the toolbox is told where nothing else answers.
        let toolbox = tools::find(loader, spec, &interpreter).await.ok()??;
        let words = [interpreter, path].into_iter().chain(command.iter().skip(1).cloned());
        Some((toolbox, words.collect()))
    }

    /// Runs it in the container of `program`, with the words of `command`.
    ///
    /// # Cancel safety
    /// As [`exec`].
    pub(in crate::guest) async fn run(
        self,
        program: Program,
        loader: &Loader,
        host: GuestHost,
        spec: RunSpec,
        command: Vec<String>,
    ) -> Exit {
        match self.0 {
            Kind::Export(_) if command.len() > 1 => {
                not_executable(format!("the export {:?} takes no arguments", command[0]))
            }
            Kind::Export(export) => call(&program, host, spec, export).await,
            Kind::File(found) => match found.program(loader).await {
                Ok(found) => run_program(found, host, spec, command).await,
                Err(problem) => not_executable(problem),
            },
            Kind::Itself => run_program(program, host, spec, command).await,
        }
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
    let tools = if loader.has_toolbox() { "; the toolbox has sh, ls, cat and others" } else { "" };
    let message =
        format!("{what}: not found; the program exports {exported}{itself}{on_path}{tools}");
    Exit::with_code(NOT_FOUND).with_message(Some(message))
}
