//! Words and their quotes.

use super::parser::{Parsed, Parser};
use crate::shell::ast::{Part, Word};

/// What ends a word that is not quoted.
fn ends_word(character: char) -> bool {
    character.is_whitespace() || "&|;()<>".contains(character)
}

pub(super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// The name and the value, if `word` is an assignment.
pub(super) fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some(Part::Plain(text)) = word.0.first() else { return None };
    let (name, value) = text.split_once('=')?;
    if !is_name(name) {
        return None;
    }
    let mut parts = Vec::new();
    match value.strip_prefix('~') {
        Some(rest) if word.0.len() == 1 || rest.contains('/') => {
            let (user, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            parts.push(Part::Tilde(user.to_owned()));
            parts.push(Part::Plain(path.to_owned()));
        }
        _ => parts.push(Part::Plain(value.to_owned())),
    }
    parts.retain(|part| *part != Part::Plain(String::new()));
    parts.extend(word.0[1..].iter().cloned());
    Some((name.to_owned(), Word(parts)))
}

/// The parts of a word as they are read; text of one kind that follows itself is one part.
#[derive(Default)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    fn plain(&mut self, character: char) {
        match self.0.last_mut() {
            Some(Part::Plain(text)) => text.push(character),
            _ => self.0.push(Part::Plain(character.to_string())),
        }
    }

    fn quoted(&mut self, character: char) {
        match self.0.last_mut() {
            Some(Part::Quoted(text)) => text.push(character),
            _ => self.0.push(Part::Quoted(character.to_string())),
        }
    }

    pub(super) fn word(self) -> Word {
        Word(self.0)
    }
}

impl Parser<'_> {
    /// The word at this place, if there is one.
    pub(super) fn word(&mut self) -> Parsed<Option<Word>> {
        let mut parts = Parts::default();
        if self.peek() == Some('~') {
            parts.0.extend(self.tilde());
        }
        while let Some(character) = self.peek().filter(|character| !ends_word(*character)) {
            self.piece(character, &mut parts)?;
        }
        Ok((!parts.0.is_empty()).then_some(Word(parts.0)))
    }

    /// One character outside of double quotes, or what it begins.
    fn piece(&mut self, character: char, parts: &mut Parts) -> Parsed<()> {
        match character {
            '\\' => {
                self.bump();
                match self.bump() {
                    Some('\n') => {}
                    Some(character) => parts.quoted(character),
                    None => return Err(self.incomplete("a character behind the backslash")),
                }
            }
            '\'' => {
                self.bump();
                let text = self.single_quoted()?;
                parts.0.push(Part::Quoted(text));
            }
            '"' => {
                self.bump();
                let inner = self.double_quoted(Some('"'))?;
                parts.0.push(Part::Double(inner));
            }
            '$' if self.peek_at(1) == Some('\'') => {
                self.at += 2;
                let text = self.escaped()?;
                parts.0.push(Part::Quoted(text));
            }
            '$' | '`' => match self.substitution()? {
                Some(part) => parts.0.push(part),
                None => {
                    self.bump();
                    parts.plain(character);
                }
            },
            character => {
                self.bump();
                parts.plain(character);
            }
        }
        Ok(())
    }

    /// A word up to one of these characters, which is left: in braces, where blanks end nothing.
    pub(super) fn word_until(&mut self, ends: &[char], quoted: bool) -> Parsed<Word> {
        let mut parts = Parts::default();
        if self.peek() == Some('~') && !quoted {
            parts.0.extend(self.tilde());
        }
        loop {
            match self.peek() {
                None => return Err(self.incomplete("\"}\"")),
                Some(character) if ends.contains(&character) => return Ok(parts.word()),
                // In double quotes single ones are plain characters.
                Some('\'') if quoted => {
                    self.bump();
                    parts.plain('\'');
                }
                Some(character) => self.piece(character, &mut parts)?,
            }
        }
    }

    fn tilde(&mut self) -> Option<Part> {
        let mut name = String::new();
        let mut ahead = 1;
        loop {
            match self.peek_at(ahead) {
                Some(character) if character.is_alphanumeric() || "_-.+".contains(character) => {
                    name.push(character);
                    ahead += 1;
                }
                None => break,
                Some(character) if ends_word(character) || "/:}".contains(character) => break,
                Some(_) => return None,
            }
        }
        self.at += ahead;
        Some(Part::Tilde(name))
    }

    fn single_quoted(&mut self) -> Parsed<String> {
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('\'') => return Ok(text),
                Some(character) => text.push(character),
                None => return Err(self.incomplete("\"'\"")),
            }
        }
    }

    /// `$'…'`
    fn escaped(&mut self) -> Parsed<String> {
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('\'') => {
                    return Ok(crate::text::unescape(&text, crate::text::Zero::Octal).text());
                }
                Some('\\') => {
                    text.push('\\');
                    text.extend(self.bump());
                }
                Some(character) => text.push(character),
                None => return Err(self.incomplete("\"'\"")),
            }
        }
    }

    /// What is in double quotes, up to `end`, or to the end of the text.
    pub(super) fn double_quoted(&mut self, end: Option<char>) -> Parsed<Vec<Part>> {
        let mut parts = Parts::default();
        loop {
            match self.peek() {
                None if end.is_none() => return Ok(parts.0),
                None => return Err(self.incomplete("'\"'")),
                Some(character) if Some(character) == end => {
                    self.bump();
                    return Ok(parts.0);
                }
                Some('\\') => {
                    self.bump();
                    match self.peek() {
                        Some('\n') => {
                            self.bump();
                        }
                        Some(character) if "$`\\".contains(character) || Some(character) == end => {
                            self.bump();
                            parts.quoted(character);
                        }
                        _ => parts.quoted('\\'),
                    }
                }
                Some(character @ ('$' | '`')) => match self.substitution_in_quotes()? {
                    Some(part) => parts.0.push(part),
                    None => {
                        self.bump();
                        parts.quoted(character);
                    }
                },
                Some(character) => {
                    self.bump();
                    parts.quoted(character);
                }
            }
        }
    }
}
