//! Where a shell's commands come from: a text, a file, its standard input, a terminal.

use super::ast::{AndOr, Command, List};
use super::external::read_file;
use super::parse::{ParseError, Parser};
use super::state::{Run, Shell, Stop};
use crate::fd::Fd;

/// `sh` as a tool.
pub(crate) fn main(words: &[String], env: &[(String, String)], fds: [Fd; 3]) -> i32 {
    // In a box: a child finds it there.
    let mut shell = Box::new(Shell::new(&words[0], env.to_vec()));
    shell.fds = (0..).zip(fds).collect();
    let command = match Arguments::read(&mut shell, words) {
        Ok(arguments) => arguments.source,
        Err(problem) => {
            shell.complain(problem);
            return 2;
        }
    };
    match command {
        Source::Text(text) => {
            shell.expendable = true;
            let ran = run_text(&mut shell, &text);
            end(&mut shell, ran)
        }
        Source::File(path) => run_file(&mut shell, &path),
        Source::Input => {
            if shell.options.interactive || shell.fd(0).is_terminal() {
                shell.options.interactive = true;
                return crate::interactive::run(&mut shell);
            }
            let ran = run_input(&mut shell);
            end(&mut shell, ran)
        }
    }
}

/// Runs one command that is no builtin, in a shell that knows nothing else.
pub(crate) fn run_words(words: Vec<String>, env: Vec<(String, String)>, fds: [Fd; 3]) -> i32 {
    let mut shell = Box::new(Shell::new("sh", env));
    shell.fds = (0..).zip(fds).collect();
    let ran = super::external::run(&mut shell, &words);
    end(&mut shell, ran)
}

enum Source {
    Text(String),
    File(String),
    Input,
}

struct Arguments {
    source: Source,
}

impl Arguments {
    fn read(shell: &mut Shell, words: &[String]) -> Result<Self, String> {
        let mut rest = words[1..].iter().cloned().peekable();
        let (mut is_text, mut from_input) = (false, false);
        while let Some(word) = rest.next_if(|word| word.len() > 1 && word.starts_with(['-', '+'])) {
            if word == "--" {
                break;
            }
            if word == "--login" {
                continue;
            }
            let on = word.starts_with('-');
            for letter in word[1..].chars() {
                match letter {
                    'c' if on => is_text = true,
                    's' if on => from_input = true,
                    'l' => {}
                    'o' => {
                        let name = rest.next().unwrap_or_default();
                        if !shell.options.set_name(&name, on) {
                            return Err(format!("-o: no such option: {name:?}"));
                        }
                    }
                    letter if shell.options.set_letter(letter, on) => {}
                    letter => return Err(format!("no such option: -{letter}")),
                }
            }
        }
        let source = if is_text {
            let Some(text) = rest.next() else { return Err("-c needs a command".to_owned()) };
            if let Some(name) = rest.next() {
                shell.name = name;
            }
            Source::Text(text)
        } else if !from_input && let Some(path) = rest.next() {
            shell.name.clone_from(&path);
            Source::File(path)
        } else {
            Source::Input
        };
        shell.positional = rest.collect();
        Ok(Self { source })
    }
}

/// Runs a file as a script, to the end of its shell.
pub(crate) fn run_file(shell: &mut Shell, path: &str) -> i32 {
    match read_file(path) {
        Ok(text) => {
            let ran = run_text(shell, &text);
            end(shell, ran)
        }
        Err(error) => {
            shell.complain(format!("can't open {path}: {}", crate::problem(&error)));
            if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }
        }
    }
}

/// Runs all commands of a text; the code is the last one's.
pub(crate) fn run_text(shell: &mut Shell, text: &str) -> Run {
    let mut at = Place { line: 1, rest: text.chars().collect() };
    let expendable = shell.expendable;
    let mut status = 0;
    while let Some(list) = at.next(shell)? {
        shell.expendable = expendable && at.rest.iter().all(|character| character.is_whitespace());
        shell.line = at.line;
        status = shell.run_list(&list)?;
    }
    Ok(status)
}

/// Runs what was typed; the code, once that ends the shell.
pub(crate) fn run_at_terminal(shell: &mut Shell, text: &str) -> Option<i32> {
    match run_text(shell, text) {
        Ok(code) | Err(Stop::Return(code) | Stop::Failed(code)) => shell.status = code,
        Err(Stop::Exit(code)) => return Some(end(shell, Err(Stop::Exit(code)))),
        Err(Stop::Break(_) | Stop::Continue(_)) => {}
        Err(Stop::Interrupted) => {
            // It is known now.
            crate::sys::interrupts();
            shell.status = 130;
            let _ = shell.fd(2).write(b"\n");
        }
    }
    // What an error has left open.
    (shell.tested, shell.loops, shell.calls) = (0, 0, 0);
    shell.expendable = false;
    None
}

/// A text, as far as it is not read yet.
struct Place {
    line: u32,
    rest: Vec<char>,
}

impl Place {
    fn next(&mut self, shell: &Shell) -> Run<Option<List>> {
        let text: String = self.rest.iter().collect();
        let mut parser = Parser::new(&text, &shell.aliases).at_line(self.line);
        match parser.next() {
            Ok(list) => {
                self.line = parser.line();
                self.rest = parser.rest();
                Ok(list)
            }
            Err(problem) => Err(shell.fail(problem, 2)),
        }
    }
}

/// Runs what standard input holds, and reads no more of it than the commands themselves.
fn run_input(shell: &mut Shell) -> Run {
    let mut status = 0;
    let mut text = String::new();
    loop {
        let line = read_line(&shell.fd(0));
        let is_end = line.is_empty();
        text.push_str(&line);
        let parsed = Parser::new(&text, &shell.aliases).at_line(shell.line).next();
        match parsed {
            Ok(Some(list)) => {
                text.clear();
                status = shell.run_list(&list)?;
            }
            Ok(None) => text.clear(),
            Err(ParseError::Incomplete { .. }) if !is_end => {}
            Err(problem) => return Err(shell.fail(problem, 2)),
        }
        if is_end {
            return Ok(status);
        }
    }
}

/// A line with its end, byte by byte: what comes after it is for others.
pub(crate) fn read_line(fd: &Fd) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while let Ok(1) = fd.read(&mut byte) {
        line.push(byte[0]);
        if byte[0] == b'\n' {
            break;
        }
    }
    String::from_utf8_lossy(&line).into_owned()
}

/// The code of a shell whose commands have come to this, after its last wish.
pub(crate) fn end(shell: &mut Shell, ran: Run) -> i32 {
    let code = match ran {
        Ok(code) | Err(Stop::Exit(code) | Stop::Return(code) | Stop::Failed(code)) => code,
        Err(Stop::Interrupted) => 130,
        Err(Stop::Break(_) | Stop::Continue(_)) => shell.status,
    };
    let Some(action) = shell.traps.remove("EXIT") else { return code & 0xff };
    shell.status = code;
    shell.expendable = false;
    let code = match run_text(shell, &action) {
        Err(Stop::Exit(code)) => code,
        _ => code,
    };
    code & 0xff
}

/// What a job is called.
pub(crate) fn title(and_or: &AndOr) -> String {
    let words = |command: &Command| match command {
        Command::Simple(simple) => {
            let words = simple.words.iter().map(|word| word.as_plain().unwrap_or("…").to_owned());
            words.collect::<Vec<_>>().join(" ")
        }
        Command::Function(name, _) => name.clone(),
        Command::Compound(..) => "( … )".to_owned(),
    };
    let commands = and_or.first.commands.iter().map(|command| words(command));
    commands.collect::<Vec<_>>().join(" | ")
}
