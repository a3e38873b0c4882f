//! Commands that change the shell, and those that are quicker without a process.

mod flow;
mod jobs;
mod read;
mod settings;
mod variables;
mod words;

use super::state::{Run, Shell};
use crate::io::Streams;

type Builtin = fn(&mut Shell, &[String], &mut Streams) -> Run;

/// All of them: the name, whether it is a special one, what runs.
const ALL: [(&str, bool, Builtin); 43] = [
    (":", true, flow::nothing),
    (".", true, flow::source),
    ("[", false, words::test),
    ("[[", false, words::test),
    ("alias", false, settings::alias),
    ("break", true, flow::leave_loop),
    ("cd", false, settings::cd),
    ("command", false, flow::command),
    ("continue", true, flow::leave_loop),
    ("echo", false, words::tool),
    ("eval", true, flow::eval),
    ("exec", true, flow::exec),
    ("exit", true, flow::exit),
    ("export", true, variables::export),
    ("false", false, words::tool),
    ("fg", false, jobs::fg),
    ("getopts", false, read::getopts),
    ("hash", false, flow::nothing),
    ("help", false, settings::help),
    ("history", false, settings::history),
    ("jobs", false, jobs::jobs),
    ("kill", false, jobs::kill),
    ("let", false, variables::let_),
    ("local", false, variables::local),
    ("printf", false, words::tool),
    ("pwd", false, words::tool),
    ("read", false, read::read),
    ("readonly", true, variables::readonly),
    ("return", true, flow::leave_function),
    ("set", true, settings::set),
    ("shift", true, variables::shift),
    ("source", true, flow::source),
    ("test", false, words::test),
    ("times", true, flow::nothing),
    ("trap", true, flow::trap),
    ("true", false, words::tool),
    ("type", false, settings::type_),
    ("typeset", false, variables::local),
    ("ulimit", false, settings::ulimit),
    ("umask", false, settings::umask),
    ("unalias", false, settings::unalias),
    ("unset", true, variables::unset),
    ("wait", false, jobs::wait),
];

/// Their names.
pub(crate) const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        names[at] = ALL[at].0;
        at += 1;
    }
    names
};

/// The builtin of that name.
pub(super) fn find(name: &str) -> Option<Builtin> {
    ALL.iter().find(|(known, ..)| *known == name).map(|(_, _, run)| *run)
}

/// Whether it is one whose variables stay and whose errors end a script.
///
/// Rule: POSIX, "Special Built-In Utilities".
pub(super) fn is_special(name: &str) -> bool {
    ALL.iter().any(|(known, special, _)| *special && *known == name)
}

/// Whether its redirections stay.
pub(super) fn changes_streams(name: &str) -> bool {
    name == "exec"
}
