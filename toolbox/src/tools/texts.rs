//! Texts, whole or by lines.

use std::io::{self, BufRead, Read, Write as _};
use std::time::Duration;

use super::arguments::number;
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;

/// What a tool keeps of a text at most: its memory is the container's.
const MOST: usize = 256 << 20;

/// Calls `with` for each file, and standard input for `-` or where none is named.
pub(super) fn each(
    call: &mut Call<'_>,
    paths: &[String],
    mut with: impl FnMut(&mut Call<'_>, &str, &mut Input) -> io::Result<()>,
) -> Outcome {
    let mut code = 0;
    let standard = ["-".to_owned()];
    for path in if paths.is_empty() { &standard[..] } else { paths } {
        let fd = match path.as_str() {
            "-" | "/dev/stdin" => Ok(call.io.input.fd.clone()),
            path => Fd::open(path, Mode::Read),
        };
        let done = fd.and_then(|fd| with(call, path, &mut Input::new(fd)));
        match done {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error.into()),
            Err(error) => {
                call.complain(path, &error);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// `cat`
pub(super) fn cat(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "nbsETAuvet", &[("number", 'n'), ("show-all", 'A')])?;
    let (mut number, mut was_blank) = (0u64, false);
    let plain = options.last_of("nbsETAvet").is_none();
    let ends = options.last_of("EAe").is_some();
    let tabs = options.last_of("TAt").is_some();
    each(call, &options.operands, |call, _, input| {
        if plain {
            return copy(input, call);
        }
        let mut line = Vec::new();
        while {
            line.clear();
            input.read_until(b'\n', &mut line)?
        } > 0
        {
            let is_blank = line == b"\n";
            if options.has('s') && is_blank && std::mem::replace(&mut was_blank, is_blank) {
                continue;
            }
            was_blank = is_blank;
            if options.has('b') && !is_blank || options.has('n') && !options.has('b') {
                number += 1;
                write!(call.io.out, "{number:>6}\t")?;
            }
            for byte in &line {
                match byte {
                    b'\n' if ends => call.io.out.write_all(b"$\n")?,
                    b'\t' if tabs => call.io.out.write_all(b"^I")?,
                    byte => call.io.out.write_all(&[*byte])?,
                }
            }
        }
        Ok(())
    })
}

/// Copies all that comes, as it comes.
pub(super) fn copy(input: &mut Input, call: &mut Call<'_>) -> io::Result<()> {
    loop {
        let bytes = input.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(());
        }
        call.io.out.write_all(bytes)?;
        call.io.out.flush()?;
        input.consume(length);
    }
}

/// How much `head` and `tail` print.
enum Count {
    Lines(u64),
    Bytes(u64),
}

/// `-5` is `-n 5`.
fn modern(words: &[String]) -> Vec<String> {
    let is_count = |word: &str| {
        word.strip_prefix('-')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let modern = |word: &String| match is_count(word) {
        true => format!("-n{}", &word[1..]),
        false => word.clone(),
    };
    words
        .iter()
        .enumerate()
        .map(|(at, word)| if at == 1 { modern(word) } else { word.clone() })
        .collect()
}

fn count(options: &Options) -> Result<(Count, char), Failure> {
    let letter = options.last_of("nc").unwrap_or('n');
    let text = options.value(letter).unwrap_or("10");
    let sign = text.chars().next().filter(|sign| "+-".contains(*sign)).unwrap_or(' ');
    let value = number(text.trim_start_matches(['+', '-']))?;
    Ok((if letter == 'c' { Count::Bytes(value) } else { Count::Lines(value) }, sign))
}

fn title(call: &mut Call<'_>, first: &mut bool, path: &str) -> io::Result<()> {
    let before = if std::mem::replace(first, false) { "" } else { "\n" };
    let path = if path == "-" { "standard input" } else { path };
    writeln!(call.io.out, "{before}==> {path} <==")
}

/// `head`
pub(super) fn head(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(&modern(call.words), "n:c:qv", &[("lines", 'n'), ("bytes", 'c')])?;
    let (count, sign) = count(&options)?;
    let titled = (options.operands.len() > 1 || options.has('v')) && !options.has('q');
    let mut first = true;
    each(call, &options.operands, |call, path, input| {
        if titled {
            title(call, &mut first, path)?;
        }
        if sign == '-' {
            return head_without(call, input, &count);
        }
        match count {
            Count::Bytes(bytes) => {
                let mut some = input.take(bytes);
                io::copy(&mut some, &mut call.io.out).map(drop)
            }
            Count::Lines(lines) => {
                let mut line = Vec::new();
                for _ in 0..lines {
                    line.clear();
                    if input.read_until(b'\n', &mut line)? == 0 {
                        break;
                    }
                    call.io.out.write_all(&line)?;
                }
                Ok(())
            }
        }
    })
}

/// All but the last.
fn head_without(call: &mut Call<'_>, input: &mut Input, count: &Count) -> io::Result<()> {
    let bytes = whole(input)?;
    let end = match count {
        Count::Bytes(bytes_off) => {
            bytes.len().saturating_sub(usize::try_from(*bytes_off).unwrap_or(usize::MAX))
        }
        Count::Lines(lines) => start_of_last(&bytes, *lines),
    };
    call.io.out.write_all(&bytes[..end])
}

/// Where the last so many lines begin.
fn start_of_last(bytes: &[u8], lines: u64) -> usize {
    if lines == 0 {
        return bytes.len();
    }
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines = usize::try_from(lines - 1).unwrap_or(usize::MAX);
    let ends = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(lines).unwrap_or(0)
}

/// All of a text.
pub(super) fn whole(input: &mut Input) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(MOST as u64 + 1).read_to_end(&mut bytes)?;
    match bytes.len() > MOST {
        true => Err(io::Error::other("it is too large")),
        false => Ok(bytes),
    }
}

/// `tail`
pub(super) fn tail(call: &mut Call<'_>) -> Outcome {
    let words = modern(call.words);
    let options =
        Options::read(&words, "n:c:fFqvs:", &[("lines", 'n'), ("bytes", 'c'), ("follow", 'f')])?;
    let (count, sign) = count(&options)?;
    let titled = (options.operands.len() > 1 || options.has('v')) && !options.has('q');
    let mut first = true;
    let mut last = None;
    let code = each(call, &options.operands, |call, path, input| {
        if titled {
            title(call, &mut first, path)?;
        }
        if sign == '+' {
            skip(input, &count)?;
            copy(input, call)?;
        } else {
            let bytes = last_of(input, &count)?;
            call.io.out.write_all(&bytes)?;
        }
        call.io.out.flush()?;
        last = Some(input.fd.clone());
        Ok(())
    })?;
    if let (true, Some(fd)) = (options.last_of("fF").is_some(), last)
        && matches!(fd, Fd::File(_))
    {
        follow(call, &fd)?;
    }
    Ok(code)
}

fn skip(input: &mut Input, count: &Count) -> io::Result<()> {
    match count {
        Count::Bytes(bytes) => {
            io::copy(&mut input.take(bytes.saturating_sub(1)), &mut io::sink()).map(drop)
        }
        Count::Lines(lines) => {
            let mut line = Vec::new();
            for _ in 1..*lines {
                line.clear();
                if input.read_until(b'\n', &mut line)? == 0 {
                    break;
                }
            }
            Ok(())
        }
    }
}

/// The end of what comes, without keeping all of it.
fn last_of(input: &mut Input, count: &Count) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    loop {
        let bytes = input.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            break;
        }
        kept.extend_from_slice(bytes);
        input.consume(length);
        // Now and then: each look goes through all that is kept.
        if kept.len() > 1 << 20 {
            kept.drain(..start(&kept, count));
            if kept.len() > MOST {
                return Err(io::Error::other("it is too large"));
            }
        }
    }
    kept.drain(..start(&kept, count));
    Ok(kept)
}

