//! Which of the bytes that somebody types are signals. Pure.
//!
//! The kernel's line discipline takes these bytes itself and would send the signal to processes, of which
//! there are none. So they are looked for here, by the settings that the terminal has as they come.
//!
//! Rule: termios(3), `ISIG`, `VINTR`, `VQUIT`, and `VLNEXT` with `ICANON` and `IEXTEN`.

use rustix::termios::{LocalModes, SpecialCodeIndex, Termios};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\.
    Quit,
}

impl Signal {
    /// The exit code of what it ends, as a shell has it.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Quit => 131,
        }
    }
}

/// The settings that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// None while they are bytes as all others.
    interrupt: Option<u8>,
    quit: Option<u8>,
    /// Takes the meaning from the byte behind it.
    literal: Option<u8>,
}

impl Keys {
    pub(super) fn of(settings: &Termios) -> Self {
        // The value that switches a key off.
        let key = |index| Some(settings.special_codes[index]).filter(|key| *key != 0);
        let modes = settings.local_modes;
        let signals = modes.contains(LocalModes::ISIG);
        let literal = modes.contains(LocalModes::ICANON | LocalModes::IEXTEN);
        Self {
            interrupt: key(SpecialCodeIndex::VINTR).filter(|_| signals),
            quit: key(SpecialCodeIndex::VQUIT).filter(|_| signals),
            literal: key(SpecialCodeIndex::VLNEXT).filter(|_| literal),
        }
    }
}

/// Where the typing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Typing {
    /// The next byte means itself.
    is_literal: bool,
}

impl Typing {
    /// The first signal in `bytes`, and how many bytes there are up to it and with it.
    pub(super) fn next_signal(&mut self, keys: Keys, bytes: &[u8]) -> Option<(usize, Signal)> {
        for (place, byte) in bytes.iter().enumerate() {
            if std::mem::take(&mut self.is_literal) {
                continue;
            }
            let byte = Some(*byte);
            if byte == keys.literal {
                self.is_literal = true;
            } else if byte == keys.interrupt {
                return Some((place + 1, Signal::Interrupt));
            } else if byte == keys.quit {
                return Some((place + 1, Signal::Quit));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COOKED: Keys = Keys { interrupt: Some(3), quit: Some(28), literal: Some(22) };
    const RAW: Keys = Keys { interrupt: None, quit: None, literal: None };

    #[test]
    fn a_key_is_a_signal_unless_it_is_quoted() {
        let first = |bytes: &[u8]| Typing::default().next_signal(COOKED, bytes);
        assert_eq!(first(b"abc\n"), None);
        assert_eq!(first(b"ab\x03c"), Some((3, Signal::Interrupt)));
        assert_eq!(first(b"\x1c\x03"), Some((1, Signal::Quit)));
        assert_eq!(first(b"\x16\x03"), None);
        assert_eq!(first(b"\x16\x16\x03"), Some((3, Signal::Interrupt)));
        assert_eq!(Typing::default().next_signal(RAW, b"\x03\x1c"), None);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_are_cut(bytes: Vec<u8>, cut: prop::sample::Index) {
            let signals = |parts: &[&[u8]]| {
                let mut typing = Typing::default();
                let mut found = Vec::new();
                for part in parts {
                    let mut rest = *part;
                    while let Some((length, signal)) = typing.next_signal(COOKED, rest) {
                        found.push(signal);
                        rest = &rest[length..];
                    }
                }
                found
            };
            let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(signals(&[&bytes]), signals(&[head, tail]));
        }
    }
}
