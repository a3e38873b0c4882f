//! The texts themselves, in the way chosen for each.

use super::resolve::means_something_else;
use super::scalar::{analyze, is_break, is_printable};
use super::write::Sheet;

/// Behind this column a text goes on in the next line, where it may.
const BEST_WIDTH: usize = 80;

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A key before its colon, on one line.
    Key,
    /// All else.
    Value,
}

enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Block,
}

fn style(text: &str, place: Place) -> Style {
    let allowed = analyze(text);
    if allowed.several_lines {
        return match place {
            // A block with the breaks of YAML 1.1 would not read back everywhere.
            Place::Value if allowed.block && !text.contains(['\u{2028}', '\u{2029}']) => {
                Style::Block
            }
            Place::Key | Place::Value => Style::DoubleQuoted,
        };
    }
    if means_something_else(text) {
        return Style::DoubleQuoted;
    }
    match (allowed.plain, allowed.single_quoted) {
        (true, _) => Style::Plain,
        (false, true) => Style::SingleQuoted,
        (false, false) => Style::DoubleQuoted,
    }
}

impl Sheet {
    /// Writes `text`; further lines of it begin at column `indent`.
    pub(super) fn text(&mut self, text: &str, indent: usize, place: Place) {
        match style(text, place) {
            Style::Plain => self.plain(text, indent, place),
            Style::SingleQuoted => self.single_quoted(text, indent, place),
            Style::DoubleQuoted => self.double_quoted(text, indent, place),
            Style::Block => self.block(text, indent),
        }
    }

    fn plain(&mut self, text: &str, indent: usize, place: Place) {
        let mut characters = text.chars().peekable();
        let mut behind_space = false;
        while let Some(character) = characters.next() {
            let is_space = character == ' ';
            if is_space && !behind_space && self.folds(place) && characters.peek() != Some(&' ') {
                self.new_line(indent);
            } else {
                self.put(character);
            }
            behind_space = is_space;
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, place: Place) {
        self.put('\'');
        let mut characters = text.chars().peekable();
        let (mut behind_space, mut is_first) = (false, true);
        while let Some(character) = characters.next() {
            let is_space = character == ' ';
            let next = characters.peek();
            let is_inside = !is_first && next.is_some_and(|next| *next != ' ');
            if is_space && !behind_space && self.folds(place) && is_inside {
                self.new_line(indent);
            } else {
                if character == '\'' {
                    self.put('\'');
                }
                self.put(character);
            }
            (behind_space, is_first) = (is_space, false);
        }
        self.put('\'');
    }

    fn double_quoted(&mut self, text: &str, indent: usize, place: Place) {
        self.put('"');
        let mut characters = text.chars().peekable();
        let (mut behind_space, mut is_first) = (false, true);
        while let Some(character) = characters.next() {
            let is_space = character == ' ';
            let next = characters.peek();
            if is_space && !behind_space && self.folds(place) && !is_first && next.is_some() {
                self.new_line(indent);
                if next == Some(&' ') {
                    self.put('\\');
                }
            } else if is_break(character)
                || !is_printable(character)
                || matches!(character, '"' | '\\')
            {
                self.put_str(&escape(character));
            } else {
                self.put(character);
            }
            (behind_space, is_first) = (is_space, false);
        }
        self.put('"');
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.put('|');
        if text.starts_with([' ', '\n']) || text.starts_with(is_break) {
            self.put('2');
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next()) {
            (false, _) => self.put('-'),
            (true, None) => self.put('+'),
            (true, Some(before)) if is_break(before) => self.put('+'),
            (true, Some(_)) => {}
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            if line.is_empty() {
                self.put('\n');
            } else {
                self.new_line(indent);
                self.put_str(line);
            }
        }
    }

    fn folds(&self, place: Place) -> bool {
        place == Place::Value && self.column() > BEST_WIDTH
    }
}

fn escape(character: char) -> String {
    let letter = match character {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        other => {
            return match u32::from(other) {
                code @ ..=0xff => format!("\\x{code:02X}"),
                code @ ..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{letter}")
}
