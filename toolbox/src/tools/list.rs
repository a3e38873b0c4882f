//! `ls`

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use unicode_width::UnicodeWidthStr as _;

use super::{Call, Options, Outcome};
use crate::path::absolute;

/// One file that is listed.
struct Entry {
    name: String,
    path: PathBuf,
    metadata: Metadata,
}

/// `ls`
pub(super) fn ls(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(
        call.words,
        "aAlhRdt1FSripCgonUv",
        &[
            ("all", 'a'),
            ("almost-all", 'A'),
            ("human-readable", 'h'),
            ("recursive", 'R'),
            ("color", 'G'),
            ("reverse", 'r'),
        ],
    );
    // Colour is accepted and not given.
    let options = options.or_else(|failure| {
        let words: Vec<String> =
            call.words.iter().filter(|word| !word.starts_with("--color")).cloned().collect();
        match words.len() == call.words.len() {
            true => Err(failure),
            false => Options::read(&words, "aAlhRdt1FSripCgonUv", &[("all", 'a')]),
        }
    })?;
    let mut code = 0;
    let mut paths = options.operands.clone();
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for path in paths {
        let place = absolute(&path);
        let follow = !options.has('l') && !options.has('F') || path.ends_with('/');
        match if follow {
            fs::metadata(&place).or_else(|_| place.symlink_metadata())
        } else {
            place.symlink_metadata()
        } {
            Ok(metadata) if metadata.is_dir() && !options.has('d') => folders.push((path, place)),
            Ok(metadata) => files.push(Entry { name: path, path: place, metadata }),
            Err(error) => {
                call.complain(&path, &error);
                code = 1;
            }
        }
    }
    let titled = folders.len() + files.len() > 1 || options.has('R');
    let mut first = files.is_empty();
    sort(&mut files, &options);
    print(call, &files, &options)?;
    folders.reverse();
    while let Some((name, folder)) = folders.pop() {
        if titled {
            if !std::mem::replace(&mut first, false) {
                writeln!(call.io.out)?;
            }
            writeln!(call.io.out, "{name}:")?;
        }
        let entries = match read(&folder, &options) {
            Ok(entries) => entries,
            Err(error) => {
                call.complain(&name, &error);
                code = 1;
                continue;
            }
        };
        if options.has('l') {
            let blocks: u64 =
                entries.iter().map(|entry| entry.metadata.len().div_ceil(512) / 2).sum();
            writeln!(call.io.out, "total {blocks}")?;
        }
        print(call, &entries, &options)?;
        if options.has('R') {
            let below = entries
                .into_iter()
                .rev()
                .filter(|entry| entry.metadata.is_dir() && entry.name != "." && entry.name != "..");
            folders.extend(below.map(|entry| {
                (format!("{}/{}", name.trim_end_matches('/'), entry.name), entry.path)
            }));
        }
    }
    Ok(code)
}

fn read(folder: &Path, options: &Options) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && options.last_of("aA").is_none() {
            continue;
        }
        // One that is gone since is no longer listed.
        if let Ok(metadata) = entry.path().symlink_metadata() {
            entries.push(Entry { name, path: entry.path(), metadata });
        }
    }
    if options.has('a') {
        for (name, path) in
            [(".", folder.to_owned()), ("..", folder.parent().unwrap_or(folder).to_owned())]
        {
            if let Ok(metadata) = fs::metadata(&path) {
                entries.push(Entry { name: name.to_owned(), path, metadata });
            }
        }
    }
    sort(&mut entries, options);
    Ok(entries)
}

fn sort(entries: &mut [Entry], options: &Options) {
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    match options.last_of("tSU") {
        Some('t') => entries.sort_by_key(|entry| std::cmp::Reverse(modified(&entry.metadata))),
        Some('S') => entries.sort_by_key(|entry| std::cmp::Reverse(entry.metadata.len())),
        _ => {}
    }
    if options.has('r') {
        entries.reverse();
    }
}

