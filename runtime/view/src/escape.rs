//! What a terminal would obey, made visible.

use std::borrow::Cow;

/// The text with escapes as `^[` and carriage returns as `\r`.
///
/// Rule: `EscapeTerminal` of kubectl's printers. Names and messages come from strangers.
pub(crate) fn terminal(text: &str) -> Cow<'_, str> {
    if text.contains(['\x1b', '\r']) {
        Cow::Owned(text.replace('\x1b', "^[").replace('\r', "\\r"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text as it fits into a cell of a table: one line, with dots for what follows it.
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    match text.split_once(['\u{c}', '\n', '\r']) {
        Some((line, _)) => Cow::Owned(terminal(line).into_owned() + "..."),
        None => terminal(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_and_lines_cut() {
        assert_eq!(terminal("\x1b[31mred\r"), "^[[31mred\\r");
        assert_eq!(cell("one\r\ntwo"), "one...");
        assert_eq!(cell("plain"), "plain");
    }
}
