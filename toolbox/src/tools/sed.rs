//! `sed`: addresses, `s`, `d`, `p`, `q`, `a`, `i`, `c`, `y`, `n`, `=`, blocks.

use std::io::{BufRead as _, Write as _};

use regex_lite::{Captures, Regex, RegexBuilder};

use super::regex::to_extended;
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;

enum Address {
    Line(u64),
    Last,
    Fits(Regex),
    /// `first~step`
    Step(u64, u64),
}

struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    /// For a range: whether it has begun, and at which line it ends if that is known.
    active: Option<u64>,
    action: Action,
}

enum Action {
    Block(Vec<Command>),
    Substitute { fit: Regex, by: String, all: bool, number: usize, prints: bool },
    Translate(Vec<(char, char)>),
    Delete,
    Print,
    Quit(i32),
    Append(String),
    Insert(String),
    Change(String),
    Next,
    Number,
}

/// How the commands for a line have ended.
enum Ended {
    GoOn,
    Delete,
    Quit(i32),
}

/// `sed`
pub(super) fn sed(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression", 'e'),
        ("file", 'f'),
        ("regexp-extended", 'E'),
        ("in-place", 'i'),
    ];
    let options = Options::read(call.words, "ne:f:Eris", &long)?;
    let mut operands = options.operands.clone();
    let mut scripts: Vec<String> = options.values('e').map(str::to_owned).collect();
    for path in options.values('f') {
        let mut input = Input::new(Fd::open(path, Mode::Read)?);
        scripts.push(String::from_utf8_lossy(&super::texts::whole(&mut input)?).into_owned());
    }
    if scripts.is_empty() {
        if operands.is_empty() {
            return Err(Failure::Usage("a script is needed".to_owned()));
        }
        scripts.push(operands.remove(0));
    }
    let script = scripts.join("\n");
    let extended = options.last_of("Er").is_some();
    let mut reader =
        Reader { text: script.chars().collect(), at: 0, extended, deep: 0, last: None };
    let commands = reader.commands(false).map_err(Failure::Usage)?;
    let mut editor =
        Editor { commands, quiet: options.has('n'), number: 0, out: Vec::new(), after: Vec::new() };
    if !options.has('i') {
        return editor.files(call, &operands);
    }
    let mut code = 0;
    for path in operands {
        editor.number = 0;
        let mut edited = Vec::new();
        let outcome = editor.file(call, std::slice::from_ref(&path), |_, bytes| {
            edited.extend_from_slice(bytes);
            Ok(())
        })?;
        code = code.max(outcome);
        if outcome == 0
            && let Err(error) = std::fs::write(crate::path::absolute(&path), edited)
        {
            call.complain(&path, &error);
            code = 1;
        }
    }
    Ok(code)
}

struct Reader {
    text: Vec<char>,
    at: usize,
    extended: bool,
    deep: u32,
    /// The last expression, for `//`.
    last: Option<String>,
}

