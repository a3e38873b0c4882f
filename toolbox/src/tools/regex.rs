//! Regular expressions: the basic ones of POSIX as the extended ones that the engine knows.

use regex_lite::Regex;

/// An expression in which `\(`, `\{`, `\+`, `\|` mean something and `(`, `{`, `+`, `|` do not.
///
/// # Errors
/// What is wrong with it.
pub(super) fn basic(text: &str) -> Result<Regex, String> {
    compile(&to_extended(text))
}

/// # Errors
/// What is wrong with it.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("bad regular expression {text:?}: {error}"))
}

pub(super) fn to_extended(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    let mut at_start = true;
    while let Some(character) = rest.next() {
        let starts = std::mem::replace(&mut at_start, false);
        match character {
            '\\' => match rest.next() {
                Some(special @ ('(' | ')' | '{' | '}' | '+' | '?' | '|')) => {
                    out.push(special);
                    at_start = matches!(special, '(' | '|');
                }
                Some('<') => out.push_str(r"\b"),
                Some('>') => out.push_str(r"\b"),
                Some(other) => out.extend(['\\', other]),
                None => out.push_str(r"\\"),
            },
            '(' | ')' | '{' | '}' | '+' | '?' | '|' => out.extend(['\\', character]),
            '*' if starts => out.push_str(r"\*"),
            '^' if !starts => out.push_str(r"\^"),
            '$' if rest.peek().is_some() && !ends_group(rest.clone()) => out.push_str(r"\$"),
            '[' => bracket(&mut rest, &mut out),
            '^' => {
                out.push('^');
                at_start = true;
            }
            character => out.push(character),
        }
    }
    out
}

fn ends_group(mut rest: impl Iterator<Item = char>) -> bool {
    rest.next() == Some('\\') && matches!(rest.next(), Some(')' | '|'))
}

/// In brackets nothing is special but what the engine thinks is.
fn bracket(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    if let Some(negation) = rest.next_if_eq(&'^') {
        out.push(negation);
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
    while let Some(character) = rest.next() {
        match character {
            ']' => {
                out.push(']');
                return;
            }
            '[' if rest.peek() == Some(&':') => {
                out.push('[');
                for character in rest.by_ref() {
                    out.push(character);
                    if character == ']' {
                        break;
                    }
                }
            }
            '[' | '\\' | '&' | '~' => out.extend(['\\', character]),
            character => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_expressions_become_extended_ones() {
        for (basic, extended) in [
            (r"a\(b\)\{2\}", "a(b){2}"),
            ("a+b?(c)", r"a\+b\?\(c\)"),
            ("*a^b$c$", r"\*a\^b\$c$"),
            (r"^*[]a]\|x", r"^\*[\]a]|x"),
            ("[[:digit:]a[]", r"[[:digit:]a\[]"),
        ] {
            assert_eq!(to_extended(basic), extended, "{basic}");
        }
    }
}
