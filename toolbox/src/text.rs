//! Backslashes in texts, as `echo -e`, `printf` and `$'…'` have them.

use std::iter::Peekable;
use std::str::Chars;

/// How an octal number begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    /// `\0101`, for `echo` and `%b`.
    Needed,
    /// `\101`
    Octal,
}

/// A text whose backslashes are gone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unescaped {
    pub(crate) bytes: Vec<u8>,
    /// `\c` was there: nothing comes after it.
    pub(crate) ends: bool,
}

impl Unescaped {
    pub(crate) fn text(self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Puts bytes in place of backslashes and what follows them.
pub(crate) fn unescape(text: &str, zero: Zero) -> Unescaped {
    let mut out = Unescaped::default();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '\\' {
            push(&mut out.bytes, character);
            continue;
        }
        if zero == Zero::Octal
            && let Some(value) = digits(&mut rest, 8, 3)
        {
            out.bytes.push(low_byte(value));
            continue;
        }
        let Some(letter) = rest.next() else {
            out.bytes.push(b'\\');
            return out;
        };
        match letter {
            'a' => out.bytes.push(7),
            'b' => out.bytes.push(8),
            'e' | 'E' => out.bytes.push(27),
            'f' => out.bytes.push(12),
            'n' => out.bytes.push(b'\n'),
            'r' => out.bytes.push(b'\r'),
            't' => out.bytes.push(b'\t'),
            'v' => out.bytes.push(11),
            'c' => {
                out.ends = true;
                return out;
            }
            '0' => out.bytes.push(low_byte(digits(&mut rest, 8, 3).unwrap_or(0))),
            '\\' | '\'' | '"' => push(&mut out.bytes, letter),
            'x' | 'u' | 'U' => match digits(&mut rest, 16, most(letter)) {
                Some(value) if letter == 'x' => out.bytes.push(low_byte(value)),
                Some(value) => push(&mut out.bytes, char::from_u32(value).unwrap_or('\u{fffd}')),
                None => out.bytes.extend([b'\\', letter as u8]),
            },
            letter => {
                out.bytes.push(b'\\');
                push(&mut out.bytes, letter);
            }
        }
    }
    out
}

/// How many hexadecimal digits a letter takes.
fn most(letter: char) -> usize {
    match letter {
        'x' => 2,
        'u' => 4,
        _ => 8,
    }
}

fn digits(rest: &mut Peekable<Chars<'_>>, radix: u32, most: usize) -> Option<u32> {
    let mut digits = String::new();
    while digits.len() < most
        && let Some(digit) = rest.next_if(|next| next.is_digit(radix))
    {
        digits.push(digit);
    }
    u32::from_str_radix(&digits, radix).ok()
}

fn push(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn low_byte(value: u32) -> u8 {
    u8::try_from(value & 0xff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_are_read() {
        for (text, zero, bytes) in [
            (r"a\tb\n", Zero::Needed, &b"a\tb\n"[..]),
            (r"\0101\101", Zero::Needed, b"A\\101"),
            (r"\101\0", Zero::Octal, b"A\0"),
            (r"\x41\xzz\q\\", Zero::Octal, b"A\\xzz\\q\\"),
            (r"\u00e4", Zero::Octal, "ä".as_bytes()),
            ("\\", Zero::Needed, b"\\"),
        ] {
            assert_eq!(unescape(text, zero).bytes, bytes, "{text}");
        }
        let cut = unescape(r"ab\ccd", Zero::Needed);
        assert_eq!((&cut.bytes[..], cut.ends), (&b"ab"[..], true));
    }
}
