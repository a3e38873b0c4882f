//! The files that `fileKeyRef` reads: one `KEY='value'` a line.
//!
//! Kubernetes allows no other form: single quotes round every value (it may span lines), blanks
//! and comments between. Rule: KEP-3721.

use super::FileError;

/// The value of `key` in the text of an environment file; the last one counts.
///
/// # Errors
/// [`FileError::Unreadable`] with the line of what is no entry.
pub(super) fn value(content: &[u8], key: &str) -> Result<Option<String>, FileError> {
    let mut rest = std::str::from_utf8(content)
        .map_err(|_| FileError::Unreadable("the file is not UTF-8".to_owned()))?;
    let whole = rest.len();
    let text = rest;
    let mut found = None;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(found);
        }
        if rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        let line = text[..whole - rest.len()].matches('\n').count() + 1;
        let (name, value, after) = entry(rest)
            .ok_or_else(|| FileError::Unreadable(format!("line {line} is not KEY='value'")))?;
        if name == key {
            found = Some(value.to_owned());
        }
        rest = after;
    }
}

/// The first entry of `text`, and what follows its line.
fn entry(text: &str) -> Option<(&str, &str, &str)> {
    let (name, after) = text.split_once('=')?;
    let clean = !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace());
    let (value, after) = after.strip_prefix('\'')?.split_once('\'')?;
    let (tail, rest) = after.split_once('\n').unwrap_or((after, ""));
    let tail = tail.trim();
    (clean && (tail.is_empty() || tail.starts_with('#'))).then_some((name, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_one_form_that_is_allowed() {
        let file = b"# made by init\nA='1'\n\nB='two\nlines' # why\n  A='3'";
        assert_eq!(value(file, "A").unwrap().as_deref(), Some("3"));
        assert_eq!(value(file, "B").unwrap().as_deref(), Some("two\nlines"));
        assert_eq!(value(file, "C").unwrap(), None);
    }

    #[test]
    fn says_which_line_is_none() {
        for (file, line) in [("A=1", 1), ("A='1'\nB=\"2\"", 2), ("A='1'\n\nB", 3), ("A='1' x", 1)] {
            let error = value(file.as_bytes(), "A").unwrap_err();
            assert_eq!(error, FileError::Unreadable(format!("line {line} is not KEY='value'")));
        }
    }
}
