//! `wasmpod`: reads the command line, calls the verb, ends with a code that scripts can use.

mod args;
mod compiler;
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
        print::warnings::show();
    }
    let result = match line.verb {
        Verb::Run(run) => verbs::run::run(*run, line.root.as_deref()),
        Verb::Validate(validate) => verbs::validate::validate(&validate),
        Verb::Explain(explain) => verbs::explain::explain(&explain),
        Verb::Completion(completion) => verbs::completion::completion(&completion),
        #[cfg(feature = "compiler")]
        Verb::CompileCode => Ok(wasmpod::image::compile_child()),
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