type Read<T> = Result<T, String>;

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        Some(character)
    }

    fn skip(&mut self, separators: &str) {
        while self.peek().is_some_and(|character| separators.contains(character)) {
            self.at += 1;
        }
    }

    fn commands(&mut self, in_block: bool) -> Read<Vec<Command>> {
        self.deep += 1;
        if self.deep > 50 {
            return Err("nested too deeply".to_owned());
        }
        let mut all = Vec::new();
        loop {
            self.skip(" \t\n;");
            match self.peek() {
                None if in_block => return Err("missing }".to_owned()),
                None => break,
                Some('}') if in_block => {
                    self.bump();
                    break;
                }
                Some('#') => while self.bump().is_some_and(|character| character != '\n') {},
                Some(_) => all.push(self.command()?),
            }
        }
        self.deep -= 1;
        Ok(all)
    }

    fn command(&mut self) -> Read<Command> {
        let from = self.address()?;
        let mut to = None;
        self.skip(" \t");
        if from.is_some() && self.peek() == Some(',') {
            self.bump();
            self.skip(" \t");
            to = self.address()?;
            if to.is_none() {
                return Err("an address is missing".to_owned());
            }
        }
        self.skip(" \t");
        let mut negated = false;
        while self.peek() == Some('!') {
            self.bump();
            self.skip(" \t");
            negated = true;
        }
        let letter = self.bump().ok_or("a command is missing")?;
        let action = match letter {
            '{' => Action::Block(self.commands(true)?),
            's' => self.substitution()?,
            'y' => self.translation()?,
            'd' => Action::Delete,
            'p' => Action::Print,
            'n' => Action::Next,
            '=' => Action::Number,
            'q' | 'Q' => {
                self.skip(" \t");
                let digits: String = std::iter::from_fn(|| {
                    self.peek().filter(char::is_ascii_digit).inspect(|_| self.at += 1)
                })
                .collect();
                Action::Quit(digits.parse().unwrap_or(0))
            }
            'a' => Action::Append(self.line()),
            'i' => Action::Insert(self.line()),
            'c' => Action::Change(self.line()),
            ':' | 'b' | 't' | 'N' | 'D' | 'P' | 'g' | 'G' | 'h' | 'H' | 'x' | 'w' | 'r' => {
                return Err(format!("the command {letter} is not known here"));
            }
            letter => return Err(format!("there is no command {letter}")),
        };
        self.skip(" \t");
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => {}
            Some(other) => return Err(format!("unexpected {other} behind {letter}")),
        }
        Ok(Command { from, to, negated, active: None, action })
    }

    fn address(&mut self) -> Read<Option<Address>> {
        Ok(match self.peek() {
            Some(digit) if digit.is_ascii_digit() => {
                let number = self.number();
                match self.peek() {
                    Some('~') => {
                        self.bump();
                        Some(Address::Step(number, self.number()))
                    }
                    _ => Some(Address::Line(number)),
                }
            }
            Some('$') => {
                self.bump();
                Some(Address::Last)
            }
            Some('/') => {
                self.bump();
                let text = self.until('/')?;
                let fold = self.peek() == Some('I');
                self.at += usize::from(fold);
                Some(Address::Fits(self.expression(text, fold)?))
            }
            _ => None,
        })
    }

    fn number(&mut self) -> u64 {
        let mut number = 0u64;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit.into());
            self.at += 1;
        }
        number
    }

    /// The text up to `end`; a backslash before that is gone.
    fn until(&mut self, end: char) -> Read<String> {
        let mut text = String::new();
        loop {
            match self.bump().ok_or_else(|| format!("missing {end}"))? {
                '\\' => match self.bump().ok_or("nothing behind a backslash")? {
                    character if character == end && end != '|' => text.push(character),
                    character => text.extend(['\\', character]),
                },
                character if character == end => return Ok(text),
                character => text.push(character),
            }
        }
    }

    fn expression(&mut self, text: String, fold: bool) -> Read<Regex> {
        let text = match text.is_empty() {
            true => self.last.clone().ok_or("there is no expression before")?,
            false => text,
        };
        self.last = Some(text.clone());
        let extended = if self.extended { text.clone() } else { to_extended(&text) };
        RegexBuilder::new(&extended)
            .case_insensitive(fold)
            .build()
            .map_err(|error| format!("bad regular expression {text:?}: {error}"))
    }

    fn substitution(&mut self) -> Read<Action> {
        let end = self.bump().ok_or("s needs /one/other/")?;
        let (text, by) = (self.until(end)?, self.until(end)?);
        let (mut all, mut number, mut prints, mut fold) = (false, 1, false, false);
        while let Some(flag) = self.peek() {
            match flag {
                'g' => all = true,
                'p' => prints = true,
                'i' | 'I' => fold = true,
                digit if digit.is_ascii_digit() => {
                    number = usize::try_from(self.number()).unwrap_or(usize::MAX).max(1);
                    continue;
                }
                _ => break,
            }
            self.bump();
        }
        let fit = self.expression(text, fold)?;
        Ok(Action::Substitute { fit, by, all, number, prints })
    }

    fn translation(&mut self) -> Read<Action> {
        let end = self.bump().ok_or("y needs /abc/xyz/")?;
        let plain = |text: String| crate::text::unescape(&text, crate::text::Zero::Octal).text();
        let (from, to) = (plain(self.until(end)?), plain(self.until(end)?));
        match from.chars().count() == to.chars().count() {
            true => Ok(Action::Translate(from.chars().zip(to.chars()).collect())),
            false => Err("the two texts of y are not of one length".to_owned()),
        }
    }

    /// The text of `a`, `i` and `c`.
    fn line(&mut self) -> String {
        self.skip(" \t");
        if self.peek() == Some('\\') {
            self.bump();
            self.skip(" \t");
            if self.peek() == Some('\n') {
                self.bump();
            }
        }
        let mut text = String::new();
        while let Some(character) = self.peek().filter(|character| *character != '\n') {
            self.bump();
            match character {
                '\\' => text.extend(self.bump()),
                character => text.push(character),
            }
        }
        text.push('\n');
        text
    }
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

struct Editor {
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
    fn files(&mut self, call: &mut Call<'_>, paths: &[String]) -> Outcome {
        self.file(call, paths, |call, bytes| {
            call.io.out.write_all(bytes)?;
            Ok(())
        })
    }

    fn file(
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
            Address::Step(first, step) => number >= *first && (number - first) % step == 0,
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
