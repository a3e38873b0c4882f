//! One line of a CRI log file, as text and as values.
//!
//! Pure. The writer's side is in `format`, which is made for speed; this side accepts what any
//! CRI runtime writes.

use std::fmt;

use jiff::Timestamp;

/// Which of a guest's two outputs a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl LogStream {
    /// `stdout` or `stderr`, the words of the CRI format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LogStream::Stdout => "stdout",
            LogStream::Stderr => "stderr",
        }
    }
}

impl fmt::Display for LogStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether text is a whole line, or the end of one, or a piece that goes on in the next entry of
/// the same stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Piece {
    /// `F`: with this text the line is complete.
    Full,
    /// `P`: the line goes on.
    Partial,
}

/// One entry of a CRI log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry<'text> {
    /// When the runtime took the text from the container.
    pub time: Timestamp,
    /// Where it came from.
    pub stream: LogStream,
    /// Whether the line ends here.
    pub piece: Piece,
    /// The text, without the line end that closes the entry in the file.
    pub text: &'text [u8],
}

/// Why bytes are not an entry of a CRI log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseLineError {
    /// The first word is not a time.
    #[error("a log line must start with an RFC 3339 time")]
    Time,
    /// The second word is not a stream.
    #[error("the second word of a log line must be `stdout` or `stderr`")]
    Stream,
    /// The third word has neither tag.
    #[error("the third word of a log line must be `F` or `P`")]
    Tag,
}

impl<'text> LogEntry<'text> {
    /// Reads one line of a log file, given without or with its line end.
    ///
    /// Tags may have several parts, `P:other`; only the first is looked at, as in the kubelet.
    ///
    /// # Errors
    /// [`ParseLineError`] names the first word that is wrong.
    pub fn parse(line: &'text [u8]) -> Result<Self, ParseLineError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (time, rest) = split_word(line).ok_or(ParseLineError::Time)?;
        let time = std::str::from_utf8(time)
            .ok()
            .and_then(|text| text.parse::<Timestamp>().ok())
            .ok_or(ParseLineError::Time)?;
        let (stream, rest) = split_word(rest).ok_or(ParseLineError::Stream)?;
        let stream = match stream {
            b"stdout" => LogStream::Stdout,
            b"stderr" => LogStream::Stderr,
            _ => return Err(ParseLineError::Stream),
        };
        // An empty line may have lost the space after its tag.
        let (tags, text) = split_word(rest).unwrap_or((rest, b""));
        let piece = match tags.split(|&byte| byte == b':').next() {
            Some(b"F") => Piece::Full,
            Some(b"P") => Piece::Partial,
            _ => return Err(ParseLineError::Tag),
        };
        Ok(LogEntry { time, stream, piece, text })
    }
}

fn split_word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().position(|&byte| byte == b' ')?;
    Some((&bytes[..space], &bytes[space + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::logs::format::Formatter;

    #[test]
    fn reads_what_containerd_and_cri_o_write() {
        let containerd = b"2016-10-06T00:17:09.669794202Z stdout F The content of the log entry 1";
        let entry = LogEntry::parse(containerd).unwrap();
        assert_eq!(entry.stream, LogStream::Stdout);
        assert_eq!(entry.piece, Piece::Full);
        assert_eq!(entry.text, b"The content of the log entry 1");
        assert_eq!(entry.time.to_string(), "2016-10-06T00:17:09.669794202Z");

        let offset = b"2024-01-02T03:04:05.6+02:00 stderr P:x  two spaces\n";
        let entry = LogEntry::parse(offset).unwrap();
        assert_eq!((entry.stream, entry.piece), (LogStream::Stderr, Piece::Partial));
        assert_eq!(entry.text, b" two spaces");
        assert_eq!(entry.time.to_string(), "2024-01-02T01:04:05.6Z");

        assert_eq!(LogEntry::parse(b"2016-10-06T00:17:09Z stdout F").unwrap().text, b"");
        assert_eq!(LogEntry::parse(b"2016-10-06T00:17:09Z stdout F ").unwrap().text, b"");
    }

    #[test]
    fn says_which_word_is_wrong() {
        for (line, error) in [
            (&b""[..], ParseLineError::Time),
            (b"yesterday stdout F x", ParseLineError::Time),
            (b"\xff\xfe stdout F x", ParseLineError::Time),
            (b"2016-10-06T00:17:09Z", ParseLineError::Time),
            (b"2016-10-06T00:17:09Z stdin F x", ParseLineError::Stream),
            (b"2016-10-06T00:17:09Z stdout", ParseLineError::Stream),
            (b"2016-10-06T00:17:09Z stdout X x", ParseLineError::Tag),
            (b"2016-10-06T00:17:09Z stdout ", ParseLineError::Tag),
        ] {
            assert_eq!(LogEntry::parse(line), Err(error), "{}", line.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(
            nanoseconds in -62_135_596_800_000_000_000_i128..253_402_207_200_000_000_000,
            stderr: bool,
            partial: bool,
            text in proptest::collection::vec(any::<u8>().prop_filter("one line", |b| *b != b'\n'), 0..200),
        ) {
            let entry = LogEntry {
                time: Timestamp::from_nanosecond(nanoseconds).unwrap(),
                stream: if stderr { LogStream::Stderr } else { LogStream::Stdout },
                piece: if partial { Piece::Partial } else { Piece::Full },
                text: &text,
            };
            let mut line = Vec::new();
            Formatter::default().append(&mut line, &entry);
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert_eq!(LogEntry::parse(&line).unwrap(), entry);
        }

        #[test]
        fn any_bytes_get_an_answer(line in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = LogEntry::parse(&line);
        }
    }
}
