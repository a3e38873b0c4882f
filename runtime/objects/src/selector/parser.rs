//! From the tokens of a label selector to its requirements.
//!
//! ```text
//! selector    = requirement { "," requirement }
//! requirement = [ "!" ] key | key ( "=" | "==" | "!=" | ">" | "<" ) value
//!             | key ( "in" | "notin" ) "(" value { "," value } ")"
//! ```
//! A value may be empty.

use std::collections::BTreeSet;

use wasmpod_manifest::field::quote;
use wasmpod_manifest::validate::{label_value, qualified_name};

use super::SelectorError;
use super::label::{Condition, Requirement};
use super::lexer::{Token, tokens};

const END: Token<'static> = Token::End;
const COMMA: Token<'static> = Token::Symbol(",");
const CLOSE: Token<'static> = Token::Symbol(")");

/// The requirements in the order of their keys.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    let mut parser = Parser { tokens: tokens(text), next: 0 };
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            Token::Word(_) | Token::Symbol("!") => {}
            Token::End => break,
            other => return Err(unexpected(other, "!, identifier, or 'end of string'")),
        }
        requirements.push(parser.requirement().map_err(SelectorError::Requirement)?);
        match parser.take() {
            Token::End => break,
            COMMA => match parser.peek() {
                Token::Word(_) | Token::Symbol("!") => {}
                other => return Err(unexpected(other, "identifier after ','")),
            },
            other => return Err(unexpected(other, "',' or 'end of string'")),
        }
    }
    // Stable, as requirements of one key keep their order.
    requirements.sort_by(|one: &Requirement, other| one.key.cmp(&other.key));
    Ok(requirements)
}

fn unexpected(found: Token<'_>, expected: &'static str) -> SelectorError {
    SelectorError::Unexpected { found: found.text().to_owned(), expected }
}

fn found(found: Token<'_>, expected: &str) -> String {
    format!("found '{}', expected: {expected}", found.text())
}

struct Parser<'text> {
    tokens: Vec<Token<'text>>,
    next: usize,
}

impl<'text> Parser<'text> {
    fn peek(&self) -> Token<'text> {
        self.tokens.get(self.next).copied().unwrap_or(END)
    }

    fn take(&mut self) -> Token<'text> {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.take();
        let absent = token == Token::Symbol("!");
        if absent {
            token = self.take();
        }
        let Token::Word(key) = token else {
            return Err(found(token, "identifier"));
        };
        let wrong = qualified_name(key);
        if !wrong.is_empty() {
            // The place that the API server has not got for this prints so.
            return Err(format!("<nil>: Invalid value: {}: {}", quote(key), wrong.join("; ")));
        }
        let condition = if absent {
            Condition::Absent
        } else if matches!(self.peek(), END | COMMA) {
            Condition::Exists
        } else {
            self.condition(key)?
        };
        Ok(Requirement { key: key.to_owned(), condition })
    }

    fn condition(&mut self, key: &str) -> Result<Condition, String> {
        let operator = self.take();
        Ok(match operator {
            Token::Word("in") => Condition::In(self.values(key)?),
            Token::Word("notin") => Condition::NotIn(self.values(key)?),
            Token::Symbol("=") => Condition::Equals(self.value(key)?),
            Token::Symbol("==") => Condition::DoubleEquals(self.value(key)?),
            Token::Symbol("!=") => Condition::NotEquals(self.value(key)?),
            Token::Symbol(">") => Condition::Greater(self.number(key)?),
            Token::Symbol("<") => Condition::Less(self.number(key)?),
            other => return Err(found(other, "in, notin, =, ==, !=, gt, lt")),
        })
    }

    fn value(&mut self, key: &str) -> Result<String, String> {
        let value = self.bare_value()?;
        check_values(key, [value])?;
        Ok(value.to_owned())
    }

    fn bare_value(&mut self) -> Result<&'text str, String> {
        match self.peek() {
            END | COMMA => Ok(""),
            Token::Word(word) => {
                self.take();
                Ok(word)
            }
            other => Err(found(other, "identifier")),
        }
    }

    fn number(&mut self, key: &str) -> Result<i64, String> {
        let value = self.bare_value()?;
        let Ok(number) = value.parse() else {
            return Err(format!(
                "values[0]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an \
                 integer",
                quote(value)
            ));
        };
        check_values(key, [value])?;
        Ok(number)
    }

    fn values(&mut self, key: &str) -> Result<BTreeSet<String>, String> {
        let open = self.take();
        if open != Token::Symbol("(") {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        let mut values = BTreeSet::new();
        match self.peek() {
            Token::Word(_) | COMMA => self.list(&mut values)?,
            CLOSE => {
                values.insert("");
            }
            other => return Err(found(other, "',', ')' or identifier")),
        }
        self.take();
        check_values(key, values.iter().copied())?;
        Ok(values.into_iter().map(str::to_owned).collect())
    }

    /// Up to the closing parenthesis; what is missing between commas is the empty value.
    fn list(&mut self, values: &mut BTreeSet<&'text str>) -> Result<(), String> {
        loop {
            match self.take() {
                Token::Word(word) => {
                    values.insert(word);
                    match self.peek() {
                        COMMA => {}
                        CLOSE => return Ok(()),
                        other => return Err(found(other, "',' or ')'")),
                    }
                }
                COMMA => {
                    if values.is_empty() {
                        values.insert("");
                    }
                    match self.peek() {
                        CLOSE => {
                            values.insert("");
                            return Ok(());
                        }
                        COMMA => {
                            values.insert("");
                        }
                        _ => {}
                    }
                }
                other => return Err(found(other, "',', or identifier")),
            }
        }
    }
}

fn check_values<'text>(
    key: &str,
    values: impl IntoIterator<Item = &'text str>,
) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let each = label_value(value);
        if !each.is_empty() {
            let why = each.join("; ");
            wrong.push(format!("values[{index}][{key}]: Invalid value: {}: {why}", quote(value)));
        }
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        several => Err(format!("[{}]", several.join(", "))),
    }
}
