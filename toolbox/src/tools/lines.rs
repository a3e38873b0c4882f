//! Parts of lines, and lines that are alike.

use std::io::{self, BufRead, Write as _};

use super::texts::{each, whole};
use super::{Call, Failure, Options, Outcome};
use crate::io::Input;
use crate::shell::pattern::is_of;

/// Calls `with` for each line, without its end.
pub(super) fn each_line(
    input: &mut Input,
    mut with: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        with(line.strip_suffix(b"\n").unwrap_or(&line))?;
    }
}

/// `cut`
pub(super) fn cut(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "b:c:f:d:sn",
        &[("delimiter", 'd'), ("fields", 'f'), ("bytes", 'b'), ("characters", 'c')],
    )?;
    let Some(letter) = options.last_of("bcf") else {
        return Err(Failure::Usage("-b, -c or -f is needed".to_owned()));
    };
    let ranges = ranges(options.value(letter).unwrap_or_default())?;
    let separator = options.value('d').unwrap_or("\t").chars().next().unwrap_or('\t');
    each(call, &options.operands, |call, _, input| {
        each_line(input, |line| {
            let text = String::from_utf8_lossy(line);
            let cut = match letter {
                'b' => {
                    let bytes = line.iter().enumerate().filter(|(at, _)| is_in(&ranges, at + 1));
                    call.io.out.write_all(&bytes.map(|(_, byte)| *byte).collect::<Vec<_>>())?;
                    return call.io.out.write_all(b"\n");
                }
                'c' => {
                    let characters =
                        text.chars().enumerate().filter(|(at, _)| is_in(&ranges, at + 1));
                    characters.map(|(_, character)| character).collect::<String>()
                }
                _ if !text.contains(separator) => {
                    if options.has('s') {
                        return Ok(());
                    }
                    text.into_owned()
                }
                _ => {
                    let fields = text.split(separator).enumerate();
                    let kept: Vec<&str> = fields
                        .filter(|(at, _)| is_in(&ranges, at + 1))
                        .map(|(_, field)| field)
                        .collect();
                    kept.join(&separator.to_string())
                }
            };
            writeln!(call.io.out, "{cut}")
        })
    })
}

/// `1,3-5,7-`
fn ranges(text: &str) -> Result<Vec<(usize, usize)>, Failure> {
    let wrong = || Failure::Usage(format!("{text:?} is no list, as 1,3-5,7- is one"));
    let number = |text: &str, default: usize| match text {
        "" => Some(default),
        text => text.parse().ok().filter(|number| *number > 0),
    };
    let range = |one: &str| {
        let (start, end) = one.split_once('-').unwrap_or((one, one));
        (!one.is_empty() && one != "-").then_some(())?;
        Some((number(start, 1)?, number(end, usize::MAX)?))
    };
    text.split(',').map(|one| range(one).ok_or_else(wrong)).collect()
}

fn is_in(ranges: &[(usize, usize)], number: usize) -> bool {
    ranges.iter().any(|(start, end)| (*start..=*end).contains(&number))
}

/// `uniq`
pub(super) fn uniq(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "cdui",
        &[("count", 'c'), ("repeated", 'd'), ("unique", 'u'), ("ignore-case", 'i')],
    )?;
    let mut kept: Option<(Vec<u8>, u64)> = None;
    let tell = |call: &mut Call<'_>, kept: Option<(Vec<u8>, u64)>| {
        let Some((line, count)) = kept else { return Ok(()) };
        if options.has('d') && count == 1 || options.has('u') && count > 1 {
            return Ok(());
        }
        if options.has('c') {
            write!(call.io.out, "{count:>7} ")?;
        }
        call.io.out.write_all(&line)?;
        call.io.out.write_all(b"\n")
    };
    let input: Vec<String> = options.operands.iter().take(1).cloned().collect();
    let code = each(call, &input, |call, _, input| {
        each_line(input, |line| {
            let same = kept.as_ref().is_some_and(|(known, _)| match options.has('i') {
                true => known.eq_ignore_ascii_case(line),
                false => known == line,
            });
            match &mut kept {
                Some((_, count)) if same => *count += 1,
                _ => {
                    let before = kept.replace((line.to_vec(), 1));
                    tell(call, before)?;
                }
            }
            Ok(())
        })
    })?;
    tell(call, kept)?;
    Ok(code)
}

