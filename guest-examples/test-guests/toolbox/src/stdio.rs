//! Standard input, output and error.
//!
//! | words | deed |
//! |---|---|
//! | `cat` | copies standard input to standard output |
//! | `endless-line [MIB]` | writes one line without an end, or of so many MiB |
//! | `err TEXT` | a line to standard error |
//! | `flood LINES` | so many numbered lines |
//! | `out TEXT` | a line to standard output |
//! | `raw HEX` | these bytes to standard output, flushed, with no line end |
//! | `terminal` | which of the three is a terminal |
//! | `until-end-of-input` | prints `waiting`, waits for the end of standard input, prints `input ended` |

use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write as _};

use crate::{Failure, Outcome};

const MIB: u64 = 1024 * 1024;

pub(crate) fn deed(words: &[&str]) -> Option<Outcome> {
    Some(match words {
        ["cat"] => cat(),
        ["endless-line"] => endless_line(u64::MAX),
        ["endless-line", mib] => parsed_mib(mib).and_then(endless_line),
        ["err", text] => {
            eprintln!("{text}");
            Ok(())
        }
        ["flood", lines] => flood(lines),
        ["out", text] => {
            println!("{text}");
            Ok(())
        }
        ["raw", hex] => raw(hex),
        ["terminal"] => terminal(),
        ["until-end-of-input"] => until_end_of_input(),
        _ => return None,
    })
}

fn cat() -> Outcome {
    io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?;
    Ok(())
}

fn parsed_mib(mib: &str) -> Result<u64, Failure> {
    Ok(mib.parse::<u64>()?.saturating_mul(MIB))
}

fn endless_line(mut left: u64) -> Outcome {
    let chunk = [b'x'; 64 * 1024];
    let mut out = io::stdout().lock();
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(chunk.len()).min(chunk.len());
        out.write_all(&chunk[..count])?;
        left -= count as u64;
    }
    writeln!(out)?;
    Ok(())
}

fn flood(lines: &str) -> Outcome {
    let mut out = BufWriter::new(io::stdout().lock());
    for number in 1..=lines.parse::<u64>()? {
        writeln!(out, "line {number}")?;
    }
    out.flush()?;
    Ok(())
}

fn raw(hex: &str) -> Outcome {
    let bytes: Result<Vec<u8>, Failure> = hex
        .as_bytes()
        .chunks(2)
        .map(|digits| Ok(u8::from_str_radix(std::str::from_utf8(digits)?, 16)?))
        .collect();
    let mut out = io::stdout().lock();
    out.write_all(&bytes?)?;
    out.flush()?;
    Ok(())
}

fn terminal() -> Outcome {
    let answers =
        [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()];
    println!("stdin {}, stdout {}, stderr {}", answers[0], answers[1], answers[2]);
    Ok(())
}

fn until_end_of_input() -> Outcome {
    println!("waiting");
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    println!("input ended");
    Ok(())
}
