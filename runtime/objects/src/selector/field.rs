//! A field selector: what it is, whom it selects, how it is written.

use std::fmt;

use serde_json::Value;

use super::{SelectorError, fields_of};
use crate::Resource;

/// Values that fields of an object must, or must not, have. A field that is absent is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: &'static str,
    value: String,
    test: Test,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    Different,
}

const OPERATORS: [(&str, Test); 3] =
    [("!=", Test::Different), ("==", Test::Equal), ("=", Test::Equal)];

impl FieldSelector {
    /// Reads a selector for objects of a kind, such as `status.phase!=Running`.
    ///
    /// # Errors
    /// [`SelectorError`], among others for a field of which this kind cannot be asked.
    pub fn parse(resource: Resource, text: &str) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in parts(text) {
            if part.is_empty() {
                continue;
            }
            let Some((field, test, value)) = split(part) else {
                let (selector, term) = (text.to_owned(), part.to_owned());
                return Err(SelectorError::Term { selector, term });
            };
            let value = unescaped(value)?;
            let field = fields_of::known(resource, field)?;
            terms.push(Term { field, value, test });
        }
        Ok(Self { terms })
    }

    /// Whether it selects this object.
    pub fn matches(&self, object: &Value) -> bool {
        self.terms.iter().all(|term| {
            let same = fields_of::value(object, term.field) == term.value;
            same == (term.test == Test::Equal)
        })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The fields of an object that it takes a look at.
    pub(super) fn looked_at(&self) -> impl Iterator<Item = &'static str> {
        self.terms.iter().flat_map(|term| fields_of::looked_at(term.field))
    }

    /// The one value that a field must have, if there is one.
    pub(crate) fn exact(&self, field: &str) -> Option<&str> {
        let mut wanted =
            self.terms.iter().filter(|term| term.field == field && term.test == Test::Equal);
        wanted.next().map(|term| term.value.as_str())
    }
}

/// The terms in the order of their text.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.sort_unstable();
    parts
}

fn split(term: &str) -> Option<(&str, Test, &str)> {
    term.char_indices().find_map(|(index, _)| {
        let (field, rest) = term.split_at(index);
        OPERATORS
            .into_iter()
            .find_map(|(operator, test)| Some((field, test, rest.strip_prefix(operator)?)))
    })
}

fn unescaped(text: &str) -> Result<String, SelectorError> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                Some(other) => return Err(SelectorError::Escape(format!("\\{other}"))),
                None => return Err(SelectorError::Escape("\\".to_owned())),
            },
            ',' | '=' => return Err(SelectorError::Unescaped(character)),
            other => plain.push(other),
        }
    }
    Ok(plain)
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            let operator = match term.test {
                Test::Equal => "=",
                Test::Different => "!=",
            };
            write!(formatter, "{}{operator}", term.field)?;
            for character in term.value.chars() {
                if matches!(character, '\\' | ',' | '=') {
                    formatter.write_str("\\")?;
                }
                write!(formatter, "{character}")?;
            }
        }
        Ok(())
    }
}