fn start(kept: &[u8], count: &Count) -> usize {
    match count {
        Count::Bytes(bytes) => {
            kept.len().saturating_sub(usize::try_from(*bytes).unwrap_or(usize::MAX))
        }
        Count::Lines(lines) => start_of_last(kept, *lines),
    }
}

/// Prints what is appended to a file, for ever.
fn follow(call: &mut Call<'_>, fd: &Fd) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match fd.read(&mut buffer)? {
            0 => std::thread::sleep(Duration::from_millis(300)),
            length => {
                call.io.out.write_all(&buffer[..length])?;
                call.io.out.flush()?;
            }
        }
    }
}

/// `tee`
pub(super) fn tee(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "ai", &[("append", 'a')])?;
    let mode = if options.has('a') { Mode::Append } else { Mode::Write };
    let mut code = 0;
    let mut files = Vec::new();
    for path in &options.operands {
        match Fd::open(path, mode) {
            Ok(fd) => files.push((path, fd)),
            Err(error) => {
                call.complain(path, &error);
                code = 1;
            }
        }
    }
    let mut input = Input::new(call.io.input.fd.clone());
    loop {
        let bytes = input.fill_buf()?.to_vec();
        if bytes.is_empty() {
            return Ok(code);
        }
        input.consume(bytes.len());
        for (path, file) in &files {
            if let Err(error) = file.write(&bytes) {
                call.complain(path, &error);
                code = 1;
            }
        }
        call.io.out.write_all(&bytes)?;
        call.io.out.flush()?;
    }
}

/// `sort`
pub(super) fn sort(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "nrufbk:t:o:csVhg",
        &[("reverse", 'r'), ("unique", 'u'), ("numeric-sort", 'n'), ("key", 'k')],
    )?;
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut code = each(call, &options.operands, |_, _, input| {
        let bytes = whole(input)?;
        let bytes = bytes.strip_suffix(b"\n").map_or(&bytes[..], |bytes| bytes);
        if !bytes.is_empty() || input.fd.handle().is_none() {
            lines.extend(bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
        }
        Ok(())
    })?;
    let order = super::order::Order::read(&options)?;
    if options.has('c') {
        let wrong = lines.windows(2).find(|pair| order.compare(&pair[0], &pair[1]).is_gt());
        if let Some(pair) = wrong {
            call.say(format!("disorder: {}", String::from_utf8_lossy(&pair[1])));
            code = 1;
        }
        return Ok(code);
    }
    lines.sort_by(|one, other| order.compare(one, other));
    if options.has('u') {
        lines.dedup_by(|one, other| order.is_same(one, other));
    }
    let mut text = lines.join(&b'\n');
    if !lines.is_empty() {
        text.push(b'\n');
    }
    match options.value('o') {
        Some(path) => Fd::open(path, Mode::Write)?.write(&text)?,
        None => call.io.out.write_all(&text)?,
    }
    Ok(code)
}
