//! The order of lines, as `sort` is told. Pure.

use std::cmp::Ordering;

use super::{Failure, Options};

/// How two lines are compared.
pub(super) struct Order {
    keys: Vec<Key>,
    whole: How,
    separator: Option<u8>,
    reverse: bool,
    stable: bool,
}

#[derive(Clone, Copy, Default)]
struct How {
    numeric: bool,
    human: bool,
    version: bool,
    fold: bool,
    blanks: bool,
    reverse: bool,
}

/// `-k 2,3n`
struct Key {
    start: (usize, usize),
    end: Option<(usize, usize)>,
    how: How,
}

impl Order {
    pub(super) fn read(options: &Options) -> Result<Self, Failure> {
        let whole = How {
            numeric: options.last_of("ng").is_some(),
            human: options.has('h'),
            version: options.has('V'),
            fold: options.has('f'),
            blanks: options.has('b'),
            reverse: false,
        };
        let separator = match options.value('t') {
            None => None,
            Some("\\t") => Some(b'\t'),
            Some(text) if text.len() == 1 => Some(text.as_bytes()[0]),
            Some(_) => return Err(Failure::Usage("-t takes one character".to_owned())),
        };
        let keys =
            options.values('k').map(|text| Key::read(text, whole)).collect::<Result<_, _>>()?;
        let stable = options.has('s') || options.has('u');
        Ok(Self { keys, whole, separator, reverse: options.has('r'), stable })
    }

    pub(super) fn compare(&self, one: &[u8], other: &[u8]) -> Ordering {
        let turned = |order: Ordering, turn: bool| if turn { order.reverse() } else { order };
        let by_keys = self.by_keys(one, other);
        let order = match self.keys.is_empty() {
            true => turned(by_keys, self.reverse),
            // A key may have its own direction.
            false => by_keys,
        };
        match order {
            Ordering::Equal if !self.stable => turned(one.cmp(other), self.reverse),
            order => order,
        }
    }

    /// Whether only one of them is kept by `-u`.
    pub(super) fn is_same(&self, one: &[u8], other: &[u8]) -> bool {
        self.by_keys(one, other).is_eq()
    }

    fn by_keys(&self, one: &[u8], other: &[u8]) -> Ordering {
        if self.keys.is_empty() {
            return self.whole.compare(one, other);
        }
        let compared = self.keys.iter().map(|key| {
            let order = key.how.compare(key.of(one, self.separator), key.of(other, self.separator));
            if key.how.reverse || self.reverse { order.reverse() } else { order }
        });
        compared.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Key {
    fn read(text: &str, whole: How) -> Result<Self, Failure> {
        let wrong = || Failure::Usage(format!("{text:?} is no key, as 2 or 2,3n is one"));
        let mut how = How::default();
        let mut place = |text: &str| {
            let letters = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            for letter in letters.chars() {
                match letter {
                    'n' | 'g' => how.numeric = true,
                    'h' => how.human = true,
                    'V' => how.version = true,
                    'f' => how.fold = true,
                    'b' => how.blanks = true,
                    'r' => how.reverse = true,
                    _ => return None,
                }
            }
            let digits = &text[..text.len() - letters.len()];
            let (field, character) = digits.split_once('.').unwrap_or((digits, "0"));
            Some((field.parse::<usize>().ok()?, character.parse::<usize>().ok()?))
        };
        let (start, end) =
            text.split_once(',').map_or((text, None), |(start, end)| (start, Some(end)));
        let start = place(start).filter(|(field, _)| *field > 0).ok_or_else(wrong)?;
        let end = end.map(|end| place(end).ok_or_else(wrong)).transpose()?;
        let is_plain =
            !(how.numeric || how.human || how.version || how.fold || how.blanks || how.reverse);
        Ok(Self { start, end, how: if is_plain { whole } else { how } })
    }

    fn of<'line>(&self, line: &'line [u8], separator: Option<u8>) -> &'line [u8] {
        let fields = fields(line, separator);
        let Some(first) = fields.get(self.start.0 - 1) else { return &[] };
        let start = (first.0 + self.start.1.saturating_sub(1)).min(line.len());
        let end = match self.end {
            None => line.len(),
            Some((field, 0)) => {
                fields.get(field.saturating_sub(1)).map_or(line.len(), |field| field.1)
            }
            Some((field, character)) => fields
                .get(field.saturating_sub(1))
                .map_or(line.len(), |field| (field.0 + character).min(field.1)),
        };
        line.get(start..end).unwrap_or(&[])
    }
}

