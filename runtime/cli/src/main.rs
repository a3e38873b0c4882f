//! `wasmpod`: reads the command line, calls the verb, ends with a code that scripts can use.

mod args;
mod failure;
mod print;
mod process;
mod verbs;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{CommandLine, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    process::raise_file_limit();
    process::keep_freed_memory();
    process::look_up_names_without_plugins();
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return usage(&error),
    };
    if !line.verb.is_quiet() {
        log_warnings();
    }
    let result = match line.verb {
        Verb::Run(run) => verbs::run::run(*run, line.root.as_deref()),
        Verb::Validate(validate) => verbs::validate::validate(&validate),
        Verb::Explain(explain) => verbs::explain::explain(&explain),
        Verb::Completion(completion) => verbs::completion::completion(&completion),
        Verb::CompileCode => Ok(verbs::compile_code::compile_code()),
        Verb::PodProcess(process) => {
            verbs::pod_process::pod_process(&process, line.root.as_deref())
        }
    };
    result.unwrap_or_else(|failure| failure.report())
}

/// Help and version go to standard output and succeed; a mistake is our own error, 125.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() || printed.is_err() {
        Failure::EXIT_CODE.into()
    } else {
        ExitCode::SUCCESS
    }
}

/// What the library has to say beside events: on standard error, from warnings on.
fn log_warnings() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .init();
}
