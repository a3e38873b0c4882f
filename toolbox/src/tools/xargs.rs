//! `xargs`

use std::io::Write as _;

use super::texts::whole;
use super::{Call, Failure, Options, Outcome};

/// `xargs`
pub(super) fn xargs(call: &mut Call<'_>) -> Outcome {
    // What comes after the command is its own.
    let takes = |word: &str| matches!(word, "-n" | "-I" | "-L" | "-P" | "-d" | "-s" | "-E");
    let mut at = 1;
    while let Some(word) = call.words.get(at).filter(|word| word.starts_with('-') && word.len() > 1)
    {
        at += if takes(word) { 2 } else { 1 };
    }
    let at = at.min(call.words.len());
    let options = Options::read(&call.words[..at], "0n:I:L:P:d:s:E:rtp", &[("null", '0')])?;
    let command = match &call.words[at..] {
        [] => vec!["echo".to_owned()],
        command => command.to_vec(),
    };
    let mut input = crate::io::Input::new(call.io.input.fd.clone());
    let text = String::from_utf8_lossy(&whole(&mut input)?).into_owned();
    let separator =
        options.value('d').map(|text| crate::text::unescape(text, crate::text::Zero::Octal).text());
    let words: Vec<String> = if options.has('0') {
        text.split_terminator('\0').map(str::to_owned).collect()
    } else if let Some(separator) = separator {
        text.trim_end_matches('\n').split(&separator).map(str::to_owned).collect()
    } else if options.has('I') {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    } else {
        split(&text).map_err(Failure::Said)?
    };
    let runs: Vec<Vec<String>> = if let Some(place) = options.value('I') {
        words
            .iter()
            .map(|word| command.iter().map(|part| part.replace(place, word)).collect())
            .collect()
    } else {
        let most = options.number('n')?.or(options.number('L')?).unwrap_or(5000).max(1);
        let most = usize::try_from(most).unwrap_or(5000);
        let mut runs: Vec<Vec<String>> =
            words.chunks(most).map(|some| [&command[..], some].concat()).collect();
        if runs.is_empty() && !options.has('r') {
            runs.push(command);
        }
        runs
    };
    let mut code = 0;
    for words in runs {
        if options.has('t') {
            let line = format!("{}\n", words.join(" "));
            call.io.err.write_all(line.as_bytes())?;
        }
        let env = call.env.to_vec();
        match without_input(call, words, env)? {
            0 => {}
            own @ (126 | 127) => return Ok(own),
            255 => return Ok(124),
            _ => code = 123,
        }
    }
    Ok(code)
}

/// Standard input is the list, not the command's.
fn without_input(call: &mut Call<'_>, words: Vec<String>, env: Vec<(String, String)>) -> Outcome {
    let before = std::mem::replace(&mut call.io.input.fd, crate::fd::Fd::Null);
    let outcome = super::run_command(call, words, env);
    call.io.input.fd = before;
    outcome
}

/// Words with quotes, as `xargs` reads them.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some(end) if end == character => break,
                        Some('\n') | None => return Err(format!("a {character} has no end")),
                        Some(other) => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(rest.next()),
            character if character.is_whitespace() => words.extend(word.take()),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Ok(words)
}
