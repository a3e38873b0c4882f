//! Text in quotes as Go's `%q` prints it: what Kubernetes uses for values in its messages and
//! for the files of the downward API.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` in double quotes, with Go's escapes for what cannot be printed.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{07}' => quoted.push_str("\\a"),
            '\u{08}' => quoted.push_str("\\b"),
            '\u{0c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{0b}' => quoted.push_str("\\v"),
            ' '..='~' => quoted.push(character),
            _ => push_wide(&mut quoted, character),
        }
    }
    quoted.push('"');
    quoted
}

/// The first characters of `text`, with a mark in place of the rest.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn push_wide(quoted: &mut String, character: char) {
    let code = u32::from(character);
    let written = if code < 0x80 {
        write!(quoted, "\\x{code:02x}")
    } else if is_printable(character) {
        quoted.push(character);
        Ok(())
    } else if code < 0x1_0000 {
        write!(quoted, "\\u{code:04x}")
    } else {
        write!(quoted, "\\U{code:08x}")
    };
    written.expect("writing to a string cannot fail");
}

/// Go counts letters, marks, numbers, punctuation and symbols as printable, and no space but
/// the ASCII one. The standard library's debug form draws nearly the same line.
fn is_printable(character: char) -> bool {
    !character.is_whitespace() && character.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_go_does() {
        assert_eq!(quote("plain"), r#""plain""#);
        assert_eq!(quote("a\"b\\c\n\t\u{1}\u{7f}"), r#""a\"b\\c\n\t\x01\x7f""#);
        assert_eq!(quote("größe 😀"), "\"größe 😀\"");
        assert_eq!(quote("\u{a0}\u{feff}"), r#""\u00a0\ufeff""#);
    }
}
