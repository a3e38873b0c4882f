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

/// The whole answer to one request, once somebody gives one: the Pod may still be starting.
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
                return String::from_utf8_lossy(&answer).into_owned();
            }
            Ok(_) | Err(_) => std::thread::sleep(PAUSE),
        }
    }
    panic!("port {port} does not answer `{line}`");
}
