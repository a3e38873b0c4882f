//! `$(VAR)` in `command`, `args`, `env[].value` and `subPathExpr`.
//!
//! Never a shell: `$VAR` and `$(open` stay as they are, `$$` is a dollar that expands nothing.
//! What a variable is worth is the caller's business. Rule: the forked Go package
//! `third_party/forked/golang/expansion` of Kubernetes.

use std::borrow::Cow;

/// `text` with every `$(NAME)` that `lookup` knows replaced by its value; others stay literal.
///
/// ```
/// use wasmpod_manifest::expand::expand;
///
/// let value = |name: &str| (name == "USER").then_some("anna");
/// assert_eq!(expand("hello $(USER)", value), "hello anna");
/// assert_eq!(expand("$(NOBODY) $USER $$(USER)", value), "$(NOBODY) $USER $(USER)");
/// ```
pub fn expand<'v>(text: &str, lookup: impl Fn(&str) -> Option<&'v str>) -> String {
    expand_within(text, usize::MAX, lookup).expect("no text is longer than that")
}

/// Like [`expand`], but none when the result would be longer than `most` bytes.
///
/// Values may hold values in turn, so that a few lines can stand for more than a machine holds.
pub fn expand_within<'v>(
    text: &str,
    most: usize,
    lookup: impl Fn(&str) -> Option<&'v str>,
) -> Option<String> {
    let mut expanded = String::with_capacity(text.len().min(most));
    let mut push = |piece: &str| {
        let fits = piece.len() <= most - expanded.len();
        if fits {
            expanded.push_str(piece);
        }
        fits
    };
    for piece in pieces(text) {
        let fits = match piece {
            Piece::Literal(literal) => push(literal),
            Piece::Reference(name) => match lookup(name) {
                Some(value) => push(value),
                None => push("$(") && push(name) && push(")"),
            },
        };
        if !fits {
            return None;
        }
    }
    Some(expanded)
}

/// A `$(NAME)` that nothing defines, where that is an error: in `subPathExpr`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing value for {}", crate::field::quote(.name))]
pub struct MissingVariable {
    /// The variable's name.
    pub name: String,
}

/// Like [`expand`], but every name must have a value.
///
/// # Errors
/// [`MissingVariable`] for the first name that `lookup` does not know.
pub fn try_expand<'v>(
    text: &str,
    lookup: impl Fn(&str) -> Option<&'v str>,
) -> Result<String, MissingVariable> {
    pieces(text)
        .map(|piece| match piece {
            Piece::Literal(literal) => Ok(Cow::Borrowed(literal)),
            Piece::Reference(name) => lookup(name)
                .map(|value| Cow::Owned(value.to_owned()))
                .ok_or_else(|| MissingVariable { name: name.to_owned() }),
        })
        .collect()
}

enum Piece<'t> {
    Literal(&'t str),
    Reference(&'t str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, length) = first_piece(rest);
        rest = &rest[length..];
        Some(piece)
    })
}

/// The piece that a text which is not empty begins with, and how many bytes it takes up.
fn first_piece(text: &str) -> (Piece<'_>, usize) {
    let Some(after) = text.strip_prefix('$') else {
        let end = text.find('$').unwrap_or(text.len());
        return (Piece::Literal(&text[..end]), end);
    };
    if after.starts_with('$') {
        return (Piece::Literal("$"), 2);
    }
    if let Some(inner) = after.strip_prefix('(') {
        return match inner.find(')') {
            Some(end) => (Piece::Reference(&inner[..end]), end + 3),
            None => (Piece::Literal("$("), 2),
        };
    }
    (Piece::Literal("$"), 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<&'static str> {
        match name {
            "VAR_A" => Some("A"),
            "VAR_B" => Some("B"),
            "VAR_C" => Some("C"),
            "VAR_REF" => Some("$(VAR_A)"),
            "VAR_EMPTY" => Some(""),
            _ => None,
        }
    }

    // The cases of the Go package, by hand.
    #[test]
    fn expands_as_kubernetes_does() {
        let table = [
            ("$(VAR_A)", "A"),
            ("___$(VAR_B)___", "___B___"),
            ("___$(VAR_C)", "___C"),
            ("$(VAR_A)-$(VAR_A)", "A-A"),
            ("$(VAR_A)-1", "A-1"),
            ("$(VAR_A)_$(VAR_B)_$(VAR_C)", "A_B_C"),
            ("$$(VAR_B)_$(VAR_A)", "$(VAR_B)_A"),
            ("$$(VAR_A)_$$(VAR_B)", "$(VAR_A)_$(VAR_B)"),
            ("f000-$$VAR_A", "f000-$VAR_A"),
            ("foo\\$(VAR_C)bar", "foo\\Cbar"),
            ("foo\\\\$(VAR_C)bar", "foo\\\\Cbar"),
            ("foo$(VAR_EMPTY)bar", "foobar"),
            ("foo$(VAR_Awhoops!", "foo$(VAR_Awhoops!"),
            ("f00__(VAR_A)__", "f00__(VAR_A)__"),
            ("$?_boo_$!", "$?_boo_$!"),
            ("$VAR_A", "$VAR_A"),
            ("$(VAR_DNE)", "$(VAR_DNE)"),
            ("$$$(VAR_A)", "$A"),
            ("$$$$$$$(BAD_VAR)", "$$$$(BAD_VAR)"),
            ("$(VAR_REF)", "$(VAR_A)"),
            ("$", "$"),
            ("$$", "$"),
            ("$(", "$("),
            ("$()", "$()"),
            ("foo$(VAR_A", "foo$(VAR_A"),
            ("é$é$(VAR_A)é", "é$éAé"),
        ];
        for (text, expected) in table {
            assert_eq!(expand(text, lookup), expected, "{text}");
        }
    }

    #[test]
    fn a_missing_value_can_be_an_error() {
        assert_eq!(try_expand("a/$(VAR_A)", lookup).as_deref(), Ok("a/A"));
        let error = try_expand("a/$(NONE)", lookup).unwrap_err();
        assert_eq!(error.to_string(), r#"missing value for "NONE""#);
    }

    #[test]
    fn a_result_may_be_bounded() {
        assert_eq!(expand_within("$(VAR_A)$(VAR_B)", 2, lookup).as_deref(), Some("AB"));
        assert_eq!(expand_within("$(VAR_A)$(VAR_B)", 1, lookup), None);
        assert_eq!(expand_within("", 0, lookup).as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[$()A-Za-zé ]{0,40}") {
            let expanded = expand(&text, lookup);
            if !text.contains('$') {
                prop_assert_eq!(expanded, text);
            }
        }
    }
}
