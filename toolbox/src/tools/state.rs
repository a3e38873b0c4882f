//! What runs, what is used, what a file is.

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use super::list::{human, mode};
use super::{Call, Failure, Options, Outcome};
use crate::path::absolute;
use crate::sys;

/// `ps`
pub(super) fn ps(call: &mut Call<'_>) -> Outcome {
    writeln!(call.io.out, "{:>5} {:>5} {:<4} COMMAND", "PID", "PPID", "STAT")?;
    for line in sys::list()?.lines() {
        let mut fields = line.splitn(4, '\t');
        let mut next = || fields.next().unwrap_or_default();
        let (pid, parent, state, title) = (next(), next(), next(), next());
        writeln!(call.io.out, "{pid:>5} {parent:>5} {state:<4} {title}")?;
    }
    Ok(0)
}

/// `du`
pub(super) fn du(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "ashkbcd:",
        &[("summarize", 's'), ("human-readable", 'h'), ("max-depth", 'd')],
    )?;
    let most = match options.has('s') {
        true => 0,
        false => options
            .number('d')?
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(usize::MAX),
    };
    let shown = |bytes: u64| match (options.has('h'), options.has('b')) {
        (true, _) => human(bytes),
        (_, true) => bytes.to_string(),
        _ => bytes.div_ceil(1024).to_string(),
    };
    let (mut code, mut total) = (0, 0);
    let standard = [".".to_owned()];
    for path in if options.operands.is_empty() { &standard[..] } else { &options.operands } {
        let mut lines = Vec::new();
        match size(path, 0, most, options.has('a'), &mut lines) {
            Ok(bytes) => total += bytes,
            Err(error) => {
                call.complain(path, &error);
                code = 1;
            }
        }
        for (bytes, path) in lines {
            writeln!(call.io.out, "{}\t{path}", shown(bytes))?;
        }
    }
    if options.has('c') {
        writeln!(call.io.out, "{}\ttotal", shown(total))?;
    }
    Ok(code)
}

fn size(
    path: &str,
    deep: usize,
    most: usize,
    all: bool,
    lines: &mut Vec<(u64, String)>,
) -> io::Result<u64> {
    let place = absolute(path);
    let metadata = place.symlink_metadata()?;
    let mut bytes = metadata.len();
    if metadata.is_dir() && deep < 200 {
        for entry in fs::read_dir(&place)?.flatten() {
            let below =
                format!("{}/{}", path.trim_end_matches('/'), entry.file_name().to_string_lossy());
            // One that is gone since takes no room.
            bytes += size(&below, deep + 1, most, all, lines).unwrap_or(0);
        }
    }
    if deep <= most && (metadata.is_dir() || all || deep == 0) {
        lines.push((bytes, path.to_owned()));
    }
    Ok(bytes)
}

/// `df`: WASI does not tell how much room there is.
pub(super) fn df(_: &mut Call<'_>) -> Outcome {
    Err(Failure::Said(
        "WASI does not say how much room a volume has; `du -sh /PATH` counts what is in it, and \
         `wasmpod stats` tells what the Pod uses"
            .to_owned(),
    ))
}

/// `free`
pub(super) fn free(_: &mut Call<'_>) -> Outcome {
    Err(Failure::Said(
        "a guest does not see its container's memory; `wasmpod stats` tells what the Pod uses"
            .to_owned(),
    ))
}

/// `stat`
pub(super) fn stat(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "Lc:t", &[("format", 'c'), ("dereference", 'L')])?;
    if options.operands.is_empty() {
        return Err(Failure::Usage("a path is needed".to_owned()));
    }
    let mut code = 0;
    for path in &options.operands {
        let place = absolute(path);
        let metadata =
            if options.has('L') { fs::metadata(&place) } else { place.symlink_metadata() };
        let metadata = match metadata {
            Ok(metadata) => metadata,
            Err(error) => {
                call.complain(path, &error);
                code = 1;
                continue;
            }
        };
        match options.value('c') {
            Some(format) => writeln!(call.io.out, "{}", formatted(format, path, &metadata))?,
            None => {
                let time = |time: io::Result<SystemTime>| {
                    time.ok()
                        .and_then(|time| jiff::Timestamp::try_from(time).ok())
                        .map_or_else(|| "-".to_owned(), |time| time.to_string())
                };
                write!(
                    call.io.out,
                    "  File: {}\n  Size: {:<15} {}\nAccess: {}\nModify: {}\n",
                    name(path, &place, &metadata),
                    metadata.len(),
                    kind(&metadata),
                    time(metadata.accessed()),
                    time(metadata.modified()),
                )?;
            }
        }
    }
    Ok(code)
}

fn name(path: &str, place: &Path, metadata: &Metadata) -> String {
    match metadata.is_symlink() {
        true => fs::read_link(place)
            .map_or_else(|_| path.to_owned(), |target| format!("{path} -> {}", target.display())),
        false => path.to_owned(),
    }
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "directory"
    } else if metadata.is_symlink() {
        "symbolic link"
    } else if metadata.is_file() {
        if metadata.len() == 0 { "regular empty file" } else { "regular file" }
    } else {
        "other"
    }
}

fn formatted(format: &str, path: &str, metadata: &Metadata) -> String {
    let seconds = |time: io::Result<SystemTime>| {
        let since = time.ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.unwrap_or_default().as_secs().to_string()
    };
    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => out += path,
            Some('s') => out += &metadata.len().to_string(),
            Some('F') => out += kind(metadata),
            Some('A') => out += mode(metadata),
            Some('Y') => out += &seconds(metadata.modified()),
            Some('X') => out += &seconds(metadata.accessed()),
            Some('a') => out += if metadata.is_dir() { "755" } else { "644" },
            Some('U' | 'G') => out += "root",
            Some('u' | 'g') => out.push('0'),
            Some('%') | None => out.push('%'),
            Some(other) => out.extend(['%', other]),
        }
    }
    out
}

/// `which`
pub(super) fn which(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "a", &[])?;
    let mut code = 0;
    for name in &options.operands {
        let cwd = crate::path::working_folder().display().to_string();
        if sys::look(std::slice::from_ref(name), call.env, &cwd).is_ok() {
            writeln!(call.io.out, "{name}: of the container")?;
        } else if super::find(name).is_some() {
            writeln!(call.io.out, "{name}: of the toolbox")?;
        } else {
            code = 1;
        }
    }
    Ok(code)
}

/// `chmod`, `chown`
pub(super) fn no_permissions(call: &mut Call<'_>) -> Outcome {
    let what = call.words[0].clone();
    Err(Failure::Said(format!(
        "WASI has no permissions and no owners: there is nothing for {} to change",
        crate::base_name(&what)
    )))
}
