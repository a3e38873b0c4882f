//! Templates that nobody filled in: the usual reason for a manifest that makes no sense.

/// A way out for a text that is wrong, if it looks as if something should have been put into it.
pub(crate) fn hint(text: &str) -> Option<String> {
    hint_of_line(text).or_else(|| {
        has_variable(text).then(|| {
            "this looks like a template: fill it in first (`envsubst`, for example)".to_owned()
        })
    })
}

/// The same for a line that cannot be read, in which `${NAME}` would be no trouble.
pub(crate) fn hint_of_line(line: &str) -> Option<String> {
    (line.contains("{{") || line.contains("{%")).then(|| {
        "this looks like a template: render it first (`helm template`, for example)".to_owned()
    })
}

/// Whether there is a `${NAME}`, perhaps with a default, `${NAME:-default}`.
fn has_variable(text: &str) -> bool {
    text.match_indices("${").any(|(at, opening)| {
        let name = &text[at + opening.len()..];
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.contains('}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_recognised() {
        let table = [
            ("{{ name }}", Some("helm template")),
            ("a-{%if x%}b", Some("helm template")),
            ("${NAME}-web", Some("envsubst")),
            ("${_a:-b}", Some("envsubst")),
            ("${1}", None),
            ("${NAME", None),
            ("$(NAME)", None),
            ("{a: {b: c}}", None),
        ];
        for (text, expected) in table {
            let hint = hint(text).unwrap_or_default();
            assert_eq!(hint.is_empty(), expected.is_none(), "{text}");
            assert!(hint.contains(expected.unwrap_or_default()), "{text}: {hint}");
        }
    }
}
