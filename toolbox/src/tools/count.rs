//! `wc`

use std::io::{self, BufRead as _, Write as _};

use super::texts::each;
use super::{Call, Options, Outcome};
use crate::io::Input;

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    characters: u64,
    bytes: u64,
    longest: u64,
}

/// `wc`
pub(super) fn wc(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "lwcmL",
        &[("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm')],
    )?;
    let none = options.last_of("lwcmL").is_none();
    let shown = |counts: &Counts| -> Vec<u64> {
        let all = [
            (none || options.has('l'), counts.lines),
            (none || options.has('w'), counts.words),
            (options.has('m'), counts.characters),
            (none || options.has('c'), counts.bytes),
            (options.has('L'), counts.longest),
        ];
        all.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, count)| count).collect()
    };
    let mut rows: Vec<(Vec<u64>, String)> = Vec::new();
    let mut total = Counts::default();
    let code = each(call, &options.operands, |_, path, input| {
        let counts = counted(input)?;
        total.lines += counts.lines;
        total.words += counts.words;
        total.characters += counts.characters;
        total.bytes += counts.bytes;
        total.longest = total.longest.max(counts.longest);
        let is_standard = options.operands.is_empty();
        rows.push((shown(&counts), if is_standard { String::new() } else { format!(" {path}") }));
        Ok(())
    })?;
    if options.operands.len() > 1 {
        rows.push((shown(&total), " total".to_owned()));
    }
    let widest = rows
        .iter()
        .flat_map(|(counts, _)| counts)
        .map(|count| count.to_string().len())
        .max()
        .unwrap_or(1);
    let is_one = rows.len() == 1 && rows[0].0.len() == 1;
    for (counts, name) in rows {
        let counts: Vec<String> = match is_one {
            true => counts.iter().map(u64::to_string).collect(),
            false => counts.iter().map(|count| format!("{count:>widest$}")).collect(),
        };
        writeln!(call.io.out, "{}{name}", counts.join(" "))?;
    }
    Ok(code)
}

fn counted(input: &mut Input) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let (mut in_word, mut length) = (false, 0);
    loop {
        let bytes = input.fill_buf()?;
        let count = bytes.len();
        if count == 0 {
            counts.longest = counts.longest.max(length);
            return Ok(counts);
        }
        for byte in bytes {
            counts.bytes += 1;
            let begins_character = byte & 0xc0 != 0x80;
            counts.characters += u64::from(begins_character);
            if *byte == b'\n' {
                counts.lines += 1;
                counts.longest = counts.longest.max(length);
                length = 0;
            } else {
                length += u64::from(begins_character);
            }
            let is_blank = byte.is_ascii_whitespace();
            counts.words += u64::from(!in_word && !is_blank);
            in_word = !is_blank;
        }
        input.consume(count);
    }
}
