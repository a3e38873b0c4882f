//! `read` and `getopts`.

use crate::io::Streams;
use crate::shell::field::Fields;
use crate::shell::state::{Run, Shell};

/// `read [-r] [-p PROMPT] [-n COUNT] [-d END] NAME...`
pub(super) fn read(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let mut rest = words[1..].iter();
    let (mut raw, mut end, mut most) = (false, b'\n', usize::MAX);
    let mut names: Vec<&str> = Vec::new();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-r" => raw = true,
            "-s" => {}
            "-p" => {
                let prompt = rest.next().map_or("", String::as_str);
                let _ = streams.err.fd.write(prompt.as_bytes());
            }
            "-d" => end = rest.next().and_then(|word| word.bytes().next()).unwrap_or(0),
            "-n" => {
                let count = rest.next().and_then(|word| word.parse().ok());
                most = count.ok_or_else(|| shell.fail("read: -n needs a number", 2))?;
            }
            "--" => names.extend(rest.by_ref().map(String::as_str)),
            word if word.len() > 1 && word.starts_with('-') => {
                return Err(shell.fail(format!("read: no such option: {word}"), 2));
            }
            name => names.push(name),
        }
    }
    let (text, ended) = line(streams, end, raw, most);
    let names = if names.is_empty() { vec!["REPLY"] } else { names };
    let separators = shell.variables.get("IFS").unwrap_or(" \t\n").to_owned();
    let values = divide(&text, &separators, names.len());
    for (number, name) in names.into_iter().enumerate() {
        shell.assign(name, values.get(number).cloned().unwrap_or_default())?;
    }
    Ok(i32::from(!ended))
}

/// Characters, each with whether a backslash was before it; and whether the line had an end.
fn line(streams: &mut Streams, end: u8, raw: bool, most: usize) -> (Vec<(char, bool)>, bool) {
    let (mut bytes, mut quoted) = (Vec::new(), Vec::new());
    let mut byte = [0];
    let mut escaped = false;
    let mut ended = false;
    // One at a time: what comes after the line is for others.
    while bytes.len() < most && matches!(streams.input.fd.read(&mut byte), Ok(1)) {
        match byte[0] {
            b'\\' if !raw && !escaped => escaped = true,
            b'\n' if escaped => escaped = false,
            other if other == end && !escaped => {
                ended = true;
                break;
            }
            other => {
                bytes.push(other);
                quoted.push(std::mem::take(&mut escaped));
            }
        }
    }
    let ended = ended || bytes.len() == most;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // What is no UTF-8 has other lengths: then nothing counts as quoted.
    let is_same = text.len() == bytes.len();
    let quotes = |at: usize| is_same && quoted.get(at).copied().unwrap_or(false);
    (text.char_indices().map(|(at, character)| (character, quotes(at))).collect(), ended)
}

/// The line in so many parts; the last has what is left.
fn divide(text: &[(char, bool)], separators: &str, count: usize) -> Vec<String> {
    let is_blank =
        |(c, quoted): &(char, bool)| !quoted && c.is_whitespace() && separators.contains(*c);
    let is_separator = |(c, quoted): &(char, bool)| !quoted && separators.contains(*c);
    let mut rest = text;
    while let [first, more @ ..] = rest
        && is_blank(first)
    {
        rest = more;
    }
    while let [more @ .., last] = rest
        && is_blank(last)
    {
        rest = more;
    }
    let mut parts = Vec::new();
    while parts.len() + 1 < count && !rest.is_empty() {
        let end = rest.iter().position(is_separator).unwrap_or(rest.len());
        parts.push(rest[..end].iter().map(|(c, _)| c).collect());
        rest = &rest[end..];
        let mut hard = false;
        while let [first, more @ ..] = rest
            && is_separator(first)
            && (!hard || is_blank(first))
        {
            hard |= !is_blank(first);
            rest = more;
        }
    }
    if count > 0 && !rest.is_empty() {
        let last: String = rest.iter().map(|(c, _)| c).collect();
        // A single field loses a separator at its end.
        let mut fields = Fields::new(separators);
        fields.split(&last);
        let all = fields.finish();
        parts.push(match &all[..] {
            [only] if text.iter().all(|(_, quoted)| !quoted) => only.text.clone(),
            _ => last,
        });
    }
    parts
}

/// `getopts LETTERS NAME [ARGUMENT...]`
pub(super) fn getopts(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let [_, letters, name, arguments @ ..] = words else {
        return Err(shell.fail("getopts: letters and a name are needed", 2));
    };
    let arguments = match arguments.is_empty() {
        true => shell.positional.clone(),
        false => arguments.to_vec(),
    };
    let silent = letters.starts_with(':');
    let index =
        shell.variables.get("OPTIND").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1);
    let at = shell.option_at.max(1);
    let argument = arguments.get(index.saturating_sub(1));
    let letter = argument
        .filter(|word| word.len() > 1 && word.starts_with('-') && *word != "--")
        .and_then(|word| word.chars().nth(at));
    let Some(letter) = letter else {
        let next = if argument.is_some_and(|word| word == "--") { index + 1 } else { index };
        shell.assign("OPTIND", next.to_string())?;
        shell.assign(name, "?")?;
        return Ok(1);
    };
    let word = argument.cloned().unwrap_or_default();
    let known = letters.trim_start_matches(':').find(letter).filter(|_| letter != ':');
    let takes = known.is_some_and(|at| letters.trim_start_matches(':')[at + 1..].starts_with(':'));
    let tail: String = word.chars().skip(at + 1).collect();
    let (mut next, mut next_at) = if tail.is_empty() { (index + 1, 0) } else { (index, at + 1) };
    let mut found = letter.to_string();
    let mut value = None;
    if known.is_none() {
        if silent {
            value = Some(found);
        } else {
            streams.complain(&shell.name, format!("illegal option -{letter}"));
        }
        found = "?".to_owned();
    } else if takes {
        (next, next_at) = (index + 1, 0);
        value = Some(tail).filter(|tail| !tail.is_empty());
        if value.is_none() {
            value = arguments.get(index).cloned();
            next += 1;
            if value.is_none() {
                (next, value) = (index + 1, silent.then(|| letter.to_string()));
                found = if silent { ":" } else { "?" }.to_owned();
                if !silent {
                    streams.complain(&shell.name, format!("no argument for -{letter} option"));
                }
            }
        }
    }
    shell.assign("OPTIND", next.to_string())?;
    shell.option_at = next_at;
    match value {
        Some(value) => shell.assign("OPTARG", value)?,
        None => drop(shell.variables.unset("OPTARG")),
    }
    shell.assign(name, found)?;
    Ok(0)
}
