//! A YAML text as strict as the parser wants it, where `kubectl` reads it more kindly.
//!
//! The parser keeps to YAML 1.2; go-yaml, with which `kubectl` reads, follows 1.1 and is laxer still.
//! What manifests rely on, and what becomes of it here:
//!
//! - Lines within brackets or quotes may begin anywhere, and with tabs: their leading blanks mean
//!   nothing, so that they are replaced by as many spaces as the parser asks for.
//! - `:` may be followed by a tab: it becomes a space.
//! - `#` begins a comment right behind a bracket or a quote: the comment is left out.
//! - `\'` is a quote in a text in double quotes: a stand-in goes through the parser in its place.
//!
//! All of it depends on where brackets, quotes and block scalars begin and end, which is all that
//! this looks for; whether the text is right otherwise is for the parser to say. Places in the new
//! text lead back to those of the old ([`Relaxed::place`]).

use crate::node::Position;

/// Stands for `\'`: as long, so that columns stay, and of characters that no text has, since
/// Unicode keeps them for such uses.
pub(super) const STAND_IN: &str = "\u{fdd0}\u{fdd1}";

/// How many times as long as the old text the new one may be: a key far to the right, with many
/// short lines in its brackets, would grow it without bound.
const MOST_GROWTH: usize = 8;

/// What every text may grow by.
const FREE_GROWTH: usize = 4096;

/// The new text and the way back to the old.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Relaxed {
    pub(super) text: String,
    moved: Vec<Moved>,
}

/// A line whose leading blanks were replaced.
#[derive(Debug, PartialEq, Eq)]
struct Moved {
    line: u32,
    /// How many blanks there were.
    from: u32,
    /// How many there are.
    to: u32,
}

impl Relaxed {
    /// Where in the old text a place of the new one is; lines count from 1 in both.
    pub(super) fn place(&self, at: Position) -> Position {
        let Some(Moved { from, to, .. }) = self.moved(at.line) else {
            return at;
        };
        Position { column: at.column.saturating_sub(*to).max(1).saturating_add(*from), ..at }
    }

    /// Whether a line begins within brackets or quotes, and further left than the parser would
    /// have it.
    pub(super) fn has_moved(&self, line: u32) -> bool {
        self.moved(line).is_some()
    }

    fn moved(&self, line: u32) -> Option<&Moved> {
        let index = self.moved.binary_search_by_key(&line, |moved| moved.line).ok()?;
        self.moved.get(index)
    }
}

/// The relaxed text; none where there is nothing to relax, or too much.
pub(super) fn relax(text: &str) -> Option<Relaxed> {
    if text.contains(STAND_IN) {
        return None;
    }
    let mut lexer = Lexer {
        new: String::with_capacity(text.len()),
        moved: Vec::new(),
        within: Within::Nothing,
        brackets: 0,
        least: 0,
    };
    let most = text.len().saturating_mul(MOST_GROWTH).saturating_add(FREE_GROWTH);
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        lexer.line(&rest[..end], number)?;
        let length = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        let next = (end + length).min(rest.len());
        lexer.new.push_str(&rest[end..next]);
        rest = &rest[next..];
        if lexer.new.len() > most {
            return None;
        }
    }
    let Lexer { new, moved, .. } = lexer;
    (new != text).then_some(Relaxed { text: new, moved })
}

struct Lexer {
    new: String,
    moved: Vec<Moved>,
    within: Within,
    /// How many brackets are open.
    brackets: usize,
    /// The least column, from 0, of what belongs to the key or dash that was last.
    least: usize,
}

/// What the end of the last line, or the last character, was part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Between values.
    Nothing,
    /// A text without quotes.
    Plain,
    SingleQuotes,
    DoubleQuotes,
    /// A block scalar, `|` or `>`.
    Block,
}

impl Lexer {
    /// Takes over a line; none if it cannot be one of a text that is right.
    fn line(&mut self, line: &str, number: u32) -> Option<()> {
        let content = line.trim_start_matches([' ', '\t']);
        let blanks = line.len() - content.len();
        let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
        let quoted = matches!(self.within, Within::SingleQuotes | Within::DoubleQuotes);
        if is_document_mark(line) {
            if self.brackets > 0 || quoted {
                return None;
            }
            (self.within, self.least) = (Within::Nothing, 0);
            let mark = 3;
            self.new.push_str(&line[..mark]);
            self.tokens(line, mark);
            return Some(());
        }
        if self.brackets > 0 || quoted {
            // Where a text without quotes may go on, go-yaml takes tabs for a slip too.
            if self.within == Within::Plain && spaces < blanks && spaces < self.least {
                return None;
            }
            if content.is_empty() {
                return Some(());
            }
            let needed = self.least + 1;
            if self.least > 0 && (spaces < needed || spaces < blanks) {
                let column = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
                self.moved.push(Moved { line: number, from: column(blanks), to: column(needed) });
                self.new.extend(std::iter::repeat_n(' ', needed));
            } else {
                self.new.push_str(&line[..blanks]);
            }
            self.tokens(line, blanks);
            return Some(());
        }
        let continues = match self.within {
            Within::Block => content.is_empty() || spaces >= self.least,
            Within::Plain => {
                content.is_empty() || (spaces >= self.least && !content.starts_with('#'))
            }
            Within::Nothing | Within::SingleQuotes | Within::DoubleQuotes => false,
        };
        if continues || line.starts_with('%') {
            self.new.push_str(line);
        } else {
            self.within = Within::Nothing;
            self.new.push_str(&line[..blanks]);
            self.tokens(line, blanks);
        }
        Some(())
    }

