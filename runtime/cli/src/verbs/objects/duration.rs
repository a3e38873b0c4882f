//! Durations as Go writes them: `30s`, `1m30s`, `1.5h`. Pure.

use std::time::Duration;

use crate::failure::Failure;

/// The units, the longer of two with one beginning first.
const UNITS: [(&str, f64); 7] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// What Go's have room for: 292 years.
const LONGEST: Duration = Duration::from_nanos(i64::MAX.unsigned_abs());

/// A duration; none for a negative one.
///
/// # Errors
/// It is none, with what one looks like.
pub(crate) fn parse(text: &str) -> Result<Option<Duration>, Failure> {
    let wrong =
        || Failure::kubectl(format!("{text:?} is no duration: write one such as 30s, 5m or 1h30m"));
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(Some(Duration::ZERO));
    }
    let mut seconds = 0.0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = UNITS.iter().find(|(name, _)| *name == &rest[..end]).ok_or_else(wrong)?;
        seconds += number * unit.1;
        rest = &rest[end..];
    }
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    if duration > LONGEST {
        return Err(wrong());
    }
    Ok((!is_negative).then_some(duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in
            [("30s", 30_000), ("1m30s", 90_000), ("1.5h", 5_400_000), ("250ms", 250), ("0", 0)]
        {
            assert_eq!(parse(text).unwrap(), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse("-1s").unwrap(), None);
        for text in ["", "-", "5", "s", "1x", "1s2", "..s", "1e9s", "9999999999999999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
