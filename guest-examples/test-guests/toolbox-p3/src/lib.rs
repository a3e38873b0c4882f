//! Deeds on demand, for tests, by the interfaces of WASI 0.3 alone; `toolbox` has the same words for
//! 0.1 and 0.2.
//!
//! | words | deed |
//! |---|---|
//! | `cat` | copies standard input to standard output |
//! | `env` | prints arguments, environment and working directory |
//! | `exit N` | ends with exit code N |
//! | `http-get URL` | prints status and body, by `wasi:http/client` |
//! | `list FOLDER`, `read FILE`, `write FILE TEXT` | as they say, by absolute paths |
//! | `resolve NAME` | prints the addresses of NAME, one a line |
//! | `sleep SECONDS` | sleeps, then prints `slept` |
//! | `tcp-echo ADDRESS COUNT` | echoes on COUNT connections, one after the other |
//! | `tcp-send ADDRESS TEXT` | sends TEXT, ends its direction, prints what comes back |
//! | `udp-echo ADDRESS COUNT` | sends COUNT datagrams back |
//! | `udp-send ADDRESS TEXT` | sends TEXT until something comes back, prints that |
//!
//! Exit code 0 when the deed was done, 1 with a line on standard error when it failed.

mod files;
mod http;
mod net;
mod stdio;

use std::fmt::Debug;

use wasip3::cli::{environment, exit};
use wasip3::clocks::monotonic_clock;

use stdio::{print, report};

type Outcome = Result<(), String>;

const SECOND: u64 = 1_000_000_000; // nanoseconds

struct Toolbox;

wasip3::cli::command::export!(Toolbox);

impl wasip3::exports::cli::run::Guest for Toolbox {
    async fn run() -> Result<(), ()> {
        let arguments = environment::get_arguments();
        let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
        match deed(&words).await {
            Ok(()) => Ok(()),
            Err(problem) => {
                report(&format!("error: {problem}\n")).await;
                Err(())
            }
        }
    }
}

async fn deed(words: &[&str]) -> Outcome {
    match *words {
        ["cat"] => stdio::cat().await,
        ["env"] => print_environment().await,
        ["exit", code] => {
            exit::exit_with_code(code.parse().map_err(text)?);
            Ok(())
        }
        ["http-get", url] => http::get(url).await,
        ["list", folder] => files::list(folder).await,
        ["read", file] => files::read(file).await,
        ["resolve", name] => net::resolve(name).await,
        ["sleep", seconds] => {
            monotonic_clock::wait_for(seconds.parse::<u64>().map_err(text)? * SECOND).await;
            print("slept\n").await
        }
        ["tcp-echo", address, count] => net::tcp_echo(address, count.parse().map_err(text)?).await,
        ["tcp-send", address, said] => net::tcp_send(address, said).await,
        ["udp-echo", address, count] => net::udp_echo(address, count.parse().map_err(text)?).await,
        ["udp-send", address, said] => net::udp_send(address, said).await,
        ["write", file, content] => files::write(file, content).await,
        _ => Err(format!("toolbox-p3 does not know: {}", words.join(" "))),
    }
}

async fn print_environment() -> Outcome {
    let mut lines = String::new();
    for (index, argument) in environment::get_arguments().iter().enumerate() {
        lines += &format!("argument {index}: {argument}\n");
    }
    let mut variables = environment::get_environment();
    variables.sort();
    for (name, value) in variables {
        lines += &format!("{name}={value}\n");
    }
    let folder = environment::get_initial_cwd().unwrap_or_else(|| String::from("none"));
    lines += &format!("working directory: {folder}\n");
    print(&lines).await
}

/// An error of WASI as text: its enums have no other.
fn text(error: impl Debug) -> String {
    format!("{error:?}")
}
