//! Datagrams between two containers.
//!
//! `udp listen ADDRESS` sends each datagram back in capitals and ends after the one that says `bye`.
//! `udp talk ADDRESS WORD...` sends the words one by one, each until its answer comes, then `bye`.

use std::env;
use std::io;
use std::net::UdpSocket;
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

const BYE: &str = "bye";
const ATTEMPTS: u32 = 50;
const PATIENCE: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["listen", address] => listen(address),
        ["talk", address, ref words @ ..] => talk(address, words),
        _ => {
            eprintln!("usage: udp listen ADDRESS | udp talk ADDRESS WORD...");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listen(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    println!("listening on {address}");
    let mut datagram = [0; 1500];
    loop {
        let (length, peer) = socket.recv_from(&mut datagram)?;
        let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
        println!("{peer} says {text}");
        socket.send_to(text.to_uppercase().as_bytes(), peer)?;
        if text == BYE {
            return Ok(());
        }
    }
}

fn talk(address: &str, words: &[&str]) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(address)?;
    for word in words.iter().chain([&BYE]) {
        println!("{word} comes back as {}", ask(&socket, word)?);
    }
    Ok(())
}

/// Sends until an answer comes: a datagram may be lost, and the listener may not be there yet.
fn ask(socket: &UdpSocket, word: &str) -> io::Result<String> {
    let patience = Timespec::try_from(PATIENCE).expect("a fifth of a second fits");
    for _ in 0..ATTEMPTS {
        // What an earlier datagram ran into (nobody listening) may be reported by a later call.
        let _ = socket.send(word.as_bytes());
        let mut sources = [PollFd::new(socket, PollFlags::IN)];
        if poll(&mut sources, Some(&patience))? == 0 {
            continue;
        }
        let mut datagram = [0; 1500];
        match socket.recv(&mut datagram) {
            Ok(length) => return Ok(String::from_utf8_lossy(&datagram[..length]).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::thread::sleep(PATIENCE);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("no answer to `{word}` after {ATTEMPTS} attempts")))
}
