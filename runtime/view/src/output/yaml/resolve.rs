//! Which texts another reader would take for something else than text.
//!
//! Rule: go-yaml's `resolve`, with the words and numbers of YAML 1.1 that it still quotes.

/// Whether a text without quotes would be no text: a boolean, a number, a time, null.
pub(super) fn means_something_else(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE",
        "on", "On", "ON", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off",
        "OFF", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
        "-.Inf", "-.INF", "<<",
    ];
    WORDS.contains(&text) || is_number(text) || is_sexagesimal(text) || is_time(text)
}

fn is_number(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    match first {
        '.' => is_float(text),
        '+' | '-' | '0'..='9' => {
            let plain = text.replace('_', "");
            is_float(&plain) || is_prefixed_integer(&plain)
        }
        _ => false,
    }
}

/// `1`, `1.5`, `.5`, `1.`, `1e3`.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_is_good =
        digits_only(whole) && digits_only(fraction) && (!whole.is_empty() || !fraction.is_empty());
    let exponent_is_good = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits_only(exponent)
    });
    mantissa_is_good && exponent_is_good
}

/// `0x1F`, `0b1`, `0o17`.
fn is_prefixed_integer(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let in_base = |prefixes: [&str; 2], base: u32| {
        let digits = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix));
        digits.is_some_and(|digits| {
            !digits.starts_with('+') && u64::from_str_radix(digits, base).is_ok()
        })
    };
    in_base(["0x", "0X"], 16) || in_base(["0b", "0B"], 2) || in_base(["0o", "0O"], 8)
}

/// `1:30`, which YAML 1.1 takes for ninety.
fn is_sexagesimal(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let is_sixtieth = |part: &&str| match part.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    first.starts_with(|it: char| it.is_ascii_digit())
        && first.chars().all(|it| it.is_ascii_digit() || it == '_')
        && fraction.chars().all(|it| it.is_ascii_digit() || it == '_')
        && !rest.is_empty()
        && rest.iter().all(is_sixtieth)
}

/// `2026-11-25`, and the same with a time behind it.
fn is_time(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (day, time) = match rest.find(|it: char| !it.is_ascii_digit()) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let number = |text: &str, longest: usize| -> Option<i8> {
        let is_good = !text.is_empty() && text.len() <= longest && digits_only(text);
        is_good.then(|| text.parse().ok())?
    };
    let date = || {
        let year: i16 = (year.len() == 4 && digits_only(year)).then(|| year.parse().ok())??;
        // The year 0 is a year to Go, and a leap year.
        let year = if year == 0 { 4 } else { year };
        jiff::civil::Date::new(year, number(month, 2)?, number(day, 2)?).ok()
    };
    date().is_some() && (time.is_empty() || is_time_of_day(time))
}

/// `T8:00:00.5Z`, or the same behind a blank and without a zone.
fn is_time_of_day(text: &str) -> bool {
    let (with_zone, clock) = match text.split_at_checked(1) {
        Some(("T" | "t", clock)) => (true, clock),
        Some((" ", clock)) => (false, clock),
        _ => return false,
    };
    let (clock, zone) = match clock.find(['Z', '+', '-']) {
        Some(at) => clock.split_at(at),
        None => (clock, ""),
    };
    let (whole, fraction) = match clock.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (clock, None),
    };
    let below = |text: &str, limit: u8| {
        (1..=2).contains(&text.len())
            && digits_only(text)
            && text.parse::<u8>().is_ok_and(|number| number < limit)
    };
    let parts: Vec<&str> = whole.split(':').collect();
    let clock_is_good = matches!(parts[..], [hour, minute, second]
        if below(hour, 24) && below(minute, 60) && below(second, 60));
    let zone_is_good = match (with_zone, zone) {
        (false, "") | (true, "Z") => true,
        (true, zone) => match zone.get(1..).and_then(|zone| zone.split_once(':')) {
            Some((hours, minutes)) => {
                hours.len() == 2 && minutes.len() == 2 && below(hours, 25) && below(minutes, 60)
            }
            None => false,
        },
        (false, _) => false,
    };
    clock_is_good
        && zone_is_good
        && fraction.is_none_or(|fraction| !fraction.is_empty() && digits_only(fraction))
}

fn digits_only(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_times_need_quotes() {
        let quoted = [
            "",
            "~",
            "null",
            "yes",
            "N",
            "off",
            "0123",
            "089",
            "1e3",
            "1_000",
            "0x1F",
            "0b1",
            "0o17",
            "-1",
            "+12",
            ".5",
            "1.",
            "-.inf",
            ".nan",
            "1:30",
            "190:20:30.15",
            "2026-11-25",
            "2026-1-2",
            "2026-11-25T08:00:00Z",
            "2026-11-25t8:0:0.5+01:00",
            "2026-11-25 08:00:00",
        ];
        for text in quoted {
            assert!(means_something_else(text), "{text}");
        }
        let plain = [
            "yess",
            "0x",
            "0xg",
            "1e",
            "e1",
            "1.2.3",
            "v1",
            "-",
            "+",
            ".",
            "1:60",
            "1:",
            ":1",
            "2026-13-01",
            "2026-02-30",
            "2026-11-25T",
            "2026-11-25T08:00:00",
            "2026-11-25 08:00:00Z",
            "26-11-25",
            "host:80",
            "é",
            "T",
            "F",
        ];
        for text in plain {
            assert!(!means_something_else(text), "{text}");
        }
    }
}
