//! `gzip` and `tar`

use std::fs;
use std::io::{self, BufRead as _, Read, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::texts::{each, whole};
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;
use crate::path::{absolute, normal};

/// `gzip`, `gunzip`, `zcat`
pub(super) fn gzip(call: &mut Call<'_>) -> Outcome {
    let name = crate::base_name(&call.words[0]).to_owned();
    let options = Options::read(
        call.words,
        "dckfqv123456789",
        &[("decompress", 'd'), ("stdout", 'c'), ("keep", 'k'), ("force", 'f')],
    )?;
    let unpacks = options.has('d') || name != "gzip";
    let to_output = options.has('c') || name == "zcat" || options.operands.is_empty();
    let level = options.last_of("123456789").and_then(|digit| digit.to_digit(10)).unwrap_or(6);
    let convert = |bytes: Vec<u8>| if unpacks { unpack(&bytes) } else { Ok(pack(&bytes, level)) };
    if to_output {
        return each(call, &options.operands, |call, _, input| {
            let bytes = convert(whole(input)?)?;
            call.io.out.write_all(&bytes)
        });
    }
    let mut code = 0;
    for path in &options.operands {
        let target = match unpacks {
            false => Some(format!("{path}.gz")),
            true => path
                .strip_suffix(".gz")
                .map(str::to_owned)
                .or_else(|| path.strip_suffix(".tgz").map(|stem| format!("{stem}.tar"))),
        };
        let Some(target) = target else {
            call.say(format!("{path}: its name does not end with .gz"));
            code = 1;
            continue;
        };
        let made = (|| {
            if absolute(&target).exists() && !options.has('f') {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let bytes = convert(whole(&mut Input::new(Fd::open(path, Mode::Read)?))?)?;
            Fd::open(&target, Mode::Write)?.write(&bytes)?;
            if options.has('k') { Ok(()) } else { fs::remove_file(absolute(path)) }
        })();
        if let Err(error) = made {
            call.complain(path, &error);
            code = 1;
        }
    }
    Ok(code)
}

/// Bytes as a gzip file.
fn pack(bytes: &[u8], level: u32) -> Vec<u8> {
    // No name, no time, of an unknown system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(deflated(bytes, level));
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(u32::try_from(bytes.len() as u64 & 0xffff_ffff).unwrap_or(0).to_le_bytes());
    out
}

fn deflated(bytes: &[u8], level: u32) -> Vec<u8> {
    let flags = create_comp_flags_from_zip_params(i32::try_from(level).unwrap_or(6), 0, 0);
    let mut compressor = Box::new(CompressorOxide::new(flags));
    let mut out = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let mut rest = bytes;
    loop {
        let (status, read, written) =
            compress(&mut compressor, rest, &mut buffer, TDEFLFlush::Finish);
        rest = &rest[read..];
        out.extend_from_slice(&buffer[..written]);
        if status != miniz_oxide::deflate::core::TDEFLStatus::Okay {
            return out;
        }
    }
}

/// The bytes in gzip files, one after the other.
fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let broken = || io::Error::other("it is no gzip file, or broken");
    let mut out = Vec::new();
    let mut rest = packed;
    loop {
        let start = header(rest).ok_or_else(broken)?;
        let begun = out.len();
        let used = inflated(&rest[start..], &mut out)?;
        let trailer = rest.get(start + used..start + used + 8).ok_or_else(broken)?;
        let (sum, length) = trailer.split_at(4);
        let made = &out[begun..];
        let is_whole = crc32(made).to_le_bytes() == *sum
            && u32::try_from(made.len() as u64 & 0xffff_ffff).unwrap_or(0).to_le_bytes() == *length;
        if !is_whole {
            return Err(broken());
        }
        rest = &rest[start + used + 8..];
        // Behind the last one there may be zeros.
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(out);
        }
    }
}

/// How long the header of a gzip file is.
fn header(bytes: &[u8]) -> Option<usize> {
    let [0x1f, 0x8b, 8, flags, ..] = bytes else { return None };
    let mut at = 10;
    if flags & 4 != 0 {
        let length = u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        at += 2 + usize::from(length);
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += bytes.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    (at <= bytes.len()).then_some(at)
}

/// Unpacks to the end of the stream and tells how much of it was read.
fn inflated(bytes: &[u8], out: &mut Vec<u8>) -> io::Result<usize> {
    const MOST: usize = 512 << 20;
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let mut buffer = vec![0; 64 << 10];
    let mut used = 0;
    loop {
        let step = inflate(&mut state, &bytes[used..], &mut buffer, MZFlush::None);
        used += step.bytes_consumed;
        out.extend_from_slice(&buffer[..step.bytes_written]);
        match step.status {
            Ok(MZStatus::StreamEnd) => return Ok(used),
            Ok(_) if step.bytes_written > 0 || step.bytes_consumed > 0 => {}
            Ok(_) | Err(MZError::Buf) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(_) => return Err(io::Error::other("it is no gzip file, or broken")),
        }
        if out.len() > MOST {
            return Err(io::Error::other("it is too large"));
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let one = |sum: u32, byte: &u8| {
        let mut sum = sum ^ u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
        sum
    };
    !bytes.iter().fold(!0, one)
}

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
    fn what_is_packed_comes_out_again() {
        let text = "to be or not to be ".repeat(10_000);
        for bytes in [text.as_bytes(), b"", b"a"] {
            let packed = pack(bytes, 6);
            assert_eq!(unpack(&packed).unwrap(), bytes);
            assert_eq!(
                unpack(&[&packed[..], &packed[..], &[0; 7]].concat()).unwrap().len(),
                2 * bytes.len()
            );
            assert!(unpack(&packed[..packed.len() - 1]).is_err());
        }
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        for broken in [&b""[..], b"plain", b"\x1f\x8b\x08\x04"] {
            assert!(unpack(broken).is_err());
        }
    }

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
