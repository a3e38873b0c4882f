//! Text to amount.

use super::amount::{Family, NANOS, Quantity};

/// The largest amount that binary suffixes can express.
const MOST_BINARY: i128 = (i64::MAX as i128) * NANOS;

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number followed by letters that suffixes are made of.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// A number, but what follows is no suffix: `1Kii`.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

impl QuantityError {
    /// What the writer of `text` may have meant: `1Gi` for `1Gb`.
    pub fn suggestion(text: &str) -> Option<String> {
        let text = text.trim();
        let split = text
            .find(|character: char| !matches!(character, '0'..='9' | '.' | ',' | '_' | '+' | '-'))
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number = match number.matches(',').count() {
            0 => number.replace('_', ""),
            1 if !number.contains('.') => number.replace(',', ".").replace('_', ""),
            _ => number.replace([',', '_'], ""),
        };
        let suffix = meant_suffix(unit.trim())?;
        let candidate = format!("{number}{suffix}");
        (candidate != text && parse(&candidate).is_ok()).then_some(candidate)
    }
}

fn meant_suffix(unit: &str) -> Option<&'static str> {
    let lower = unit.to_ascii_lowercase();
    if matches!(lower.as_str(), "mcpu" | "millicpu" | "millicore" | "millicores") {
        return Some("m");
    }
    let stem = lower.trim_end_matches("bytes").trim_end_matches("byte").trim_end_matches('b');
    Some(match stem.trim_end_matches('i') {
        "" | "cpu" | "cpus" | "core" | "cores" => "",
        "k" | "kilo" => "Ki",
        "m" | "mega" => "Mi",
        "g" | "giga" => "Gi",
        "t" | "tera" => "Ti",
        "p" | "peta" => "Pi",
        "exa" => "Ei",
        _ => return None,
    })
}

pub(super) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    let Written { negative, whole, fraction, suffix } = split(text.trim())?;
    let (scale, family) = Scale::of(suffix)?;
    let magnitude = match scale {
        Scale::Ten(exponent) => decimal_nanos(whole, fraction, exponent),
        Scale::Two(exponent) => binary_nanos(whole, fraction, exponent).min(MOST_BINARY),
    };
    // As upstream: a binary amount below one prints better in decimal.
    let family = match family {
        Family::Binary if magnitude < NANOS => Family::Decimal,
        other => other,
    };
    Ok(Quantity { nanos: if negative { -magnitude } else { magnitude }, family })
}

/// A quantity in its parts; digits only in the two numbers, leading zeros gone.
struct Written<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    suffix: &'t str,
}

fn split(text: &str) -> Result<Written<'_>, QuantityError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, rest) = split_digits(unsigned);
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(after) => split_digits(after),
        None => ("", rest),
    };
    // Upstream's pattern lets "." pass as 0; a quantity without a digit is a slip.
    if whole.is_empty() && fraction.is_empty() {
        return Err(QuantityError::Format);
    }
    let letters = suffix.trim_start_matches(|letter: char| "eEinumkKMGTP".contains(letter));
    let digits = letters.strip_prefix(['+', '-']).unwrap_or(letters);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(QuantityError::Format);
    }
    Ok(Written {
        negative,
        whole: whole.trim_start_matches('0'),
        fraction: fraction.trim_end_matches('0'),
        suffix,
    })
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

enum Scale {
    Ten(i64),
    Two(u32),
}

impl Scale {
    fn of(suffix: &str) -> Result<(Self, Family), QuantityError> {
        let decimal = |exponent| Ok((Self::Ten(exponent), Family::Decimal));
        let binary = |exponent| Ok((Self::Two(exponent), Family::Binary));
        match suffix {
            "n" => decimal(-9),
            "u" => decimal(-6),
            "m" => decimal(-3),
            "" => decimal(0),
            "k" => decimal(3),
            "M" => decimal(6),
            "G" => decimal(9),
            "T" => decimal(12),
            "P" => decimal(15),
            "E" => decimal(18),
            "Ki" => binary(10),
            "Mi" => binary(20),
            "Gi" => binary(30),
            "Ti" => binary(40),
            "Pi" => binary(50),
            "Ei" => binary(60),
            _ => {
                let digits = suffix.strip_prefix(['e', 'E']).ok_or(QuantityError::Suffix)?;
                let exponent = digits.parse().map_err(|_| QuantityError::Suffix)?;
                Ok((Self::Ten(exponent), Family::Exponent))
            }
        }
    }
}

/// `whole.fraction` times ten to the `exponent`, in billionths, rounded up and capped.
fn decimal_nanos(whole: &str, fraction: &str, exponent: i64) -> i128 {
    // The amount is the digits, in billionths once the point has moved `shift` places right.
    let shift = exponent.saturating_add(9);
    let point = i64::try_from(whole.len()).unwrap_or(i64::MAX).saturating_add(shift);
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().all(|digit| digit == b'0') {
        return 0;
    }
    let Ok(point) = usize::try_from(point) else {
        // All digits lie below a billionth: some is asked for, so some is given.
        return 1;
    };
    let mut nanos: i128 = 0;
    // However far the point moves, the first digit that is not 0 fills the type within 39 more.
    for digit in digits().chain(std::iter::repeat(b'0')).take(point) {
        let next = nanos.checked_mul(10).and_then(|tens| tens.checked_add(value(digit)));
        match next {
            Some(next) => nanos = next,
            None => return i128::MAX,
        }
    }
    let rest = digits().skip(point).any(|digit| digit != b'0');
    nanos.saturating_add(i128::from(rest))
}

/// `whole.fraction` times two to the `exponent`, in billionths, rounded up and capped.
fn binary_nanos(whole: &str, fraction: &str, exponent: u32) -> i128 {
    let unit = NANOS << exponent;
    // Twenty digits are beyond the cap already.
    let whole: i128 = if whole.len() > 20 { i128::MAX } else { whole.parse().unwrap_or(0) };
    whole.saturating_mul(unit).saturating_add(fraction_of(unit, fraction))
}

/// `0.fraction` of `unit`, rounded up.
///
/// Nine digits at a time from the right: rounding up at every step gives the same as rounding
/// up once at the end, and no product outgrows the type (`unit` is at most 2^60 * 10^9).
fn fraction_of(unit: i128, fraction: &str) -> i128 {
    const DIGITS: usize = 9;
    const BASE: i128 = 1_000_000_000;
    let mut part: i128 = 0;
    for chunk in fraction.as_bytes().chunks(DIGITS).rev() {
        let padded = chunk.iter().copied().chain(std::iter::repeat(b'0')).take(DIGITS);
        let digits = padded.fold(0, |number, digit| number * 10 + value(digit));
        let sum = digits * unit + part;
        part = sum / BASE + i128::from(sum % BASE != 0);
    }
    part
}

fn value(digit: u8) -> i128 {
    i128::from(digit - b'0')
}
