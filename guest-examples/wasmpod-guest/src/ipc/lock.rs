//! A lock in a segment, of which a word is all that it needs.

use std::thread::sleep;
use std::time::Duration;

use super::{Error, Result, Segment};

const FREE: u32 = 0;
const TAKEN: u32 = 1;

/// Whoever cannot have the lock looks again so often, and then less.
const FIRST_LOOK: Duration = Duration::from_micros(100);
const LAST_LOOK: Duration = Duration::from_millis(10);

/// A lock that is held. Dropping it frees it; a container that ends without that leaves it taken.
#[derive(Debug)]
pub struct SegmentLock<'segment> {
    segment: &'segment Segment,
    offset: u64,
}

impl Segment {
    /// Takes the lock that is the 32-bit word at `offset`, 0 where nobody has it; waits for it as long as
    /// it takes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a place where no word can be.
    pub fn lock(&self, offset: u64) -> Result<SegmentLock<'_>> {
        let mut pause = FIRST_LOOK;
        loop {
            if let Some(lock) = self.try_lock(offset)? {
                return Ok(lock);
            }
            sleep(pause);
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// As [`Segment::lock`], if nobody has it.
    ///
    /// # Errors
    /// As [`Segment::lock`].
    pub fn try_lock(&self, offset: u64) -> Result<Option<SegmentLock<'_>>> {
        let found = self.compare_and_swap32(offset, FREE, TAKEN)?;
        // Made only where it is had: to drop one is to free it, whoever has it.
        Ok((found == FREE).then(|| SegmentLock { segment: self, offset }))
    }
}

impl Drop for SegmentLock<'_> {
    fn drop(&mut self) {
        // Nobody else writes to it while it is taken, and it was there before.
        let freed: std::result::Result<u32, Error> =
            self.segment.compare_and_swap32(self.offset, TAKEN, FREE);
        debug_assert_eq!(freed, Ok(TAKEN));
    }
}
