//! What a text allows: which ways to write it would not read back as the same text.
//!
//! Rule: libyaml's `yaml_emitter_analyze_scalar`.

/// The ways to write a text that read back as that text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
    pub(super) several_lines: bool,
}

pub(super) fn analyze(text: &str) -> Allowed {
    if text.is_empty() {
        return Allowed { plain: true, single_quoted: true, block: false, several_lines: false };
    }
    let mut seen = Seen { indicator: has_indicator(text), ..Seen::default() };
    let last = text.chars().count() - 1;
    let mut before = Before::Text;
    for (at, character) in text.chars().enumerate() {
        seen.special |= !is_printable(character);
        before = match character {
            ' ' => {
                seen.leading_space |= at == 0;
                seen.trailing_space |= at == last;
                seen.space_behind_break |= before == Before::Break;
                Before::Space
            }
            it if is_break(it) => {
                seen.breaks = true;
                seen.outer_break |= at == 0 || at == last;
                seen.break_behind_space |= before == Before::Space;
                Before::Break
            }
            _ => Before::Text,
        };
    }
    seen.allowed()
}

#[derive(Default)]
struct Seen {
    indicator: bool,
    breaks: bool,
    special: bool,
    leading_space: bool,
    trailing_space: bool,
    outer_break: bool,
    space_behind_break: bool,
    break_behind_space: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Text,
    Space,
    Break,
}

impl Seen {
    fn allowed(&self) -> Allowed {
        let hopeless = self.break_behind_space || self.special;
        let edges = self.leading_space || self.trailing_space || self.outer_break;
        Allowed {
            plain: !(hopeless || edges || self.breaks || self.indicator),
            single_quoted: !(hopeless || self.space_behind_break),
            block: !(hopeless || self.trailing_space),
            several_lines: self.breaks,
        }
    }
}

/// Whether something in the text would mean something where it stands.
fn has_indicator(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let mut before_is_blank = true;
    let mut characters = text.chars().peekable();
    let mut is_first = true;
    while let Some(character) = characters.next() {
        let blank_follows = characters.peek().is_none_or(|next| is_blank(*next));
        let means = match character {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if is_first =>
            {
                true
            }
            '?' | ':' | '-' if is_first => blank_follows,
            ':' => blank_follows,
            '#' => before_is_blank,
            _ => false,
        };
        if means {
            return true;
        }
        before_is_blank = is_blank(character);
        is_first = false;
    }
    false
}

fn is_blank(character: char) -> bool {
    character == ' ' || character == '\t' || is_break(character)
}

pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the character is written as it is. Those outside the basic plane are not: go-yaml escapes
/// them.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators_count_where_they_mean_something() {
        for text in ["# a", "a #b", "a: b", "a:", "- a", "-", "? a", "*a", "%a", "---", "'a"] {
            assert!(!analyze(text).plain, "{text}");
        }
        for text in ["a#b", "a:b", "-a", "?a", "a - b", "a, b", "a[0]", "it's", "héllo"] {
            assert!(analyze(text).plain, "{text}");
        }
    }

    #[test]
    fn blanks_and_breaks_rule_ways_out() {
        let ways = |text| {
            let allowed = analyze(text);
            (allowed.plain, allowed.single_quoted, allowed.block)
        };
        assert_eq!(ways(" a"), (false, true, true));
        assert_eq!(ways("a "), (false, true, false));
        assert_eq!(ways("a\nb"), (false, true, true));
        assert_eq!(ways("a\n b"), (false, false, true));
        assert_eq!(ways("a \nb"), (false, false, false));
        assert_eq!(ways("a\tb"), (false, false, false));
        assert_eq!(ways("😀"), (false, false, false));
    }
}