/// Where the fields are. Without a separator each begins with the blanks before it.
fn fields(line: &[u8], separator: Option<u8>) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    for (at, byte) in line.iter().enumerate() {
        let ends = match separator {
            Some(separator) => *byte == separator,
            None => byte.is_ascii_whitespace() && in_word,
        };
        if ends {
            all.push((start, at));
            start = if separator.is_some() { at + 1 } else { at };
        }
        in_word = !byte.is_ascii_whitespace();
    }
    all.push((start, line.len()));
    all
}

impl How {
    fn compare(self, one: &[u8], other: &[u8]) -> Ordering {
        let trim = |text: &'_ [u8]| -> Vec<u8> {
            let text = if self.blanks { text.trim_ascii_start() } else { text };
            if self.fold { text.to_ascii_uppercase() } else { text.to_vec() }
        };
        if self.numeric || self.human {
            return number(one, self.human).total_cmp(&number(other, self.human));
        }
        if self.version {
            return versions(one, other);
        }
        trim(one).cmp(&trim(other))
    }
}

/// The number that a text begins with.
fn number(text: &[u8], human: bool) -> f64 {
    let text = text.trim_ascii_start();
    let length = text
        .iter()
        .enumerate()
        .take_while(|(at, byte)| {
            byte.is_ascii_digit() || **byte == b'.' || (*at == 0 && **byte == b'-')
        })
        .count();
    let value = std::str::from_utf8(&text[..length])
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0.0);
    let factor = match text.get(length) {
        Some(b'k' | b'K') if human => 1024.0,
        Some(b'M') if human => 1024.0 * 1024.0,
        Some(b'G') if human => 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    value * factor
}

/// Digits count as numbers: `a9` comes before `a10`.
fn versions(one: &[u8], other: &[u8]) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (first, second) = (digits(one), digits(other));
        if first > 0 && second > 0 {
            let strip = |text: &[u8]| {
                text.iter().skip_while(|byte| **byte == b'0').copied().collect::<Vec<_>>()
            };
            let (a, b) = (strip(&one[..first]), strip(&other[..second]));
            let order = a.len().cmp(&b.len()).then(a.cmp(&b));
            if order.is_ne() {
                return order;
            }
            (one, other) = (&one[first..], &other[second..]);
            continue;
        }
        match (one.split_first(), other.split_first()) {
            (Some((a, rest_a)), Some((b, rest_b))) => {
                if a != b {
                    return a.cmp(b);
                }
                (one, other) = (rest_a, rest_b);
            }
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(arguments: &[&str], lines: &[&str]) -> String {
        let words: Vec<String> =
            ["sort"].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        let options = Options::read(&words, "nrufbk:t:sVh", &[]).unwrap();
        let order = Order::read(&options).unwrap();
        let mut lines = lines.to_vec();
        lines.sort_by(|one, other| order.compare(one.as_bytes(), other.as_bytes()));
        lines.join(" ")
    }

    #[test]
    fn lines_are_in_the_order_that_was_asked_for() {
        assert_eq!(sorted(&[], &["b", "B", "a"]), "B a b");
        assert_eq!(sorted(&["-f"], &["b", "B", "a"]), "a B b");
        assert_eq!(sorted(&["-n"], &["10", "9", "-1", "x"]), "-1 x 9 10");
        assert_eq!(sorted(&["-nr"], &["10", "9", "-1"]), "10 9 -1");
        assert_eq!(sorted(&["-h"], &["1M", "2K", "3"]), "3 2K 1M");
        assert_eq!(sorted(&["-V"], &["a10", "a9", "a"]), "a a9 a10");
        assert_eq!(sorted(&["-t:", "-k2,2n"], &["a:10", "b:9"]), "b:9 a:10");
        assert_eq!(sorted(&["-t:", "-k2nr", "-k1"], &["a:1", "c:2", "b:2"]), "b:2 c:2 a:1");
        assert_eq!(sorted(&["-k2"], &["x b", "y a"]), "y a x b");
    }
}
