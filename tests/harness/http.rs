//! HTTP as a user's browser would speak it to a published port.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Far above what a loaded machine needs.
const ATTEMPTS: u32 = 1200;
const PAUSE: Duration = Duration::from_millis(50);

/// A port that nobody listens on; somebody may before it is used.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("bound").port()
}

/// The whole answer to one request, once somebody gives one: the Pod may still be starting. A body
/// that came in chunks is put together.
#[track_caller]
pub(crate) fn request(port: u16, line: &str, body: &str) -> String {
    let length = body.len();
    let text = format!(
        "{line}\r\nhost: localhost\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    for _ in 0..ATTEMPTS {
        let answer = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
            stream.write_all(text.as_bytes())?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        });
        match answer {
            Ok(answer) if !answer.is_empty() => {
                return joined(&String::from_utf8_lossy(&answer));
            }
            Ok(_) | Err(_) => std::thread::sleep(PAUSE),
        }
    }
    panic!("port {port} does not answer `{line}`");
}

/// An answer without the marks of its chunks. Whether there are any is chance: a handler that was
/// interrupted before its end has a body whose length nobody knows yet.
fn joined(answer: &str) -> String {
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains("transfer-encoding: chunked") => {
            format!("{head}\r\n\r\n{}", chunks(body).collect::<String>())
        }
        _ => answer.to_owned(),
    }
}

/// Chunk by chunk, up to the empty one that ends a body; one that was cut off ends earlier.
fn chunks(mut body: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (length, rest) = body.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok().filter(|length| *length > 0)?;
        let (chunk, rest) = rest.split_at_checked(length)?;
        body = rest.strip_prefix("\r\n")?;
        Some(chunk)
    })
}
