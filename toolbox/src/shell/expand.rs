//! What the words of a command stand for.

use std::rc::Rc;

use super::arithmetic::{self, Names};
use super::ast::{List, Part, Word};
use super::field::{Field, Fields};
use super::state::{Run, Shell};
use super::{children, glob};

impl Shell {
    /// The words as a command gets them: expanded, split, with the names of files for patterns.
    pub(crate) fn expand_words(&mut self, words: &[Word]) -> Run<Vec<String>> {
        let mut all = Vec::new();
        for word in words {
            for field in self.fields(word)? {
                if field.is_pattern && !self.options.no_glob {
                    let found = glob::files(&field.pattern);
                    if !found.is_empty() {
                        all.extend(found);
                        continue;
                    }
                }
                all.push(field.text);
            }
        }
        Ok(all)
    }

    /// The word as one text: of an assignment, a file, `case`.
    pub(crate) fn expand_text(&mut self, word: &Word) -> Run<String> {
        Ok(self.one_field(word)?.text)
    }

    /// The word as a pattern.
    pub(crate) fn expand_pattern(&mut self, word: &Word) -> Run<String> {
        Ok(self.one_field(word)?.pattern)
    }

    fn fields(&mut self, word: &Word) -> Run<Vec<Field>> {
        let separators = self.variables.get("IFS").unwrap_or(" \t\n").to_owned();
        let mut fields = Fields::new(&separators);
        self.parts(&word.0, Quotes::None, &mut fields)?;
        Ok(fields.finish())
    }

    fn one_field(&mut self, word: &Word) -> Run<Field> {
        let mut fields = Fields::new("");
        self.parts(&word.0, Quotes::Whole, &mut fields)?;
        Ok(fields.finish().into_iter().next().unwrap_or_default())
    }

    pub(super) fn parts(&mut self, parts: &[Part], quotes: Quotes, fields: &mut Fields) -> Run<()> {
        for part in parts {
            match part {
                Part::Plain(text) => fields.literal(text, quotes == Quotes::Double),
                Part::Quoted(text) => fields.literal(text, true),
                Part::Double(inner) => {
                    // `"$@"` without parameters is no word at all.
                    if !self.is_lone_empty_list(inner) {
                        fields.literal("", true);
                    }
                    let quotes = match quotes {
                        Quotes::Whole => Quotes::WholeDouble,
                        other => other.double(),
                    };
                    self.parts(inner, quotes, fields)?;
                }
                Part::Tilde(name) => match self.home(name) {
                    Some(home) => fields.literal(&home, true),
                    None => fields.literal(&format!("~{name}"), false),
                },
                Part::Parameter(parameter) => self.parameter(parameter, quotes, fields)?,
                Part::Command(list) => {
                    let text = self.output_of(list)?;
                    put(&text, quotes, fields);
                }
                Part::Arithmetic(word) => {
                    let text = self.expand_text(word)?;
                    let value = self.calculate(&text)?.to_string();
                    put(&value, quotes, fields);
                }
                Part::Document(text) => {
                    if let Some(word) = text.get() {
                        self.parts(&word.0, quotes, fields)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn is_lone_empty_list(&self, inner: &[Part]) -> bool {
        matches!(inner, [Part::Parameter(parameter)] if parameter.name == "@")
            && self.positional.is_empty()
    }

    fn home(&self, name: &str) -> Option<String> {
        match name {
            "" => Some(self.variables.get("HOME").unwrap_or("/").to_owned()),
            "+" => Some(crate::path::working_folder().display().to_string()),
            "-" => self.variables.get("OLDPWD").map(str::to_owned),
            "root" => Some("/root".to_owned()),
            _ => None,
        }
    }

    /// The value of an arithmetic expression.
    ///
    /// # Errors
    /// What is wrong with it was said.
    pub(crate) fn calculate(&mut self, text: &str) -> Run<i64> {
        arithmetic::evaluate(text, self).map_err(|problem| self.fail(problem, 2))
    }

    /// What the commands write, without the ends of lines at its end.
    fn output_of(&mut self, list: &Rc<List>) -> Run<String> {
        let (bytes, code) = children::output_of(self, list)?;
        self.status = code;
        self.substituted = Some(code);
        let text = String::from_utf8_lossy(&bytes).replace('\0', "");
        Ok(text.trim_end_matches('\n').to_owned())
    }
}

/// What is round the part of a word that is expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Double,
    /// Nothing is split, but patterns are patterns.
    Whole,
    WholeDouble,
}

impl Quotes {
    fn double(self) -> Self {
        match self {
            Self::None | Self::Double => Self::Double,
            Self::Whole | Self::WholeDouble => Self::WholeDouble,
        }
    }
}

/// Puts in what something stands for.
pub(super) fn put(text: &str, quotes: Quotes, fields: &mut Fields) {
    match quotes {
        Quotes::None => fields.split(text),
        Quotes::Whole => fields.literal(text, false),
        Quotes::Double | Quotes::WholeDouble => fields.literal(text, true),
    }
}

impl Names for Shell {
    fn get(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(str::to_owned)
    }

    fn set(&mut self, name: &str, value: i64) {
        // That it is read only was said.
        let _ = self.assign(name, value.to_string());
    }
}
