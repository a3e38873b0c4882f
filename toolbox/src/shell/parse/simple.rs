//! Simple commands, and the aliases in them.

use std::rc::Rc;

use super::parser::{Parsed, Parser};
use crate::shell::ast::{Command, Simple, Word};

/// How often an alias may stand for another within one command.
const MOST_ALIASES: usize = 50;

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Parsed<Command> {
        let mut simple = Simple::default();
        // Behind an alias that ends with a blank the next word is looked up too.
        let mut looked_up_at = None;
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
                continue;
            }
            let at = self.at;
            let Some(word) = self.word()? else { break };
            if simple.words.is_empty() {
                if let Some((name, value)) = super::word::assignment(&word) {
                    simple.assignments.push((name, value));
                    continue;
                }
                if let Some(name) = self.function_name(&word, &simple)? {
                    let body = Rc::new(self.function_body()?);
                    return Ok(Command::Function(name, body));
                }
            }
            if (simple.words.is_empty() || looked_up_at.is_some_and(|left| self.left(at) <= left))
                && let Some(text) = self.alias(&word)
            {
                let left = self.text.len() - self.at;
                looked_up_at = text.ends_with([' ', '\t']).then_some(left);
                self.text.splice(at..self.at, text.chars());
                self.at = at;
                // What it stands for may be a whole command.
                self.blanks();
                if simple == Simple::default() && self.starts_compound() {
                    return self.command();
                }
                continue;
            }
            looked_up_at = looked_up_at.filter(|left| self.left(self.at) > *left);
            simple.words.push(word);
        }
        if simple == Simple::default() {
            return Err(self.unexpected());
        }
        Ok(Command::Simple(simple))
    }

    fn starts_compound(&self) -> bool {
        self.peek() == Some('(') || self.peek_reserved().is_some_and(|word| word != "function")
    }

    fn left(&self, at: usize) -> usize {
        self.text.len() - at
    }

    /// The text that `word`, which was just read, stands for.
    fn alias(&mut self, word: &Word) -> Option<String> {
        let name = word.as_plain()?;
        let text = self.aliases.get(name)?;
        let (start, behind) = (self.at - name.chars().count(), self.text.len() - self.at);
        let left = self.text.len() - start;
        self.active.retain(|(_, behind)| left > *behind);
        if self.active.len() >= MOST_ALIASES || self.active.iter().any(|(known, _)| known == name) {
            return None;
        }
        self.active.push((name.to_owned(), behind));
        Some(text.clone())
    }
}
