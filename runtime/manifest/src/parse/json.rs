//! JSON to nodes, with the place of every key and value.
//!
//! A parser of our own, because none of the kept crates gives places, and reading JSON through
//! the YAML parser would lose surrogate pairs and texts that follow one another without `---`.
//! Rules are RFC 8259, with Go's answers where that leaves room: a lone surrogate becomes U+FFFD,
//! an integer that no 64 bits hold becomes a float.

use std::borrow::Cow;

use super::error::SyntaxError;
use super::stream::{Document, Duplicate, find_duplicates};
use super::text;
use crate::node::{Entry, MAX_DEPTH, Node, Position, Value};

/// Reads JSON texts one after the other until the end.
pub(super) fn parse(text: &str, first_line: u32) -> Result<Vec<Document>, SyntaxError> {
    let mut parser = Parser {
        text,
        first_line,
        at: 0,
        marked: 0,
        mark: Position { line: first_line, column: 1 },
        duplicates: Vec::new(),
    };
    let mut documents = Vec::new();
    parser.skip_space();
    while parser.peek().is_some() {
        let root = parser.value(0)?;
        documents.push(Document { root, duplicates: std::mem::take(&mut parser.duplicates) });
        parser.skip_space();
    }
    Ok(documents)
}

struct Parser<'text> {
    text: &'text str,
    first_line: u32,
    at: usize,
    /// The place that was asked for last: counting on from there keeps long lines linear.
    marked: usize,
    mark: Position,
    duplicates: Vec<Duplicate>,
}

impl<'text> Parser<'text> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn position(&mut self) -> Position {
        for character in self.text[self.marked..self.at].chars() {
            if character == '\n' {
                self.mark.line += 1;
                self.mark.column = 1;
            } else {
                self.mark.column += 1;
            }
        }
        self.marked = self.at;
        self.mark
    }

    fn error<Anything>(&mut self, message: impl Into<String>) -> Result<Anything, SyntaxError> {
        let at = self.position();
        let error = SyntaxError::new(at, message);
        Err(match text::template_hint(self.text, self.first_line, at) {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    fn unexpected<Anything>(&mut self, wanted: &str) -> Result<Anything, SyntaxError> {
        let found = match self.text[self.at..].chars().next() {
            Some(character) => format!("`{}`", character.escape_debug()),
            None => "the end of the file".to_owned(),
        };
        self.error(format!("invalid JSON: expected {wanted}, found {found}"))
    }

    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let at = self.position();
        if depth >= MAX_DEPTH {
            return Err(SyntaxError::limit(at, format!("nested more than {MAX_DEPTH} deep")));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?.into_owned()),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return self.unexpected("a value"),
        };
        Ok(Node::new(at, value))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, SyntaxError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            self.unexpected("a value")
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        self.at += 1;
        let mut entries = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Mapping(entries));
        }
        loop {
            self.skip_space();
            let key_at = self.position();
            if self.peek() != Some(b'"') {
                return self.unexpected("a key in double quotes");
            }
            let key = self.string()?.into_owned();
            self.skip_space();
            if self.peek() != Some(b':') {
                return self.unexpected("`:` after the key");
            }
            self.at += 1;
            self.skip_space();
            let value = self.value(depth + 1)?;
            entries.push(Entry { key, key_at, value });
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    find_duplicates(&mut entries, &mut self.duplicates);
                    return Ok(Value::Mapping(entries));
                }
                _ => return self.unexpected("`,` or `}`"),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Sequence(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Sequence(items));
                }
                _ => return self.unexpected("`,` or `]`"),
            }
        }
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            // No leading zeros: `0400` must not be taken for 400, nor for octal.
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.unexpected("a digit"),
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        if let Some(b'0'..=b'9') = self.peek() {
            return self.error("invalid JSON: a number cannot begin with 0");
        }
        let text = &self.text[start..self.at];
        if whole
            && let Ok(integer) = text.parse::<i128>()
            && (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&integer)
        {
            return Ok(Value::Integer(integer));
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Value::Float(float)),
            _ => Err(SyntaxError::limit(self.position(), "the number before this is too large")),
        }
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.digits();
                Ok(())
            }
            _ => self.unexpected("a digit"),
        }
    }

    fn string(&mut self) -> Result<Cow<'text, str>, SyntaxError> {
        self.at += 1;
        let start = self.at;
        let mut owned = String::new();
        loop {
            let from = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1F)) {
                self.at += 1;
            }
            let run = &self.text[from..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if from == start {
                        return Ok(Cow::Borrowed(run));
                    }
                    owned.push_str(run);
                    return Ok(Cow::Owned(owned));
                }
                Some(b'\\') => {
                    owned.push_str(run);
                    self.at += 1;
                    owned.push(self.escape()?);
                }
                Some(_) => {
                    return self
                        .error("invalid JSON: a line break or control character in a string");
                }
                None => return self.error("invalid JSON: a string is not closed"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return self.unexpected("an escape that JSON knows"),
        };
        self.at += 1;
        Ok(escaped)
    }

    fn unicode_escape(&mut self) -> Result<char, SyntaxError> {
        let unit = self.four_hex_digits()?;
        if !(0xD800..0xDC00).contains(&unit) {
            return Ok(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        // Half of a pair: the other half must follow at once, or this one stands for nothing.
        let back = self.at;
        if self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let low = self.four_hex_digits()?;
            if (0xDC00..0xE000).contains(&low) {
                let code =
                    0x1_0000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_hex_digits(&mut self) -> Result<u16, SyntaxError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let valid = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = valid else {
            return self.unexpected("four hexadecimal digits");
        };
        let unit = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .expect("four hexadecimal digits fit 16 bits");
        self.at += 4;
        Ok(unit)
    }
}
