//! `grep`

use std::io::{self, BufRead as _, Write as _};
use std::path::Path;

use regex_lite::{Regex, RegexBuilder};

use super::regex::to_extended;
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;

const LONG: [(&str, char); 14] = [
    ("ignore-case", 'i'),
    ("invert-match", 'v'),
    ("count", 'c'),
    ("line-number", 'n'),
    ("files-with-matches", 'l'),
    ("quiet", 'q'),
    ("recursive", 'r'),
    ("fixed-strings", 'F'),
    ("extended-regexp", 'E'),
    ("word-regexp", 'w'),
    ("only-matching", 'o'),
    ("regexp", 'e'),
    ("after-context", 'A'),
    ("before-context", 'B'),
];

/// What is looked for, and how what is found is shown.
struct Search {
    fit: Regex,
    turned: bool,
    options: Options,
    before: u64,
    after: u64,
    most: u64,
    names: bool,
}

/// `grep`, `egrep`, `fgrep`
pub(super) fn grep(call: &mut Call<'_>) -> Outcome {
    let words: Vec<String> =
        call.words.iter().filter(|word| !word.starts_with("--color")).cloned().collect();
    let options = Options::read(&words, "ivcnlLqrRFEGPwxohHsae:f:A:B:C:m:", &LONG)?;
    let mut operands = options.operands.clone();
    let mut patterns: Vec<String> = options.values('e').map(str::to_owned).collect();
    if let Some(path) = options.value('f') {
        let mut text = Input::new(Fd::open(path, Mode::Read)?);
        super::lines::each_line(&mut text, |line| {
            patterns.push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        })?;
    } else if patterns.is_empty() {
        if operands.is_empty() {
            return Err(Failure::Usage("a pattern is needed".to_owned()));
        }
        patterns = operands.remove(0).split('\n').map(str::to_owned).collect();
    }
    let fit = expression(crate::base_name(&call.words[0]), &options, &patterns)
        .map_err(Failure::Usage)?;
    let around = options.number('C')?;
    let recursive = options.last_of("rR").is_some();
    if operands.is_empty() {
        operands.push(if recursive { "." } else { "-" }.to_owned());
    }
    let search = Search {
        fit,
        turned: options.has('v'),
        before: options.number('B')?.or(around).unwrap_or(0),
        after: options.number('A')?.or(around).unwrap_or(0),
        most: options.number('m')?.unwrap_or(u64::MAX),
        names: options
            .last_of("hH")
            .map_or(operands.len() > 1 || recursive, |letter| letter == 'H'),
        options,
    };
    let (mut found, mut failed) = (false, false);
    for path in operands {
        search.path(call, &path, recursive, &mut found, &mut failed)?;
    }
    Ok(match (found, failed) {
        (true, _) if search.options.has('q') => 0,
        (_, true) => 2,
        (found, false) => i32::from(!found),
    })
}

fn expression(name: &str, options: &Options, patterns: &[String]) -> Result<Regex, String> {
    let kind = options.last_of("FEGP").unwrap_or(match name {
        "egrep" => 'E',
        "fgrep" => 'F',
        _ => 'G',
    });
    let one = |pattern: &String| match kind {
        'F' => regex_lite::escape(pattern),
        'G' => to_extended(pattern),
        _ => pattern.clone(),
    };
    let all: Vec<String> = patterns.iter().map(|pattern| format!("(?:{})", one(pattern))).collect();
    let text = all.join("|");
    let text = match (options.has('x'), options.has('w')) {
        (true, _) => format!("^(?:{text})$"),
        (_, true) => format!(r"\b(?:{text})\b"),
        _ => text,
    };
    RegexBuilder::new(&text)
        .case_insensitive(options.has('i'))
        .build()
        .map_err(|error| format!("bad regular expression {:?}: {error}", patterns.join("\n")))
}

