//! How long ago something was, in few letters.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// An age as kubectl prints it: two units at most, and only one where it is long.
///
/// Clocks of two machines may differ by a second; what lies further ahead is `<invalid>`.
///
/// Rule: apimachinery's `duration.HumanDuration`.
///
/// ```
/// use jiff::SignedDuration;
/// use wasmpod_view::HumanDuration;
///
/// assert_eq!(HumanDuration(SignedDuration::from_secs(140)).to_string(), "2m20s");
/// assert_eq!(HumanDuration(SignedDuration::from_hours(50)).to_string(), "2d2h");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HumanDuration(pub SignedDuration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        const YEAR: i64 = 365 * DAY;
        let seconds = self.0.as_secs();
        let two = |f: &mut fmt::Formatter<'_>, big: (i64, &str), small: (i64, &str)| {
            write!(f, "{}{}", seconds / big.0, big.1)?;
            match seconds % big.0 / small.0 {
                0 => Ok(()),
                rest => write!(f, "{rest}{}", small.1),
            }
        };
        match seconds {
            s if s < -1 => f.write_str("<invalid>"),
            s if s < 0 => f.write_str("0s"),
            s if s < 2 * MINUTE => write!(f, "{s}s"),
            s if s < 10 * MINUTE => two(f, (MINUTE, "m"), (1, "s")),
            s if s < 3 * HOUR => write!(f, "{}m", s / MINUTE),
            s if s < 8 * HOUR => two(f, (HOUR, "h"), (MINUTE, "m")),
            s if s < 2 * DAY => write!(f, "{}h", s / HOUR),
            s if s < 8 * DAY => two(f, (DAY, "d"), (HOUR, "h")),
            s if s < 2 * YEAR => write!(f, "{}d", s / DAY),
            s if s < 8 * YEAR => two(f, (YEAR, "y"), (DAY, "d")),
            s => write!(f, "{}y", s / YEAR),
        }
    }
}

/// How long before `now` it was, or `<unknown>` where nothing says when.
pub(crate) fn since(time: Option<Timestamp>, now: Timestamp) -> String {
    match time {
        Some(time) => HumanDuration(now.duration_since(time)).to_string(),
        None => "<unknown>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_in_kubectl() {
        let table = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (140, "2m20s"),
            (600, "10m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 60, "3h1m"),
            (8 * 3600 + 60, "8h"),
            (48 * 3600, "2d"),
            (50 * 3600, "2d2h"),
            (8 * 24 * 3600, "8d"),
            (800 * 24 * 3600, "2y70d"),
            (9 * 365 * 24 * 3600, "9y"),
        ];
        for (seconds, text) in table {
            assert_eq!(HumanDuration(SignedDuration::from_secs(seconds)).to_string(), text);
        }
    }

    #[test]
    fn what_never_was_has_no_age() {
        assert_eq!(since(None, Timestamp::UNIX_EPOCH), "<unknown>");
    }
}
