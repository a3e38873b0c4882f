//! `gzip`

use std::fs;
use std::io::{self, Write as _};

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::texts::{each, whole};
use super::{Call, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;
use crate::path::absolute;

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
pub(super) fn pack(bytes: &[u8], level: u32) -> Vec<u8> {
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
        if status != TDEFLStatus::Okay {
            return out;
        }
    }
}

/// The bytes in gzip files, one after the other.
pub(super) fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
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
}
