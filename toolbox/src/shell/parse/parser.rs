//! Reading: characters, blanks and comments, simple commands, lists.

use std::collections::HashMap;
use std::rc::Rc;

use crate::shell::ast::{AndOr, Command, Item, Link, List, Pipeline, Redirect};

/// Deeper than any script; beyond, the machine's stack is in danger.
const MOST_DEEP: u32 = 100;

/// What is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// It ends where more must come.
    Incomplete {
        line: u32,
        wanted: String,
    },
    Syntax {
        line: u32,
        problem: String,
    },
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Incomplete { line, wanted } => write!(
                formatter,
                "line {line}: syntax error: unexpected end of file (expecting {wanted})"
            ),
            Self::Syntax { line, problem } => {
                write!(formatter, "line {line}: syntax error: {problem}")
            }
        }
    }
}

pub(super) type Parsed<T> = Result<T, ParseError>;

/// A script that is being read.
pub(crate) struct Parser<'aliases> {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) line: u32,
    pub(super) deep: u32,
    pub(super) aliases: &'aliases HashMap<String, String>,
    /// Those whose text is being read, each with how much comes after it: they stand for themselves there.
    pub(super) active: Vec<(String, usize)>,
    /// Here-documents whose text begins at the next line.
    pub(super) waiting: Vec<super::redirect::Waiting>,
}

/// Words that mean something where a command begins.
const RESERVED: [&str; 16] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if",
    "then", "until", "while",
];

impl<'aliases> Parser<'aliases> {
    pub(crate) fn new(text: &str, aliases: &'aliases HashMap<String, String>) -> Self {
        Self {
            text: text.chars().collect(),
            at: 0,
            line: 1,
            deep: 0,
            aliases,
            active: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Continues the count of lines of a script that is read piece by piece.
    pub(crate) fn at_line(mut self, line: u32) -> Self {
        self.line = line;
        self
    }

    /// One for a text inside of this one.
    pub(super) fn inner(&self, text: &str) -> Self {
        Self { deep: self.deep, ..Self::new(text, self.aliases) }
    }

    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// What was not read yet.
    pub(crate) fn rest(mut self) -> Vec<char> {
        self.text.split_off(self.at)
    }

    /// The next complete command, up to the end of its line; none at the end of the text.
    ///
    /// # Errors
    /// [`ParseError`]
    pub(crate) fn next(&mut self) -> Parsed<Option<List>> {
        self.active.clear();
        self.skip_lines()?;
        if self.peek().is_none() {
            return Ok(None);
        }
        let mut list = List::default();
        loop {
            list.0.push(self.item()?);
            self.blanks();
            match self.peek() {
                None => break,
                Some('\n') => {
                    self.newline()?;
                    break;
                }
                Some(')') => return Err(self.unexpected()),
                Some(';') => return Err(self.unexpected()),
                Some(_) if self.at_reserved_end() => return Err(self.unexpected()),
                Some(_) => {}
            }
        }
        if let Some(waiting) = self.waiting.first() {
            return Err(self.incomplete(format!("the line {:?}", waiting.delimiter)));
        }
        Ok(Some(list))
    }

    /// Commands up to one of these reserved words, or `)`, which stays.
    pub(super) fn list_until(&mut self, ends: &[&str]) -> Parsed<List> {
        self.deeper()?;
        let mut list = List::default();
        loop {
            self.skip_lines()?;
            match self.peek() {
                None => return Err(self.incomplete(ends.join(" or "))),
                Some(')') if ends.contains(&")") => break,
                Some(';') if ends.contains(&";;") && self.looks_at(";;") => break,
                Some(';') if ends.contains(&";;") && self.looks_at(";&") => break,
                Some(_) => {}
            }
            if self.peek_reserved().is_some_and(|word| ends.contains(&word)) {
                break;
            }
            list.0.push(self.item()?);
        }
        // An arm of `case` may be empty, and so may `$()`.
        if list.0.is_empty() && !ends.contains(&";;") && ends != [")"] {
            return Err(self.unexpected());
        }
        self.deep -= 1;
        Ok(list)
    }

    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.deep += 1;
        if self.deep > MOST_DEEP { Err(self.error("nested too deeply")) } else { Ok(()) }
    }

    /// `a && b ;`
    fn item(&mut self) -> Parsed<Item> {
        let and_or = Rc::new(self.and_or()?);
        self.blanks();
        let background = match self.peek() {
            Some('&') => {
                self.bump();
                true
            }
            Some(';') if !self.looks_at(";;") && !self.looks_at(";&") => {
                self.bump();
                false
            }
            _ => false,
        };
        Ok(Item { and_or, background })
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let link = if self.accept("&&") {
                Link::And
            } else if self.accept("||") {
                Link::Or
            } else {
                return Ok(AndOr { first, rest });
            };
            self.skip_lines()?;
            if self.peek().is_none() {
                return Err(self.incomplete("a command".to_owned()));
            }
            rest.push((link, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        self.blanks();
        while self.peek_reserved() == Some("!") {
            self.bump();
            self.blanks();
            negated = !negated;
        }
        let mut commands = vec![Rc::new(self.command()?)];
        loop {
            self.blanks();
            if self.peek() != Some('|') || self.looks_at("||") {
                return Ok(Pipeline { negated, commands });
            }
            self.bump();
            self.skip_lines()?;
            if self.peek().is_none() {
                return Err(self.incomplete("a command".to_owned()));
            }
            commands.push(Rc::new(self.command()?));
        }
    }

    pub(super) fn command(&mut self) -> Parsed<Command> {
        self.blanks();
        if self.at_reserved_end() {
            return Err(self.unexpected());
        }
        if let Some(compound) = self.compound()? {
            let redirects = self.redirects()?;
            return Ok(Command::Compound(compound, redirects));
        }
        self.simple()
    }

    pub(super) fn redirects(&mut self) -> Parsed<Vec<Redirect>> {
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => return Ok(redirects),
            }
        }
    }

    /// What is wrong at this place.
    pub(super) fn unexpected(&mut self) -> ParseError {
        let rest: String = self.text[self.at..].iter().collect();
        let what = match rest.chars().next() {
            None => return self.incomplete("more".to_owned()),
            Some('\n') => "newline".to_owned(),
            Some(';') if rest.starts_with(";;") => ";;".to_owned(),
            Some(character) if "&|;()<>".contains(character) => character.to_string(),
            Some(_) => {
                let end = rest.find(|c: char| c.is_whitespace() || "&|;()<>".contains(c));
                rest[..end.unwrap_or(rest.len())].to_owned()
            }
        };
        self.error(format!("unexpected {what:?}"))
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> ParseError {
        ParseError::Syntax { line: self.line, problem: problem.into() }
    }

    pub(super) fn incomplete(&self, wanted: impl Into<String>) -> ParseError {
        ParseError::Incomplete { line: self.line, wanted: wanted.into() }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    pub(super) fn looks_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, character)| self.peek_at(ahead) == Some(character))
    }

