//! Between an archive, which is read and written by a thread, and the tasks that carry its bytes.

use std::io::{self, Read, Write};

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;

/// Pieces on their way: some megabyte at the most.
const WAITING: usize = 16;
/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// What a thread reads.
pub(super) struct Source {
    pieces: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

/// What a thread writes.
pub(super) struct Sink {
    pieces: mpsc::Sender<Bytes>,
    waiting: Vec<u8>,
}

pub(super) fn source() -> (mpsc::Sender<Bytes>, Source) {
    let (sender, pieces) = mpsc::channel(WAITING);
    (sender, Source { pieces, rest: Bytes::new() })
}

pub(super) fn sink() -> (Sink, mpsc::Receiver<Bytes>) {
    let (pieces, receiver) = mpsc::channel(WAITING);
    (Sink { pieces, waiting: Vec::with_capacity(PIECE) }, receiver)
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.rest.len());
        self.rest.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes the archive");
        self.pieces.blocking_send(piece.into()).map_err(|_| gone())
    }
}
