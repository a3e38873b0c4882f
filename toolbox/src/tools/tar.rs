//! `tar`

use std::fs;
use std::io::{self, BufRead as _, Read, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::gzip::{pack, unpack};
use super::texts::whole;
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;
use crate::path::{absolute, normal};

/// A file in an archive.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    kind: u8,
    size: u64,
    modified: u64,
    link: String,
}

const BLOCK: usize = 512;

/// `tar`
pub(super) fn tar(call: &mut Call<'_>) -> Outcome {
    let mut words = call.words.to_vec();
    // `tar xzf` is `tar -xzf`.
    if let Some(first) = words.get_mut(1).filter(|word| !word.starts_with('-')) {
        first.insert(0, '-');
    }
    let long = [
        ("create", 'c'),
        ("extract", 'x'),
        ("list", 't'),
        ("file", 'f'),
        ("gzip", 'z'),
        ("verbose", 'v'),
        ("directory", 'C'),
    ];
    let options = Options::read(&words, "cxtf:zvC:Opmk", &long)?;
    let folder = absolute(options.value('C').unwrap_or("."));
    let path = options.value('f').unwrap_or("-").to_owned();
    match options.last_of("cxt") {
        Some('c') => create(call, &options, &folder, &path),
        Some(action) => read(call, &options, &folder, &path, action == 'x'),
        None => Err(Failure::Usage("-c, -x or -t is needed".to_owned())),
    }
}

fn create(call: &mut Call<'_>, options: &Options, folder: &Path, path: &str) -> Outcome {
    if options.operands.is_empty() {
        return Err(Failure::Usage("it would be empty: name what goes in".to_owned()));
    }
    let zips = options.has('z') || path.ends_with("gz");
    let target = match path {
        "-" => call.io.out.fd.clone(),
        path => Fd::open(path, Mode::Write)?,
    };
    let own = (path != "-").then(|| absolute(path));
    let mut code = 0;
    let mut kept = Vec::new();
    let mut write = |bytes: &[u8]| -> io::Result<()> {
        match zips {
            // It is packed as a whole.
            true => kept.extend_from_slice(bytes),
            false => target.write(bytes)?,
        }
        Ok(())
    };
    let mut waiting: Vec<String> = options.operands.iter().rev().cloned().collect();
    while let Some(name) = waiting.pop() {
        let place = normal(&folder.join(&name));
        if own.as_ref() == Some(&place) {
            continue;
        }
        let added = add(&place, name.trim_start_matches('/'), &mut write);
        match added {
            Ok(below) => {
                if options.has('v') {
                    let line = format!("{name}\n");
                    call.io.err.write_all(line.as_bytes())?;
                }
                waiting.extend(
                    below
                        .into_iter()
                        .rev()
                        .map(|below| format!("{}/{below}", name.trim_end_matches('/'))),
                );
            }
            Err(error) => {
                call.complain(&name, &error);
                code = 1;
            }
        }
    }
    write(&[0; 2 * BLOCK])?;
    if zips {
        target.write(&pack(&kept, 6))?;
    }
    Ok(code)
}

/// Adds a file, and tells what is in it if it is a folder.
fn add(
    place: &Path,
    name: &str,
    write: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Vec<String>> {
    let metadata = place.symlink_metadata()?;
    let modified =
        metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let mut entry = Entry {
        name: name.to_owned(),
        kind: b'0',
        size: metadata.len(),
        modified: modified.unwrap_or_default().as_secs(),
        link: String::new(),
    };
    let mut below = Vec::new();
    if metadata.is_dir() {
        (entry.kind, entry.size) = (b'5', 0);
        entry.name = format!("{}/", name.trim_end_matches('/'));
        below = fs::read_dir(place)?
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        below.sort();
    } else if metadata.is_symlink() {
        (entry.kind, entry.size) = (b'2', 0);
        entry.link = fs::read_link(place)?.to_string_lossy().into_owned();
    }
    let body = if entry.kind == b'0' { fs::read(place)? } else { Vec::new() };
    entry.size = body.len() as u64;
    write(&head(&entry))?;
    write(&body)?;
    write(&vec![0; padding(body.len())])?;
    Ok(below)
}

fn padding(length: usize) -> usize {
    length.next_multiple_of(BLOCK) - length
}

/// The header of an entry; with one of GNU's before it when a name is long.
fn head(entry: &Entry) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, text) in [(b'L', &entry.name), (b'K', &entry.link)] {
        if text.len() > 100 {
            let length = text.len() + 1;
            let long = Entry {
                name: "././@LongLink".to_owned(),
                kind,
                size: length as u64,
                modified: 0,
                link: String::new(),
            };
            out.extend(block(&long));
            out.extend(text.bytes());
            out.extend(vec![0; 1 + padding(length)]);
        }
    }
    out.extend(block(entry));
    out
}

fn block(entry: &Entry) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8], most: usize| {
        let length = text.len().min(most);
        block[at..at + length].copy_from_slice(&text[..length]);
    };
    put(0, entry.name.as_bytes(), 100);
    put(100, if entry.kind == b'5' { b"0000755\0" } else { b"0000644\0" }, 8);
    put(108, b"0000000\0", 8);
    put(116, b"0000000\0", 8);
    put(124, format!("{:011o}\0", entry.size).as_bytes(), 12);
    put(136, format!("{:011o}\0", entry.modified).as_bytes(), 12);
    put(148, b"        ", 8);
    put(156, &[entry.kind], 1);
    put(157, entry.link.as_bytes(), 100);
    put(257, b"ustar  \0", 8);
    put(265, b"root", 32);
    put(297, b"root", 32);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(&format!("{sum:06o}\0 ").into_bytes()[..8]);
    block
}

