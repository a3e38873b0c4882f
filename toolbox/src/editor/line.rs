//! The line that is edited, and the lines before it. Pure.

/// A line and the place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    text: Vec<char>,
    cursor: usize,
    /// What was cut last.
    cut: Vec<char>,
}

impl Line {
    pub(super) fn text(&self) -> String {
        self.text.iter().collect()
    }

    pub(super) fn before_cursor(&self) -> String {
        self.text[..self.cursor].iter().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn set(&mut self, text: &str) {
        self.text = text.chars().collect();
        self.cursor = self.text.len();
    }

    pub(super) fn insert(&mut self, text: &str) {
        let added: Vec<char> = text.chars().collect();
        let count = added.len();
        self.text.splice(self.cursor..self.cursor, added);
        self.cursor += count;
    }

    pub(super) fn paste(&mut self) {
        let text: String = self.cut.iter().collect();
        self.insert(&text);
    }

    pub(super) fn left(&mut self) {
        self.cursor = self.cursor.saturating_sub(1);
    }

    pub(super) fn right(&mut self) {
        self.cursor = (self.cursor + 1).min(self.text.len());
    }

    pub(super) fn home(&mut self) {
        self.cursor = 0;
    }

    pub(super) fn end(&mut self) {
        self.cursor = self.text.len();
    }

    pub(super) fn word_left(&mut self) {
        self.cursor = self.start_of_word(|character| !character.is_alphanumeric());
    }

    pub(super) fn word_right(&mut self) {
        self.cursor = self.end_of_word();
    }

    pub(super) fn backspace(&mut self) {
        if self.cursor > 0 {
            self.cursor -= 1;
            self.text.remove(self.cursor);
        }
    }

    pub(super) fn delete(&mut self) {
        if self.cursor < self.text.len() {
            self.text.remove(self.cursor);
        }
    }

    pub(super) fn cut_to_end(&mut self) {
        self.cut = self.text.split_off(self.cursor);
    }

    pub(super) fn cut_to_start(&mut self) {
        self.cut_between(0, self.cursor);
    }

    /// Up to the blank before it.
    pub(super) fn cut_word(&mut self) {
        self.cut_between(self.start_of_word(char::is_whitespace), self.cursor);
    }

    /// Up to what is no letter.
    pub(super) fn cut_word_left(&mut self) {
        self.cut_between(self.start_of_word(|character| !character.is_alphanumeric()), self.cursor);
    }

    pub(super) fn cut_word_right(&mut self) {
        self.cut_between(self.cursor, self.end_of_word());
    }

    pub(super) fn swap(&mut self) {
        let at = self.cursor.min(self.text.len().saturating_sub(1));
        if at > 0 {
            self.text.swap(at - 1, at);
            self.cursor = at + 1;
        }
    }

    fn cut_between(&mut self, start: usize, end: usize) {
        self.cut = self.text.drain(start..end).collect();
        self.cursor = start;
    }

    fn start_of_word(&self, separates: impl Fn(char) -> bool) -> usize {
        let before = &self.text[..self.cursor];
        let word = before.iter().rposition(|character| !separates(*character));
        let start =
            word.and_then(|end| before[..end].iter().rposition(|character| separates(*character)));
        match (word, start) {
            (None, _) => 0,
            (Some(_), start) => start.map_or(0, |at| at + 1),
        }
    }

    fn end_of_word(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let blanks = rest.iter().take_while(|character| !character.is_alphanumeric()).count();
        let word =
            rest[blanks..].iter().take_while(|character| character.is_alphanumeric()).count();
        self.cursor + blanks + word
    }
}

/// Where in the lines before it the user is.
#[derive(Debug)]
pub(super) struct Past<'lines> {
    lines: &'lines [String],
    at: usize,
    /// The line that is not finished.
    own: String,
}

impl<'lines> Past<'lines> {
    pub(super) fn new(lines: &'lines [String]) -> Self {
        Self { lines, at: lines.len(), own: String::new() }
    }

    /// The one before; none at the first.
    pub(super) fn up(&mut self, current: &str) -> Option<&str> {
        if self.at == self.lines.len() {
            self.own = current.to_owned();
        }
        self.at = self.at.checked_sub(1)?;
        self.lines.get(self.at).map(String::as_str)
    }

    /// The one after; at the end the one that is not finished.
    pub(super) fn down(&mut self) -> Option<&str> {
        if self.at == self.lines.len() {
            return None;
        }
        self.at += 1;
        Some(self.lines.get(self.at).map_or(&self.own, String::as_str))
    }

    /// The last one that holds `text`, among the first `before`.
    pub(super) fn find(&self, text: &str, before: usize) -> Option<(usize, &str)> {
        let lines = self.lines.iter().enumerate().take(before);
        lines.rev().find(|(_, line)| line.contains(text)).map(|(at, line)| (at, line.as_str()))
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let mut line = Line::default();
        line.set(text);
        line
    }

    #[test]
    fn words_are_cut_and_put_back() {
        let mut edited = line("cat /var/log  x");
        edited.cut_word();
        assert_eq!(edited.text(), "cat /var/log  ");
        edited.cut_word();
        assert_eq!(edited.text(), "cat ");
        edited.paste();
        assert_eq!(edited.text(), "cat /var/log  ");
        edited.cut_word_left();
        assert_eq!(edited.text(), "cat /var/");
        edited.home();
        edited.word_right();
        edited.cut_to_end();
        assert_eq!(edited.text(), "cat");
        edited.left();
        edited.swap();
        assert_eq!((edited.text(), edited.before_cursor()), ("cta".into(), "cta".into()));
        edited.word_left();
        edited.cut_word_right();
        assert!(edited.is_empty());
        edited.backspace();
        edited.delete();
        edited.swap();
        edited.cut_word();
        assert!(edited.is_empty());
    }

    #[test]
    fn lines_before_come_back_and_the_own_one_too() {
        let lines = ["one".to_owned(), "two".to_owned()];
        let mut past = Past::new(&lines);
        assert_eq!(past.down(), None);
        assert_eq!(past.up("mine"), Some("two"));
        assert_eq!(past.up("two"), Some("one"));
        assert_eq!(past.up("one"), None);
        assert_eq!(past.down(), Some("two"));
        assert_eq!(past.down(), Some("mine"));
        assert_eq!(past.down(), None);
        assert_eq!(past.find("o", 2), Some((1, "two")));
        assert_eq!(past.find("o", 1), Some((0, "one")));
        assert_eq!(past.find("x", 2), None);
    }
}
