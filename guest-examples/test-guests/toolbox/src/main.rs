//! Good and bad behaviour on demand, for tests: one program with a word for each deed, built as a
//! WASI 0.1 module and as a WASI 0.2 component. What an interface lacks is an error, not a trap.
//!
//! `toolbox WORD ARGUMENT...`; exit code 0 when the deed was done, 1 with a line on standard error when
//! it failed, 2 for a word or arguments that it does not know.

mod files;
mod ipc;
mod net;
mod process;
mod stdio;
mod trouble;

use std::env;
use std::process::ExitCode;

/// What a deed comes to.
type Outcome = Result<(), Failure>;
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let known = process::deed(&words)
        .or_else(|| stdio::deed(&words))
        .or_else(|| files::deed(&words))
        .or_else(|| ipc::deed(&words))
        .or_else(|| net::deed(&words))
        .or_else(|| trouble::deed(&words));
    match known {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("toolbox does not know: {}", words.join(" "));
            ExitCode::from(2)
        }
    }
}
