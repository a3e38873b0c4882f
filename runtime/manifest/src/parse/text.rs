//! Bytes to text: UTF-8 with or without a byte order mark, UTF-16 with one.
//!
//! Anything else is refused with the place of the first byte that is wrong. Characters that YAML
//! forbids in its stream are found here too; JSON has its own rule for them.

use std::borrow::Cow;

use super::error::SyntaxError;
use crate::node::Position;
use crate::template;

/// Decodes a source; a byte order mark is not part of the text.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, SyntaxError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            Err(SyntaxError::new(Position::START, "the file is in UTF-32").hint("save it as UTF-8"))
        }
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, SyntaxError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        let valid = std::str::from_utf8(valid).expect("the error says that it is valid so far");
        let wrong = rest.first().copied().unwrap_or_default();
        SyntaxError::new(end_of(valid, 1), format!("invalid UTF-8: byte 0x{wrong:02x}"))
            .hint("a manifest is text in UTF-8")
    })
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, SyntaxError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match decoded {
            Ok(character) => text.push(character),
            Err(_) => return Err(SyntaxError::new(end_of(&text, 1), "invalid UTF-16")),
        }
    }
    if odd.is_empty() {
        Ok(Cow::Owned(text))
    } else {
        Err(SyntaxError::new(end_of(&text, 1), "invalid UTF-16: half a character at the end"))
    }
}

/// Finds the first character that may not stand in a YAML stream.
pub(super) fn forbidden_character(text: &str, first_line: u32) -> Option<SyntaxError> {
    // Nearly every file passes the first test, which looks at bytes only.
    let suspicious =
        |byte: &u8| matches!(byte, 0..=8 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F | 0xC2 | 0xEF);
    if !text.as_bytes().iter().any(suspicious) {
        return None;
    }
    let (index, character) = text.char_indices().find(|(index, character)| match character {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        // A mark in the middle is a slip of `cat`; the parser says where it may stand.
        '\u{FEFF}' => *index == 0,
        other => other.is_control() || matches!(other, '\u{FFFE}' | '\u{FFFF}'),
    })?;
    let at = end_of(&text[..index], first_line);
    let error = SyntaxError::new(
        at,
        format!("control character U+{:04X} is not allowed", u32::from(character)),
    );
    Some(match character {
        '\0' => error.hint("is this a text file?"),
        _ => error.hint("write it as an escape in a string in double quotes"),
    })
}

/// The line of a place in a text that begins on `first_line`.
pub(super) fn line(text: &str, first_line: u32, at: Position) -> &str {
    let index = at.line.saturating_sub(first_line);
    text.lines().nth(index as usize).unwrap_or_default()
}

/// A way out for an error in a template: it may show a line or two after what is not YAML.
pub(super) fn template_hint(text: &str, first_line: u32, at: Position) -> Option<String> {
    const BEFORE: u32 = 2;
    let index = at.line.saturating_sub(first_line);
    let first = index.saturating_sub(BEFORE);
    let mut near = text.lines().skip(first as usize).take((index - first + 1) as usize);
    near.find_map(template::hint_of_line)
}

/// The place behind the last character of a text that begins on `first_line`.
pub(super) fn end_of(text: &str, first_line: u32) -> Position {
    let breaks = text.bytes().filter(|byte| *byte == b'\n').count();
    let last = text.rsplit('\n').next().unwrap_or_default();
    let mut at = Position::new(1 + breaks, 1 + last.chars().count());
    at.line = at.line.saturating_add(first_line - 1);
    at
}