/// `tr`
pub(super) fn tr(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "cCds",
        &[("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c')],
    )?;
    let (first, second) = match &options.operands[..] {
        [first] if options.last_of("ds").is_some() => (set(first)?, Vec::new()),
        [first, second] => (set(first)?, set(second)?),
        _ => return Err(Failure::Usage("one or two sets of characters are needed".to_owned())),
    };
    let complement = options.last_of("cC").is_some();
    let is_first = |character: char| first.contains(&character) != complement;
    let squeezed = if second.is_empty() { &first } else { &second };
    let map = |character: char| match (second.last(), complement) {
        (None, _) => character,
        (Some(last), true) => *last,
        (Some(last), false) => {
            let at = first.iter().position(|known| *known == character);
            at.map_or(character, |at| *second.get(at).unwrap_or(last))
        }
    };
    let mut last = None;
    let mut rest = Vec::new();
    let mut input = Input::new(call.io.input.fd.clone());
    loop {
        let bytes = input.fill_buf()?;
        let length = bytes.len();
        rest.extend_from_slice(bytes);
        input.consume(length);
        // A character may be cut in two.
        let whole = match std::str::from_utf8(&rest) {
            Err(error) if error.error_len().is_none() && length > 0 => error.valid_up_to(),
            _ => rest.len(),
        };
        let text = String::from_utf8_lossy(&rest[..whole]).into_owned();
        rest.drain(..whole);
        let mut out = String::new();
        for character in text.chars() {
            let found = is_first(character);
            if found && options.has('d') {
                continue;
            }
            let new = if found && !options.has('d') { map(character) } else { character };
            let is_squeezed =
                if second.is_empty() { is_first(new) } else { squeezed.contains(&new) };
            if options.has('s') && is_squeezed && last == Some(new) {
                continue;
            }
            last = Some(new);
            out.push(new);
        }
        call.io.out.write_all(out.as_bytes())?;
        call.io.out.flush()?;
        if length == 0 {
            return Ok(0);
        }
    }
}

/// `a-z`, `[:digit:]`, `\n`
fn set(text: &str) -> Result<Vec<char>, Failure> {
    let text: Vec<char> =
        crate::text::unescape(text, crate::text::Zero::Octal).text().chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(character) = text.get(at) {
        if *character == '[' && text.get(at + 1) == Some(&':') {
            let rest: String = text[at + 2..].iter().collect();
            if let Some((class, _)) = rest.split_once(":]") {
                // In the order of their numbers, so that upper and lower ones fit.
                all.extend(('\0'..='\u{ff}').filter(|character| is_of(class, *character)));
                at += class.chars().count() + 4;
                continue;
            }
        }
        match (text.get(at + 1), text.get(at + 2)) {
            (Some('-'), Some(end)) => {
                if end < character {
                    return Err(Failure::Usage(format!("{character}-{end} is no range")));
                }
                all.extend((*character..=*end).take(1 << 16));
                at += 3;
            }
            _ => {
                all.push(*character);
                at += 1;
            }
        }
    }
    Ok(all)
}

/// `tac`
pub(super) fn tac(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "", &[])?;
    each(call, &options.operands, |call, _, input| {
        let bytes = whole(input)?;
        let body = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        for line in body.rsplit(|byte| *byte == b'\n') {
            call.io.out.write_all(line)?;
            call.io.out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// `rev`
pub(super) fn rev(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "", &[])?;
    each(call, &options.operands, |call, _, input| {
        each_line(input, |line| {
            let turned: String = String::from_utf8_lossy(line).chars().rev().collect();
            writeln!(call.io.out, "{turned}")
        })
    })
}

/// `nl`
pub(super) fn nl(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "b:w:s:", &[])?;
    let all = options.value('b') == Some("a");
    let mut number = 0u64;
    each(call, &options.operands, |call, _, input| {
        each_line(input, |line| {
            if line.is_empty() && !all {
                return call.io.out.write_all(b"\n");
            }
            number += 1;
            write!(call.io.out, "{number:>6}{}", options.value('s').unwrap_or("\t"))?;
            call.io.out.write_all(line)?;
            call.io.out.write_all(b"\n")
        })
    })
}

/// `paste`
pub(super) fn paste(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "sd:", &[])?;
    let separators: Vec<char> = match options.value('d') {
        Some(text) => {
            crate::text::unescape(text, crate::text::Zero::Octal).text().chars().collect()
        }
        None => vec!['\t'],
    };
    let mut files: Vec<Vec<String>> = Vec::new();
    let code = each(call, &options.operands, |_, _, input| {
        let mut lines = Vec::new();
        each_line(input, |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        })?;
        files.push(lines);
        Ok(())
    })?;
    let rows: Vec<Vec<String>> = match options.has('s') {
        true => files,
        false => {
            let count = files.iter().map(Vec::len).max().unwrap_or(0);
            let row = |at: usize| {
                files.iter().map(|file| file.get(at).cloned().unwrap_or_default()).collect()
            };
            (0..count).map(row).collect()
        }
    };
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 && !separators.is_empty() {
                write!(call.io.out, "{}", separators[(at - 1) % separators.len()])?;
            }
            write!(call.io.out, "{cell}")?;
        }
        writeln!(call.io.out)?;
    }
    Ok(code)
}
