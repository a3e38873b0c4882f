//! What a terminal has to be told so that it shows the line. Pure.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Goes to the begin of a row, where only the terminal knows whether the cursor is at one: what a command has
/// said last may have no end of line, and must not be written over. It has a mark then.
///
/// A row of spaces behind the mark goes over the end of the row exactly where it did not begin with one.
pub(super) fn fresh_row(columns: usize) -> String {
    format!("\x1b[7m%\x1b[0m{}", " ".repeat(columns.saturating_sub(1)))
}

/// A prompt with a line behind it, as it is shown now.
#[derive(Debug)]
pub(super) struct Screen {
    columns: usize,
    /// In which row below the first the cursor is.
    row: usize,
}

impl Screen {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns: columns.max(1), row: 0 }
    }

    /// Shows the prompt and the line anew, with the cursor behind `before` of it.
    pub(super) fn show(&mut self, prompt: &str, before: &str, after: &str) -> String {
        let mut out = String::new();
        if self.row > 0 {
            out += &format!("\x1b[{}A", self.row);
        }
        out += "\r\x1b[J";
        // Only the last line of a prompt is the line's own.
        let shown = visible(prompt);
        let last = shown.rsplit('\n').next().unwrap_or_default();
        out += &prompt.replace('\n', "\r\n");
        let (before, after) = (caret(before), caret(after));
        out += &before;
        out += &after;
        let cursor = self.place(&format!("{last}{before}"));
        let end = self.place(&format!("{last}{before}{after}"));
        // A terminal goes to the next row only when something is written there.
        if end.1 == 0 && end.0 > 0 {
            out += "\r\n";
        }
        if end.0 > cursor.0 {
            out += &format!("\x1b[{}A", end.0 - cursor.0);
        }
        out += "\r";
        if cursor.1 > 0 {
            out += &format!("\x1b[{}C", cursor.1);
        }
        self.row = cursor.0 + shown.matches('\n').count();
        out
    }

    /// The row and the column behind a text.
    fn place(&self, text: &str) -> (usize, usize) {
        let (mut row, mut column) = (0, 0);
        for character in text.chars() {
            let width = character.width().unwrap_or(0);
            // A wide one does not fit into the last column.
            if column + width > self.columns {
                row += 1;
                column = 0;
            }
            column += width;
        }
        if column == self.columns { (row + 1, 0) } else { (row, column) }
    }
}

/// A prompt without its colours.
fn visible(prompt: &str) -> String {
    let mut out = String::new();
    let mut rest = prompt.chars();
    while let Some(character) = rest.next() {
        if character == '\x1b' {
            // `[` and numbers, up to a letter.
            rest.by_ref().find(char::is_ascii_alphabetic);
        } else {
            out.push(character);
        }
    }
    out
}

/// Control characters as `^A`.
fn caret(text: &str) -> String {
    if text.width() == text.chars().count() && !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|character| match character {
            '\x7f' => vec!['^', '?'],
            control @ '\0'..'\x20' => vec!['^', char::from((control as u8) + b'@')],
            character => vec![character],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_where_it_belongs() {
        let mut screen = Screen::new(10);
        assert_eq!(screen.show("/ # ", "ls", ""), "\r\x1b[J/ # ls\r\x1b[6C");
        assert_eq!(screen.show("/ # ", "l", "s"), "\r\x1b[J/ # ls\r\x1b[5C");
        // Over the end of a row, and back.
        assert_eq!(screen.show("/ # ", "abcdef", ""), "\r\x1b[J/ # abcdef\r\n\r");
        assert_eq!(
            screen.show("/ # ", "abcde", "fgh"),
            "\x1b[1A\r\x1b[J/ # abcdefgh\x1b[1A\r\x1b[9C"
        );
        assert_eq!(screen.show("/ # ", "", ""), "\r\x1b[J/ # \r\x1b[4C");
    }

    #[test]
    fn wide_and_coloured_characters_have_their_widths() {
        let mut screen = Screen::new(80);
        assert_eq!(
            screen.show("\x1b[1m#\x1b[0m ", "日本", ""),
            "\r\x1b[J\x1b[1m#\x1b[0m 日本\r\x1b[6C"
        );
        assert_eq!(screen.show("# ", "\x01", ""), "\r\x1b[J# ^A\r\x1b[4C");
        let mut narrow = Screen::new(3);
        assert_eq!(
            narrow.show("", "a日本", ""),
            "\r\x1b[Ja日本\x1b[0A".replace("\x1b[0A", "\r\x1b[2C")
        );
    }
}
