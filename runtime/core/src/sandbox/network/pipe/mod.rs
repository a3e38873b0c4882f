//! A connection in memory: two lanes of bytes, one in each direction.
//!
//! Decides what a reader and a writer see: flow control, half-close, reset. Knows no addresses.
//!
//! ```text
//! open ──shutdown of writing──▶ finished: the reader drains, then sees the end
//!   ├───shutdown of reading──▶ what is written is thrown away, the writer never waits for it
//!   ├───close, all read──────▶ finished; the peer's writes fail with EPIPE
//!   └───close with unread bytes, or abort ──▶ reset: the peer drains, then sees ECONNRESET
//! ```
//!
//! Bytes travel as the chunks they were written in, so a block of 64 KiB changes hands without a
//! copy; small writes that nobody has read yet are joined, so that a chatty writer cannot fill a
//! lane with crumbs. A writer that found the lane full is woken when it is half empty: waking it for
//! every read costs a switch per chunk. Wakers are called with no lock held.
//!
//! Rules: `tcp(7)`, RFC 9293 section 3.6 (a close with unread data is a reset), and Linux where
//! both leave a choice.

mod lane;
mod memory_stream;

pub(crate) use lane::FREE_CAPACITY;
pub use memory_stream::MemoryStream;
pub(crate) use memory_stream::{End, MemoryStreamHandle};

#[cfg(test)]
mod tests;
