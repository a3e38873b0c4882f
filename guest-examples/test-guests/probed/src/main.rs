//! A guest that is probed: by sockets of `std::net` (WASI 0.2), on a listener that the host opened
//! (WASI 0.1), or by a command.
//!
//! | words | deed |
//! |---|---|
//! | `serve ADDRESS`, `serve fd:N` | answers probes, see the library |
//! | `well` | ends with exit code 0 |
//! | `ill` | prints `ill`, ends with exit code 1 |
//! | `silent` | sleeps for ever |

use std::env;
use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use probed::{Answer, answer};

const HOUR: Duration = Duration::from_secs(3600);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", place] => serve(place),
        ["well"] => Ok(()),
        ["ill"] => {
            println!("ill");
            return ExitCode::FAILURE;
        }
        ["silent"] => loop {
            sleep(HOUR);
        },
        _ => Err("usage: probed serve PLACE | well | ill | silent".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(place: &str) -> Result<(), Box<dyn Error>> {
    let listener = match place.strip_prefix("fd:") {
        Some(descriptor) => handed_over(descriptor)?,
        None => TcpListener::bind(place)?,
    };
    // Those that never get an answer.
    let mut silent = Vec::new();
    loop {
        let (mut stream, _) = listener.accept()?;
        match converse(&mut stream) {
            Ok(true) => {}
            Ok(false) => silent.push(stream),
            Err(error) => println!("a connection broke: {error}"),
        }
    }
}

#[cfg(target_env = "p1")]
fn handed_over(descriptor: &str) -> Result<TcpListener, Box<dyn Error>> {
    use std::os::fd::FromRawFd as _;
    let descriptor = descriptor.parse()?;
    // SAFETY: nothing else in this program uses the descriptor, and a wrong number is an error of
    // the first call on it.
    #[expect(unsafe_code, reason = "WASI 0.1 hands listeners over as numbers")]
    let listener = unsafe { TcpListener::from_raw_fd(descriptor) };
    Ok(listener)
}

#[cfg(not(target_env = "p1"))]
fn handed_over(_descriptor: &str) -> Result<TcpListener, Box<dyn Error>> {
    Err("only WASI 0.1 hands listeners over as numbers".into())
}

/// Whether there was an answer, or nothing was asked.
fn converse(stream: &mut TcpStream) -> io::Result<bool> {
    let mut received = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        match stream.read(&mut chunk)? {
            0 => return Ok(true),
            length => received.extend_from_slice(&chunk[..length]),
        }
        match answer(&received) {
            Answer::Incomplete => {}
            Answer::Never => return Ok(false),
            Answer::Bytes(bytes) => {
                stream.write_all(&bytes)?;
                // Whoever asked ends the connection.
                while stream.read(&mut chunk)? > 0 {}
                return Ok(true);
            }
        }
    }
}
