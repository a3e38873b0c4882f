//! What a shell remembers from one command to the next.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::ast::Command;
use super::options::Options;
use super::variables::Variables;
use crate::fd::Fd;
use crate::io::Streams;
use crate::sys::Pid;

/// Why commands are not gone on with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Out of so many loops.
    Break(u32),
    /// To the next round of the loop that is so many out.
    Continue(u32),
    /// Out of a function or a file.
    Return(i32),
    /// The end of the shell.
    Exit(i32),
    /// An error that ends a script, but at a terminal only the line. It was said.
    Failed(i32),
    /// Ctrl-C.
    Interrupted,
}

/// What running comes to: an exit code, unless all stops.
pub(crate) type Run<T = i32> = Result<T, Stop>;

/// A child that nobody has waited for yet.
#[derive(Clone, Debug)]
pub(crate) struct Background {
    pub(crate) number: usize,
    pub(crate) pid: Pid,
    pub(crate) title: String,
    /// Once it is known.
    pub(crate) code: Option<i32>,
}

/// A shell.
pub(crate) struct Shell {
    /// `$0`
    pub(crate) name: String,
    pub(crate) variables: Variables,
    pub(crate) functions: HashMap<String, Rc<Command>>,
    pub(crate) aliases: HashMap<String, String>,
    pub(crate) options: Options,
    /// `$1` and so on.
    pub(crate) positional: Vec<String>,
    /// `$?`
    pub(crate) status: i32,
    /// `$$`, which stays in children.
    pub(crate) pid: Pid,
    /// `$!`
    pub(crate) last_background: Option<Pid>,
    pub(crate) background: Vec<Background>,
    pub(crate) fds: BTreeMap<u32, Fd>,
    pub(crate) traps: BTreeMap<String, String>,
    /// Within so many conditions, in which a failure is an answer.
    pub(crate) tested: u32,
    pub(crate) loops: u32,
    pub(crate) calls: u32,
    /// The process ends with the command that it runs: no need for a child.
    pub(crate) expendable: bool,
    /// It is a child of the shell that was started.
    pub(crate) subshell: bool,
    /// The code of the last command substitution of a command without a name.
    pub(crate) substituted: Option<i32>,
    pub(crate) history: Vec<String>,
    /// For `getopts`: where it is in an argument that holds several letters.
    pub(crate) option_at: usize,
    pub(crate) line: u32,
}

impl Shell {
    /// A shell that knows this environment.
    pub(crate) fn new(name: &str, environment: Vec<(String, String)>) -> Self {
        let mut variables = Variables::default();
        for (name, value) in environment {
            // Nothing is read only yet.
            let _ = variables.set(&name, value);
            variables.export(&name, true);
        }
        let defaults =
            [("IFS", " \t\n"), ("PS1", "\\w \\$ "), ("PS2", "> "), ("PS4", "+ "), ("OPTIND", "1")];
        for (name, value) in defaults {
            if name == "IFS" || variables.get(name).is_none() {
                let _ = variables.set(name, value);
            }
        }
        Self {
            name: name.to_owned(),
            variables,
            functions: HashMap::new(),
            aliases: HashMap::new(),
            options: Options::default(),
            positional: Vec::new(),
            status: 0,
            pid: crate::sys::pid(),
            last_background: None,
            background: Vec::new(),
            fds: (0..).zip([0, 1, 2].map(Fd::Standard)).collect(),
            traps: BTreeMap::new(),
            tested: 0,
            loops: 0,
            calls: 0,
            expendable: false,
            subshell: false,
            substituted: None,
            history: Vec::new(),
            option_at: 0,
            line: 0,
        }
    }

    pub(crate) fn fd(&self, number: u32) -> Fd {
        self.fds.get(&number).cloned().unwrap_or(Fd::Null)
    }

    /// The three streams of a command that runs now.
    pub(crate) fn streams(&self) -> Streams {
        Streams::new(self.fd(0), self.fd(1), self.fd(2))
    }

    /// Says what went wrong, as `sh` does.
    pub(crate) fn complain(&self, problem: impl std::fmt::Display) {
        let text = format!("{}: {problem}\n", self.name);
        let _ = self.fd(2).write(text.as_bytes());
    }

    /// Says it, and gives up the command with `code`.
    pub(crate) fn fail(&self, problem: impl std::fmt::Display, code: i32) -> Stop {
        self.complain(problem);
        Stop::Failed(code)
    }

    /// Sets a variable.
    ///
    /// # Errors
    /// It is read only.
    pub(crate) fn assign(&mut self, name: &str, value: impl Into<String>) -> Run<()> {
        if let Err(read_only) = self.variables.set(name, value) {
            return Err(self.fail(read_only, 2));
        }
        if self.options.export_all {
            self.variables.export(name, true);
        }
        if name == "OPTIND" {
            self.option_at = 0;
        }
        Ok(())
    }
}