    pub(super) fn accept(&mut self, text: &str) -> bool {
        let found = self.looks_at(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// Skips blanks, a comment, and lines that are continued.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.peek_at(1) == Some('\n') => {
                    self.at += 2;
                    self.line += 1;
                }
                Some('#') => {
                    while self.peek().is_some_and(|character| character != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Skips blanks and the ends of lines, and reads the here-documents that begin there.
    pub(super) fn skip_lines(&mut self) -> Parsed<()> {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    pub(super) fn newline(&mut self) -> Parsed<()> {
        self.bump();
        self.here_documents()
    }

    /// The reserved word at this place, if there is one.
    pub(super) fn peek_reserved(&self) -> Option<&'static str> {
        RESERVED.into_iter().find(|word| {
            self.looks_at(word)
                && self
                    .peek_at(word.chars().count())
                    .is_none_or(|next| next.is_whitespace() || "&|;()<>".contains(next))
        })
    }

    fn at_reserved_end(&self) -> bool {
        let ends = ["}", "do", "done", "elif", "else", "esac", "fi", "then"];
        self.peek_reserved().is_some_and(|word| ends.contains(&word))
    }

    pub(super) fn expect_reserved(&mut self, word: &str) -> Parsed<()> {
        self.skip_lines()?;
        if self.peek_reserved() == Some(word) {
            self.at += word.chars().count();
            return Ok(());
        }
        match self.peek() {
            None => Err(self.incomplete(format!("{word:?}"))),
            Some(_) => {
                let error = self.unexpected();
                match error {
                    ParseError::Syntax { line, problem } => Err(ParseError::Syntax {
                        line,
                        problem: format!("{problem} (expecting {word:?})"),
                    }),
                    error => Err(error),
                }
            }
        }
    }
}
