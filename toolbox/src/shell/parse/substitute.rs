//! What begins with `$`, and backquotes.

use std::rc::Rc;

use super::parser::{Parsed, Parser};
use super::word::is_name;
use crate::shell::ast::{Action, End, List, Parameter, Part, Word};

/// Parameters of one character that are no names.
const SPECIAL: &str = "@*#?-$!";

impl Parser<'_> {
    /// What is to be put in place of what begins here; none for a `$` that stands for itself.
    pub(super) fn substitution(&mut self) -> Parsed<Option<Part>> {
        self.substituted(false)
    }

    pub(super) fn substitution_in_quotes(&mut self) -> Parsed<Option<Part>> {
        self.substituted(true)
    }

    fn substituted(&mut self, quoted: bool) -> Parsed<Option<Part>> {
        if self.peek() == Some('`') {
            return self.backquoted(quoted).map(Some);
        }
        if self.looks_at("$((")
            && let Some(text) = self.arithmetic()
        {
            let word = self.document(&text)?;
            return Ok(Some(Part::Arithmetic(word)));
        }
        match self.peek_at(1) {
            Some('(') => {
                self.at += 2;
                let list = self.list_until(&[")"])?;
                self.bump();
                Ok(Some(Part::Command(Rc::new(list))))
            }
            Some('{') => {
                self.at += 2;
                self.braced(quoted).map(Some)
            }
            Some(character) if SPECIAL.contains(character) || character.is_ascii_digit() => {
                self.at += 2;
                Ok(Some(value(character.to_string())))
            }
            Some(character) if character.is_ascii_alphabetic() || character == '_' => {
                self.bump();
                let mut name = String::new();
                while let Some(character) =
                    self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                {
                    name.push(character);
                    self.at += 1;
                }
                Ok(Some(value(name)))
            }
            _ => Ok(None),
        }
    }

    /// The text between `$((` and its `))`; none if there is no such end: then it is a subshell.
    fn arithmetic(&mut self) -> Option<String> {
        let (start, line) = (self.at, self.line);
        self.at += 3;
        let mut text = String::new();
        let mut open = 0;
        while let Some(character) = self.bump() {
            match character {
                '(' => open += 1,
                ')' if open > 0 => open -= 1,
                ')' if self.peek() == Some(')') => {
                    self.bump();
                    return Some(text);
                }
                ')' => break,
                _ => {}
            }
            text.push(character);
        }
        (self.at, self.line) = (start, line);
        None
    }

    fn backquoted(&mut self, quoted: bool) -> Parsed<Part> {
        self.bump();
        let line = self.line;
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err(self.incomplete("\"`\"")),
                Some('`') => break,
                Some('\\') => match self.peek() {
                    Some(character @ ('$' | '`' | '\\')) => {
                        self.bump();
                        text.push(character);
                    }
                    Some('"') if quoted => {
                        self.bump();
                        text.push('"');
                    }
                    _ => text.push('\\'),
                },
                Some(character) => text.push(character),
            }
        }
        self.deeper()?;
        let mut inner = self.inner(&text).at_line(line);
        let mut list = List::default();
        while let Some(more) = inner.next()? {
            list.0.extend(more.0);
        }
        self.deep -= 1;
        Ok(Part::Command(Rc::new(list)))
    }

    /// All of the text as if it were in double quotes.
    ///
    /// # Errors
    /// What begins in it does not end.
    pub(crate) fn whole_text(mut self) -> Parsed<Word> {
        Ok(Word(vec![Part::Double(self.double_quoted(None)?)]))
    }

    /// A text in which only what double quotes let through is expanded.
    pub(super) fn document(&mut self, text: &str) -> Parsed<Word> {
        self.deeper()?;
        let line = self.line;
        let parts = self.inner(text).at_line(line).double_quoted(None)?;
        self.deep -= 1;
        Ok(Word(vec![Part::Double(parts)]))
    }

    /// Behind `${`.
    fn braced(&mut self, quoted: bool) -> Parsed<Part> {
        self.deeper()?;
        // `${#}` is the count of parameters, `${#name}` a length.
        let is_length = self.peek() == Some('#')
            && self.peek_at(1).is_some_and(|next| next != '}' && !":-=?+%".contains(next));
        if is_length {
            self.bump();
        }
        let name = self.parameter_name()?;
        let action = match is_length {
            true => Action::Length,
            false => self.action(quoted)?,
        };
        match self.bump() {
            Some('}') => {}
            None => return Err(self.incomplete("\"}\"")),
            Some(_) => return Err(self.error(format!("bad substitution of {name:?}"))),
        }
        self.deep -= 1;
        Ok(Part::Parameter(Box::new(Parameter { name, action })))
    }

    fn parameter_name(&mut self) -> Parsed<String> {
        let mut name = String::new();
        while let Some(character) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(character);
            self.at += 1;
        }
        if name.is_empty() {
            match self.peek() {
                Some(character) if SPECIAL.contains(character) => {
                    self.at += 1;
                    return Ok(character.to_string());
                }
                None => return Err(self.incomplete("\"}\"")),
                Some(_) => {}
            }
        }
        if is_name(&name) || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())) {
            return Ok(name);
        }
        Err(self.error("bad substitution"))
    }

    fn action(&mut self, quoted: bool) -> Parsed<Action> {
        let colon = self.looks_at(":") && self.peek_at(1).is_some_and(|c| "-=?+".contains(c));
        if colon {
            self.bump();
        }
        let Some(operator) = self.peek() else { return Err(self.incomplete("\"}\"")) };
        Ok(match operator {
            '}' => Action::Value,
            '-' | '=' | '?' | '+' => {
                self.bump();
                let word = self.word_until(&['}'], quoted)?;
                match operator {
                    '-' => Action::Default { colon, word },
                    '=' => Action::Assign { colon, word },
                    '?' => Action::Error { colon, word },
                    _ => Action::Alternative { colon, word },
                }
            }
            '#' | '%' => {
                self.bump();
                let longest = self.accept(&operator.to_string());
                let end = if operator == '#' { End::Front } else { End::Back };
                Action::Remove { end, longest, pattern: self.word_until(&['}'], false)? }
            }
            '/' => {
                self.bump();
                let all = self.accept("/");
                let pattern = self.word_until(&['/', '}'], false)?;
                let by = match self.accept("/") {
                    true => self.word_until(&['}'], false)?,
                    false => Word::default(),
                };
                Action::Replace { all, pattern, by }
            }
            ':' => {
                self.bump();
                let offset = self.word_until(&[':', '}'], false)?;
                let length = match self.accept(":") {
                    true => Some(self.word_until(&['}'], false)?),
                    false => None,
                };
                Action::Slice { offset, length }
            }
            _ => return Err(self.error("bad substitution")),
        })
    }
}

fn value(name: String) -> Part {
    Part::Parameter(Box::new(Parameter { name, action: Action::Value }))
}
