//! The characters of a template, one after the other.

/// A place in a text, and where the piece at hand began.
pub(super) struct Scanner<'text> {
    text: &'text str,
    start: usize,
    at: usize,
}

impl<'text> Scanner<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        Self { text, start: 0, at: 0 }
    }

    pub(super) fn rest(&self) -> &'text str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    /// Goes on while `take` likes the character.
    pub(super) fn skip_while(&mut self, take: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&take) {
            self.next();
        }
    }

    /// Goes over `prefix` if the text goes on with it.
    pub(super) fn skip(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    /// The character before the last one that was taken.
    pub(super) fn before_last(&self) -> Option<char> {
        self.text[..self.at].chars().rev().nth(1)
    }

    /// What was gone over since the last piece; the next one begins here.
    pub(super) fn piece(&mut self) -> &'text str {
        let piece = &self.text[self.start..self.at];
        self.start = self.at;
        piece
    }
}
