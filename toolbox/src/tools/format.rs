//! Printing words and numbers.

use std::io::Write as _;
use std::str::Chars;

use super::{Call, Failure, Options, Outcome};
use crate::text::{Zero, unescape};

/// `echo`
pub(super) fn echo(call: &mut Call<'_>) -> Outcome {
    let mut rest = &call.words[1..];
    let (mut newline, mut escapes) = (true, false);
    while let Some(letters) = rest.first().and_then(|word| word.strip_prefix('-')) {
        if letters.is_empty() || !letters.chars().all(|letter| "neE".contains(letter)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                letter => escapes = letter == 'e',
            }
        }
        rest = &rest[1..];
    }
    let text = rest.join(" ");
    if escapes {
        let text = unescape(&text, Zero::Needed);
        call.io.out.write_all(&text.bytes)?;
        newline &= !text.ends;
    } else {
        call.io.out.write_all(text.as_bytes())?;
    }
    if newline {
        call.io.out.write_all(b"\n")?;
    }
    Ok(0)
}

/// `printf`
pub(super) fn printf(call: &mut Call<'_>) -> Outcome {
    let mut words = call.words[1..].iter().skip_while(|word| *word == "--");
    let Some(format) = words.next() else {
        return Err(Failure::Usage("a format is needed".to_owned()));
    };
    let arguments: Vec<&String> = words.collect();
    let mut printer =
        Printer { arguments: &arguments, at: 0, out: Vec::new(), problems: Vec::new() };
    loop {
        let before = printer.at;
        let goes_on = printer.print(format)?;
        if !goes_on || printer.at >= arguments.len() || printer.at == before {
            break;
        }
    }
    call.io.out.write_all(&printer.out)?;
    let problems = std::mem::take(&mut printer.problems);
    problems.iter().for_each(|problem| call.say(problem));
    Ok(i32::from(!problems.is_empty()))
}

struct Printer<'call> {
    arguments: &'call [&'call String],
    at: usize,
    out: Vec<u8>,
    problems: Vec<String>,
}

/// `%-08.3d`
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternative: bool,
    width: usize,
    precision: Option<usize>,
}

impl Printer<'_> {
    /// The format once; false when the text says that this was all.
    fn print(&mut self, format: &str) -> Result<bool, Failure> {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            let text = unescape(&rest[..at], Zero::Octal);
            self.out.extend(text.bytes);
            if text.ends {
                return Ok(false);
            }
            rest = self.conversion(&rest[at + 1..])?;
        }
        let text = unescape(rest, Zero::Octal);
        self.out.extend(text.bytes);
        Ok(!text.ends)
    }

    fn next(&mut self) -> Option<&str> {
        let argument = self.arguments.get(self.at)?;
        self.at += 1;
        Some(argument)
    }

    fn conversion<'format>(&mut self, format: &'format str) -> Result<&'format str, Failure> {
        let mut spec = Spec::default();
        let mut rest = format.chars();
        let mut letter = rest.next();
        while let Some(flag) = letter.filter(|flag| "-0+ #".contains(*flag)) {
            match flag {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                _ => spec.alternative = true,
            }
            letter = rest.next();
        }
        spec.width = self.count(&mut rest, &mut letter);
        if letter == Some('.') {
            letter = rest.next();
            spec.precision = Some(self.count(&mut rest, &mut letter));
        }
        while matches!(letter, Some('l' | 'h' | 'q' | 'j' | 'z' | 't' | 'L')) {
            letter = rest.next();
        }
        self.convert(&spec, letter)?;
        Ok(rest.as_str())
    }

    /// A width or a precision, at `letter`.
    fn count(&mut self, rest: &mut Chars<'_>, letter: &mut Option<char>) -> usize {
        const MOST: usize = 1 << 16;
        if *letter == Some('*') {
            *letter = rest.next();
            return self.next().and_then(|word| word.parse().ok()).unwrap_or(0).min(MOST);
        }
        let mut value = 0usize;
        while let Some(digit) = letter.and_then(|letter| letter.to_digit(10)) {
            value = value.saturating_mul(10).saturating_add(digit as usize).min(MOST);
            *letter = rest.next();
        }
        value
    }

    fn convert(&mut self, spec: &Spec, letter: Option<char>) -> Result<(), Failure> {
        match letter {
            Some('%') => self.out.push(b'%'),
            Some('s') => {
                let text = self.next().unwrap_or_default();
                let most = spec.precision.unwrap_or(usize::MAX);
                let text: String = text.chars().take(most).collect();
                self.pad(spec, &text);
            }
            Some('b') => {
                let text = unescape(self.next().unwrap_or_default(), Zero::Needed);
                let text = String::from_utf8(text.bytes)
                    .unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned());
                self.pad(spec, &text);
            }
            Some('c') => {
                let text: String = self.next().unwrap_or_default().chars().take(1).collect();
                self.pad(spec, &text);
            }
            Some(letter @ ('d' | 'i' | 'u' | 'o' | 'x' | 'X')) => {
                let value = self.integer();
                let magnitude = value.unsigned_abs();
                let mut digits = match letter {
                    'o' => format!("{value:o}"),
                    'x' => format!("{value:x}"),
                    'X' => format!("{value:X}"),
                    'u' => value.cast_unsigned().to_string(),
                    _ => magnitude.to_string(),
                };
                while digits.len() < spec.precision.unwrap_or(0) {
                    digits.insert(0, '0');
                }
                let sign = match letter {
                    'd' | 'i' if value < 0 => "-",
                    'd' | 'i' if spec.plus => "+",
                    'd' | 'i' if spec.space => " ",
                    'o' if spec.alternative => "0",
                    'x' if spec.alternative && value != 0 => "0x",
                    'X' if spec.alternative && value != 0 => "0X",
                    _ => "",
                };
                self.number(spec, sign, &digits, spec.precision.is_none());
            }
            Some(letter @ ('f' | 'F' | 'e' | 'E' | 'g' | 'G')) => {
                let value = self.float();
                let precision = spec.precision.unwrap_or(6);
                let digits = match letter {
                    'f' | 'F' => format!("{:.precision$}", value.abs()),
                    'e' | 'E' => exponent(value.abs(), precision),
                    _ => shortest(value.abs(), precision.max(1)),
                };
                let sign = match value.is_sign_negative() {
                    true => "-",
                    false if spec.plus => "+",
                    false => "",
                };
                self.number(spec, sign, &digits, true);
            }
            Some(letter) => return Err(Failure::Said(format!("%{letter}: no such conversion"))),
            None => return Err(Failure::Said("the format ends with a %".to_owned())),
        }
        Ok(())
    }

    fn integer(&mut self) -> i64 {
        let Some(text) = self.next().map(str::to_owned) else { return 0 };
        let trimmed = text.trim();
        if let Some(character) =
            trimmed.strip_prefix(['\'', '"']).and_then(|rest| rest.chars().next())
        {
            return i64::from(u32::from(character));
        }
        let (negative, digits) =
            trimmed.strip_prefix('-').map_or((false, trimmed), |rest| (true, rest));
        let digits = digits.trim_start_matches('+');
        let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
            None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
            None => digits.parse(),
        };
        match value {
            Ok(value) if negative => value.wrapping_neg(),
            Ok(value) => value,
            Err(_) => {
                self.problems.push(format!("{text:?} is not a number"));
                0
            }
        }
    }

    fn float(&mut self) -> f64 {
        let Some(text) = self.next().map(str::to_owned) else { return 0.0 };
        text.trim().parse().unwrap_or_else(|_| {
            self.problems.push(format!("{text:?} is not a number"));
            0.0
        })
    }

    fn number(&mut self, spec: &Spec, sign: &str, digits: &str, fills: bool) {
        let length = sign.len() + digits.len();
        if spec.zero && !spec.left && fills && length < spec.width {
            let zeros = "0".repeat(spec.width - length);
            self.out.extend(format!("{sign}{zeros}{digits}").bytes());
        } else {
            self.pad(spec, &format!("{sign}{digits}"));
        }
    }

    fn pad(&mut self, spec: &Spec, text: &str) {
        let blanks = " ".repeat(spec.width.saturating_sub(text.chars().count()));
        let (before, after) = if spec.left { ("", &*blanks) } else { (&*blanks, "") };
        self.out.extend(format!("{before}{text}{after}").bytes());
    }
}

