//! A line of bash as words, and what of a candidate bash wants. Pure.
//!
//! bash splits words not only at spaces but at `COMP_WORDBREAKS`, `=` and `:` among them, and puts a candidate
//! in the place of what stands behind the last of these. So the line is split here, as a shell splits
//! it, and candidates are cut where bash begins.

/// What was typed up to the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The words without their quotes; the last one is unfinished, and may be empty.
    pub(super) words: Vec<String>,
    /// How many bytes of the last one stay as they are.
    pub(super) kept: usize,
}

impl Line {
    /// `text` as bash would split it; `breaks` are the characters of `COMP_WORDBREAKS`.
    pub(super) fn split(text: &str, breaks: &str) -> Self {
        let mut words = Vec::new();
        let mut word = Word::default();
        let mut characters = text.chars();
        let mut quote = None;
        while let Some(character) = characters.next() {
            match (quote, character) {
                (Some(open), close) if open == close => quote = None,
                (Some('"') | None, '\\') => word.quoted(characters.next()),
                (Some(_), inside) => word.quoted(Some(inside)),
                (None, '"' | '\'') => {
                    quote = Some(character);
                    word.quoted(None);
                }
                (None, space) if space.is_whitespace() => words.extend(word.end()),
                (None, plain) => word.plain(plain, breaks),
            }
        }
        words.push(word.text);
        Self { words, kept: word.kept }
    }

    /// What bash is to put behind what it keeps.
    pub(super) fn cut<'text>(&self, candidate: &'text str) -> &'text str {
        candidate.get(self.kept..).unwrap_or(candidate)
    }
}

#[derive(Default)]
struct Word {
    text: String,
    kept: usize,
    has_begun: bool,
}

impl Word {
    fn plain(&mut self, character: char, breaks: &str) {
        self.has_begun = true;
        self.text.push(character);
        if breaks.contains(character) {
            self.kept = self.text.len();
        }
    }

    /// A character that ends nothing; none for the quote itself.
    fn quoted(&mut self, character: Option<char>) {
        self.has_begun = true;
        self.text.extend(character);
    }

    fn end(&mut self) -> Option<String> {
        let Self { text, has_begun, .. } = std::mem::take(self);
        has_begun.then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn words(text: &str) -> Vec<String> {
        Line::split(text, BREAKS).words
    }

    #[test]
    fn words_are_those_of_a_shell() {
        assert_eq!(words("wasmpod get  pods w"), ["wasmpod", "get", "pods", "w"]);
        assert_eq!(words("wasmpod get "), ["wasmpod", "get", ""]);
        assert_eq!(words("wasmpod cp web:/a\\ b"), ["wasmpod", "cp", "web:/a b"]);
        assert_eq!(words("wasmpod -n '' \"a b"), ["wasmpod", "-n", "", "a b"]);
        assert_eq!(words(""), [""]);
    }

    #[test]
    fn a_candidate_begins_where_bash_begins() {
        let cut = |text: &str, candidate: &str| Line::split(text, BREAKS).cut(candidate).to_owned();
        assert_eq!(cut("wasmpod get --namespace=st", "--namespace=staging"), "staging");
        assert_eq!(cut("wasmpod cp we", "web:"), "web:");
        assert_eq!(cut("wasmpod cp web:/da", "web:/data/"), "/data/");
        // Within quotes nothing is a break.
        assert_eq!(cut("wasmpod cp \"web:/da", "web:/data/"), "web:/data/");
        assert_eq!(Line::split("wasmpod cp web:/da", " ").cut("web:/data/"), "web:/data/");
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange(text in "\\PC{0,40}", candidate in "\\PC{0,10}") {
            let line = Line::split(&text, BREAKS);
            prop_assert!(!line.words.is_empty());
            let _ = line.cut(&candidate);
        }
    }
}
