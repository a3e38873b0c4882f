//! Durations as Go prints them, because Kubernetes puts them into messages that people match on.

use std::fmt;
use std::time::Duration;

/// Prints a duration the way Go's `time.Duration.String` does: `10s`, `1m20s`, `5m0s`, `1.5s`.
pub struct GoDuration(pub Duration);

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        match nanos {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{nanos}ns"),
            1_000..1_000_000 => return write!(f, "{}µs", fraction(nanos, 1_000)),
            1_000_000..1_000_000_000 => return write!(f, "{}ms", fraction(nanos, 1_000_000)),
            _ => {}
        }
        const MINUTE: u128 = 60 * 1_000_000_000;
        let (hours, minutes) = (nanos / (60 * MINUTE), nanos / MINUTE % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{}s", fraction(nanos % MINUTE, 1_000_000_000))
    }
}

/// `value / unit` with as many decimals as are needed and no more.
fn fraction(value: u128, unit: u128) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let decimals = format!("{rest:0width$}");
    format!("{whole}.{}", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        let table = [
            (Duration::ZERO, "0s"),
            (Duration::from_nanos(7), "7ns"),
            (Duration::from_nanos(1_500), "1.5µs"),
            (Duration::from_micros(2_050), "2.05ms"),
            (Duration::from_millis(1_500), "1.5s"),
            (Duration::from_secs(10), "10s"),
            (Duration::from_secs(40), "40s"),
            (Duration::from_secs(80), "1m20s"),
            (Duration::from_secs(160), "2m40s"),
            (Duration::from_secs(300), "5m0s"),
            (Duration::from_millis(3_600_500), "1h0m0.5s"),
        ];
        for (duration, text) in table {
            assert_eq!(GoDuration(duration).to_string(), text);
        }
    }
}
