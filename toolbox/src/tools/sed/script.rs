//! The commands of a script. Pure.

use regex_lite::{Regex, RegexBuilder};

use crate::tools::regex::to_extended;

pub(super) enum Address {
    Line(u64),
    Last,
    Fits(Regex),
    /// `first~step`
    Step(u64, u64),
}

pub(super) struct Command {
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) negated: bool,
    /// For a range: whether it has begun, and at which line it ends if that is known.
    pub(super) active: Option<u64>,
    pub(super) action: Action,
}

pub(super) enum Action {
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

/// The commands in a text.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str, extended: bool) -> Read<Vec<Command>> {
    let text = text.chars().collect();
    Reader { text, at: 0, extended, deep: 0, last: None }.commands(false)
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
