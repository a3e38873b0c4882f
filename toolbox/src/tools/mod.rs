//! The tools: what a person types who looks into a Pod.
//!
//! Each is a function of its own over the streams that it is given, so that a shell can run it with or
//! without a process. Their options are those of POSIX and the few of others that everybody uses. They
//! are our own code: `cat`, `ls` and `sort` of uutils alone come to 3.4 MB of WebAssembly, and every
//! process has a memory of its own for what such a module keeps in its data.

mod arguments;
mod compare;
mod copy;
mod count;
mod encode;
mod expression;
mod files;

mod format;
mod grep;
mod gzip;
mod http;
mod lines;
mod list;
mod network;
mod order;
mod regex;
mod search;
mod sed;
mod state;
mod system;
mod table;
mod tar;
mod texts;
mod time;
mod xargs;

use std::io::{self, Write as _};

pub(crate) use arguments::Options;
pub(crate) use expression::test;
pub(crate) use list::columns;
pub(crate) use table::{Tool, all, find};

use crate::io::Streams;

/// A tool that runs.
pub(crate) struct Call<'call> {
    /// The command line; the first is the tool's name.
    pub(crate) words: &'call [String],
    pub(crate) env: &'call [(String, String)],
    pub(crate) io: &'call mut Streams,
}

/// What a tool comes to.
pub(crate) type Outcome = Result<i32, Failure>;

/// Why a tool gives up.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Reading standard input or writing: with `BrokenPipe` it ends silently.
    Io(io::Error),
    /// What it says.
    Said(String),
    /// It was called wrongly.
    Usage(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Call<'_> {
    /// Says that something went wrong with a file, and goes on.
    pub(crate) fn complain(&mut self, path: &str, error: &io::Error) {
        let name = crate::base_name(&self.words[0]).to_owned();
        self.io.complain(&name, format!("{path}: {}", crate::problem(error)));
    }

    /// Says what is wrong, and goes on.
    pub(crate) fn say(&mut self, problem: impl std::fmt::Display) {
        let name = crate::base_name(&self.words[0]).to_owned();
        self.io.complain(&name, problem);
    }
}

/// Runs another command to its end, with the streams of the one that asks: what the container itself has of
/// that name, or a tool.
pub(crate) fn run_command(
    call: &mut Call<'_>,
    words: Vec<String>,
    env: Vec<(String, String)>,
) -> Outcome {
    call.io.out.flush()?;
    let fds = [&call.io.input.fd, &call.io.out.fd, &call.io.err.fd].map(Clone::clone);
    Ok(crate::shell::run_words(words, env, fds))
}

/// Runs a tool to its end, with these streams for it alone.
pub(crate) fn run(
    tool: &Tool,
    words: &[String],
    env: &[(String, String)],
    mut streams: Streams,
) -> i32 {
    run_with(tool, words, env, &mut streams)
}

/// Runs a tool to its end.
pub(crate) fn run_with(
    tool: &Tool,
    words: &[String],
    env: &[(String, String)],
    io: &mut Streams,
) -> i32 {
    if words.get(1).is_some_and(|word| word == "--help") && tool.takes_help {
        let _ = writeln!(io.out, "usage: {} {}\n\n{}", tool.name, tool.usage, tool.about);
        return i32::from(io.out.flush().is_err());
    }
    let outcome = (tool.run)(&mut Call { words, env, io });
    let outcome = match (outcome, io.out.flush()) {
        (Ok(_), Err(error)) => Err(Failure::Io(error)),
        (outcome, _) => outcome,
    };
    match outcome {
        Ok(code) => code,
        // 128 and SIGPIPE.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => 141,
        Err(Failure::Io(error)) => {
            io.complain(tool.name, crate::problem(&error));
            1
        }
        Err(Failure::Said(problem)) => {
            io.complain(tool.name, problem);
            1
        }
        Err(Failure::Usage(problem)) => {
            io.complain(tool.name, format!("{problem}\nusage: {} {}", tool.name, tool.usage));
            2
        }
    }
}