fn print(call: &mut Call<'_>, entries: &[Entry], options: &Options) -> io::Result<()> {
    if options.last_of("lgon").is_some() {
        return print_long(call, entries, options);
    }
    let names: Vec<String> = entries
        .iter()
        .map(|entry| {
            let mark =
                if options.has('F') || options.has('p') { mark(&entry.metadata) } else { "" };
            format!("{}{mark}", entry.name)
        })
        .collect();
    let in_columns = match options.last_of("1C") {
        Some('1') => false,
        Some(_) => true,
        None => call.io.out.fd.is_terminal(),
    };
    if !in_columns {
        return names.iter().try_for_each(|name| writeln!(call.io.out, "{name}"));
    }
    let width = crate::sys::terminal_size().map_or(80, |(_, columns)| usize::from(columns));
    call.io.out.write_all(columns(&names, width).as_bytes())
}

/// Names side by side, down first, in as few lines as fit.
pub(crate) fn columns(names: &[String], width: usize) -> String {
    let widths: Vec<usize> = names.iter().map(|name| name.width()).collect();
    let lines = (1..=names.len()).find(|lines| {
        let columns = widths.chunks(*lines).map(|column| column.iter().max().unwrap_or(&0) + 2);
        columns.sum::<usize>() <= width + 2
    });
    let lines = lines.unwrap_or(names.len());
    let mut text = String::new();
    for line in 0..lines {
        let row: Vec<usize> = (line..names.len()).step_by(lines).collect();
        for (place, at) in row.iter().enumerate() {
            text.push_str(&names[*at]);
            if place + 1 < row.len() {
                let column = at / lines * lines;
                let wide =
                    widths[column..(column + lines).min(names.len())].iter().max().unwrap_or(&0)
                        + 2;
                text.extend(std::iter::repeat_n(' ', wide - widths[*at]));
            }
        }
        text.push('\n');
    }
    text
}

fn print_long(call: &mut Call<'_>, entries: &[Entry], options: &Options) -> io::Result<()> {
    let size = |entry: &Entry| match options.has('h') {
        true => human(entry.metadata.len()),
        false => entry.metadata.len().to_string(),
    };
    let width = entries.iter().map(|entry| size(entry).len()).max().unwrap_or(0);
    for entry in entries {
        let mark = if options.has('F') { mark(&entry.metadata) } else { "" };
        let target = match entry.metadata.is_symlink() {
            true => fs::read_link(&entry.path)
                .map_or(String::new(), |target| format!(" -> {}", target.display())),
            false => String::new(),
        };
        writeln!(
            call.io.out,
            "{} 1 root root {:>width$} {} {}{mark}{target}",
            mode(&entry.metadata),
            size(entry),
            when(modified(&entry.metadata)),
            entry.name,
        )?;
    }
    Ok(())
}

/// WASI has no permissions: what is shown is what everybody may.
pub(super) fn mode(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "drwxr-xr-x"
    } else if metadata.is_symlink() {
        "lrwxrwxrwx"
    } else if metadata.permissions().readonly() {
        "-r--r--r--"
    } else {
        "-rw-r--r--"
    }
}

fn mark(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "/"
    } else if metadata.is_symlink() {
        "@"
    } else {
        ""
    }
}

/// `1.5K`
pub(super) fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["", "K", "M", "G"] {
        if value < 1024.0 {
            return match unit {
                "" => bytes.to_string(),
                _ if value < 10.0 => format!("{:.1}{unit}", (value * 10.0).ceil() / 10.0),
                _ => format!("{:.0}{unit}", value.ceil()),
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1}T")
}

fn modified(metadata: &Metadata) -> SystemTime {
    metadata.modified().unwrap_or(UNIX_EPOCH)
}

/// `Jan  1 12:00`, or with the year for what is older than half a year.
fn when(time: SystemTime) -> String {
    let format = match time.elapsed() {
        Ok(age) if age.as_secs() < 183 * 86_400 => "%b %e %H:%M",
        _ => "%b %e  %Y",
    };
    let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_zoned(jiff::tz::TimeZone::UTC).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_side_by_side() {
        let names = ["a", "bb", "ccc", "d", "e"].map(str::to_owned);
        assert_eq!(columns(&names, 80), "a  bb  ccc  d  e\n");
        assert_eq!(columns(&names, 8), "a    d\nbb   e\nccc\n");
        assert_eq!(columns(&names, 1), "a\nbb\nccc\nd\ne\n");
        assert_eq!(columns(&[], 80), "");
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(
            [0, 1023, 1024, 1500, 20_000, 5 << 20].map(human),
            ["0", "1023", "1.0K", "1.5K", "20K", "5.0M"]
        );
    }
}
