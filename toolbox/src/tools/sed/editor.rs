//! Editing lines by the commands of a script.

use std::io::{BufRead as _, Write as _};

use regex_lite::{Captures, Regex};

use super::script::{Action, Address, Command};
use crate::fd::{Fd, Mode};
use crate::io::Input;
use crate::tools::{Call, Failure, Outcome};

/// How the commands for a line have ended.
enum Ended {
    GoOn,
    Delete,
    Quit(i32),
}

/// Puts `by` in place of what was found: `&`, `\1`, `\n`.
fn replacement(by: &str, found: &Captures<'_>, out: &mut String) {
    let mut rest = by.chars();
    while let Some(character) = rest.next() {
        match character {
            '&' => out.push_str(&found[0]),
            '\\' => match rest.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    let number = digit.to_digit(10).map_or(0, |digit| digit as usize);
                    out.push_str(found.get(number).map_or("", |part| part.as_str()));
                }
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                other => out.extend(other),
            },
            character => out.push(character),
        }
    }
}

fn substitute(fit: &Regex, by: &str, all: bool, number: usize, text: &str) -> Option<String> {
    let mut out = String::new();
    let mut at = 0;
    let mut replaced = false;
    for (count, found) in fit.captures_iter(text).enumerate() {
        if count + 1 < number {
            continue;
        }
        let whole = found.get(0)?;
        out.push_str(&text[at..whole.start()]);
        replacement(by, &found, &mut out);
        (at, replaced) = (whole.end(), true);
        if !all {
            break;
        }
    }
    out.push_str(&text[at..]);
    replaced.then_some(out)
}

pub(super) struct Editor {
    commands: Vec<Command>,
    quiet: bool,
    number: u64,
    out: Vec<u8>,
    /// What comes behind the line.
    after: Vec<String>,
}

/// Where lines come from, with one read ahead: the last one must be known as such.
struct Lines<'call> {
    files: Vec<(&'call str, Input)>,
    ahead: Option<Vec<u8>>,
}

impl Lines<'_> {
    fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            let (_, input) = self.files.last_mut()?;
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(1..) => return Some(line),
                Ok(0) | Err(_) => drop(self.files.pop()),
            }
        }
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let line = self.ahead.take().or_else(|| self.read());
        self.ahead = self.read();
        line
    }
}

impl Editor {
    pub(super) fn new(commands: Vec<Command>, quiet: bool) -> Self {
        Self { commands, quiet, number: 0, out: Vec::new(), after: Vec::new() }
    }

    /// Edits files, or standard input, as one text.
    pub(super) fn files(&mut self, call: &mut Call<'_>, paths: &[String]) -> Outcome {
        self.file(call, paths, |call, bytes| {
            call.io.out.write_all(bytes)?;
            Ok(())
        })
    }

    /// The same, and hands each line to `write`.
    pub(super) fn file(
        &mut self,
        call: &mut Call<'_>,
        paths: &[String],
        mut write: impl FnMut(&mut Call<'_>, &[u8]) -> Result<(), Failure>,
    ) -> Outcome {
        let mut code = 0;
        let standard = ["-".to_owned()];
        let mut files = Vec::new();
        for path in if paths.is_empty() { &standard[..] } else { paths } {
            let fd = match path.as_str() {
                "-" => Ok(call.io.input.fd.clone()),
                path => Fd::open(path, Mode::Read),
            };
            match fd {
                Ok(fd) => files.push((path.as_str(), Input::new(fd))),
                Err(error) => {
                    call.complain(path, &error);
                    code = 1;
                }
            }
        }
        files.reverse();
        let mut lines = Lines { files, ahead: None };
        let mut commands = std::mem::take(&mut self.commands);
        let mut quit = None;
        while quit.is_none()
            && let Some(line) = lines.next()
        {
            self.number += 1;
            let ended = line.ends_with(b"\n");
            let mut text =
                String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
            let end = self.run(&mut commands, &mut text, &mut lines);
            if !matches!(end, Ended::Delete) && !self.quiet {
                self.out.extend(text.bytes());
                if ended {
                    self.out.push(b'\n');
                }
            }
            self.after.drain(..).for_each(|text| self.out.extend(text.bytes()));
            if let Ended::Quit(code) = end {
                quit = Some(code);
            }
            write(call, &std::mem::take(&mut self.out))?;
        }
        self.commands = commands;
        Ok(quit.unwrap_or(code))
    }

    fn run(&mut self, commands: &mut [Command], text: &mut String, lines: &mut Lines<'_>) -> Ended {
        for command in commands {
            if !self.is_meant(command, text, lines.ahead.is_none()) {
                continue;
            }
            match &mut command.action {
                Action::Block(inner) => match self.run(inner, text, lines) {
                    Ended::GoOn => {}
                    ended => return ended,
                },
                Action::Substitute { fit, by, all, number, prints } => {
                    if let Some(new) = substitute(fit, by, *all, *number, text) {
                        *text = new;
                        if *prints {
                            self.out.extend(format!("{text}\n").bytes());
                        }
                    }
                }
                Action::Translate(pairs) => {
                    let map = |character| {
                        pairs
                            .iter()
                            .find(|(from, _)| *from == character)
                            .map_or(character, |(_, to)| *to)
                    };
                    *text = text.chars().map(map).collect();
                }
                Action::Delete => return Ended::Delete,
                Action::Print => self.out.extend(format!("{text}\n").bytes()),
                Action::Quit(code) => return Ended::Quit(*code),
                Action::Append(more) => self.after.push(more.clone()),
                Action::Insert(more) => self.out.extend(more.bytes()),
                Action::Change(more) => {
                    // For a range once, at its end.
                    if command.to.is_none() || command.active.is_none() {
                        self.out.extend(more.bytes());
                    }
                    return Ended::Delete;
                }
                Action::Next => {
                    if !self.quiet {
                        self.out.extend(format!("{text}\n").bytes());
                    }
                    let Some(line) = lines.next() else { return Ended::Delete };
                    self.number += 1;
                    *text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line))
                        .into_owned();
                }
                Action::Number => self.out.extend(format!("{}\n", self.number).bytes()),
            }
        }
        Ended::GoOn
    }

    fn is_meant(&self, command: &mut Command, text: &str, is_last: bool) -> bool {
        let number = self.number;
        let fits = |address: &Address| match address {
            Address::Line(line) => *line == number,
            Address::Last => is_last,
            Address::Fits(fit) => fit.is_match(text),
            Address::Step(first, 0) => *first == number,
            Address::Step(first, step) => {
                number >= *first && (number - first).is_multiple_of(*step)
            }
        };
        let meant = match (&command.from, &command.to) {
            (None, _) => true,
            (Some(from), None) => fits(from),
            (Some(from), Some(to)) => match command.active {
                Some(_) => {
                    let ends = match to {
                        Address::Line(line) => number >= *line,
                        to => fits(to),
                    };
                    if ends {
                        command.active = None;
                    }
                    // A last line that is behind already ends it before this one.
                    !matches!(to, Address::Line(line) if number > *line)
                }
                None if fits(from) => {
                    let is_one = matches!(to, Address::Line(line) if *line <= number);
                    command.active = (!is_one && !is_last).then_some(number);
                    true
                }
                None => false,
            },
        };
        meant != command.negated
    }
}
