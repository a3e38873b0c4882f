//! Patterns: `*`, `?`, `[a-z]`, `[!a]`, `[[:digit:]]`, and a backslash before what is none. Pure.

/// Whether all of `text` fits.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    fits(&pattern, &text)
}

fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last star was, and what it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            None if t == text.len() => return true,
            None => None,
            Some('*') => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(_) => text.get(t).and_then(|character| one(&pattern[p..], *character)),
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                t += 1;
            }
            (None, Some((at, taken))) if taken < text.len() => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            (None, _) => return false,
        }
    }
}

/// How much of the pattern `character` takes; none if it does not fit.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', literal, ..] => (*literal == character).then_some(2),
        ['[', ..] => match class(pattern, character) {
            Some((true, length)) => Some(length),
            Some((false, _)) => None,
            // Without its end it is a plain one.
            None => (character == '[').then_some(1),
        },
        [literal, ..] => (*literal == character).then_some(1),
        [] => None,
    }
}

/// Whether a bracket fits, and how long it is; none if it has no end.
fn class(pattern: &[char], character: char) -> Option<(bool, usize)> {
    let mut at = 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        match pattern.get(at)? {
            ']' if at > first => return Some((found != negated, at + 1)),
            '[' if pattern.get(at + 1) == Some(&':') => {
                let end = (at + 2..pattern.len() - 1)
                    .find(|end| pattern[*end..*end + 2] == [':', ']'])?;
                let name: String = pattern[at + 2..end].iter().collect();
                found |= is_of(&name, character);
                at = end + 2;
            }
            _ => {
                let (low, after) = literal(pattern, at)?;
                at = after;
                let is_range = pattern.get(at) == Some(&'-')
                    && pattern.get(at + 1).is_some_and(|next| *next != ']');
                if is_range {
                    let (high, after) = literal(pattern, at + 1)?;
                    at = after;
                    found |= (low..=high).contains(&character);
                } else {
                    found |= low == character;
                }
            }
        }
    }
}

fn literal(pattern: &[char], at: usize) -> Option<(char, usize)> {
    match pattern.get(at)? {
        '\\' => Some((*pattern.get(at + 1)?, at + 2)),
        character => Some((*character, at + 1)),
    }
}

/// Whether a character is one of a named class.
pub(crate) fn is_of(class: &str, character: char) -> bool {
    match class {
        "alpha" => character.is_alphabetic(),
        "digit" => character.is_ascii_digit(),
        "alnum" => character.is_alphanumeric(),
        "upper" => character.is_uppercase(),
        "lower" => character.is_lowercase(),
        "space" => character.is_whitespace(),
        "blank" => character == ' ' || character == '\t',
        "punct" => character.is_ascii_punctuation(),
        "xdigit" => character.is_ascii_hexdigit(),
        "cntrl" => character.is_control(),
        "print" => !character.is_control(),
        "graph" => !character.is_control() && character != ' ',
        _ => false,
    }
}

/// `text` without what fits at its front, as little or as much as possible.
pub(crate) fn without_front<'text>(pattern: &str, text: &'text str, longest: bool) -> &'text str {
    let mut ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    if longest {
        ends.reverse();
    }
    ends.into_iter().find(|end| matches(pattern, &text[..*end])).map_or(text, |end| &text[end..])
}

/// `text` without what fits at its back.
pub(crate) fn without_back<'text>(pattern: &str, text: &'text str, longest: bool) -> &'text str {
    let mut starts: Vec<usize> =
        text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    if !longest {
        starts.reverse();
    }
    starts.into_iter().find(|at| matches(pattern, &text[*at..])).map_or(text, |at| &text[..at])
}

/// `text` with `by` in place of what fits, once or everywhere.
pub(crate) fn replace(pattern: &str, text: &str, by: &str, all: bool) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at <= text.len() {
        let rest = &text[at..];
        let ends = rest.char_indices().map(|(end, _)| end).chain([rest.len()]).skip(1);
        let found = ends.filter(|end| matches(pattern, &rest[..*end])).last();
        match (found, rest.chars().next()) {
            (Some(end), _) => {
                out.push_str(by);
                at += end;
                if !all {
                    break;
                }
            }
            (None, Some(character)) => {
                out.push(character);
                at += character.len_utf8();
            }
            (None, None) => break,
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, text, fit) in [
            ("", "", true),
            ("*", "", true),
            ("a*c*e", "abcde", true),
            ("a*c", "abcd", false),
            ("*.txt", "notes.txt", true),
            ("?", "ä", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[[:digit:]]*", "7up", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("**a", "bba", true),
            ("[a\\-z]", "b", false),
        ] {
            assert_eq!(matches(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn ends_are_removed_and_parts_replaced() {
        assert_eq!(without_front("*/", "a/b/c", false), "b/c");
        assert_eq!(without_front("*/", "a/b/c", true), "c");
        assert_eq!(without_back(".*", "a.tar.gz", false), "a.tar");
        assert_eq!(without_back(".*", "a.tar.gz", true), "a");
        assert_eq!(without_back("x", "abc", true), "abc");
        assert_eq!(replace("b*", "abcbc", "-", false), "a-");
        assert_eq!(replace("b", "abcb", "-", true), "a-c-");
        assert_eq!(replace("b", "abcb", "-", false), "a-cb");
    }
}
