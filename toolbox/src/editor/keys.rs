//! Bytes of a terminal as keys. Pure.

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Character(char),
    /// With the control key: a small letter.
    Control(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    WordLeft,
    WordRight,
    /// Deletes the word before the cursor.
    WordBackspace,
    WordDelete,
    /// One that means nothing here.
    Unknown,
}

/// Bytes that are no whole key yet.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
}

/// No sequence of any terminal is longer.
const MOST: usize = 16;

impl Decoder {
    /// The key that ends with this byte, if one does.
    pub(super) fn push(&mut self, byte: u8) -> Option<Key> {
        self.bytes.push(byte);
        let key = decode(&self.bytes);
        if key.is_some() || self.bytes.len() >= MOST {
            self.bytes.clear();
        }
        key
    }
}

fn decode(bytes: &[u8]) -> Option<Key> {
    match bytes {
        [b'\r' | b'\n'] => Some(Key::Enter),
        [b'\t'] => Some(Key::Tab),
        [0x7f | 0x08] => Some(Key::Backspace),
        [27] => None,
        [27, rest @ ..] => escape(rest),
        [control @ 0..32] => Some(Key::Control(char::from(control + b'`'))),
        bytes => character(bytes),
    }
}

fn character(bytes: &[u8]) -> Option<Key> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().next().map(Key::Character),
        // What may still become one.
        Err(error) if error.error_len().is_none() => None,
        Err(_) => Some(Key::Unknown),
    }
}

/// Behind an escape.
fn escape(bytes: &[u8]) -> Option<Key> {
    match bytes {
        [b'b'] => Some(Key::WordLeft),
        [b'f'] => Some(Key::WordRight),
        [b'd'] => Some(Key::WordDelete),
        [0x7f | 0x08] => Some(Key::WordBackspace),
        [b'[' | b'O'] => None,
        [b'O', letter] => Some(by_letter(*letter, false)),
        [b'[', middle @ .., last] => match last {
            b'0'..=b'9' | b';' => None,
            b'~' => Some(match middle {
                [b'1' | b'7', ..] => Key::Home,
                [b'4' | b'8', ..] => Key::End,
                [b'3', ..] => Key::Delete,
                _ => Key::Unknown,
            }),
            // With control or alt: `1;5`, `1;3`.
            letter => Some(by_letter(*letter, middle.contains(&b';'))),
        },
        _ => Some(Key::Unknown),
    }
}

fn by_letter(letter: u8, with_control: bool) -> Key {
    match letter {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' if with_control => Key::WordRight,
        b'D' if with_control => Key::WordLeft,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => Key::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|byte| decoder.push(*byte)).collect()
    }

    #[test]
    fn bytes_become_keys() {
        use Key::{Backspace, Character, Control, Delete, End, Enter, Home, Left, Right, Tab, Up};
        assert_eq!(keys("aä€".as_bytes()), [Character('a'), Character('ä'), Character('€')]);
        assert_eq!(keys(b"\r\t\x7f\x03"), [Enter, Tab, Backspace, Control('c')]);
        assert_eq!(keys(b"\x1b[A\x1bOC\x1b[D\x1b[3~"), [Up, Right, Left, Delete]);
        assert_eq!(keys(b"\x1b[H\x1b[4~\x1b[1~\x1bOF"), [Home, End, Home, End]);
        assert_eq!(keys(b"\x1b[1;5D\x1bf"), [Key::WordLeft, Key::WordRight]);
        assert_eq!(
            keys(b"\xffa\x1b[200~b"),
            [Key::Unknown, Character('a'), Key::Unknown, Character('b')]
        );
        assert_eq!(keys(&[b"\x1b[", &[b'1'; 100][..]].concat()).len(), 86);
    }
}
