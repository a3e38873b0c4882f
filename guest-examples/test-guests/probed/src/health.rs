//! `grpc.health.v1.Health/Check`, by hand: one call on a connection of HTTP/2.

use crate::{Answer, Mood, mood};

/// The first bytes of a client of HTTP/2.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;

/// Flags of frames.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200`, from the static table of HPACK.
const STATUS_200: u8 = 0x88;

/// The answer once the call has been received whole.
pub(crate) fn answer(mut frames: &[u8]) -> Answer {
    let mut message = Vec::new();
    while let Some((frame, rest)) = Frame::split(frames) {
        frames = rest;
        if frame.kind == DATA {
            message.extend_from_slice(frame.payload);
            if frame.flags & END_STREAM != 0 {
                return match mood(&message) {
                    Mood::Well => Answer::Bytes(says(1, frame.stream)),
                    Mood::Ill => Answer::Bytes(says(2, frame.stream)),
                    Mood::Silent => Answer::Never,
                };
            }
        }
    }
    Answer::Incomplete
}

struct Frame<'bytes> {
    kind: u8,
    flags: u8,
    stream: [u8; 4],
    payload: &'bytes [u8],
}

impl<'bytes> Frame<'bytes> {
    fn split(bytes: &'bytes [u8]) -> Option<(Self, &'bytes [u8])> {
        let (&[a, b, c, kind, flags, s, t, u, v], rest) = bytes.split_first_chunk::<9>()?;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
        let (payload, rest) = rest.split_at_checked(length)?;
        Some((Self { kind, flags, stream: [s, t, u, v], payload }, rest))
    }
}

/// A response whose one field, `status`, is this.
fn says(status: u8, stream: [u8; 4]) -> Vec<u8> {
    let mut head = vec![STATUS_200];
    head.extend(literal("content-type", "application/grpc"));
    [
        frame(SETTINGS, 0, [0; 4], &[]),
        frame(SETTINGS, ACK, [0; 4], &[]),
        frame(HEADERS, END_HEADERS, stream, &head),
        frame(DATA, 0, stream, &[0, 0, 0, 0, 2, 1 << 3, status]),
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &literal("grpc-status", "0")),
    ]
    .concat()
}

fn frame(kind: u8, flags: u8, stream: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a few bytes").to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// A header that goes into no table (RFC 7541, section 6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).expect("a few letters");
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}
