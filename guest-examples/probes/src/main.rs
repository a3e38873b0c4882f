//! A worker that leaves a sign of life after each piece of work, and functions that a probe and a
//! hook call by their names.
//!
//! `probes work PIECES`: works so many pieces, one every half a second, and then hangs, as a worker
//! may whose queue is gone. Kubernetes calls `healthy` to find out: in a fresh instance of this
//! program, with the container's files, while the worker itself goes on.

use std::env;
use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// Its age tells when the worker was last at work.
const SIGN_OF_LIFE: &str = "/tmp/alive";

/// A worker that has done nothing for so long is not well.
const TOO_LONG: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let pieces = match &arguments[..] {
        [word, pieces] if word == "work" => pieces.parse::<u32>().ok(),
        _ => None,
    };
    let Some(pieces) = pieces else {
        eprintln!("usage: probes work PIECES");
        return ExitCode::from(2);
    };
    for piece in 1..=pieces {
        println!("piece {piece} is done");
        if let Err(error) = fs::write(SIGN_OF_LIFE, piece.to_string()) {
            eprintln!("error: {SIGN_OF_LIFE}: {error}");
            return ExitCode::FAILURE;
        }
        thread::sleep(Duration::from_millis(500));
    }
    println!("no more work comes");
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// The exit code of the command `healthy`; what it prints is the reason in the Event.
#[expect(unsafe_code, reason = "the host calls it by this name")]
// SAFETY: nothing else in the program is called so.
#[unsafe(no_mangle)]
extern "C" fn healthy() -> i32 {
    let age = fs::metadata(SIGN_OF_LIFE).and_then(|sign| sign.modified()).map(|at| at.elapsed());
    match age {
        Ok(Ok(age)) if age > TOO_LONG => {
            println!("nothing was done for {} s", age.as_secs());
            1
        }
        // At the beginning there is no sign yet.
        _ => 0,
    }
}

/// Called before the worker is told to end.
#[expect(unsafe_code, reason = "the host calls it by this name")]
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn farewell() {
    let last = fs::read_to_string(SIGN_OF_LIFE).unwrap_or_default();
    let _ = fs::write("/work/farewell", format!("the last piece was {last}\n"));
}
