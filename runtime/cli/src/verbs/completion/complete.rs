//! What is answered to the script of a shell: a candidate a line, behind a tab what it is.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::engine::{self, CompletionCandidate};

use super::line::Line;
use super::typed::Typed;
use crate::args::{CommandLine, Complete};
use crate::print::out;

pub(crate) fn complete(verb: &Complete) -> ExitCode {
    let (words, line) = match (&verb.breaks, verb.words.as_slice()) {
        (Some(breaks), [line]) => {
            let line = Line::split(&line.to_string_lossy(), breaks);
            (line.words.iter().map(OsString::from).collect(), Some(line))
        }
        (_, words) => (words.to_vec(), None),
    };
    let mut text = String::new();
    for candidate in candidates(words) {
        let value = candidate.get_value().to_string_lossy();
        text += line.as_ref().map_or(&*value, |line| line.cut(&value));
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        if let Some(about) = help.lines().next() {
            text += "\t";
            text += about;
        }
        text += "\n";
    }
    out::text(&text);
    // Whoever types is not to see that something is wrong: the verb itself will tell.
    ExitCode::SUCCESS
}

fn candidates(words: Vec<OsString>) -> Vec<CompletionCandidate> {
    let Some((current, before)) = words.split_last() else { return Vec::new() };
    Typed::remember(before);
    let wants_flag = current.as_encoded_bytes().starts_with(b"-");
    let (index, folder) = (before.len(), std::env::current_dir().ok());
    let mut command = CommandLine::command();
    let found = engine::complete(&mut command, words, index, folder.as_deref());
    let mut found = found.unwrap_or_default();
    // Names are what somebody looks for who has typed nothing; the flags would bury them.
    let is_flag = |one: &CompletionCandidate| one.get_value().as_encoded_bytes().starts_with(b"-");
    found.retain(|one| wants_flag || !is_flag(one));
    found
}
