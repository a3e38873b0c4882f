//! `site FOLDER PORT`: serves the files of FOLDER over HTTP, one request after the other.

use std::env;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

const MAX_HEAD: usize = 16 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, port] = &arguments[..] else {
        eprintln!("usage: site FOLDER PORT");
        return ExitCode::from(2);
    };
    let listener = match TcpListener::bind(format!("0.0.0.0:{port}")) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("error: port {port}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("serving {folder} on port {port}");
    loop {
        match listener.accept() {
            Ok((stream, peer)) => {
                if let Err(error) = answer(stream, Path::new(folder)) {
                    eprintln!("{peer}: {error}");
                }
            }
            Err(error) => {
                eprintln!("no more connections: {error}");
                return ExitCode::SUCCESS;
            }
        }
    }
}

fn answer(mut stream: TcpStream, folder: &Path) -> io::Result<()> {
    let Some(target) = target(&mut stream)? else {
        return Ok(());
    };
    let file = file(folder, &target);
    let (status, body) = match file.as_deref().map(fs::read) {
        Some(Ok(body)) => ("200 OK", body),
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
            ("500 Internal Server Error", format!("{error}\n").into_bytes())
        }
        Some(Err(_)) | None => ("404 Not Found", format!("no file at {target}\n").into_bytes()),
    };
    println!("GET {target} {status}");
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(&body)
}

/// Reads the head of a request. `None`: the client went away before it had said all.
fn target(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while head.len() < MAX_HEAD {
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&chunk[..count]);
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(&head).map_err(io::Error::other)?.is_complete() {
            return Ok(request.path.map(String::from));
        }
    }
    Err(io::Error::other("the head of the request is too large"))
}

/// The file that a target names, if it stays inside the folder.
fn file(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split('?').next().unwrap_or_default().trim_start_matches('/');
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let name = if path.is_empty() { "index.html" } else { path };
    inside.then(|| folder.join(name))
}