/// `1.5e+03`
fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `%g`
fn shortest(value: f64, precision: usize) -> String {
    let magnitude: i32 = match value == 0.0 {
        true => 0,
        false => {
            let text = format!("{value:.*e}", precision - 1);
            text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
        }
    };
    let places = i32::try_from(precision).unwrap_or(i32::MAX);
    let text = match magnitude < -4 || magnitude >= places {
        true => exponent(value, precision - 1),
        false => format!("{value:.*}", usize::try_from(places - 1 - magnitude).unwrap_or(0)),
    };
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", without_zeros(digits)),
        None => without_zeros(&text).to_owned(),
    }
}

fn without_zeros(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

/// `seq`
pub(super) fn seq(call: &mut Call<'_>) -> Outcome {
    // A negative number is no option.
    let first = call.words.iter().skip(1).position(|word| word.parse::<f64>().is_ok());
    let split = first.map_or(call.words.len(), |at| at + 1);
    let options = Options::read(&call.words[..split], "s:w", &[])?;
    let operands = &call.words[split..];
    let number = |word: &String| {
        word.parse::<f64>().map_err(|_| Failure::Usage(format!("{word:?} is not a number")))
    };
    let (first, step, last) = match operands {
        [last] => (1.0, 1.0, number(last)?),
        [first, last] => (number(first)?, 1.0, number(last)?),
        [first, step, last] => (number(first)?, number(step)?, number(last)?),
        _ => return Err(Failure::Usage("one to three numbers are needed".to_owned())),
    };
    if step == 0.0 {
        return Err(Failure::Usage("the step must not be 0".to_owned()));
    }
    let decimals = |word: &String| word.split_once('.').map_or(0, |(_, digits)| digits.len());
    let places = operands.iter().take(2).map(decimals).max().unwrap_or(0);
    let width = match options.has('w') {
        true => [first, last]
            .map(|value| format!("{value:.places$}").len())
            .into_iter()
            .max()
            .unwrap_or(0),
        false => 0,
    };
    let separator = options.value('s').unwrap_or("\n").to_owned();
    let mut count = 0.0;
    loop {
        let value = first + step * count;
        // A little more: a third of three must reach one.
        let beyond =
            if step > 0.0 { value > last + step * 1e-9 } else { value < last + step * 1e-9 };
        if beyond {
            break;
        }
        if count > 0.0 {
            call.io.out.write_all(separator.as_bytes())?;
        }
        write!(call.io.out, "{value:0width$.places$}")?;
        count += 1.0;
    }
    if count > 0.0 {
        call.io.out.write_all(b"\n")?;
    }
    Ok(0)
}

/// `yes`
pub(super) fn yes(call: &mut Call<'_>) -> Outcome {
    let line = if call.words.len() > 1 { call.words[1..].join(" ") } else { "y".to_owned() };
    let line = format!("{line}\n");
    let many = line.repeat((8 << 10) / line.len() + 1);
    loop {
        call.io.out.write_all(many.as_bytes())?;
    }
}
