//! The two steps of a job: `prepare FILE COUNT` writes the numbers from 1 to COUNT into FILE, one a
//! line; `sum FILE` adds them up and prints the sum. Exit code 1 when a step fails, 2 when it is
//! not told what to do.

use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["prepare", file, count] => prepare(Path::new(file), count),
        ["sum", file] => sum(Path::new(file)),
        _ => {
            eprintln!("usage: job prepare FILE COUNT | job sum FILE");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn prepare(file: &Path, count: &str) -> Result<String, Failure> {
    let count: u64 = count.parse().map_err(|error| format!("COUNT is `{count}`: {error}"))?;
    let mut lines = BufWriter::new(File::create(file).map_err(|error| at(file, &error))?);
    for number in 1..=count {
        writeln!(lines, "{number}")?;
    }
    lines.flush()?;
    Ok(format!("wrote {count} numbers to {}", file.display()))
}

fn sum(file: &Path) -> Result<String, Failure> {
    let mut sum: u64 = 0;
    for line in fs::read_to_string(file).map_err(|error| at(file, &error))?.lines() {
        let number: u64 = line.parse().map_err(|error| format!("`{line}`: {error}"))?;
        sum = sum.checked_add(number).ok_or("the sum is larger than 64 bits hold")?;
    }
    Ok(format!("the sum is {sum}"))
}

fn at(file: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", file.display())
}
