//! Maps and lists, and where lines begin.

use serde_json::{Map, Value};

use super::keys;
use super::scalar::analyze;
use super::style::Place;
use crate::go::{Exponent, number_text};

/// A longer key is written behind a question mark.
const LONGEST_KEY: usize = 128;

/// The document, with a line break at its end.
pub(crate) fn to_string(value: &Value) -> String {
    let mut sheet = Sheet { text: String::new(), column: 0 };
    sheet.node(value, 0, Opening::Document);
    sheet.put('\n');
    sheet.text
}

/// The text so far, and where it stands.
pub(super) struct Sheet {
    text: String,
    column: usize,
}

/// What stands before a node on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// Nothing: the document begins.
    Document,
    /// `key:`
    Key,
    /// `- `
    Dash,
}

impl Sheet {
    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn put(&mut self, character: char) {
        self.text.push(character);
        self.column = if character == '\n' { 0 } else { self.column + 1 };
    }

    pub(super) fn put_str(&mut self, text: &str) {
        text.chars().for_each(|character| self.put(character));
    }

    pub(super) fn new_line(&mut self, indent: usize) {
        self.put('\n');
        (0..indent).for_each(|_| self.put(' '));
    }

    /// Writes `value`, which belongs to a map or list at column `indent`.
    fn node(&mut self, value: &Value, indent: usize, opening: Opening) {
        match value {
            Value::Object(map) if !map.is_empty() => self.map(map, indent, opening),
            Value::Array(values) if !values.is_empty() => self.list(values, indent, opening),
            _ => {
                if opening == Opening::Key {
                    self.put(' ');
                }
                self.leaf(value, indent);
            }
        }
    }

    fn leaf(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.put_str("null"),
            Value::Bool(value) => self.put_str(if *value { "true" } else { "false" }),
            Value::Number(number) => {
                // As JSON writes it first: a float without a fraction becomes an integer there.
                let json = number_text(number, Exponent::Json);
                let is_integer = json.parse::<i128>().is_ok();
                let text = if is_integer { json } else { number_text(number, Exponent::Yaml) };
                self.put_str(&text);
            }
            Value::String(text) => self.text(text, indent + 2, Place::Value),
            Value::Array(_) => self.put_str("[]"),
            Value::Object(_) => self.put_str("{}"),
        }
    }

    fn map(&mut self, map: &Map<String, Value>, indent: usize, opening: Opening) {
        // A map below a key is indented; one behind a dash goes on where the dash has put it.
        let indent = match opening {
            Opening::Document => indent,
            Opening::Key | Opening::Dash => indent + 2,
        };
        let pairs = keys::sort(map.iter().collect(), |(key, _)| key);
        for (at, (key, value)) in pairs.into_iter().enumerate() {
            if at > 0 || opening == Opening::Key {
                self.new_line(indent);
            }
            if key.len() > LONGEST_KEY || analyze(key).several_lines {
                self.put_str("? ");
                self.text(key, indent + 2, Place::Value);
                self.new_line(indent);
                self.put_str(": ");
                self.node(value, indent, Opening::Dash);
            } else {
                self.text(key, indent + 2, Place::Key);
                self.put(':');
                self.node(value, indent, Opening::Key);
            }
        }
    }

    fn list(&mut self, values: &[Value], indent: usize, opening: Opening) {
        // A list below a key stands right under it.
        let indent = match opening {
            Opening::Document | Opening::Key => indent,
            Opening::Dash => indent + 2,
        };
        for (at, value) in values.iter().enumerate() {
            if at > 0 || opening == Opening::Key {
                self.new_line(indent);
            }
            self.put_str("- ");
            self.node(value, indent, Opening::Dash);
        }
    }
}
