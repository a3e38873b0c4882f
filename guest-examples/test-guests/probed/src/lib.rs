//! What a server answers to probes, told by the bytes that it has received: no sockets here.
//!
//! `/well`, `/ill` and `/silent` of HTTP/1.1, and services of these names of the gRPC health protocol,
//! answer well, badly and never. Every other name is well. Both share a port: a client of HTTP/2 says
//! so in its first bytes.

mod health;

/// What to do with a connection.
pub enum Answer {
    /// Read on.
    Incomplete,
    /// Send this.
    Bytes(Vec<u8>),
    /// Keep it open and say nothing.
    Never,
}

/// How a question is answered, by what it asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    Ill,
    Silent,
}

/// The answer to what has been received so far.
pub fn answer(received: &[u8]) -> Answer {
    if let Some(frames) = received.strip_prefix(health::PREFACE) {
        return health::answer(frames);
    }
    if health::PREFACE.starts_with(received) || !contains(received, b"\r\n\r\n") {
        return Answer::Incomplete;
    }
    let line = received.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let (status, body) = match mood(line) {
        Mood::Well => ("200 OK", "well\n"),
        Mood::Ill => ("500 Internal Server Error", "ill\n"),
        Mood::Silent => return Answer::Never,
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    Answer::Bytes((head + body).into_bytes())
}

fn mood(question: &[u8]) -> Mood {
    match question {
        question if contains(question, b"ill") => Mood::Ill,
        question if contains(question, b"silent") => Mood::Silent,
        _ => Mood::Well,
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
