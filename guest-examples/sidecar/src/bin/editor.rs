//! `editor FILE URL`: each second writes a new edition of FILE, then reads it back from URL, which
//! another container of the Pod serves. With `EDITIONS` set it ends after so many.

use std::env;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

const ATTEMPTS: u32 = 50;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, url] = &arguments[..] else {
        eprintln!("usage: editor FILE URL");
        return ExitCode::from(2);
    };
    let editions = env::var("EDITIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
    match publish(file, url, editions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn publish(file: &str, url: &str, editions: u64) -> io::Result<()> {
    for edition in 1..=editions {
        let page = format!("<h1>Edition {edition}</h1>\n");
        // Renamed into place: a reader sees the old edition or the new one, never half of one.
        let draft = format!("{file}.draft");
        fs::write(&draft, &page)?;
        fs::rename(&draft, file)?;
        let served = get(url)?;
        if served != page {
            return Err(io::Error::other(format!("wrote {page:?}, was served {served:?}")));
        }
        println!("edition {edition} is out at {url}");
        if edition < editions {
            sleep(Duration::from_secs(1));
        }
    }
    Ok(())
}

/// The body at `http://HOST:PORT/PATH`. The server may still be starting: a refused connection is
/// tried again for five seconds.
fn get(url: &str) -> io::Result<String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| io::Error::other("not an http:// URL"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut attempt = 1;
    let mut stream = loop {
        match TcpStream::connect(authority) {
            Ok(stream) => break stream,
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
        sleep(Duration::from_millis(100));
    };
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::other(format!("not an HTTP response: {response:?}")))?;
    match head.lines().next() {
        Some(line) if line.contains(" 200 ") => Ok(body.to_owned()),
        line => Err(io::Error::other(format!("{url}: {}", line.unwrap_or_default()))),
    }
}