impl Search {
    fn path(
        &self,
        call: &mut Call<'_>,
        path: &str,
        recursive: bool,
        found: &mut bool,
        failed: &mut bool,
    ) -> Result<(), Failure> {
        if recursive && path != "-" && crate::path::absolute(path).is_dir() {
            return self.folder(call, path, found, failed);
        }
        let fd = match path {
            "-" => Ok(call.io.input.fd.clone()),
            path => Fd::open(path, Mode::Read),
        };
        match fd.and_then(|fd| self.input(call, path, &mut Input::new(fd))) {
            Ok(one) => *found |= one,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error.into()),
            Err(error) => {
                if !self.options.has('s') {
                    call.complain(path, &error);
                }
                *failed = true;
            }
        }
        Ok(())
    }

    fn folder(
        &self,
        call: &mut Call<'_>,
        path: &str,
        found: &mut bool,
        failed: &mut bool,
    ) -> Result<(), Failure> {
        let entries = match std::fs::read_dir(crate::path::absolute(path)) {
            Ok(entries) => entries,
            Err(error) => {
                call.complain(path, &error);
                *failed = true;
                return Ok(());
            }
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        for name in names {
            let below = Path::new(path).join(name);
            // A link may lead back up.
            if !crate::path::absolute(&below).is_symlink() {
                self.path(call, &below.to_string_lossy(), true, found, failed)?;
            }
        }
        Ok(())
    }

    fn input(&self, call: &mut Call<'_>, path: &str, input: &mut Input) -> io::Result<bool> {
        let path = if path == "-" { "(standard input)" } else { path };
        let has = |letter| self.options.has(letter);
        let (mut count, mut number) = (0u64, 0u64);
        let mut waiting: std::collections::VecDeque<(u64, String)> =
            std::collections::VecDeque::new();
        let (mut after, mut last_shown) = (0u64, 0u64);
        let mut line = Vec::new();
        while count < self.most {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            number += 1;
            let bytes = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = String::from_utf8_lossy(bytes);
            if self.fit.is_match(&text) == self.turned {
                if has('c') || has('q') || has('l') || has('L') {
                    continue;
                }
                if after > 0 {
                    after -= 1;
                    last_shown = number;
                    self.show(call, path, number, '-', &text)?;
                } else if self.before > 0 {
                    waiting.push_back((number, text.into_owned()));
                    if waiting.len() as u64 > self.before {
                        waiting.pop_front();
                    }
                }
                continue;
            }
            count += 1;
            if has('q') || has('l') {
                break;
            }
            if has('c') || has('L') {
                continue;
            }
            let first = waiting.front().map_or(number, |(number, _)| *number);
            if self.before + self.after > 0 && last_shown > 0 && first > last_shown + 1 {
                call.io.out.write_all(b"--\n")?;
            }
            for (number, text) in waiting.drain(..) {
                self.show(call, path, number, '-', &text)?;
            }
            if has('o') && !self.turned {
                for part in self.fit.find_iter(&text).filter(|part| !part.is_empty()) {
                    self.show(call, path, number, ':', part.as_str())?;
                }
            } else {
                self.show(call, path, number, ':', &text)?;
            }
            (after, last_shown) = (self.after, number);
        }
        if has('q') {
        } else if has('l') || has('L') {
            if (count > 0) == has('l') {
                writeln!(call.io.out, "{path}")?;
            }
        } else if has('c') {
            let name = if self.names { format!("{path}:") } else { String::new() };
            writeln!(call.io.out, "{name}{count}")?;
        }
        call.io.out.flush()?;
        Ok(count > 0)
    }

    fn show(
        &self,
        call: &mut Call<'_>,
        path: &str,
        number: u64,
        mark: char,
        text: &str,
    ) -> io::Result<()> {
        if self.names {
            write!(call.io.out, "{path}{mark}")?;
        }
        if self.options.has('n') {
            write!(call.io.out, "{number}{mark}")?;
        }
        writeln!(call.io.out, "{text}")
    }
}
