//! `$name`, `${name…}` and the parameters that have no name.

use super::ast::{Action, End, Parameter, Word};
use super::expand::{Quotes, put};
use super::field::Fields;
use super::pattern;
use super::state::{Run, Shell};

impl Shell {
    /// The value of a parameter; none if it has none. `$@` and `$*` are one text here.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "#" => Some(self.positional.len().to_string()),
            "$" => Some(self.pid.to_string()),
            "!" => self.last_background.map(|pid| pid.to_string()),
            "-" => Some(self.options.letters()),
            "0" => Some(self.name.clone()),
            "@" => (!self.positional.is_empty()).then(|| self.positional.join(" ")),
            "*" => (!self.positional.is_empty()).then(|| self.positional.join(&self.joint())),
            "LINENO" => Some(self.line.to_string()),
            "RANDOM" => Some(random().to_string()),
            _ => match name.parse::<usize>() {
                Ok(number) => self.positional.get(number.checked_sub(1)?).cloned(),
                Err(_) => self.variables.get(name).map(str::to_owned),
            },
        }
    }

    /// What joins the parameters in `"$*"`.
    fn joint(&self) -> String {
        let first = |separators: &str| separators.chars().next().map(String::from);
        self.variables
            .get("IFS")
            .map_or_else(|| " ".to_owned(), |ifs| first(ifs).unwrap_or_default())
    }

    pub(super) fn parameter(
        &mut self,
        parameter: &Parameter,
        quotes: Quotes,
        fields: &mut Fields,
    ) -> Run<()> {
        let name = &*parameter.name;
        let value = self.value(name);
        let counts = |colon: bool| value.as_ref().is_some_and(|value| !colon || !value.is_empty());
        match &parameter.action {
            Action::Value => {
                if value.is_none() {
                    self.check_set(name)?;
                }
                self.put_value(name, value.unwrap_or_default(), quotes, fields);
            }
            Action::Length => {
                let length = match name {
                    "@" | "*" => self.positional.len(),
                    _ => {
                        if value.is_none() {
                            self.check_set(name)?;
                        }
                        value.unwrap_or_default().chars().count()
                    }
                };
                put(&length.to_string(), quotes, fields);
            }
            Action::Default { colon, word } => match counts(*colon) {
                true => self.put_value(name, value.unwrap_or_default(), quotes, fields),
                false => self.parts(&word.0, quotes, fields)?,
            },
            Action::Alternative { colon, word } => {
                if counts(*colon) {
                    self.parts(&word.0, quotes, fields)?;
                }
            }
            Action::Assign { colon, word } => {
                if counts(*colon) {
                    self.put_value(name, value.unwrap_or_default(), quotes, fields);
                } else {
                    let text = self.expand_text(word)?;
                    self.assign(name, text.clone())?;
                    put(&text, quotes, fields);
                }
            }
            Action::Error { colon, word } => {
                if !counts(*colon) {
                    let text = self.expand_text(word)?;
                    let text = if text.is_empty() { "parameter not set" } else { &text };
                    return Err(self.fail(format!("{name}: {text}"), 2));
                }
                self.put_value(name, value.unwrap_or_default(), quotes, fields);
            }
            Action::Remove { end, longest, pattern: word } => {
                let value = self.checked(name, value)?;
                let fit = self.expand_pattern(word)?;
                let rest = match end {
                    End::Front => pattern::without_front(&fit, &value, *longest),
                    End::Back => pattern::without_back(&fit, &value, *longest),
                };
                put(rest, quotes, fields);
            }
            Action::Replace { all, pattern: word, by } => {
                let value = self.checked(name, value)?;
                let (fit, by) = (self.expand_pattern(word)?, self.expand_text(by)?);
                put(&pattern::replace(&fit, &value, &by, *all), quotes, fields);
            }
            Action::Slice { offset, length } => {
                let value = self.checked(name, value)?;
                let text = self.slice(&value, offset, length.as_ref())?;
                put(&text, quotes, fields);
            }
        }
        Ok(())
    }

    fn checked(&self, name: &str, value: Option<String>) -> Run<String> {
        match value {
            Some(value) => Ok(value),
            None => self.check_set(name).map(|()| String::new()),
        }
    }

    fn check_set(&self, name: &str) -> Run<()> {
        if self.options.no_unset && !matches!(name, "@" | "*") {
            return Err(self.fail(format!("{name}: parameter not set"), 2));
        }
        Ok(())
    }

    fn put_value(&self, name: &str, value: String, quotes: Quotes, fields: &mut Fields) {
        let is_list = name == "@" || (name == "*" && quotes == Quotes::None);
        if !is_list || matches!(quotes, Quotes::Whole | Quotes::WholeDouble) {
            return put(&value, quotes, fields);
        }
        for (number, one) in self.positional.iter().enumerate() {
            if number > 0 {
                fields.next();
            }
            put(one, quotes, fields);
        }
    }

    fn slice(&mut self, value: &str, offset: &Word, length: Option<&Word>) -> Run<String> {
        let characters: Vec<char> = value.chars().collect();
        let count = i64::try_from(characters.len()).unwrap_or(i64::MAX);
        let offset = self.expand_text(offset)?;
        let offset = self.calculate(&offset)?;
        let start = if offset < 0 { count.saturating_add(offset) } else { offset };
        if start < 0 {
            return Ok(String::new());
        }
        let end = match length {
            None => count,
            Some(length) => {
                let length = self.expand_text(length)?;
                let length = self.calculate(&length)?;
                if length < 0 { count.saturating_add(length) } else { start.saturating_add(length) }
            }
        };
        let (start, end) = (start.min(count), end.min(count));
        let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
        Ok(characters.get(range).unwrap_or_default().iter().collect())
    }
}

fn random() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    // A new state has a seed of its own.
    u16::try_from(RandomState::new().hash_one(0) & 0x7fff).unwrap_or(0)
}
