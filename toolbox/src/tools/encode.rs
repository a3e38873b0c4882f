//! Bytes as texts, and digests of them.

use std::io::{self, BufRead as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

use super::arguments::number;
use super::texts::{each, whole};
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;

/// `base64`
pub(super) fn base64(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "dDw:i", &[("decode", 'd'), ("wrap", 'w')])?;
    let width = options.number('w')?.unwrap_or(76);
    let width = usize::try_from(width).unwrap_or(76);
    let input: Vec<String> = options.operands.iter().take(1).cloned().collect();
    each(call, &input, |call, _, input| {
        let bytes = whole(input)?;
        if options.last_of("dD").is_some() {
            let text: Vec<u8> =
                bytes.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let decoded = STANDARD.decode(text).map_err(|_| io::Error::other("invalid input"))?;
            return call.io.out.write_all(&decoded);
        }
        let text = STANDARD.encode(bytes);
        if width == 0 {
            return call.io.out.write_all(text.as_bytes());
        }
        for line in text.as_bytes().chunks(width) {
            call.io.out.write_all(line)?;
            call.io.out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// `sha256sum`, `sha512sum`, `md5sum`
pub(super) fn sum(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "cbt", &[("check", 'c')])?;
    let name = crate::base_name(&call.words[0]).to_owned();
    if options.has('c') {
        return check(call, &options, &name);
    }
    each(call, &options.operands, |call, path, input| {
        let digest = digest(&name, input)?;
        writeln!(call.io.out, "{digest}  {path}")
    })
}

fn digest(name: &str, input: &mut Input) -> io::Result<String> {
    match name {
        "md5sum" => of::<Md5>(input),
        "sha512sum" => of::<Sha512>(input),
        _ => of::<Sha256>(input),
    }
}

fn of<Kind: Digest>(input: &mut Input) -> io::Result<String> {
    let mut digest = Kind::new();
    loop {
        let bytes = input.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        digest.update(bytes);
        input.consume(length);
    }
}

fn check(call: &mut Call<'_>, options: &Options, name: &str) -> Outcome {
    let mut wrong = 0;
    let code = each(call, &options.operands, |call, _, list| {
        super::lines::each_line(list, |line| {
            let line = String::from_utf8_lossy(line);
            let Some((wanted, path)) = line.split_once(' ') else { return Ok(()) };
            let path = path.trim_start_matches([' ', '*']);
            let found = Fd::open(path, Mode::Read).and_then(|fd| digest(name, &mut Input::new(fd)));
            let is_right = found.is_ok_and(|found| found == wanted);
            wrong += i32::from(!is_right);
            writeln!(call.io.out, "{path}: {}", if is_right { "OK" } else { "FAILED" })
        })
    })?;
    Ok(code.max(i32::from(wrong > 0)))
}

/// `hexdump -C`, `xxd`, `od`
pub(super) fn dump(call: &mut Call<'_>) -> Outcome {
    let name = crate::base_name(&call.words[0]).to_owned();
    let options = Options::read(call.words, "Cn:s:A:t:N:j:vcxbop", &[])?;
    let skip = options.value('s').or(options.value('j')).map(number).transpose()?.unwrap_or(0);
    let most =
        options.value('n').or(options.value('N')).map(number).transpose()?.unwrap_or(u64::MAX);
    let kind = match (name.as_str(), options.value('t')) {
        ("od", Some(kind)) if kind.starts_with('x') => Kind::Bytes,
        ("od", _) if options.has('c') => Kind::Characters,
        ("od", Some("c" | "a")) => Kind::Characters,
        ("od", Some(kind)) if kind.starts_with('o') => Kind::Octal,
        ("od", None) => Kind::Octal,
        ("od", Some(kind)) => {
            return Err(Failure::Usage(format!("-t {kind} is not known: x1, o1 and c are")));
        }
        _ => Kind::Both,
    };
    each(call, &options.operands, |call, _, input| {
        let bytes = whole(input)?;
        let start = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
        let end =
            start.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)).min(bytes.len());
        let mut at = start;
        for line in bytes[start..end].chunks(16) {
            writeln!(call.io.out, "{}", shown(&kind, at, line))?;
            at += line.len();
        }
        match kind {
            Kind::Both => writeln!(call.io.out, "{at:08x}"),
            _ => writeln!(call.io.out, "{at:07o}"),
        }
    })
}

enum Kind {
    Both,
    Bytes,
    Octal,
    Characters,
}

fn shown(kind: &Kind, at: usize, line: &[u8]) -> String {
    let joined = |each: &dyn Fn(&u8) -> String| line.iter().map(each).collect::<String>();
    match kind {
        Kind::Both => {
            let half =
                |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x} ")).collect::<String>();
            let (left, right) = line.split_at(line.len().min(8));
            let hex = format!("{} {}", half(left), half(right));
            let text: String = line
                .iter()
                .map(|byte| if (32..127).contains(byte) { char::from(*byte) } else { '.' })
                .collect();
            format!("{at:08x}  {hex:<49} |{text}|")
        }
        Kind::Bytes => format!("{at:07o}{}", joined(&|byte| format!(" {byte:02x}"))),
        Kind::Octal => format!("{at:07o}{}", joined(&|byte| format!(" {byte:03o}"))),
        Kind::Characters => format!(
            "{at:07o}{}",
            joined(&|byte| match byte {
                b'\n' => r"  \n".to_owned(),
                b'\t' => r"  \t".to_owned(),
                b'\r' => r"  \r".to_owned(),
                0 => r"  \0".to_owned(),
                32..127 => format!("   {}", char::from(*byte)),
                byte => format!(" {byte:03o}"),
            })
        ),
    }
}
