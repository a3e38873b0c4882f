//! Amounts as people read them. Pure.

/// Bytes: `0B`, `1.5KiB`, `64MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1 << 10 {
        return format!("{bytes}B");
    }
    // The largest unit of which it is one at least, where 1023.96KiB would round to 1024.
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10_235 {
            break;
        }
        tenths = (tenths + 512) / 1024;
        unit = next;
    }
    match (tenths / 10, tenths % 10) {
        (whole, tenth) if tenth == 0 || whole >= 100 => format!("{whole}{unit}"),
        (whole, tenth) => format!("{whole}.{tenth}{unit}"),
    }
}

/// CPU, as `kubectl top` has it: thousandths of a core.
pub(crate) fn cores(nano_cores: u64) -> String {
    format!("{}m", (nano_cores + 500_000) / 1_000_000)
}

/// `part` of `whole` in percent; none of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> Option<String> {
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2).checked_div(whole.into())?;
    Some(format!("{}.{}%", tenths / 10, tenths % 10))
}

/// How long ago it was, as docker and podman say it.
///
/// Rule: `HumanDuration` of docker's `go-units`.
pub(crate) fn ago(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let text = match seconds {
        ..1 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        s if s < MINUTE => format!("{s} seconds"),
        s if s < 2 * MINUTE => "About a minute".to_owned(),
        s if s < HOUR => format!("{} minutes", s / MINUTE),
        s if s < 90 * MINUTE => "About an hour".to_owned(),
        s if s < 2 * DAY => format!("{} hours", (s + HOUR / 2) / HOUR),
        s if s < 14 * DAY => format!("{} days", s / DAY),
        s if s < 60 * DAY => format!("{} weeks", s / (7 * DAY)),
        s if s < 730 * DAY => format!("{} months", s / (30 * DAY)),
        s => format!("{} years", s / (365 * DAY)),
    };
    text + " ago"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_unit_that_fits() {
        for (amount, expected) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (12_595_200, "12MiB"),
            (12_700_000, "12.1MiB"),
            (150 << 20, "150MiB"),
            ((1 << 20) - 1, "1MiB"),
            (u64::MAX, "16EiB"),
        ] {
            assert_eq!(bytes(amount), expected, "{amount}");
        }
    }

    #[test]
    fn cores_and_parts_are_rounded() {
        assert_eq!([cores(0), cores(1_499_999), cores(249_600_000)], ["0m", "1m", "250m"]);
        assert_eq!(percent(1, 3).as_deref(), Some("33.3%"));
        assert_eq!(percent(2, 1).as_deref(), Some("200.0%"));
        assert_eq!(percent(0, 0), None);
    }

    #[test]
    fn times_are_told_as_by_docker() {
        let hours = |hours: i64| ago(hours * 3600);
        assert_eq!(
            [ago(-5), ago(1), ago(59)],
            ["Less than a second ago", "1 second ago", "59 seconds ago"]
        );
        assert_eq!(
            [ago(61), ago(150), hours(1)],
            ["About a minute ago", "2 minutes ago", "About an hour ago"]
        );
        assert_eq!(
            [hours(30), hours(24 * 15), hours(24 * 365 * 56)],
            ["30 hours ago", "2 weeks ago", "56 years ago"]
        );
    }
}
