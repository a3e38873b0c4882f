//! Frames of several channels in one stream, for commands, attached clients and files. Pure.
//!
//! ```text
//! channel: 1 byte │ length of the payload: 4 bytes, the high one first │ payload
//! ```
//!
//! The channels are those of the WebSocket protocol `v5.channel.k8s.io`, so that whoever speaks that has
//! to change nothing but the frames' heads.

use std::fmt;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// The longest payload. What is longer goes in several frames.
pub const LONGEST: usize = 64 << 10;

/// A channel and a length.
pub const HEAD: usize = 5;

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Standard input, or a file that goes in.
    Stdin,
    /// Standard output, or a file that comes out.
    Stdout,
    /// Standard error.
    Stderr,
    /// A `Status` as JSON: how it ended. The last frame.
    Status,
    /// `{"Width": 80, "Height": 24}`: the size of the client's terminal.
    Resize,
    /// One byte: the channel whose end this is.
    Close,
}

impl Channel {
    const ALL: [(Self, u8); 6] = [
        (Self::Stdin, 0),
        (Self::Stdout, 1),
        (Self::Stderr, 2),
        (Self::Status, 3),
        (Self::Resize, 4),
        (Self::Close, 255),
    ];

    /// The byte that stands for it.
    pub fn byte(self) -> u8 {
        match self {
            Self::Stdin => 0,
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::Status => 3,
            Self::Resize => 4,
            Self::Close => 255,
        }
    }

    /// The channel that a byte stands for.
    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == byte).map(|(channel, _)| channel)
    }
}

/// A channel's next bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whose.
    pub channel: Channel,
    /// The bytes.
    pub payload: Bytes,
}

impl fmt::Debug for Frame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {} bytes", self.channel, self.payload.len())
    }
}

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// There is no such channel.
    Channel(u8),
    /// It would be longer than any may be.
    TooLong(u32),
}

impl fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(byte) => write!(formatter, "there is no channel {byte}"),
            Self::TooLong(length) => {
                write!(formatter, "a frame of {length} bytes; the most is {LONGEST}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// The head of a frame whose payload has `length` bytes, at most [`LONGEST`].
pub fn head(channel: Channel, length: usize) -> [u8; HEAD] {
    debug_assert!(length <= LONGEST, "cut into pieces before");
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [channel.byte(), a, b, c, d]
}

/// Takes the next frame from the front of `bytes`; none if more has to come first.
///
/// # Errors
/// [`FrameError`]; nothing behind it can be understood.
pub fn decode(bytes: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let Some(head) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
    let [channel, a, b, c, d] = *head;
    let channel = Channel::of(channel).ok_or(FrameError::Channel(channel))?;
    let length = u32::from_be_bytes([a, b, c, d]);
    let payload = match usize::try_from(length) {
        Ok(payload) if payload <= LONGEST => payload,
        Ok(_) | Err(_) => return Err(FrameError::TooLong(length)),
    };
    if bytes.len() < HEAD + payload {
        bytes.reserve(HEAD + payload - bytes.len());
        return Ok(None);
    }
    bytes.advance(HEAD);
    Ok(Some(Frame { channel, payload: bytes.split_to(payload).freeze() }))
}

/// Puts a frame, or as many as `payload` needs, behind `bytes`.
pub fn encode(bytes: &mut BytesMut, channel: Channel, payload: &[u8]) {
    let mut rest = payload;
    loop {
        let (piece, behind) = rest.split_at(rest.len().min(LONGEST));
        bytes.put_slice(&head(channel, piece.len()));
        bytes.put_slice(piece);
        rest = behind;
        if rest.is_empty() {
            return;
        }
    }
}