/// The entry of a header; none for the zeros at the end.
fn parse(block: &[u8]) -> io::Result<Option<Entry>> {
    let broken = || io::Error::other("it is no tar file, or broken");
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let text = |at: usize, length: usize| {
        let field = &block[at..at + length];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
        String::from_utf8_lossy(&field[..end]).into_owned()
    };
    let octal = |at: usize, length: usize| {
        let text = text(at, length);
        u64::from_str_radix(text.trim(), 8).or(if text.trim().is_empty() {
            Ok(0)
        } else {
            Err(broken())
        })
    };
    let own: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
        .sum();
    if octal(148, 8)? != own {
        return Err(broken());
    }
    let mut name = text(0, 100);
    if &block[257..263] == b"ustar\0" && block[345] != 0 {
        name = format!("{}/{name}", text(345, 155));
    }
    Ok(Some(Entry {
        name,
        kind: block[156],
        size: octal(124, 12)?,
        modified: octal(136, 12)?,
        link: text(157, 100),
    }))
}

fn read(
    call: &mut Call<'_>,
    options: &Options,
    folder: &Path,
    path: &str,
    extracts: bool,
) -> Outcome {
    let source = match path {
        "-" => call.io.input.fd.clone(),
        path => Fd::open(path, Mode::Read)
            .map_err(|error| Failure::Said(format!("{path}: {}", crate::problem(&error))))?,
    };
    let mut input = Input::new(source);
    let unpacked;
    let mut plain: &[u8];
    let archive: &mut dyn Read = if input.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        unpacked = unpack(&whole(&mut input)?)?;
        plain = &unpacked;
        &mut plain
    } else {
        &mut input
    };
    let (mut long_name, mut long_link) = (None, None);
    let mut code = 0;
    loop {
        let mut block = [0; BLOCK];
        match archive.read_exact(&mut block) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(code),
            Err(error) => return Err(error.into()),
        }
        let Some(mut entry) = parse(&block)? else { return Ok(code) };
        let size = entry.size;
        let mut body = Read::take(&mut *archive, size);
        match entry.kind {
            b'L' | b'K' => {
                let mut text = Vec::new();
                Read::take(&mut body, 64 << 10).read_to_end(&mut text)?;
                let text = String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned();
                *(if entry.kind == b'L' { &mut long_name } else { &mut long_link }) = Some(text);
            }
            // What extended headers say is not needed.
            b'x' | b'g' => {}
            _ => {
                entry.name = long_name.take().unwrap_or(entry.name);
                entry.link = long_link.take().unwrap_or(entry.link);
                let wanted = options.operands.is_empty()
                    || options.operands.iter().any(|operand| {
                        let operand = operand.trim_matches('/');
                        entry.name.trim_matches('/') == operand
                            || entry.name.starts_with(&format!("{operand}/"))
                    });
                if wanted && (!extracts || options.has('v')) {
                    writeln!(call.io.out, "{}", entry.name)?;
                }
                if wanted && extracts {
                    let done = match options.has('O') {
                        true => io::copy(&mut body, &mut call.io.out).map(drop),
                        false => extract(folder, &entry, &mut body),
                    };
                    if let Err(error) = done {
                        call.complain(&entry.name, &error);
                        code = 1;
                    }
                }
            }
        }
        io::copy(&mut body, &mut io::sink())?;
        let rest = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        io::copy(&mut Read::take(&mut *archive, padding(rest) as u64), &mut io::sink())?;
    }
}

/// Makes the file of an entry, below `folder` and nowhere else.
fn extract(folder: &Path, entry: &Entry, body: &mut impl Read) -> io::Result<()> {
    let mut place = PathBuf::from(folder);
    for part in Path::new(&entry.name).components() {
        match part {
            Component::Normal(name) => {
                // A link of the archive must not lead what comes after it elsewhere.
                if place.as_path() != folder && place.is_symlink() {
                    return Err(io::Error::other("a link is in the way"));
                }
                place.push(name);
            }
            Component::ParentDir => return Err(io::Error::other("it leads out of the folder")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    match entry.kind {
        b'5' => fs::create_dir_all(&place),
        b'2' => {
            let _ = fs::remove_file(&place);
            super::copy::symlink(Path::new(&entry.link), &place)
        }
        b'1' => fs::copy(absolute(folder.join(&entry.link)), &place).map(drop),
        b'0' | 0 | b'7' => {
            if place.is_symlink() {
                fs::remove_file(&place)?;
            }
            let mut file = fs::File::create(&place)?;
            io::copy(body, &mut file)?;
            let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(entry.modified));
            // Without the right time it is still the right file.
            let _ = time.map(|time| file.set_modified(time));
            Ok(())
        }
        _ => Err(io::Error::other("it is neither a file nor a folder nor a link")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_are_written() {
        let entry = Entry {
            name: "a/b".to_owned(),
            kind: b'0',
            size: 1234,
            modified: 99,
            link: "c".to_owned(),
        };
        assert_eq!(parse(&block(&entry)).unwrap().unwrap(), entry);
        assert_eq!(parse(&[0; BLOCK]).unwrap(), None);
        assert!(parse(&[b'x'; BLOCK]).is_err());
    }
}
