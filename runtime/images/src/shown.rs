//! What a stranger wrote, as a message may show it: in quotes, escaped, and not too much of it.

/// So many characters of a name or a value are shown.
const MOST: usize = 200;
/// So many notes are kept.
const MOST_NOTES: usize = 20;

/// `name` in quotes; control characters and what is not UTF-8 are escaped.
pub(crate) fn shown(name: impl AsRef<[u8]>) -> String {
    let name = name.as_ref();
    // Four bytes are the most that a character takes.
    let start = &name[..name.len().min(MOST * 4)];
    let mut text = String::from('"');
    let mut count = 0;
    for chunk in start.utf8_chunks() {
        for character in chunk.valid().chars().take(MOST - count) {
            text.extend(character.escape_debug());
            count += 1;
        }
        for byte in chunk.invalid().iter().take(MOST - count) {
            text.push_str(&format!("\\x{byte:02x}"));
            count += 1;
        }
    }
    let whole = start.len() == name.len() && String::from_utf8_lossy(name).chars().count() <= MOST;
    text.push_str(if whole { "\"" } else { "…\"" });
    text
}

/// The beginning of a text that somebody else has put together, of another's words: not in quotes,
/// but what a terminal would obey is escaped.
pub(crate) fn beginning(text: &str) -> String {
    cut(text, MOST)
}

/// As [`beginning`], of so many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut beginning = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == most {
            beginning.push('…');
            break;
        }
        match character {
            '"' | '\'' | '\\' => beginning.push(character),
            character => beginning.extend(character.escape_debug()),
        }
    }
    beginning
}

/// What the user should know, and no more of it than is read.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    kept: Vec<String>,
    more: u64,
}

impl Notes {
    pub(crate) fn add(&mut self, note: impl FnOnce() -> String) {
        if self.kept.len() < MOST_NOTES {
            self.kept.push(note());
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept.push(format!("and {} more of the kind", self.more));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_speaks_to_the_terminal() {
        for (name, expected) in [
            (&b"a/b"[..], r#""a/b""#),
            (b"\x1b[2J\n", r#""\u{1b}[2J\n""#),
            (b"caf\xe9", r#""caf\xe9""#),
            ("café \"x\"".as_bytes(), r#""café \"x\"""#),
        ] {
            assert_eq!(shown(name), expected);
        }
        assert_eq!(shown("x".repeat(300)).chars().count(), 203);
        assert_eq!(shown("é".repeat(200)).chars().count(), 202);
    }

    #[test]
    fn a_text_is_cut_and_cannot_speak_either() {
        assert_eq!(beginning(r#"expected "é" in C:\a"#), r#"expected "é" in C:\a"#);
        assert_eq!(beginning("a\n\u{1b}[2J\u{202e}"), r"a\n\u{1b}[2J\u{202e}");
        assert_eq!(beginning(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(beginning(&"é".repeat(300)), "é".repeat(200) + "…");
    }

    #[test]
    fn notes_come_to_an_end() {
        let mut notes = Notes::default();
        (0..30).for_each(|number| notes.add(|| number.to_string()));
        let notes = notes.finish();
        assert_eq!((notes.len(), notes[20].as_str()), (21, "and 10 more of the kind"));
    }

    proptest::proptest! {
        #[test]
        fn any_name_is_shown(name: Vec<u8>) {
            proptest::prop_assert!(!shown(&name).chars().any(char::is_control));
        }
    }
}
