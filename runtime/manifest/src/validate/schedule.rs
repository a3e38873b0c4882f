//! `schedule` of a CronJob.
//!
//! Rule: `ParseStandard` of robfig/cron v3, whose messages these are: five fields of lists of
//! ranges with steps, or one of the words that begin with `@`.

use crate::field::quote;

struct Bounds {
    least: u64,
    most: u64,
    /// Names of the numbers, the first that of `least`.
    names: &'static [&'static str],
}

const FIELDS: [Bounds; 5] = [
    Bounds { least: 0, most: 59, names: &[] },
    Bounds { least: 0, most: 23, names: &[] },
    Bounds { least: 1, most: 31, names: &[] },
    Bounds {
        least: 1,
        most: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Bounds { least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const WORDS: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// What is wrong with a schedule, if anything is.
pub(super) fn wrong(schedule: &str) -> Option<String> {
    if schedule.contains("TZ") {
        let rule = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        return Some(rule.to_owned());
    }
    parse(schedule).err()
}

fn parse(schedule: &str) -> Result<(), String> {
    if let Some(duration) = schedule.strip_prefix("@every ") {
        return if is_duration(duration) {
            Ok(())
        } else {
            let wrong = quote(duration);
            Err(format!("failed to parse duration {schedule}: time: invalid duration {wrong}"))
        };
    }
    if schedule.starts_with('@') {
        return if WORDS.contains(&schedule) {
            Ok(())
        } else {
            Err(format!("unrecognized descriptor: {schedule}"))
        };
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "expected exactly {} fields, found {}: [{}]",
            FIELDS.len(),
            fields.len(),
            fields.join(" ")
        ));
    }
    fields.into_iter().zip(&FIELDS).try_for_each(|(field, bounds)| {
        let mut ranges = field.split(',').filter(|range| !range.is_empty());
        ranges.try_for_each(|range| self::range(range, bounds))
    })
}

fn range(text: &str, bounds: &Bounds) -> Result<(), String> {
    let mut parts = text.split('/');
    let (ends, step) = (parts.next().unwrap_or_default(), parts.next());
    let too_many_slashes = parts.next().is_some();
    let mut parts = ends.split('-');
    let (low, high) = (parts.next().unwrap_or_default(), parts.next());
    let too_many_hyphens = parts.next().is_some();

    let (start, mut end) = if low == "*" || low == "?" {
        (bounds.least, bounds.most)
    } else {
        let start = number_or_name(low, bounds)?;
        if too_many_hyphens {
            return Err(format!("too many hyphens: {text}"));
        }
        (start, high.map_or(Ok(start), |high| number_or_name(high, bounds))?)
    };
    if too_many_slashes {
        return Err(format!("too many slashes: {text}"));
    }
    let step = step.map(number).transpose()?;
    if step.is_some() && high.is_none() {
        end = bounds.most;
    }
    let Bounds { least, most, .. } = bounds;
    if start < *least {
        Err(format!("beginning of range ({start}) below minimum ({least}): {text}"))
    } else if end > *most {
        Err(format!("end of range ({end}) above maximum ({most}): {text}"))
    } else if start > end {
        Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"))
    } else if step == Some(0) {
        Err(format!("step of range should be a positive number: {text}"))
    } else {
        Ok(())
    }
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let named = bounds.names.iter().zip(bounds.least..);
    match named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, number)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let number: i64 = text.parse().map_err(|_| {
        format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {}: invalid syntax",
            quote(text)
        )
    })?;
    u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}

/// Whether Go's `time.ParseDuration` takes a text: `1h30m`, `1.5s`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(rest, "" | "0") {
        return rest == "0";
    }
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(is_number);
        let number = &rest[..rest.len() - unit.len()];
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        if digits == 0 || number.len() - digits > 1 {
            return false;
        }
        let end = unit.find(is_number).unwrap_or(unit.len());
        if !["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(&&unit[..end]) {
            return false;
        }
        rest = &unit[end..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_schedules() {
        for schedule in [
            "0 3 * * *",
            "*/5 0-6,22-23 1 jan-MAR,12 sun-5",
            " 0  3\t? * 0-6/2 ",
            "30/10 * * * *",
            "@hourly",
            "@every 1h30m",
            "@every 1.5s",
        ] {
            assert_eq!(wrong(schedule), None, "{schedule}");
        }
    }

    #[test]
    fn wrong_schedules() {
        let table = [
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("0 0 0 0 0 0", "expected exactly 5 fields, found 6: [0 0 0 0 0 0]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            (
                "a * * * *",
                "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax",
            ),
            ("@often", "unrecognized descriptor: @often"),
            ("@every 1x", "failed to parse duration @every 1x: time: invalid duration \"1x\""),
            ("@every ", "failed to parse duration @every : time: invalid duration \"\""),
            (
                "CRON_TZ=UTC 0 3 * * *",
                "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
            ),
        ];
        for (schedule, expected) in table {
            assert_eq!(wrong(schedule).as_deref(), Some(expected), "{schedule}");
        }
    }
}
