//! Redirections, and the texts of here-documents, which are in the lines below.

use std::cell::OnceCell;
use std::rc::Rc;

use super::parser::{Parsed, Parser};
use crate::shell::ast::{Part, Redirect, RedirectKind, Word};

/// A here-document whose text has not come yet.
pub(crate) struct Waiting {
    pub(super) delimiter: String,
    /// Its text is not expanded.
    literal: bool,
    /// Tabs at the beginning of its lines go.
    strip: bool,
    place: Rc<OnceCell<Word>>,
}

impl Parser<'_> {
    /// The redirection at this place, if there is one.
    pub(super) fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let start = self.at;
        if self.accept("&>>") {
            return self.file(1, RedirectKind::BothAppend).map(Some);
        }
        if self.accept("&>") {
            return self.file(1, RedirectKind::Both).map(Some);
        }
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            number = Some(number.unwrap_or(0u32).saturating_mul(10).saturating_add(digit));
            self.at += 1;
        }
        let (reads, writes) = (number.unwrap_or(0), number.unwrap_or(1));
        for (operator, fd, kind) in [
            ("<<<", reads, RedirectKind::HereString),
            ("<<", reads, RedirectKind::HereDocument),
            ("<&", reads, RedirectKind::Duplicate),
            ("<>", reads, RedirectKind::ReadWrite),
            ("<", reads, RedirectKind::Read),
            (">>", writes, RedirectKind::Append),
            (">&", writes, RedirectKind::Duplicate),
            (">|", writes, RedirectKind::Clobber),
            (">", writes, RedirectKind::Write),
        ] {
            if self.accept(operator) {
                return match kind {
                    RedirectKind::HereDocument => self.here_document(fd).map(Some),
                    _ => self.file(fd, kind).map(Some),
                };
            }
        }
        self.at = start;
        Ok(None)
    }

    fn file(&mut self, fd: u32, kind: RedirectKind) -> Parsed<Redirect> {
        self.blanks();
        match self.word()? {
            Some(target) => Ok(Redirect { fd, kind, target }),
            None if self.peek().is_none() => Err(self.incomplete("a file name")),
            None => Err(self.unexpected()),
        }
    }

    fn here_document(&mut self, fd: u32) -> Parsed<Redirect> {
        let strip = self.accept("-");
        self.blanks();
        let Some(word) = self.word()? else { return Err(self.unexpected()) };
        let literal = word.0.iter().any(|part| !matches!(part, Part::Plain(_)));
        let delimiter = word.0.iter().map(text_of).collect();
        let place = Rc::default();
        let target = Word(vec![Part::Document(Rc::clone(&place))]);
        self.waiting.push(Waiting { delimiter, literal, strip, place });
        Ok(Redirect { fd, kind: RedirectKind::HereDocument, target })
    }

    /// Reads the texts that are waited for; a line has just begun.
    pub(super) fn here_documents(&mut self) -> Parsed<()> {
        for document in std::mem::take(&mut self.waiting) {
            let mut text = String::new();
            loop {
                if self.peek().is_none() {
                    return Err(self.incomplete(format!("the line {:?}", document.delimiter)));
                }
                let mut line = String::new();
                while let Some(character) = self.bump().filter(|character| *character != '\n') {
                    line.push(character);
                }
                let stripped = line.trim_start_matches('\t');
                let line = if document.strip { stripped } else { &line };
                if line == document.delimiter {
                    break;
                }
                text.push_str(line);
                text.push('\n');
            }
            let word = match document.literal {
                true => Word::quoted(text),
                false => self.document(&text)?,
            };
            let _ = document.place.set(word);
        }
        Ok(())
    }
}

fn text_of(part: &Part) -> String {
    match part {
        Part::Plain(text) | Part::Quoted(text) => text.clone(),
        Part::Double(parts) => parts.iter().map(text_of).collect(),
        Part::Tilde(name) => format!("~{name}"),
        Part::Parameter(parameter) => format!("${}", parameter.name),
        Part::Command(_) | Part::Arithmetic(_) | Part::Document(_) => String::new(),
    }
}