    /// Takes over the rest of a line from `at` on.
    ///
    /// Columns that matter are those of keys and dashes in block style. Nothing but blanks and
    /// other dashes stands before them, so that a byte is a column.
    fn tokens(&mut self, line: &str, mut at: usize) {
        // Where the value began that may turn out to be a key.
        let mut start = None;
        while let Some(character) = line[at..].chars().next() {
            let next = at + character.len_utf8();
            let ends = line[next..].chars().next().is_none_or(is_blank);
            let after_blank = at == 0 || line[..at].ends_with(is_blank);
            let flow = self.brackets > 0;
            match (self.within, character) {
                (Within::Block, _) => {
                    self.new.push_str(&line[at..]);
                    return;
                }
                (Within::DoubleQuotes, '\\') => {
                    let escaped = line[next..].chars().next();
                    if escaped == Some('\'') {
                        self.new.push_str(STAND_IN);
                    } else {
                        self.new.push('\\');
                        self.new.extend(escaped);
                    }
                    at = next + escaped.map_or(0, char::len_utf8);
                    continue;
                }
                // Two are one of the text: the second opens again what the first one closed.
                (Within::DoubleQuotes, '"') | (Within::SingleQuotes, '\'') => {
                    self.within = Within::Nothing;
                }
                (Within::SingleQuotes | Within::DoubleQuotes, _) => {}
                (Within::Plain | Within::Nothing, '#') if after_blank => {
                    self.within = Within::Nothing;
                    self.new.push_str(&line[at..]);
                    return;
                }
                (Within::Nothing, '#') => return,
                (Within::Plain | Within::Nothing, '[' | '{')
                    if flow || self.within == Within::Nothing =>
                {
                    start.get_or_insert(at);
                    self.within = Within::Nothing;
                    self.brackets += 1;
                }
                (Within::Plain | Within::Nothing, ']' | '}' | ',') if flow => {
                    self.within = Within::Nothing;
                    self.brackets -= usize::from(character != ',');
                }
                (Within::Plain | Within::Nothing, ':')
                    if ends
                        || (flow
                            && (self.within == Within::Nothing
                                || line[next..].starts_with([',', '[', ']', '{', '}']))) =>
                {
                    self.within = Within::Nothing;
                    if !flow && let Some(start) = start.take() {
                        self.least = start + 1;
                    }
                    self.new.push(':');
                    let value = line[next..].trim_start_matches(is_blank);
                    let blanks = line.len() - value.len() - next;
                    self.new.extend(std::iter::repeat_n(' ', blanks));
                    at = next + blanks;
                    continue;
                }
                (Within::Plain, _) => {}
                (Within::Nothing, '-' | '?') if ends && !flow => self.least = at + 1,
                (Within::Nothing, '\'') => {
                    start.get_or_insert(at);
                    self.within = Within::SingleQuotes;
                }
                (Within::Nothing, '"') => {
                    start.get_or_insert(at);
                    self.within = Within::DoubleQuotes;
                }
                (Within::Nothing, '|' | '>') if !flow => self.within = Within::Block,
                // An anchor, an alias or a tag: what it stands before is still to come.
                (Within::Nothing, '&' | '*' | '!') => {
                    start.get_or_insert(at);
                    let stops = |character: char| {
                        is_blank(character)
                            || (flow && matches!(character, ',' | '[' | ']' | '{' | '}'))
                    };
                    let end = line[next..].find(stops).map_or(line.len(), |length| next + length);
                    self.new.push_str(&line[at..end]);
                    at = end;
                    continue;
                }
                (Within::Nothing, _) if !is_blank(character) && character != ',' => {
                    start.get_or_insert(at);
                    self.within = Within::Plain;
                }
                (Within::Nothing, _) => {}
            }
            self.new.push(character);
            at = next;
        }
    }
}

fn is_blank(character: char) -> bool {
    character == ' ' || character == '\t'
}

fn is_document_mark(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(is_blank))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the text: as many lines as before, and on each the same but for blanks, comments
        /// and stand-ins.
        #[test]
        fn lines_stay_what_they_are(text in "([-:{}\\[\\],&!|>'\"%#\\\\a.é \t]{0,9}(\n|\r\n|\r)?){0,20}") {
            if let Some(relaxed) = relax(&text) {
                let bare = |text: &str| text.replace(STAND_IN, "\\'").replace([' ', '\t'], "");
                let (old, new) = (bare(&text), bare(&relaxed.text));
                let breaks = |text: &str| text.split(['\n', '\r']).map(str::to_owned).collect::<Vec<_>>();
                let (old, new) = (breaks(&old), breaks(&new));
                prop_assert_eq!(old.len(), new.len());
                for (old, new) in old.iter().zip(&new) {
                    let rest = old.strip_prefix(new.as_str());
                    prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#')));
                }
            }
        }
    }
}
