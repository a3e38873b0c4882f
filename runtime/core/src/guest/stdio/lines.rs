//! Whole lines, where many write to one log.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::output::Output;
use super::{PERMIT, lock};

/// A longer line goes on in pieces.
const LONGEST: usize = 8 << 10;

/// An [`Output`] that takes what one instance writes and gives it on in whole lines: a language that writes
/// a line in pieces would have the pieces of other requests between them. What is there at the end of a
/// request is a line.
pub(crate) struct WholeLines {
    output: Arc<dyn Output>,
    partial: Mutex<Vec<u8>>,
}

impl WholeLines {
    pub(crate) fn new(output: Arc<dyn Output>) -> Self {
        Self { output, partial: Mutex::default() }
    }

    /// Ends the line that was begun.
    pub(crate) fn end(&self) {
        let mut partial = lock(&self.partial);
        if !partial.is_empty() {
            partial.push(b'\n');
            // Whoever keeps the log is gone as well, if it fails.
            let _ = self.give_on(&mut partial);
        }
    }

    fn give_on(&self, partial: &mut Vec<u8>) -> io::Result<()> {
        match std::mem::take(partial) {
            nothing if nothing.is_empty() => Ok(()),
            bytes => self.output.write(&bytes),
        }
    }
}

impl Output for WholeLines {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut partial = lock(&self.partial);
        let end = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        let (whole, rest) = bytes.split_at(end);
        if !whole.is_empty() {
            if partial.len() + whole.len() > PERMIT {
                self.give_on(&mut partial)?;
            }
            if partial.is_empty() {
                self.output.write(whole)?;
            } else {
                partial.extend_from_slice(whole);
                self.give_on(&mut partial)?;
            }
        }
        if partial.len() + rest.len() > LONGEST {
            self.give_on(&mut partial)?;
            return self.output.write(rest);
        }
        partial.extend_from_slice(rest);
        Ok(())
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        self.output.poll_ready(context)
    }
}

impl Drop for WholeLines {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Keeps each write by itself.
    #[derive(Default)]
    struct Writes(Mutex<Vec<Vec<u8>>>);

    impl Output for Writes {
        fn write(&self, bytes: &[u8]) -> io::Result<()> {
            lock(&self.0).push(bytes.to_vec());
            Ok(())
        }
    }

    fn written(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let writes = Arc::new(Writes::default());
        let lines = WholeLines::new(writes.clone());
        for piece in pieces {
            lines.write(piece).unwrap();
        }
        drop(lines);
        std::mem::take(&mut *lock(&writes.0))
    }

    #[test]
    fn pieces_of_a_line_wait_for_its_end() {
        assert_eq!(written(&[b"a", b" b", b"\nc\nd"]), [&b"a b\nc\n"[..], b"d\n"]);
        assert_eq!(written(&[b"", b"whole\n"]), [b"whole\n"]);
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(written(&[b"a", &long]), [b"a".to_vec(), long]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_write_is_too_large(
            pieces: Vec<(proptest::sample::Index, bool)>,
        ) {
            let pieces: Vec<Vec<u8>> = pieces
                .into_iter()
                .map(|(length, ends)| {
                    let mut piece = vec![b'x'; length.index(PERMIT)];
                    if ends {
                        let middle = piece.len() / 2;
                        piece.insert(middle, b'\n');
                    }
                    piece
                })
                .collect();
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let written = written(&pieces);
            let mut expected = pieces.concat();
            let last = written.last().map(Vec::as_slice).unwrap_or_default();
            if last.ends_with(b"\n") && !expected.ends_with(b"\n") {
                expected.push(b'\n');
            }
            prop_assert_eq!(written.concat(), expected);
            prop_assert!(written.iter().all(|write| !write.is_empty() && write.len() <= PERMIT));
        }
    }
}
