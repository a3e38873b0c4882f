//! Writes entries of a CRI log file, many a millisecond.
//!
//! The date and the second of a time stamp change once a second, the nanoseconds with each line:
//! the former are kept as text, the latter are written digit by digit. Nine digits always, so that
//! lines sort as text and a reader may cut at a fixed column.

use jiff::Timestamp;

use super::line::{LogEntry, Piece};

/// Turns entries into lines; remembers the text of the current second.
#[derive(Debug, Default)]
pub(crate) struct Formatter {
    second: Option<i64>,
    /// `2026-11-23T16:03:00.`
    prefix: String,
}

impl Formatter {
    /// Appends `entry` as one line, its line end included.
    pub(crate) fn append(&mut self, line: &mut Vec<u8>, entry: &LogEntry<'_>) {
        self.append_time(line, entry.time);
        line.push(b' ');
        line.extend_from_slice(entry.stream.as_str().as_bytes());
        line.extend_from_slice(match entry.piece {
            Piece::Full => b" F ",
            Piece::Partial => b" P ",
        });
        line.extend_from_slice(entry.text);
        line.push(b'\n');
    }

    /// Appends `time` as RFC 3339 in UTC with nine digits of a second.
    pub(crate) fn append_time(&mut self, line: &mut Vec<u8>, time: Timestamp) {
        // Before 1970 the parts of a second count backwards; floor, as a clock face does.
        let mut second = time.as_second();
        let mut nanosecond = time.subsec_nanosecond();
        if nanosecond < 0 {
            second -= 1;
            nanosecond += 1_000_000_000;
        }
        if self.second != Some(second) {
            let whole = Timestamp::from_second(second).unwrap_or(Timestamp::MIN);
            self.prefix = format!("{}.", whole.strftime("%Y-%m-%dT%H:%M:%S"));
            self.second = Some(second);
        }
        line.extend_from_slice(self.prefix.as_bytes());
        let mut digits = [b'0'; 9];
        let mut rest = nanosecond.unsigned_abs();
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).expect("a digit is below ten");
            rest /= 10;
        }
        line.extend_from_slice(&digits);
        line.push(b'Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::line::LogStream;

    #[test]
    fn a_line_has_time_stream_tag_and_text() {
        let mut formatter = Formatter::default();
        let mut file = Vec::new();
        for (nanoseconds, piece) in [
            (1_700_000_000_000_000_001_i128, Piece::Full),
            (1_700_000_000_999_999_999, Piece::Partial),
            (1_700_000_001_000_000_000, Piece::Full),
            (-1, Piece::Full),
        ] {
            let time = Timestamp::from_nanosecond(nanoseconds).unwrap();
            formatter.append(
                &mut file,
                &LogEntry { time, stream: LogStream::Stdout, piece, text: b"text" },
            );
        }
        insta::assert_snapshot!(String::from_utf8(file).unwrap(), @r"
        2023-11-14T22:13:20.000000001Z stdout F text
        2023-11-14T22:13:20.999999999Z stdout P text
        2023-11-14T22:13:21.000000000Z stdout F text
        1969-12-31T23:59:59.999999999Z stdout F text
        ");
    }
}
