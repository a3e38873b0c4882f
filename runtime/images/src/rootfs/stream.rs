//! A layer as it was pushed in, the bytes of its archive out: unpacked, counted and hashed.

use std::cell::{Cell, RefCell};
use std::error::Error as _;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::limits::{Budget, Counted, check_ratio};
use crate::artifact::Packing;
use crate::digest::{Digest, Hasher};

const BUFFER_BYTES: usize = 64 << 10;

/// The largest window of Zstandard, in bytes, as `zstd` without `--long` has it at the most.
const MOST_WINDOW_BYTES: u64 = 128 << 20;

/// The bytes of a layer's archive.
pub(super) struct Stream<'input> {
    unpacked: Box<dyn Read + 'input>,
    packed_count: Rc<Cell<u64>>,
    unpacked_count: u64,
    budget: Rc<RefCell<Budget>>,
    hasher: Option<Hasher>,
}

impl<'input> Stream<'input> {
    /// `expected` tells how the archive is to be hashed.
    pub(super) fn new(
        input: impl Read + 'input,
        packing: Packing,
        expected: Option<&Digest>,
        budget: Rc<RefCell<Budget>>,
    ) -> Self {
        let packed_count = Rc::new(Cell::new(0));
        let counted = Counted { input, count: Rc::clone(&packed_count) };
        let input = BufReader::with_capacity(BUFFER_BYTES, counted);
        let unpacked: Box<dyn Read + 'input> = match packing {
            Packing::None => Box::new(input),
            Packing::Gzip => Box::new(MultiGzDecoder::new(input)),
            Packing::Zstd => Box::new(Zstd::new(input)),
        };
        let hasher = expected.map(|digest| Hasher::new(digest.algorithm()));
        Self { unpacked, packed_count, unpacked_count: 0, budget, hasher }
    }

    /// Reads what is left, and answers the digest of all.
    pub(super) fn finish(mut self) -> io::Result<Option<Digest>> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hasher.map(Hasher::finish))
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.unpacked.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..read]);
        }
        self.unpacked_count += read as u64;
        let mut budget = self.budget.borrow_mut();
        budget.spend_bytes(read as u64).map_err(io::Error::other)?;
        let ratio = budget.limits().ratio;
        check_ratio(self.packed_count.get(), self.unpacked_count, ratio)
            .map_err(io::Error::other)?;
        Ok(read)
    }
}

/// Frames of Zstandard, one after the other; `zstd:chunked` ends with some that are to be skipped.
struct Zstd<Input> {
    input: Input,
    decoder: FrameDecoder,
    within_frame: bool,
}

impl<Input: BufRead> Zstd<Input> {
    fn new(input: Input) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MOST_WINDOW_BYTES);
        Self { input, decoder, within_frame: false }
    }

    /// Whether there is another frame.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut (&mut self.input).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(broken(error)),
            }
        }
        Ok(false)
    }
}

impl<Input: BufRead> Read for Zstd<Input> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            if self.within_frame && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.input, one).map_err(broken)?;
                continue;
            }
            self.within_frame = self.begin_frame()?;
            if !self.within_frame {
                return Ok(0);
            }
        }
    }
}

/// The decoder tells its cause as Rust writes it; the cause itself speaks English.
fn broken(error: FrameDecoderError) -> io::Error {
    let message = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    io::Error::new(io::ErrorKind::InvalidData, message)
}
